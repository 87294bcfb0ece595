"""The commands as a user meets them: help, versions, and one clear line for whatever cannot be used."""

import struct
import sys
import zlib
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import easel
from easel.cli import COMMANDS, main


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG whose header promises more pixels than any file this short can hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture
def hostile(tmp_path):
    """Files that are no photographs, by name."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for suffix in ("png", "jpg"):
        whole = tmp_path / f"whole.{suffix}"
        Image.fromarray(noise).save(whole)
        (tmp_path / f"truncated.{suffix}").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture\n" * 20)
    (tmp_path / "huge.png").write_bytes(png_that_claims(60_000, 60_000))
    (tmp_path / "zero.png").write_bytes(png_that_claims(0, 0))
    return tmp_path


BAD_PHOTOGRAPHS = ["missing.png", "folder.png", "empty.png", "text.png", "huge.png", "zero.png"]


@pytest.mark.parametrize("name", [*BAD_PHOTOGRAPHS, "truncated.png", "truncated.jpg"])
def test_what_is_no_photograph_ends_with_one_line_and_2(name, hostile, capfd):
    code = main(["workstation", str(hostile / name), "--out", str(hostile / "out"), "--steps", "1"])
    said = capfd.readouterr().err.strip()
    assert code == 2
    assert len(said.splitlines()) == 1 and name in said and "Traceback" not in said
    assert list((hostile / "out").iterdir()) == []


@pytest.mark.parametrize("out", ["taken/out", "taken", "/proc/out"])
def test_a_folder_that_cannot_be_written_ends_with_one_line_and_2(out, tmp_path, capfd):
    (tmp_path / "taken").write_text("a file where a folder should be")
    assert main(["workstation", "--out", str(tmp_path / out), "--steps", "1"]) == 2
    said = capfd.readouterr().err.strip()
    assert len(said.splitlines()) == 1 and "--out" in said


def test_help_and_version_are_said_without_starting_anything(capsys):
    assert main(["--help"]) == 0
    assert "workstation" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"easel {easel.__version__}\n"


def test_a_misspelt_flag_is_answered_with_the_nearest_one(capfd):
    with pytest.raises(SystemExit) as end:
        main(["workstation", "--stepz", "4"])
    assert end.value.code == 2
    assert "--steps" in capfd.readouterr().err


@pytest.fixture
def paint(monkeypatch):
    """A command of two words, `easel paint dots`, which remembers what it was asked."""
    asked = []

    @dataclass(frozen=True)
    class DotsConfig:
        """Paint dots."""

        count: int = 3
        """How many."""

    def dots(config: DotsConfig) -> int:
        asked.append(config.count)
        return 0

    dots.__annotations__["config"] = DotsConfig
    home = ModuleType("dots_for_tests")
    home.dots = dots
    monkeypatch.setitem(sys.modules, "dots_for_tests", home)
    monkeypatch.setitem(COMMANDS, "paint dots", ("dots_for_tests:dots", "paint dots at random"))
    return asked


def test_a_command_of_two_words_gets_what_follows_them(paint):
    assert main(["paint", "dots", "--count", "7"]) == 0
    assert paint == [7]


@pytest.mark.parametrize("arguments", [["paint"], ["paint", "--help"], ["paint", "-h"]])
def test_a_group_lists_its_commands_and_no_others(paint, arguments, capsys):
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "paint dots at random" in said and "workstation" not in said


def test_a_group_refuses_what_it_does_not_have(paint, capsys):
    assert main(["paint", "dotz"]) == 2
    said = capsys.readouterr().err
    assert "dotz" in said and "easel paint --help" in said and len(said.splitlines()) == 1
