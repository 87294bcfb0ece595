"""Easel: the neural rendering workstation for PyTorch.

Each public name comes from its home when it is first read, so that `import easel` itself loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel import fields, graphics, inspector, viewer, workstation
    from easel.fields.inrf import INRF2D, INRF3D
    from easel.graphics.camera import Camera
    from easel.graphics.color import COLORMAPS, colormap
    from easel.graphics.image import imread, imwrite
    from easel.graphics.light import Light
    from easel.log import set_log_level
    from easel.viewer import ui
    from easel.viewer.blocking_dialogs import open_file_dialog, save_file_dialog
    from easel.viewer.feed.publisher import Publisher
    from easel.viewer.scene import SceneView
    from easel.viewer.view import View
    from easel.viewer.window import Window, create_tensor, show
    from easel.workstation.network_panel import network_panel
    from easel.workstation.plot_network import PlotNetwork3D

    HAS_CUDA: bool

__version__ = "0.1.0"

__all__ = [
    "COLORMAPS",
    "HAS_CUDA",
    "INRF2D",
    "INRF3D",
    "Camera",
    "Light",
    "PlotNetwork3D",
    "Publisher",
    "SceneView",
    "View",
    "Window",
    "__version__",
    "colormap",
    "create_tensor",
    "fields",
    "graphics",
    "imread",
    "imwrite",
    "inspector",
    "network_panel",
    "open_file_dialog",
    "save_file_dialog",
    "set_log_level",
    "show",
    "ui",
    "viewer",
    "workstation",
]

_HOMES = {
    "COLORMAPS": "easel.graphics.color",
    "INRF2D": "easel.fields.inrf",
    "INRF3D": "easel.fields.inrf",
    "Camera": "easel.graphics.camera",
    "Light": "easel.graphics.light",
    "PlotNetwork3D": "easel.workstation.plot_network",
    "Publisher": "easel.viewer.feed.publisher",
    "SceneView": "easel.viewer.scene",
    "View": "easel.viewer.view",
    "Window": "easel.viewer.window",
    "colormap": "easel.graphics.color",
    "create_tensor": "easel.viewer.window",
    "imread": "easel.graphics.image",
    "imwrite": "easel.graphics.image",
    "network_panel": "easel.workstation.network_panel",
    "open_file_dialog": "easel.viewer.blocking_dialogs",
    "save_file_dialog": "easel.viewer.blocking_dialogs",
    "set_log_level": "easel.log",
    "show": "easel.viewer.window",
}
_MODULES = {name: f"easel.{name}" for name in ("fields", "graphics", "inspector", "viewer", "workstation")}
_MODULES["ui"] = "easel.viewer.ui"

if not TYPE_CHECKING:  # with a module `__getattr__` in sight, checkers take every name for known

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(import_module(_HOMES[name]), name)
        if name in _MODULES:
            return import_module(_MODULES[name])
        if name == "HAS_CUDA":
            import torch

            return torch.cuda.is_available()
        raise AttributeError(f"module 'easel' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
