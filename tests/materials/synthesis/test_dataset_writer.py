import json
import threading

import pytest
import torch

from easel.graphics.files import FileError
from easel.graphics.image import imwrite
from easel.materials.dataset.listing import read_metadata
from easel.materials.synthesis.dataset_writer import (
    appearing,
    merge_metadata,
    partial_of,
    png_size,
    sample_index,
    sample_name,
)


def test_names_and_numbers():
    assert [sample_name(index) for index in (0, 7, 12345)] == ["sample_0000", "sample_0007", "sample_12345"]
    assert [sample_index(name) for name in ("sample_0007", "sample_7", "sample_x", "clean")] == [7, 7, None, None]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    home = tmp_path / "sample_0000"
    with pytest.raises(KeyboardInterrupt), appearing(home, "me") as folder:
        (folder / "0.png").write_bytes(b"half")
        raise KeyboardInterrupt
    assert not any(tmp_path.iterdir())
    with appearing(home, "me") as folder:
        (folder / "0.png").write_bytes(b"whole")
        assert not home.exists()
    assert (home / "0.png").read_bytes() == b"whole" and [home] == list(tmp_path.iterdir())


def test_a_folder_replaces_a_worse_one_and_what_a_killed_run_left(tmp_path):
    home = tmp_path / "oak"
    left = partial_of(home, "me")
    for folder, name in ((home, "old.png"), (left, "half.png")):
        folder.mkdir()
        (folder / name).touch()
    with appearing(home, "me") as folder:
        assert folder == left
        (folder / "new.png").touch()
    assert [path.name for path in home.iterdir()] == ["new.png"] and [home] == list(tmp_path.iterdir())


def test_png_files_tell_their_size_when_they_are_whole(tmp_path):
    path = tmp_path / "a.png"
    imwrite(path, torch.rand(5, 9, 3))
    data = path.read_bytes()
    assert png_size(path) == (9, 5)
    for spoiled in (data[:-1], data[:-9], data[:20], b"", b"x" * 100, data[1:]):
        path.write_bytes(spoiled)
        assert png_size(path) is None
    assert png_size(tmp_path / "none.png") is None and png_size(tmp_path) is None


def test_metadata_of_many_writers_is_all_there(tmp_path):
    path = tmp_path / "render_metadata.json"

    def write(number):
        for entry in range(5):
            merge_metadata(path, {f"sample_{number}{entry}": f"oak_{number}"})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_metadata(path) == {f"sample_{n}{entry}": f"oak_{n}" for n in range(6) for entry in range(5)}
    assert list(tmp_path.iterdir()) == [path]


def test_a_known_sample_keeps_its_material(tmp_path):
    path = tmp_path / "render_metadata.json"
    path.write_text('{"sample_0001": "oak"}')
    merge_metadata(path, {"sample_0001": "rust", "sample_0000": "moss"})
    assert list(json.loads(path.read_text()).items()) == [("sample_0000", "moss"), ("sample_0001", "oak")]


def test_metadata_that_is_none_is_not_written_over(tmp_path):
    path = tmp_path / "render_metadata.json"
    path.write_text("[1]")
    with pytest.raises(FileError):
        merge_metadata(path, {"sample_0000": "moss"})
    assert path.read_text() == "[1]"
