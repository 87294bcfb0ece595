"""History: what a canvas has shown, and the one timeline on which all canvases of a view go back."""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

from jaxtyping import UInt8
from torch import Tensor

from easel.graphics.image import as_bytes

DEFAULT_BYTES = 256 << 20
"""Of main memory, for the past of one canvas."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A picture as it was shown, in 8 bits; something to compare with."""

    step: int
    picture: UInt8[Tensor, "h w c"]

    @property
    def name(self) -> str:
        return f"step {self.step}"

    def mapped(self) -> UInt8[Tensor, "h w c"]:
        return self.picture


class History:
    """The past pictures of one canvas in the order of their steps; the oldest give way to new ones."""

    def __init__(self, limit_bytes: int = DEFAULT_BYTES, every: int = 1) -> None:
        if limit_bytes < 1 or every < 1:
            raise ValueError(f"a history has at least 1 byte, every step or fewer; got {limit_bytes} and {every}.")
        self.limit_bytes, self.every = limit_bytes, every
        self.bytes = 0
        """In use now."""
        self._moments: deque[Moment] = deque()

    @property
    def steps(self) -> list[int]:
        """The steps that are kept, the oldest first."""
        return [moment.step for moment in self._moments]

    def wants(self, step: int) -> bool:
        """Whether this step is to be kept: the first, and those at least `every` after the last; also a new run's."""
        return not self._moments or not 0 <= step - self._moments[-1].step < self.every

    def keep(self, step: int, picture: Tensor) -> None:
        """Keep a copy of a picture. A step before the last begins a new run: what came after it is forgotten."""
        while self._moments and self._moments[-1].step >= step:
            self.bytes -= self._moments.pop().picture.nbytes
        copied = as_bytes(picture).cpu()
        copied = copied.clone() if copied.data_ptr() == picture.data_ptr() else copied
        self._moments.append(Moment(step, copied))
        self.bytes += copied.nbytes
        while self.bytes > self.limit_bytes and len(self._moments) > 1:
            self.bytes -= self._moments.popleft().picture.nbytes

    def at(self, step: int) -> Moment:
        """What was shown at a step: the last kept one up to it, or the oldest; LookupError when nothing is kept."""
        if not self._moments:
            raise LookupError("nothing is kept yet: turn some frames first.")
        return self._moments[max(bisect_right(self.steps, step) - 1, 0)]


@dataclass(eq=False)
class Timeline:
    """Where in their past the canvases of a view are."""

    step: int | None = None
    """The number of what is shown now, which a program may set before each frame; None: the view counts its frames."""
    shown: int | None = None
    """The step of the past that is shown; None: now."""
    histories: list[History] = field(default_factory=list)

    @property
    def steps(self) -> list[int]:
        """All steps that a canvas has kept, in order."""
        return sorted({step for history in self.histories for step in history.steps})

    def show(self, step: int) -> None:
        """Let every canvas that keeps a history show what it showed at `step`; the program goes on meanwhile."""
        self.shown = step

    def live(self) -> None:
        """Show what there is now again."""
        self.shown = None
