"""The feeds of one view: the newest picture of every name, curves of numbers, and the panels that show them.

A picture is copied only when somebody is going to look at it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

import torch
from jaxtyping import Shaped
from torch import Tensor

from easel.graphics.image import as_tensor, check_tensor
from easel.viewer.imgui.arguments import check_name

MOST_SHARE = 0.005
"""Largest share of the publisher's time for its copies and their way to another process."""
MOST_PER_SECOND = 60.0
"""Most copies of one name per second."""
MOST_POINTS = 10_000
"""Points of a curve; the oldest go first."""
MOST_NAMES = 256
"""Most names of pictures, and as many of curves."""
CURVES = "Curves"
"""Panel of published numbers."""


class Latest:
    """The newest picture of one name: `offer` on the publisher's side, `take` on the side of those who look.

    It is wanted at first, and again once it was taken. Offering what nobody wants costs a look at the clock.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.version = 0
        """Number of copies so far."""
        self.wanted = True
        self.on_taken: Callable[[], object] = lambda: None
        """Called by `take`."""
        self._clock = clock
        self._not_before = float("-inf")
        self._copy: Tensor | None = None

    def offer(self, tensor: Shaped[Tensor, "*shape"]) -> bool:
        """Copy `tensor` as it is now. False if it is not wanted, or not yet.

        The copy lies in main memory and takes no part in gradients; the program may go on writing into its tensor.
        """
        begun = self._clock()
        if not self.wanted or begun < self._not_before:
            return False
        # To main memory in one step: `detach().cpu().clone()` would copy a CPU tensor once and a CUDA tensor twice.
        self.put(torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach()))
        ended = self._clock()
        # The pause after a copy makes it a fixed share of the time, however long it takes.
        self._not_before = ended + max((ended - begun) / MOST_SHARE, 1 / MOST_PER_SECOND)
        return True

    def charge(self, seconds: float) -> None:
        """Count the time of the copy's way to another process: the next copy waits for that as well."""
        self._not_before += seconds / MOST_SHARE

    def put(self, tensor: Shaped[Tensor, "*shape"]) -> None:
        """Take `tensor` itself over; nobody writes into it any more."""
        self.wanted = False
        self._copy = tensor
        self.version += 1

    def take(self) -> Shaped[Tensor, "*shape"]:
        """Return the newest copy, and want a newer one."""
        # Read before it is wanted anew: the publisher may replace it from then on.
        newest = self.peek()
        self.wanted = True
        self.on_taken()
        return newest

    def peek(self) -> Shaped[Tensor, "*shape"]:
        """Return the newest copy without wanting a newer one."""
        assert self._copy is not None, "there is none before the first version"
        return self._copy


class PublishedCurve:
    """The numbers of one name in order, such as a loss."""

    def __init__(self) -> None:
        self.values: deque[float] = deque(maxlen=MOST_POINTS)
        self.count = 0
        """Number of all values so far."""

    def offer(self, *values: float) -> None:
        """Append values."""
        self.values.extend(values)
        self.count += len(values)

    def last(self, count: int) -> list[float]:
        """Return the newest `count` values in their order, or fewer if older ones are gone."""
        # From the end: from the front, it would walk through all of the deque.
        return list(islice(reversed(self.values), count))[::-1]


Kind = TypeVar("Kind", Latest, PublishedCurve)


class Feeds:
    """Pictures and curves by name; offered from any thread, shown by the view's own."""

    def __init__(self) -> None:
        self.pictures: dict[str, Latest] = {}
        self.curves: dict[str, PublishedCurve] = {}
        self._shown: dict[str, int] = {}
        self._lock = threading.Lock()

    def publish(self, name: str, value: object) -> bool:
        """Continue the curve of that name by a number, or a tensor of one; anything else is the newest picture.

        Returns True if it is a picture that was copied just now: one that nobody waits for is not. TypeError or
        ValueError for what no canvas shows, and beyond `MOST_NAMES`.
        """
        if isinstance(value, Tensor) and value.ndim == 0:
            value = float(value.detach())
        if isinstance(value, bool | int | float):
            self.curve(name).offer(float(value))
            return False
        # Before anything is looked at: most calls of a training loop end here.
        if not (picture := self.picture(name)).wanted:
            return False
        tensor = as_tensor(value, f"publish({name!r})")
        check_tensor(tensor, f"publish({name!r})")
        return picture.offer(tensor)

    def picture(self, name: str) -> Latest:
        """Return the picture of that name, made at the first call. ValueError beyond `MOST_NAMES`."""
        return self._find(self.pictures, name, Latest)

    def curve(self, name: str) -> PublishedCurve:
        """Return the curve of that name, made at the first call. ValueError beyond `MOST_NAMES`."""
        return self._find(self.curves, name, PublishedCurve)

    def show(self, panel: Callable[..., Any], *, headless: bool) -> None:
        """Update the panels that `panel(name)` gives, in a frame: one for each picture, and one for all curves."""
        for name, picture in list(self.pictures.items()):
            # Headless, a capture may come at any time and is to show the newest.
            picture.wanted |= headless
            if self._shown.get(name, 0) == picture.version:
                continue
            canvas = panel(name).canvas(name)
            if name in self._shown:
                canvas.refresh()
            else:
                # Taken when it is drawn, so that nobody copies for a panel that is behind a tab.
                canvas.bind(picture.take, live=False)
            self._shown[name] = picture.version
        if self.curves and CURVES not in self._shown:
            # Version 0: only whether the panel is there matters.
            self._shown[CURVES] = 0
            below = panel(CURVES, side="bottom", width=0.25)
            below.on_frame(lambda: self._draw_curves(below))

    def _draw_curves(self, panel: Any) -> None:
        for name, curve in list(self.curves.items()):
            values = list(curve.values)
            panel.plot(values, label=f"##{name}", overlay=f"{name}  {values[-1]:.6g}" if values else name)

    def _find(self, table: dict[str, Kind], name: str, make: type[Kind]) -> Kind:
        # Without the lock: most calls find the name, and a dict may be read while it is written.
        if (found := table.get(name)) is not None:
            return found
        check_name(name, "what is published")
        # Two threads may publish a new name at once: both must get the same object.
        with self._lock:
            if len(table) >= MOST_NAMES:
                raise ValueError(f"a view takes {MOST_NAMES} published names; {name[:80]!r} would be one more.")
            return table.setdefault(name, make())
