"""Video encoded by an FFmpeg process. The one file that imports imageio-ffmpeg, which brings the program along."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8

from easel.graphics.files import FileError, write_whole

Pixels = UInt8[np.ndarray, "h w 3"]


@contextmanager
def write_ffmpeg(path: Path, fps: float | int, codec: str) -> Iterator[Callable[[Pixels, int], None]]:
    """Yield a function that appends a frame `count` times to a video of `fps` frames a second.

    `codec` is FFmpeg's options of the encoder. ImportError without imageio-ffmpeg, FileError where FFmpeg fails.
    """
    program = _ffmpeg(path.suffix)
    # Errors go into a file: a pipe that nobody reads would fill up and stop the process.
    with write_whole(path) as partial, tempfile.TemporaryFile() as complaints:
        process: subprocess.Popen[bytes] | None = None

        def append(pixels: Pixels, count: int) -> None:
            nonlocal process
            even = _even(pixels)
            if process is None:
                # Not before: the size is part of the command, and the first frame tells it.
                command = _ffmpeg_command(program, even, fps, codec, partial)
                # A session of its own: Ctrl+C would otherwise end it before the film is complete.
                process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=complaints, start_new_session=True)
            assert process.stdin is not None
            try:
                for _ in range(count):
                    process.stdin.write(even.data)
            except OSError:
                process.wait()
                raise _ffmpeg_failure(path, complaints) from None

        try:
            yield append
            if process is not None:
                process.communicate()
                if process.returncode:
                    raise _ffmpeg_failure(path, complaints)
        finally:
            if process is not None:
                process.kill()
                process.communicate()


def _ffmpeg(suffix: str) -> str:
    """Return the path of the FFmpeg program."""
    try:
        library = import_module("imageio_ffmpeg")
    except ImportError:
        raise ImportError(
            f"writing {suffix} needs imageio-ffmpeg: pip install 'torch-easel[video]'. "
            "GIF, PNG and TIFF sequences work without it.",
            name="imageio_ffmpeg",
        ) from None
    return library.get_ffmpeg_exe()


def _ffmpeg_command(program: str, pixels: Pixels, fps: float | int, codec: str, output: Path) -> list[str]:
    height, width = pixels.shape[:2]
    source = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {fps} -i -"
    # FFmpeg converts by BT.601 and says nothing; players take silence for BT.709 and show other colours.
    convert = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    tell = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    return [program, *f"-loglevel error -y {source} -an -vf {convert},{tell} {codec}".split(), str(output)]


def _ffmpeg_failure(path: Path, complaints: BinaryIO) -> FileError:
    complaints.seek(0)
    # Its last line tells the reason; those before tell how it got there.
    lines = complaints.read().decode(errors="replace").strip().splitlines() or ["it did not say why"]
    return FileError(f"cannot write {str(path)!r}: FFmpeg failed ({lines[-1].strip()}). GIF works without it.")


def _even(pixels: Pixels) -> UInt8[np.ndarray, "even_h even_w 3"]:
    """Repeat an odd last row or column: 4:2:0 video has an even number of both."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
