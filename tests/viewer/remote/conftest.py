"""A real browser in front of a view, on a thread beside the view's own loop."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from easel.viewer.view import View

Result = TypeVar("Result")
SECONDS = 60.0
"""After so long a script is stuck."""


@pytest.fixture
def open_remote(gl: None, open_view: Callable[..., View], capfd: pytest.CaptureFixture[str]) -> Callable[..., View]:
    """`open_view` in the browser backend."""
    pytest.importorskip("aiohttp", reason="a view in a browser needs aiohttp")

    def open_(*arguments: Any, **settings: Any) -> View:
        view = open_view(*arguments, backend="browser", **settings)
        assert view.backend_name == "browser", view.backend_reason
        return view

    return open_


@pytest.fixture
def beside() -> Iterator[Callable[[View, Callable[[], Any]], Any]]:
    """Turns a view's frames for as long as a function takes on another thread; returns what that returns."""
    with ThreadPoolExecutor(1) as pool:

        def turn(view: View, script: Callable[[], Result]) -> Result:
            waiting = pool.submit(script)
            while not waiting.done():
                assert view.step()
                view.end_step()
                view._backend.wait(0.01)
            return waiting.result()

        yield turn


@pytest.fixture
def in_chromium(chromium: Callable[..., Any], beside: Callable[..., Any]) -> Callable[..., Any]:
    """Runs `script(page)` on the page of a view, as a person in front of it."""

    def run(view: View, script: Callable[[Any], Result], **settings: Any) -> Result:
        return beside(view, lambda: chromium(view.address, script, **settings))

    return run
