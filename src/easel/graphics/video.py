"""Films from pictures: GIF, MP4 and WebM, PNG and TIFF sequences.

Pictures hold the numbers that the screen shows, without any gamma. A film has its name only when it is complete.
"""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from easel.graphics.ffmpeg import write_ffmpeg
from easel.graphics.files import FileError, write_whole
from easel.graphics.gif import MAX_FPS, GifWriter
from easel.graphics.image import as_bytes, check_tensor
from easel.graphics.sequence import write_sequence
from easel.graphics.tiff import write_tiff

Pixels = UInt8[np.ndarray, "h w 3"]
Append = Callable[[Pixels, int], None]
Number = float | int


class VideoWriter:
    """Writer of a film, picture after picture, none of which is kept in memory.

    The suffix of `path` says what it is: `.gif`; `.mp4` (H.264) and `.webm` (VP9), which need imageio-ffmpeg; `.png`,
    `.tif`, `.tiff` give a folder of numbered files, `out/turn.png` the files `out/turn/turn-000000.png` and so on.
    `quality`, 0 to 1, is the number of colours of a GIF and the rate factor of MP4 and WebM. `close`, or the end of a
    `with` block, gives the film its name, replacing what had it before; a block that fails leaves no trace.

        with VideoWriter("turn.mp4", fps=30) as film:
            film.append(picture)

    ValueError for an unknown suffix or rate, FileError for a place that cannot be written, ImportError without the
    optional library.
    """

    def __init__(self, path: str | os.PathLike[str], *, fps: Number = 30, quality: Number = 0.8) -> None:
        suffix = check_film(path, fps)
        if not isinstance(quality, int | float) or math.isnan(quality):
            raise TypeError(f"quality is a number from 0 to 1; got {quality!r}.")
        self.path = film_path(path)
        """Absolute path of the finished film: the file, or the folder of a sequence."""
        self._size: tuple[int, int] | None = None
        self._stack = ExitStack()
        self._append = self._stack.enter_context(
            _FORMATS[suffix](Path(os.path.abspath(path)), fps, min(max(float(quality), 0.0), 1.0))
        )
        self.closed = False

    def append(self, picture: Tensor | np.ndarray | Image.Image, *, count: int = 1) -> None:
        """Append a picture that is `count` frames long, without alpha; all have the size of the first.

        ValueError for another size, for a tensor that is no picture, and once the film is closed.
        """
        if self.closed:
            raise ValueError(f"film {str(self.path)!r} is closed: nothing can be appended. Begin another one.")
        pixels = film_pixels(picture)
        size = pixels.shape[0], pixels.shape[1]
        if self._size not in (None, size):
            raise ValueError(f"a film's pictures have one size; got {size} after {self._size}. Resize it first.")
        self._size = size
        self._append(pixels, count)

    def close(self) -> None:
        """Finish the film; closing it again does nothing. FileError when there was no picture."""
        self.__exit__(None, None, None)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self.closed:
            return
        self.closed = True
        if error is None and self._size is None:
            # Inside the block, so that the unfinished file is removed like that of every failure.
            with self._stack:
                raise FileError(f"cannot write {str(self.path)!r}: it got no picture. A film needs at least one.")
        self._stack.__exit__(kind, error, trace)  # pyright: ignore[reportArgumentType]


def check_film(path: str | os.PathLike[str], fps: Number) -> str:
    """Return the suffix of a film that can be written at `fps` frames a second. ValueError for anything else."""
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        raise ValueError(
            f"cannot record to {os.fspath(path)!r}: {suffix or 'no suffix'} names no film. Use one of "
            f"{' '.join(_FORMATS)} (.png, .tif and .tiff give numbered files)."
        )
    fastest = {".gif": MAX_FPS}.get(suffix, 1000)
    if isinstance(fps, bool) or not isinstance(fps, int | float):
        raise TypeError(f"fps is a number of frames a second; got {fps!r}.")
    if not 1 <= fps <= fastest:
        raise ValueError(f"fps is 1 to {fastest} for {suffix}; got {fps}.")
    return suffix


def film_path(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a film of that name: the file, or the folder of a sequence."""
    film = Path(os.path.abspath(path))
    return film.with_suffix("") if film.suffix.lower() in _SEQUENCES else film


def film_pixels(picture: Tensor | np.ndarray | Image.Image, who: str = "a film") -> Pixels:
    """Return a copy of a picture as a frame on the CPU: round(255·x), alpha dropped, grey replicated."""
    # A copy: a film may be encoded while the caller draws the next picture into the same memory.
    pixels = as_bytes(check_tensor(picture, who)[..., :3])
    return torch.empty((*pixels.shape[:2], 3), dtype=torch.uint8).copy_(pixels).numpy()


@contextmanager
def _write_gif(path: Path, fps: Number, quality: float) -> Iterator[Append]:
    with write_whole(path) as partial, partial.open("wb") as file:
        writer = GifWriter(file, fps=fps, colors=max(2, int(quality * 254 + 2)))
        yield writer.append
        writer.close()


def _write_png_sequence(path: Path, fps: Number, quality: float) -> AbstractContextManager[Append]:
    # Level 1: a third of the time for a tenth more bytes.
    return write_sequence(path, lambda file, pixels: Image.fromarray(pixels).save(file, "PNG", compress_level=1))


def _write_tiff_sequence(path: Path, fps: Number, quality: float) -> AbstractContextManager[Append]:
    return write_sequence(path, lambda file, pixels: file.write_bytes(write_tiff(pixels)))


def _write_mp4(path: Path, fps: Number, quality: float) -> AbstractContextManager[Append]:
    rate_factor = round(50 - 40 * quality)  # 0.8 gives 18, which x264 calls visually lossless
    return write_ffmpeg(path, fps, f"-c:v libx264 -preset veryfast -crf {rate_factor} -movflags +faststart")


def _write_webm(path: Path, fps: Number, quality: float) -> AbstractContextManager[Append]:
    rate_factor = round(60 - 45 * quality)
    return write_ffmpeg(path, fps, f"-c:v libvpx-vp9 -b:v 0 -crf {rate_factor} -deadline good -cpu-used 5 -row-mt 1")


_FORMATS: dict[str, Callable[[Path, Number, float], AbstractContextManager[Append]]] = {
    ".gif": _write_gif,
    ".mp4": _write_mp4,
    ".webm": _write_webm,
    ".png": _write_png_sequence,
    ".tif": _write_tiff_sequence,
    ".tiff": _write_tiff_sequence,
}
_SEQUENCES = (".png", ".tif", ".tiff")
FILM_SUFFIXES = tuple(suffix for suffix in _FORMATS if suffix not in _SEQUENCES)
"""Of films in one file."""
