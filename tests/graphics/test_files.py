"""Whole files or nothing, and one line about a path that will not do."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easel.graphics.files import FileError, check_pixels, open_file, write_json, write_whole


def _only(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_the_last_whole_write_is_what_is_there(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("whole") / "a" / "b" / "out.bin"
    for data in (first, second):
        with write_whole(path) as partial:
            assert partial.suffix == ".bin" and partial.parent == path.parent and partial != path
            partial.write_bytes(data)
        assert path.read_bytes() == data
    assert _only(path.parent) == ["out.bin"]


@pytest.mark.parametrize("failure", [ValueError("no"), OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_failed_write_passes_on_and_leaves_what_was_there(tmp_path, failure):
    path = tmp_path / "out.png"
    path.write_bytes(b"before")
    with pytest.raises(type(failure)) as raised, write_whole(path) as partial:
        partial.write_bytes(b"half")
        raise failure
    assert raised.value is failure
    assert path.read_bytes() == b"before" and _only(tmp_path) == ["out.png"]


def test_the_name_appears_only_when_the_block_has_ended(tmp_path):
    with write_whole(tmp_path / "out.png") as partial:
        partial.write_bytes(b"data")
        assert not (tmp_path / "out.png").exists()
    assert (tmp_path / "out.png").read_bytes() == b"data"


def test_new_files_follow_the_umask_and_replaced_ones_keep_their_mode(tmp_path):
    path = tmp_path / "out.txt"
    before = os.umask(0o027)
    try:
        with write_whole(path) as partial:
            partial.write_text("x")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        with write_whole(path) as partial:
            partial.write_text("y")
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(before)


def test_a_symbolic_link_is_written_through(tmp_path):
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    with write_whole(tmp_path / "link.txt") as partial:
        partial.write_text("x")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real.txt").read_text() == "x"


def _unwritable(folder: Path) -> dict[str, Path]:
    (folder / "file").write_text("x")
    os.mkfifo(folder / "pipe")
    return {
        "folder": folder,
        "below a file": folder / "file" / "out.png",
        "deep below a file": folder / "file" / "sub" / "out.png",
        "pipe": folder / "pipe",
        "device": Path("/dev/null"),
        "too long": folder / ("x" * 300 + ".png"),
        "NUL": folder / "a\0b.png",
    }


@pytest.mark.parametrize("case", ["folder", "below a file", "deep below a file", "pipe", "device", "too long", "NUL"])
def test_a_path_that_cannot_be_written_is_refused_in_one_line_before_the_block(tmp_path, case):
    path = _unwritable(tmp_path)[case]
    before = _only(tmp_path)
    with pytest.raises(FileError) as raised, write_whole(path):
        pytest.fail("the block ran")
    message = str(raised.value)
    assert message.startswith("cannot write '") and "\n" not in message and repr(str(path)) in message
    assert _only(tmp_path) == before


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EACCES, FileError), (errno.EROFS, FileError), (errno.ENOSPC, OSError)]
)
def test_a_refusal_of_the_system_blames_the_path_or_the_machine(tmp_path, monkeypatch, number, kind):
    def refuse(self, *args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(kind) as raised, write_whole(tmp_path / "out.png"):
        pytest.fail("the block ran")
    assert os.strerror(number) in str(raised.value)


def _unreadable(folder: Path) -> dict[str, tuple[Path, str]]:
    (folder / "empty.png").touch()
    (folder / "file").write_text("x")
    os.mkfifo(folder / "pipe.png")
    return {
        "missing": (folder / "none.png", "no such file"),
        "folder": (folder, "folder"),
        "empty": (folder / "empty.png", "0 bytes"),
        "pipe": (folder / "pipe.png", "pipe"),
        "device": (Path("/dev/zero"), "device"),
        "below a file": (folder / "file" / "x.png", "directory"),
        "NUL": (folder / "a\0b.png", "null byte"),
        "line break": (folder / "a\nb.png", "no such file"),
    }


@pytest.mark.parametrize("case", ["missing", "folder", "empty", "pipe", "device", "below a file", "NUL", "line break"])
def test_a_path_that_cannot_be_read_is_refused_in_one_line(tmp_path, case):
    path, word = _unreadable(tmp_path)[case]
    with pytest.raises(FileError, match=word) as raised:
        open_file(path)
    assert "\n" not in str(raised.value) and repr(str(path)) in str(raised.value)


def test_permission_denied_is_a_file_error(tmp_path, monkeypatch):
    (tmp_path / "x.png").write_bytes(b"x")

    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError, match="permission denied"):
        open_file(tmp_path / "x.png")


@pytest.mark.parametrize("size", [(60_000, 60_000), (8192, 8193), (0, 5), (5, 0), (-1, 5)])
def test_claimed_sizes_that_are_no_picture(size):
    with pytest.raises(FileError, match="claims"):
        check_pixels(*size)
    check_pixels(8192, 8192)


def test_json_has_no_infinity_and_no_nan(tmp_path):
    record = {"psnr": float("inf"), "loss": float("nan"), "steps": 3, "size": [4, 5]}
    write_json(tmp_path / "deep" / "metrics.json", record)
    assert json.loads((tmp_path / "deep" / "metrics.json").read_text()) == record | {"psnr": None, "loss": None}
    with pytest.raises(ValueError):
        write_json(tmp_path / "metrics.json", {"figures": {"psnr": float("inf")}})
    assert not (tmp_path / "metrics.json").exists()
