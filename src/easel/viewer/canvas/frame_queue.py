"""Frame queue between the loop and an encoder that may be slower."""

import math
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8

Pixels = UInt8[np.ndarray, "h w 3"]

MEMORY_BYTES = 128 * 2**20
"""Memory for waiting frames; 50 of 1280 x 720."""


@dataclass(frozen=True)
class _Entry:
    """A waiting frame, in memory or at `offset` in the file, and the number of frames for which it is shown."""

    pixels: Pixels | None
    offset: int
    shape: tuple[int, ...]
    count: int


class FrameQueue:
    """First in, first out, between two threads; frames beyond `memory_bytes` wait in a file in `folder`.

    The file has no name: it disappears with the process, whatever ends it.
    """

    def __init__(self, folder: Path, memory_bytes: int = MEMORY_BYTES) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        # One lock for all: frames are large and few, and whoever holds it does little.
        self._changed = threading.Condition()
        self._waiting: deque[_Entry] = deque()
        self._held_bytes = 0
        self._file: BinaryIO | None = None
        self._frames_filed = 0
        self._closed = False
        self._error: BaseException | None = None

    def put(self, pixels: Pixels, count: int) -> None:
        """Add a frame, which from now on belongs to the queue; OSError when the disk is needed and full."""
        with self._changed:
            # After a failure nobody reads: what is fed until the recorder notices must not fill the memory.
            if self._closed:
                return
            if self._held_bytes + pixels.nbytes <= self._memory_bytes:
                self._held_bytes += pixels.nbytes
                self._waiting.append(_Entry(pixels, 0, pixels.shape, count))
            else:
                self._waiting.append(_Entry(None, self._write(pixels), pixels.shape, count))
            self._changed.notify()

    def close(self, error: BaseException | None = None) -> None:
        """End the queue. With an `error`, the reader gets it at once instead of the frames that wait."""
        with self._changed:
            self._closed = True
            self._error = self._error or error
            self._changed.notify()

    def drop(self) -> None:
        """Release memory and disk, as nobody reads any more."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            if self._file is not None:
                self._file.close()
                self._file = None

    def __iter__(self) -> Iterator[tuple[Pixels, int]]:
        """Yield frames and their counts, as they come, until `close`."""
        while (frame := self._take()) is not None:
            yield frame

    def _take(self) -> tuple[Pixels, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            # Before the frames that wait: the film is lost, and encoding more of it would delay the news.
            if self._error is not None:
                raise self._error
            if not self._waiting:
                return None
            entry = self._waiting.popleft()
            if entry.pixels is None:
                return self._read(entry.offset, entry.shape), entry.count
            self._held_bytes -= entry.pixels.nbytes
            return entry.pixels, entry.count

    def _write(self, pixels: Pixels) -> int:
        """Append a frame to the file and return its offset."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)
        offset = self._file.seek(0, 2)
        self._file.write(pixels.data)
        self._frames_filed += 1
        return offset

    def _read(self, offset: int, shape: tuple[int, ...]) -> Pixels:
        assert self._file is not None
        self._file.seek(offset)
        pixels = np.frombuffer(self._file.read(math.prod(shape)), np.uint8).reshape(shape)
        self._frames_filed -= 1
        # An encoder that has caught up gives the disk back; with frames left, their offsets must stay true.
        if not self._frames_filed:
            self._file.truncate(0)
        return pixels
