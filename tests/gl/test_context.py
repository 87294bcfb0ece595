"""Contexts open without a display, and a machine that cannot open one says why in one line."""

import os
import subprocess
import sys

import pytest

from easel.gl.context import GLUnavailable, open_headless


def test_a_context_opens_without_a_display(gl: None) -> None:
    context = open_headless()
    assert context.version_code >= 330
    context.release()


def test_two_contexts_live_side_by_side(gl: None) -> None:
    first, second = open_headless(), open_headless()
    with first:
        red = first.framebuffer([first.texture((2, 2), 4)])
        red.clear(1, 0, 0, 1)
    with second:
        green = second.framebuffer([second.texture((2, 2), 4)])
        green.clear(0, 1, 0, 1)
    with first:
        assert red.read(components=3)[:3] == b"\xff\x00\x00"
    for context in (second, first):
        context.release()


def test_no_driver_is_a_reason_in_one_line() -> None:
    code = "from easel.gl.context import *\ntry: open_headless()\nexcept GLUnavailable as e: print(e)"
    environment = os.environ | {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("EGL gives no OpenGL 3.3 context (")
    assert done.stdout.count("\n") == 1 and not done.stderr


def test_no_moderngl_is_a_reason_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moderngl", None)
    with pytest.raises(GLUnavailable, match="moderngl does not load"):
        open_headless()


def test_a_context_is_left_with_its_block(gl: None, xvfb: str) -> None:
    code = """
import glfw
from easel.gl.context import of_current_window, open_headless
first = open_headless()
glfw.init(); glfw.window_hint(glfw.VISIBLE, False)
glfw.make_context_current(glfw.create_window(10, 10, "", None, None))
second = of_current_window()
with first:
    red = first.framebuffer([first.texture((1, 1), 4)]); red.clear(1, 0, 0, 1)
green = second.framebuffer([second.texture((1, 1), 4)]); green.clear(0, 1, 0, 1)
print(green.read(components=3).hex())
with first:
    print(red.read(components=3).hex())
"""
    environment = os.environ | {"DISPLAY": xvfb}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["00ff00", "ff0000"], done.stderr
