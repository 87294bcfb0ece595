"""Every example runs to its end without a screen, and in a window, and says in its docstring how far."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def told(example: Path, pattern: str) -> list[str]:
    """What an example's docstring says in lines of a certain form."""
    return re.findall(f"^{pattern}$", ast.get_docstring(ast.parse(example.read_text())) or "", re.MULTILINE)


def frames_of(example: Path) -> int:
    frames = told(example, r"tested: (\d+) frames")
    assert frames, f"{example.name}: its docstring must say 'tested: N frames'"
    return int(frames[0])


def run(example: Path, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(example), *arguments, "--frames", str(frames_of(example))],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_there_are_examples():
    assert {example.stem for example in EXAMPLES} >= {"03_training", "12_neural_workstation"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_runs_without_a_screen(gl, example, tmp_path):
    ended = run(example, tmp_path, "--headless")
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    written = {f"{example.stem}.png", *told(example, r"writes: (.+)")}
    assert {file.name for file in tmp_path.iterdir()} - {"config"} == written
    assert all(name in ended.stdout for name in written)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_runs_in_a_window(xvfb, example, tmp_path):
    ended = run(example, tmp_path, DISPLAY=xvfb, EASEL_BACKEND="window")
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
