"""See tensors live: views of docked panels with canvases and widgets, in a window, off screen or without OpenGL."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from easel.viewer import ui as ui
    from easel.viewer.canvas.canvas import Canvas as Canvas
    from easel.viewer.driver import Driver as Driver
    from easel.viewer.launcher import launch as launch
    from easel.viewer.panels.panel import Panel as Panel
    from easel.viewer.scene import SceneView as SceneView
    from easel.viewer.view import View as View
    from easel.viewer.widgets.describe import Range as Range
    from easel.viewer.window import Window as Window
    from easel.viewer.window import create_tensor as create_tensor
    from easel.viewer.window import show as show

_HOMES = {
    "Canvas": "canvas.canvas",
    "Driver": "driver",
    "Panel": "panels.panel",
    "Range": "widgets.describe",
    "SceneView": "scene",
    "View": "view",
    "Window": "window",
    "create_tensor": "window",
    "launch": "launcher",
    "show": "window",
}
"""Public name → the file it lives in; loaded when first asked for."""

__all__ = ["Canvas", "Driver", "Panel", "Range", "SceneView", "View", "Window", "create_tensor", "launch", "show", "ui"]


def __getattr__(name: str) -> Any:
    if name == "ui":
        return import_module(f"{__name__}.ui")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
