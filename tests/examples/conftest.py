"""Examples as modules, with a hand on their widgets and an eye on their pixels."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

import easel
from easel.graphics.image import resize
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.driver import Driver
from easel.viewer.launcher import launch

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass
class Program:
    """An example that is loaded and not yet run: its names, and a person at its window."""

    module: ModuleType
    driver: Driver

    def shown(self, canvas: Canvas) -> Tensor:
        """What the view shows where the canvas stands."""
        picture = self.module.view.capture()
        assert canvas.rectangle is not None, f"{canvas!r} is out of sight"
        x, y, width, height = map(int, canvas.rectangle)
        return picture[y : y + height, x : x + width]

    def shrink(self, size: int) -> None:
        """Let a program that fits a picture fit a small one, so that a step takes no time."""
        module = self.module
        module.SIZE, module.gt = size, resize(module.gt, (size, size))
        axis = torch.linspace(-1, 1, size)
        module.coords = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)
        module.prediction = module.prediction_canvas.alloc(size, size, channels=3, device="cpu")


@pytest.fixture
def example(gl: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Program]]:
    """Loads an example afresh, off screen and in a folder of its own; at the end no callback of it may have failed."""
    monkeypatch.setenv("EASEL_BACKEND", "headless")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["example.py"])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # these tensors are small: a second thread would mostly wait for the first
    programs = []

    def load(name: str, size: tuple[int, int] | None = None) -> Program:
        """`size` is the width and height of its window, in place of its own."""
        if size is not None:
            monkeypatch.setattr(easel.viewer, "launch", lambda title, *_, **rest: launch(title, *size, **rest))
        specification = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
        assert specification is not None and specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        monkeypatch.setitem(sys.modules, specification.name, module)
        specification.loader.exec_module(module)
        programs.append(Program(module, Driver(module.view)))
        return programs[-1]

    yield load
    torch.set_num_threads(threads)
    for program in programs:
        program.module.view.close()
    for program in programs:
        for panel in program.module.view.panels.values():
            assert not panel.guard.failures, f"panel {panel.name!r}: {panel.guard.failures}"


@pytest.fixture(params=["headless", "window"])
def example_anywhere(
    request: pytest.FixtureRequest, example: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Program]:
    """`example`, off screen and in a window."""
    monkeypatch.setenv("EASEL_BACKEND", request.param)
    if request.param == "window":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("xvfb"))
    return example
