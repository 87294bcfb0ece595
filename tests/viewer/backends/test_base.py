"""The contract of backends is small: another toolkit's backend is one file and one row of the table."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from easel.viewer.backends import select

HERE = Path(__file__).parent
TOOLKIT = ("imgui_bundle", "easel.viewer.imgui.toolkit", "moderngl", "glfw")


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the table."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setitem(select.BACKENDS, "stub", "stub_backend:StubBackend")


def test_a_backend_of_another_toolkit_is_one_file_and_one_row(stub, open_view):
    view = open_view("Stub", 200, 100, backend="stub")
    assert view.backend_name == "stub" and view.backend_reason == "backend= asks for it"
    panel = view.panel("Left", side="left", width=0.5)
    panel.canvas("red").bind(torch.tensor([1.0, 0.0, 0.0]).expand(8, 8, 3))
    values = []
    panel.on_frame(lambda: values.append(panel.slider("speed", 0, 4, default=1)))
    view.panel("Right").canvas("blue").bind(torch.tensor([0.0, 0.0, 1.0]).expand(8, 8, 3))
    view.run(max_frames=3)
    assert view._backend.titles == ["Left", "Right"] and view._backend.widgets == 1
    panel.set("speed", 3)
    view.run(max_frames=1)
    assert values == [1, 1, 1, 3], "widgets hold values where nothing draws them"
    picture = view.capture()
    assert picture.shape == (100, 200, 3)
    assert picture[50, 50].tolist() == [1, 0, 0] and picture[50, 150].tolist() == [0, 0, 1]


def test_the_environment_and_a_ready_object_choose_it_as_well(stub, open_view, monkeypatch):
    from stub_backend import StubBackend

    monkeypatch.setenv("EASEL_BACKEND", "stub")
    assert open_view().backend_name == "stub"
    monkeypatch.delenv("EASEL_BACKEND")
    assert isinstance(open_view(backend=StubBackend())._backend, StubBackend)


@pytest.mark.parametrize("module", ["easel.viewer.backends.base", "easel.viewer.backends.select", "stub_backend"])
def test_the_contract_loads_no_toolkit(module):
    assert loaded_by(f"import {module}") == set()


def test_the_test_above_can_fail():
    assert "easel.viewer.imgui.toolkit" in loaded_by("import easel.viewer.backends.none")


def test_a_window_names_no_concrete_backend():
    concrete = {row.partition(":")[0] for row in select.BACKENDS.values()}
    code = f"import sys, easel.viewer.view; print(*(set(sys.modules) & {concrete}))"
    assert run(code) == set()


def loaded_by(statement: str) -> set[str]:
    return run(f"{statement}; import sys; print(*(name for name in {TOOLKIT} if name in sys.modules))")


def run(code: str) -> set[str]:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); {code}"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
