"""What is published to one view, and the panels that show it."""

import threading
from collections.abc import Callable
from typing import TypeVar

from torch import Tensor

from easel.graphics.image import as_tensor, check_tensor
from easel.viewer.feed.latest import Curve, Latest
from easel.viewer.imgui.arguments import check_name
from easel.viewer.panels.panel import Panel

Kind = TypeVar("Kind", Latest, Curve)

MOST_NAMES = 256
CURVES = "Curves"
"""The panel of published numbers."""


class Feeds:
    """Pictures and curves by name; offered from any thread, shown by the view's own."""

    def __init__(self) -> None:
        self.pictures: dict[str, Latest] = {}
        self.curves: dict[str, Curve] = {}
        self._shown: dict[str, int] = {}
        self._lock = threading.Lock()

    def publish(self, name: str, value: object) -> bool:
        """A number, or a tensor of one, continues the curve of that name; anything else is the newest picture.

        Returns whether it is a picture that was copied just now: one that nobody waits for is not. TypeError or
        ValueError for what no canvas shows, and beyond the most names.
        """
        if isinstance(value, bool | int | float):
            self.curve(name).offer(float(value))
            return False
        if isinstance(value, Tensor) and value.ndim == 0:
            self.curve(name).offer(float(value.detach()))
            return False
        picture = self.picture(name)
        if not picture.wanted:
            return False
        tensor = as_tensor(value, f"publish({name!r})")
        check_tensor(tensor, f"publish({name!r})")
        return picture.offer(tensor)

    def picture(self, name: str) -> Latest:
        """The picture of that name, new when there is none; ValueError beyond the most names."""
        return self._find(self.pictures, name, Latest)

    def curve(self, name: str) -> Curve:
        """The curve of that name, new when there is none; ValueError beyond the most names."""
        return self._find(self.curves, name, Curve)

    def show(self, panel: Callable[..., Panel], *, headless: bool) -> None:
        """Bring the panels that `panel(name)` gives up to date, in a frame: one a picture, and one for all curves."""
        for name, picture in list(self.pictures.items()):
            # Headless, a capture may come at any time and is to show the newest.
            picture.wanted |= headless
            if self._shown.get(name, 0) == picture.version:
                continue
            canvas = panel(name).canvas(name)
            if name in self._shown:
                canvas.refresh()
            else:
                canvas.bind(picture.take, live=False)
            self._shown[name] = picture.version
        if self.curves and CURVES not in self._shown:
            self._shown[CURVES] = 0
            below = panel(CURVES, side="bottom", width=0.25)
            below.on_frame(lambda: self._draw_curves(below))

    def _draw_curves(self, panel: Panel) -> None:
        for name, curve in list(self.curves.items()):
            values = list(curve.values)
            panel.plot(values, label=f"##{name}", overlay=f"{name}  {values[-1]:.6g}" if values else name)

    def _find(self, table: dict[str, Kind], name: str, make: type[Kind]) -> Kind:
        found = table.get(name)
        if found is not None:
            return found
        check_name(name, "what is published")
        with self._lock:
            if len(table) >= MOST_NAMES:
                raise ValueError(f"a view takes {MOST_NAMES} published names; {name[:80]!r} would be one more.")
            return table.setdefault(name, make())
