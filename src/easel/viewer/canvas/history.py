"""History: the past pictures of a canvas, and the timeline on which the canvases of a view go back together."""

import logging
import tempfile
import weakref
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import BinaryIO

import torch
from jaxtyping import UInt8
from torch import Tensor

from easel.graphics.image import as_bytes

log = logging.getLogger("easel")

DEFAULT_BYTES = 256 << 20
"""Main memory for the history of one canvas."""


@dataclass(frozen=True, eq=False)
class PastFrame:
    """A picture as it was shown, in 8 bits; a `PictureSource`, so canvases can be compared with it."""

    step: int
    picture: UInt8[Tensor, "h w c"]

    @property
    def name(self) -> str:
        return f"step {self.step}"

    def mapped(self) -> UInt8[Tensor, "h w c"]:
        return self.picture


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
        """Main memory in use."""
        self._newest: deque[PastFrame] = deque()
        self._older = FrameStore(disk_bytes)
        self._steps: deque[int] = deque()

    @property
    def steps(self) -> list[int]:
        """The steps that are kept, the oldest first."""
        return list(self._steps)

    @property
    def bytes_on_disk(self) -> int:
        """Bytes of the file in use."""
        return self._older.bytes

    def wants(self, step: int) -> bool:
        """Return True if this step is to be kept: the first one, each `every` steps later, and any of a new run."""
        return not self._steps or not 0 <= step - self._steps[-1] < self.every

    def keep(self, step: int, picture: Tensor) -> None:
        """Keep a copy of a picture. A step before the last begins a new run: what came after it is forgotten."""
        # A run that was started again counts from 0: two runs on one axis of time would be in each other's way.
        while self._steps and self._steps[-1] >= step:
            self._forget_newest()
        # In bytes, as it is on screen: four times as many fit as of floats.
        copied = as_bytes(picture).cpu().contiguous()
        # A picture of bytes in main memory has come through unchanged, in the memory that the program writes to.
        if copied.data_ptr() == picture.data_ptr():
            copied = copied.clone()
        self._newest.append(PastFrame(step, copied))
        self._steps.append(step)
        self.bytes += copied.nbytes
        # The newest stays, however large: a history always has something to show.
        while self.bytes > self.limit_bytes and len(self._newest) > 1:
            oldest = self._newest.popleft()
            self.bytes -= oldest.picture.nbytes
            self._older.put(oldest)
        # The file drops what it has no room for, and with it go those steps.
        while len(self._steps) > len(self._newest) + len(self._older):
            self._steps.popleft()

    def at(self, step: int) -> PastFrame:
        """Return the last kept frame up to a step, or the oldest; LookupError when nothing is kept."""
        if not self._steps:
            raise LookupError("nothing is kept yet: turn some frames first.")
        # Steps before the first show the first: the slider may stand left of what is still kept.
        index = max(bisect_right(self._steps, step) - 1, 0)
        filed = len(self._older)
        return self._older.get(index) if index < filed else self._newest[index - filed]

    def _forget_newest(self) -> None:
        self._steps.pop()
        if self._newest:
            self.bytes -= self._newest.pop().picture.nbytes
        else:
            self._older.drop_newest()


@dataclass(frozen=True)
class _FileEntry:
    """The place of a frame in the file."""

    step: int
    shape: tuple[int, ...]
    offset: int
    end: int


class FrameStore:
    """Frames in a nameless file of at most `limit_bytes`, in which the newest replace the oldest."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._entries: deque[_FileEntry] = deque()
        self._file: BinaryIO | None = None
        self._last_read: PastFrame | None = None
        """Kept, as the frame being shown is asked for in every frame of the view."""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """Bytes in use."""
        return sum(entry.end - entry.offset for entry in self._entries)

    def put(self, frame: PastFrame) -> None:
        """Add a frame after all others; the oldest go if there is no room. A frame that cannot fit clears the file.

        A full disk ends it: from then on nothing is kept, and the log says why.
        """
        size = frame.picture.nbytes
        # Steps are kept without gaps: with this one lost, none before it can stay.
        if size > self._limit:
            self._entries.clear()
            return
        # Ends at the latest with an empty file, in which a frame of this size fits.
        while (offset := self._free_offset(size)) is None:
            self._entries.popleft()
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)
                weakref.finalize(self, self._file.close)
            self._file.seek(offset)
            # An unbuffered write may take less than it is given.
            data = frame.picture.contiguous().numpy().data.cast("B")
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            log.warning("the history keeps no more on disk: %s", error)
            self._limit = 0
            self._entries.clear()
            return
        self._entries.append(_FileEntry(frame.step, tuple(frame.picture.shape), offset, offset + size))

    def get(self, index: int) -> PastFrame:
        """Return a frame by its number, 0 for the oldest."""
        entry = self._entries[index]
        if self._last_read is None or self._last_read.step != entry.step:
            assert self._file is not None
            self._file.seek(entry.offset)
            # A bytearray: torch warns about memory that cannot be written.
            data = bytearray(self._file.read(entry.end - entry.offset))
            self._last_read = PastFrame(entry.step, torch.frombuffer(data, dtype=torch.uint8).reshape(entry.shape))
        return self._last_read

    def drop_newest(self) -> None:
        self._entries.pop()
        # A new run may bring another frame of the same step.
        self._last_read = None

    def _free_offset(self, size: int) -> int | None:
        """Return an offset at which `size` bytes fit; None if an old frame has to go first.

        The file is a ring, in which the end is followed by the beginning.
        """
        if not self._entries:
            return 0
        tail = self._entries[0].offset
        head = self._entries[-1].end
        wrapped = self._entries[-1].offset < tail
        # Wrapped, the gap lies between the newest and the oldest; else behind the newest, then before the oldest.
        gaps = [(head, tail)] if wrapped else [(head, self._limit), (0, tail)]
        return next((start for start, end in gaps if start + size <= end), None)


@dataclass(eq=False)
class FrameTimeline:
    """The position in time of the canvases of a view."""

    step: int | None = None
    """Number of the current step, which a program may set before each frame; None: the view counts its frames."""
    shown: int | None = None
    """The past step that is shown; None for the present."""
    histories: list[History] = field(default_factory=list)

    @property
    def steps(self) -> list[int]:
        """All steps that any canvas has kept, in order."""
        return sorted({step for history in self.histories for step in history.steps})

    def show(self, step: int) -> None:
        """Let every canvas with a history show what it showed at `step`; the program goes on meanwhile."""
        self.shown = step

    def live(self) -> None:
        """Show the present again."""
        self.shown = None
