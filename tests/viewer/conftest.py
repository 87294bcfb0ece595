"""Views for tests, in every backend."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from easel.viewer.imgui import toolkit
from easel.viewer.view import View

OpenView = Callable[..., View]


@pytest.fixture
def open_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenView]:
    """Opens strict little views and closes them at the end; a window's layout stays in the test's own folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    views = []

    def open_(title: str = "Test", width: int = 640, height: int = 480, **settings) -> View:
        views.append(View(title, width, height, **{"strict": True} | settings))
        return views[-1]

    yield open_
    for view in views:
        view.close()


@pytest.fixture(params=["window", "browser", "headless", "none", "none without Dear ImGui"])
def open_any(request: pytest.FixtureRequest, open_view: OpenView, monkeypatch: pytest.MonkeyPatch) -> OpenView:
    """`open_view` in one backend after the other; the last is a machine where the widget library cannot load."""
    backend = request.param
    if backend == "window":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("xvfb"))
    elif backend in ("browser", "headless"):
        request.getfixturevalue("gl")
    elif backend != "none":
        monkeypatch.setattr(toolkit, "MISSING", "imgui-bundle does not load (as if)")
        backend = "none"

    def open_(*arguments, **settings) -> View:
        view = open_view(*arguments, backend=backend, **settings)
        assert view.backend_name == backend, view.backend_reason
        return view

    return open_


@pytest.fixture
def open_headless(gl: None, open_view: OpenView) -> OpenView:
    """`open_view` in the headless backend."""
    return lambda *arguments, **settings: open_view(*arguments, backend="headless", **settings)
