"""The README is a program too: every block and every command in it runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(
    r"^```(\w*)\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
PROGRAMS = [text for language, text in BLOCKS if language == "python"]
COMMANDS = [line.split("#")[0].strip() for language, text in BLOCKS if not language for line in text.splitlines()]
SHORTENED = {
    "./dev demo": ["--steps", "20", "--backend", "none"],
    "./dev demo PHOTO.jpg --seconds 30": [],
    "./dev run easel fields generate --topology conv --num-samples 12": ["--num-samples", "2", "--x-dim", "24"],
    "./dev run easel fields volume --sheet": [*"--x-dim 9 --y-dim 9 --z-dim 9 --size 24 24".split()],
    "./dev run easel materials render --materials 24 --size 128": [*"--materials 1 --views 1 --size 32".split()],
    "./dev test": ["tests/test_console.py"],
}
"""What a command is given besides, so that it ends in seconds."""


def prepared() -> bool:
    """Whether these tests run in the environment that ./dev has set up, which it then uses as it is."""
    return (Path(sys.prefix) / "stamp").exists()


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_run(gl, program, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "EASEL_BACKEND": "headless", "EASEL_MAX_FRAMES": "3"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.skipif(not prepared(), reason="not the environment of ./dev, which would set one up first")
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, tmp_path):
    program, *arguments = command.split()
    ended = subprocess.run(
        [
            str(ROOT / program),
            *arguments,
            *SHORTENED[command],
            *([] if command == "./dev test" else ["--out", str(tmp_path)]),
        ],
        cwd=ROOT,
        env={**os.environ, "EASEL_VENV": sys.prefix},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert command == "./dev test" or list(tmp_path.glob("*.png"))


def test_pictures_exist():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert pictures and all((ROOT / picture).stat().st_size > 10_000 for picture in pictures)
