"""Films: whole or not at all, the numbers they were given, and errors that say what fits."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from easel.graphics.files import FileError
from easel.graphics.image import imread
from easel.graphics.video import VideoWriter

FRAMES = torch.rand(5, 24, 32, 3, generator=torch.Generator().manual_seed(0))


def write(path: Path, frames: torch.Tensor = FRAMES, **settings) -> Path:
    with VideoWriter(path, **settings) as video:
        for frame in frames:
            video.append(frame)
    return video.path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
def test_a_sequence_holds_the_bytes_of_every_frame(tmp_path, suffix):
    folder = write(tmp_path / "a" / f"turn{suffix}")
    assert folder == tmp_path / "a" / "turn" and names(tmp_path / "a") == ["turn"]
    assert names(folder) == [f"turn-{n:06d}{suffix}" for n in range(5)]
    for n, frame in enumerate(FRAMES):
        read = imread(folder / f"turn-{n:06d}{suffix}", channels=0, device="cpu")
        assert torch.equal(read, (frame * 255).round() / 255)


def test_grey_is_replicated_alpha_dropped_and_what_is_no_number_black(tmp_path):
    grey = torch.tensor([[0.2, float("nan")], [2.0, -1.0]])
    with VideoWriter(tmp_path / "f.png", fps=10) as video:
        video.append(grey)
        video.append(torch.cat([grey[..., None].expand(2, 2, 3), torch.zeros(2, 2, 1)], -1), count=2)
        video.append(torch.full((2, 2, 1), 7, dtype=torch.uint8))
    first, *repeated, last = (np.asarray(Image.open(path)) for path in sorted(video.path.iterdir()))
    assert np.array_equal(first[..., 0], [[51, 0], [255, 0]]) and (first == first[..., :1]).all()
    assert len(repeated) == 2 and all(np.array_equal(other, first) for other in repeated) and (last == 7).all()


def test_a_gif_has_the_colours_its_quality_asks_for(tmp_path):
    def colors(quality: float | int) -> int:
        with Image.open(write(tmp_path / "q.gif", FRAMES[:1], quality=quality)) as gif:
            return len(np.unique(np.asarray(gif.convert("RGB")).reshape(-1, 3), axis=0))

    assert colors(0) == colors(-3) == 2
    assert 100 < colors(0.5) <= 129 < colors(1) == colors(7) <= 256


@pytest.mark.parametrize("name", ["film.gif", "film.png"])
def test_a_film_that_fails_leaves_what_was_there(tmp_path, name):
    path = write(tmp_path / name)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(ZeroDivisionError), VideoWriter(tmp_path / name) as video:
        video.append(FRAMES[0])
        raise ZeroDivisionError
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["film.gif", "film.png"])
def test_the_name_appears_when_the_film_is_complete_and_replaces_the_old_one(tmp_path, name):
    old = write(tmp_path / name, FRAMES)
    size = len(names(old)) if old.is_dir() else old.stat().st_size
    video = VideoWriter(tmp_path / name)
    video.append(FRAMES[0])
    assert (len(names(old)) if old.is_dir() else old.stat().st_size) == size
    video.close()
    video.close()
    assert (len(names(old)) if old.is_dir() else old.stat().st_size) < size
    assert names(tmp_path) == [old.name]
    with pytest.raises(ValueError, match="is closed"):
        video.append(FRAMES[0])


@pytest.mark.parametrize("name", ["film.gif", "film.png"])
def test_a_forgotten_film_leaves_nothing(tmp_path, name):
    video = VideoWriter(tmp_path / name)
    video.append(FRAMES[0])
    del video
    assert names(tmp_path) == []


def test_no_picture_is_no_film(tmp_path):
    with pytest.raises(FileError, match="it got no picture"):
        write(tmp_path / "film.gif", FRAMES[:0])
    assert names(tmp_path) == []


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "holiday.png").touch()
    with pytest.raises(FileError, match=r"holds 'holiday\.png'"):
        VideoWriter(tmp_path / "film.png")
    assert names(tmp_path) == ["film"] and names(tmp_path / "film") == ["holiday.png"]


@pytest.mark.parametrize("name", ["file/film.gif", "file/film.png"])
def test_a_place_that_cannot_be_written_is_named_at_once(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=re.escape("cannot write ")):
        VideoWriter(tmp_path / name)


@pytest.mark.parametrize("name", ["film.avi", "film", "film.jpg"])
def test_an_unknown_suffix_lists_the_known(tmp_path, name):
    with pytest.raises(ValueError, match=r"\.gif \.mp4 \.webm \.png \.tif \.tiff"):
        VideoWriter(tmp_path / name)


@pytest.mark.parametrize(("name", "fps"), [("a.gif", 51), ("a.gif", 0), ("a.png", 0.5), ("a.mp4", 2000)])
def test_an_impossible_rate_is_refused(tmp_path, name, fps):
    with pytest.raises(ValueError, match="fps is 1 to "):
        VideoWriter(tmp_path / name, fps=fps)
    assert names(tmp_path) == []


def test_frames_have_one_size_and_are_pictures(tmp_path):
    with VideoWriter(tmp_path / "film.gif") as video:
        video.append(FRAMES[0])
        with pytest.raises(ValueError, match=r"one size; got \(12, 32\) after \(24, 32\)"):
            video.append(FRAMES[0, :12])
        with pytest.raises(ValueError, match="a film takes"):
            video.append(torch.zeros(3, 3, 2))


def test_without_the_extra_one_line_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(ImportError, match=r"^writing \.mp4 needs imageio-ffmpeg: pip install 'torch-easel\[video\]'"):
        VideoWriter(tmp_path / "film.mp4")
    assert names(tmp_path) == []


@pytest.fixture(scope="module")
def ffmpeg() -> str:
    """The FFmpeg program."""
    library = pytest.importorskip("imageio_ffmpeg", reason="needs the extra 'video' (imageio-ffmpeg)")
    return library.get_ffmpeg_exe()


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("size", [(96, 128), (95, 127)])
def test_a_film_through_ffmpeg_shows_its_frames(tmp_path, ffmpeg, suffix, size):
    height, width = size
    colors = torch.tensor([[1, 0, 0], [0, 0.5, 1], [0.25, 0.75, 0.5]])
    path = write(tmp_path / f"film{suffix}", colors[:, None, None].expand(3, *size, 3), fps=10, quality=1)
    even = height + height % 2, width + width % 2
    command = [ffmpeg, "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    frames = np.frombuffer(subprocess.check_output(command), np.uint8).reshape(-1, *even, 3)
    assert len(frames) == 3
    assert np.abs(frames.mean(axis=(1, 2)) - 255 * colors.numpy()).max() < 6
    said = subprocess.run([ffmpeg, "-i", str(path)], capture_output=True, text=True).stderr
    assert "10 fps" in said and "yuv420p(tv, bt709, progressive)" in said and "Duration: 00:00:00.30" in said


def test_what_ffmpeg_refuses_is_an_error_and_leaves_nothing(tmp_path, ffmpeg, monkeypatch):
    monkeypatch.setattr("easel.graphics.ffmpeg._ffmpeg_command", lambda *_: [ffmpeg, "-i", os.devnull, "-bogus"])
    with pytest.raises(FileError, match="FFmpeg failed"):
        write(tmp_path / "film.mp4", torch.rand(40, 256, 256, 3))
    assert names(tmp_path) == []


def test_a_failed_film_ends_its_ffmpeg(tmp_path, ffmpeg):
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "film.mp4") as video:
        video.append(FRAMES[0])
        raise KeyboardInterrupt
    assert names(tmp_path) == []


@pytest.mark.parametrize("settings", [{"fps": "thirty"}, {"fps": True}, {"quality": "best"}, {"quality": float("nan")}])
def test_settings_that_are_no_numbers_are_named(tmp_path, settings):
    with pytest.raises(TypeError, match=next(iter(settings))):
        VideoWriter(tmp_path / "film.gif", **settings)
    assert list(tmp_path.iterdir()) == []
