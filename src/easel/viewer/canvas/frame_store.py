"""FrameStore: pictures of the past in a file, first in, first out."""

import logging
import tempfile
import weakref
from collections import deque
from dataclasses import dataclass
from typing import BinaryIO

import torch
from jaxtyping import UInt8
from torch import Tensor

log = logging.getLogger("easel")


@dataclass(frozen=True, eq=False)
class PastFrame:
    """A picture as it was shown, in 8 bits; something to compare with."""

    step: int
    picture: UInt8[Tensor, "h w c"]

    @property
    def name(self) -> str:
        return f"step {self.step}"

    def mapped(self) -> UInt8[Tensor, "h w c"]:
        return self.picture


@dataclass(frozen=True)
class _Entry:
    """Where in the file a moment is."""

    step: int
    shape: tuple[int, ...]
    offset: int
    end: int


class FrameStore:
    """Moments in a nameless file of at most `limit_bytes`, where the newest take the place of the oldest."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._entries: deque[_Entry] = deque()
        self._file: BinaryIO | None = None
        self._taken: PastFrame | None = None
        """The one read last: what is shown is asked for in every frame."""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """In use now."""
        return sum(entry.end - entry.offset for entry in self._entries)

    def put(self, moment: PastFrame) -> None:
        """Add a moment after all others; the oldest go where there is no room. One that never fits goes itself.

        A disk that is full ends it: then nothing is kept any more, and the log says why.
        """
        size = moment.picture.nbytes
        if size > self._limit:
            self._entries.clear()
            return
        while (offset := self._room(size)) is None:
            self._entries.popleft()
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)
                weakref.finalize(self, self._file.close)
            self._file.seek(offset)
            data = moment.picture.contiguous().numpy().data.cast("B")
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            log.warning("the history keeps no more on disk: %s", error)
            self._limit = 0
            self._entries.clear()
            return
        self._entries.append(_Entry(moment.step, tuple(moment.picture.shape), offset, offset + size))

    def get(self, index: int) -> PastFrame:
        """A moment by its number, 0 the oldest."""
        entry = self._entries[index]
        if self._taken is None or self._taken.step != entry.step:
            assert self._file is not None
            self._file.seek(entry.offset)
            data = bytearray(self._file.read(entry.end - entry.offset))
            picture = torch.frombuffer(data, dtype=torch.uint8).reshape(entry.shape)
            self._taken = PastFrame(entry.step, picture)
        return self._taken

    def drop_newest(self) -> None:
        self._entries.pop()
        self._taken = None

    def _room(self, size: int) -> int | None:
        """Where `size` bytes fit beside what is kept: a ring, in which the file's end is followed by its beginning."""
        if not self._entries:
            return 0
        tail, head = self._entries[0].offset, self._entries[-1].end
        if self._entries[-1].offset >= tail:
            if head + size <= self._limit:
                return head
            return 0 if size <= tail else None
        return head if head + size <= tail else None
