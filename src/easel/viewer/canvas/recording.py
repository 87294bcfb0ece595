"""Recording of a canvas or of a whole view into a film.

The loop pays for one copy of the picture as bytes; a worker thread encodes and writes, and frames wait in a queue
meanwhile.
"""

import atexit
import itertools
import logging
import math
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from easel.graphics.files import FileError
from easel.graphics.image import as_bytes, as_picture, resize
from easel.graphics.video import VideoWriter, film_path, film_pixels
from easel.viewer.imgui.layout import Rectangle, fit
from easel.viewer.imgui.sketch import Number

log = logging.getLogger("easel")

AnyPath = str | os.PathLike[str]
Pixels = UInt8[np.ndarray, "h w 3"]
Look = Callable[[], Tensor | None]
"""Returns the picture of the frame; None while there is none."""
Recorded = TypeVar("Recorded", bound="Recordable")

CLOCKS = ("wall", "frames")
MEMORY_BYTES = 128 * 2**20
"""Memory for waiting frames; 50 of 1280 x 720."""

_unfinished: "set[Recorder]" = set()
"""Recorders whose films are not complete."""


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
        """Return frames and their counts, as they come, until `close`."""
        return iter(self._take, None)

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


class Recorder:
    """Records one film, from its construction on; fed once per frame of the view.

    With `clock="wall"` the film lasts as long as the recording did: every 1/fps seconds a tick takes the newest
    picture, frames in between are left out, and ticks without a new frame repeat the last. With `clock="frames"` every
    frame that is fed is one of the film. A picture of another size than the first is fitted into it.

    The film is complete when `is_saving` becomes False, at the latest when the interpreter has ended; `save_error` is
    the reason if it could not be saved. Raises ValueError for an unknown clock, and what `VideoWriter` raises for a bad
    `path` or `fps`.
    """

    def __init__(
        self,
        path: AnyPath,
        *,
        fps: Number = 30,
        quality: Number = 0.8,
        clock: str = "wall",
        now: Callable[[], float] = time.perf_counter,
        after: "Sequence[Recorder]" = (),
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        if clock not in CLOCKS:
            raise ValueError(f"unknown clock {clock!r}. Known: {', '.join(CLOCKS)}.")
        self._writer = VideoWriter(path, fps=fps, quality=quality)
        self.path = self._writer.path
        """The finished film: a file, or the folder of a sequence; absolute."""
        self.save_error: str | None = None
        """Reason why there is no film."""
        self.is_recording = True
        self._fps, self._clock, self._now = fps, clock, now
        self._after = tuple(after)
        self._began = now()
        # The last picture is held back until the next one tells for how many ticks it is shown.
        self._last: Pixels | None = None
        self._last_count = 0
        self._ticks = 0
        self._queue = FrameQueue(self.path.parent, memory_bytes)
        # A daemon: the interpreter ends other threads before `_finish_all` could tell them to.
        self._worker = threading.Thread(target=self._save, name=f"easel: {self.path.name}", daemon=True)
        # Before it starts: it takes itself out when it has finished, which may be at once.
        _unfinished.add(self)
        self._worker.start()

    def feed(self, look: Look) -> None:
        """Take a complete frame of the view; `look` returns its picture and is called only if the film needs one."""
        ticks = self._elapsed_ticks(math.floor) + 1
        missing = ticks - self._ticks
        if not self.is_recording or missing < 1 or (picture := look()) is None:
            return
        # A copy: the program writes into its tensor while the worker encodes.
        pixels = film_pixels(picture)
        if self._last is not None:
            self._put_last(missing - 1)
            missing = 1
        self._last = pixels
        self._last_count = missing
        self._ticks = ticks

    def stop(self) -> Path:
        """End the recording and return the film's path; the worker completes the film. Idempotent."""
        if self.is_recording:
            self.is_recording = False
            if self._last is not None:
                # As many ticks as began before now: the film is never shorter than what it shows.
                self._put_last(max(self._elapsed_ticks(math.ceil) - self._ticks, 0))
            self._queue.close()
        return self.path

    @property
    def is_saving(self) -> bool:
        """True while the recording is over and the film not complete yet."""
        return not self.is_recording and self in _unfinished

    def wait(self) -> None:
        """Wait until the film is complete, or has failed; call `stop` before."""
        self._worker.join()

    def _elapsed_ticks(self, rounded: Callable[[Number], int]) -> int:
        """Return the ticks since the recording began; by the clock of frames, those that were fed."""
        return self._ticks if self._clock == "frames" else rounded((self._now() - self._began) * self._fps)

    def _put_last(self, repeats: int) -> None:
        assert self._last is not None
        try:
            self._queue.put(self._last, self._last_count + repeats)
        except OSError as error:  # the disk is full; the loop goes on
            self._queue.close(error)
            self.is_recording = False

    def _save(self) -> None:
        """Encode the frames of the queue: the worker thread."""
        try:
            with self._writer as writer:
                for pixels, count in self._frames():
                    writer.append(pixels, count=count)
                # Leaving the writer renames its file: an earlier film of this name must have done so before.
                for other in self._after:
                    other.wait()
        # Whatever an encoder raises: in this thread nobody else would hear of it.
        except Exception as error:
            self.save_error = str(error) or type(error).__name__
            log.error("recording: %s", self.save_error)
        finally:
            self.is_recording = False
            self._queue.drop()
            _unfinished.discard(self)

    def _frames(self) -> Iterator[tuple[Pixels, int]]:
        """Yield the recorded pictures in the size of the first, and their counts."""
        size: tuple[int, int] | None = None
        warned = False
        for pixels, count in self._queue:
            height, width, _ = pixels.shape
            size = size or (height, width)
            # A container has one size for all frames, and a window may be dragged to another at any time.
            if (height, width) != size:
                if not warned:
                    sizes = (width, height, size[1], size[0])
                    log.warning("recording %s: frames of %d x %d are fitted into %d x %d", self.path, *sizes)
                    warned = True
                pixels = letterbox(pixels, size)
            yield pixels, count


class Recordable:
    """An object with a picture in every frame of a view: a canvas, or the view as a whole."""

    def __init__(self, clock: str) -> None:
        self.recording_clock = clock
        """Clock of recordings that name none: "wall" or "frames"."""
        self._recorders: list[Recorder] = []
        """Recorders whose films are not complete; the last one is the latest."""
        self._refusal: str | None = None

    def start_recording(
        self: Recorded, path: AnyPath, *, fps: Number = 30, quality: Number = 0.8, clock: str | None = None
    ) -> Recorded:
        """Record from the next frame on into a film: .gif, .mp4, .webm, or a folder of numbered .png or .tif files.

        `fps` is 1 to 50 for a GIF, `quality` 0 to 1. With `clock="wall"`, the default where a person watches, the film
        lasts as long as the recording; with `clock="frames"`, the default where nobody does, it has one frame per frame
        of the view. An older file of that name is replaced when the film is complete. A running recording is stopped.

        Raises ImportError where an encoder is missing, OSError or FileError for a path, ValueError for `fps` or clock.
        """
        self.stop_recording()
        # Several films may be completed at once; only those of one name have to wait for each other.
        unfinished = [recorder for recorder in self._recorders if recorder.is_saving]
        same = [recorder for recorder in unfinished if recorder.path == film_path(path)]
        try:
            recorder = Recorder(path, fps=fps, quality=quality, clock=clock or self.recording_clock, after=same)
        # Kept as well: the person at the window sees `save_error`, not the exception.
        except (ImportError, OSError, FileError) as error:
            self._refusal = str(error)
            raise
        self._recorders = [*unfinished, recorder]
        self._refusal = None
        return self

    def stop_recording(self) -> str | None:
        """End the recording and return the film's absolute path; None without a recording.

        The film is completed while the loop goes on; see `is_saving` and `wait`.
        """
        return None if not self.is_recording else str(self._recorders[-1].stop())

    @property
    def is_recording(self) -> bool:
        return bool(self._recorders) and self._recorders[-1].is_recording

    @property
    def is_saving(self) -> bool:
        """True while a film is being completed."""
        return any(recorder.is_saving for recorder in self._recorders)

    @property
    def save_error(self) -> str | None:
        """Reason why the latest film could not be saved or begun; None if all is well."""
        if self._refusal or not self._recorders:
            return self._refusal
        return self._recorders[-1].save_error

    def wait(self) -> None:
        """Wait until all films whose recording has ended are complete."""
        for recorder in self._recorders:
            if not recorder.is_recording:
                recorder.wait()

    def feed_recording(self, look: Look) -> None:
        """Take a complete frame; `look` returns its picture and is called only if a recording needs it."""
        if self._recorders:
            self._recorders[-1].feed(look)


def free_path(path: AnyPath) -> Path:
    """Return `path`, or the first of "name-2", "name-3" … beside it that neither exists nor is being recorded."""
    wanted = Path(path)
    # Copied: workers take their recorders out of it meanwhile.
    taken = {recorder.path for recorder in list(_unfinished)}
    names = itertools.chain([wanted], (wanted.with_stem(f"{wanted.stem}-{number}") for number in itertools.count(2)))
    return next(name for name in names if (film := film_path(name)) not in taken and not film.exists())


def letterbox(pixels: Pixels, size: tuple[int, int]) -> UInt8[np.ndarray, "new_h new_w 3"]:
    """Fit `pixels` into a black frame of `size` = (height, width), in their own aspect ratio."""
    x, y, width, height = map(int, fit(pixels.shape[:2], Rectangle(0, 0, size[1], size[0])))
    frame = np.zeros((*size, 3), np.uint8)
    frame[y : y + height, x : x + width] = as_bytes(resize(as_picture(pixels), (height, width))).numpy()
    return frame


@atexit.register
def _finish_all() -> None:
    """Complete all films of a program that ends, even while it records."""
    recorders = list(_unfinished)
    # All are stopped before the first wait: they encode at the same time.
    for recorder in recorders:
        recorder.stop()
    for recorder in recorders:
        recorder.wait()
