"""History: what a canvas has shown, and the one timeline on which all canvases of a view go back."""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

from torch import Tensor

from easel.graphics.image import as_bytes
from easel.viewer.canvas.frame_store import FrameStore, PastFrame

DEFAULT_BYTES = 256 << 20
"""Of main memory, for the past of one canvas."""


class History:
    """The past pictures of one canvas in the order of their steps; the oldest give way to new ones.

    The newest are in main memory, `limit_bytes` of them. Older ones move into a file of at most `disk_bytes` in the
    system's temporary folder, which has no name and is gone with the history or with the process.
    """

    def __init__(self, limit_bytes: int = DEFAULT_BYTES, every: int = 1, disk_bytes: int = 0) -> None:
        if limit_bytes < 1 or every < 1 or disk_bytes < 0:
            raise ValueError(
                "a history has at least 1 byte, every step or fewer, and no less than 0 bytes on disk; "
                f"got {limit_bytes}, {every} and {disk_bytes}."
            )
        self.limit_bytes, self.every, self.disk_bytes = limit_bytes, every, disk_bytes
        self.bytes = 0
        """In use in main memory now."""
        self._moments: deque[PastFrame] = deque()
        self._older = FrameStore(disk_bytes)
        self._steps: deque[int] = deque()

    @property
    def steps(self) -> list[int]:
        """The steps that are kept, the oldest first."""
        return list(self._steps)

    @property
    def bytes_on_disk(self) -> int:
        """In use in the file now."""
        return self._older.bytes

    def wants(self, step: int) -> bool:
        """Whether this step is to be kept: the first, and those at least `every` after the last; also a new run's."""
        return not self._steps or not 0 <= step - self._steps[-1] < self.every

    def keep(self, step: int, picture: Tensor) -> None:
        """Keep a copy of a picture. A step before the last begins a new run: what came after it is forgotten."""
        while self._steps and self._steps[-1] >= step:
            self._forget_newest()
        copied = as_bytes(picture).cpu()
        copied = copied.clone() if copied.data_ptr() == picture.data_ptr() else copied.contiguous()
        self._moments.append(PastFrame(step, copied))
        self._steps.append(step)
        self.bytes += copied.nbytes
        while self.bytes > self.limit_bytes and len(self._moments) > 1:
            oldest = self._moments.popleft()
            self.bytes -= oldest.picture.nbytes
            self._older.put(oldest)
        while len(self._steps) > len(self._moments) + len(self._older):
            self._steps.popleft()

    def at(self, step: int) -> PastFrame:
        """What was shown at a step: the last kept one up to it, or the oldest; LookupError when nothing is kept."""
        if not self._steps:
            raise LookupError("nothing is kept yet: turn some frames first.")
        index = max(bisect_right(self._steps, step) - 1, 0)
        filed = len(self._older)
        return self._older.get(index) if index < filed else self._moments[index - filed]

    def _forget_newest(self) -> None:
        self._steps.pop()
        if self._moments:
            self.bytes -= self._moments.pop().picture.nbytes
        else:
            self._older.drop_newest()


@dataclass(eq=False)
class FrameTimeline:
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
