"""`easel.network_panel`: a model, or a training that is watched, in a panel of any window."""

from collections.abc import Mapping

from torch import nn

from easel.inspector.history.watcher import Watch
from easel.inspector.models.graph import TensorRef
from easel.inspector.models.model_tensors import tensors
from easel.inspector.network_scene import NetworkScene
from easel.viewer.imgui.events import KeyChanged
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.panel import Panel
from easel.workstation.network.network_page import NetworkPage
from easel.workstation.network.network_time import NetworkTime


def network_panel(
    panel: Panel, model: nn.Module | Watch | Mapping[str, TensorRef], *, details: Panel | None = None
) -> NetworkPage:
    """Show the tensors of a model in a panel, from now on; `details` shows one of them as a heat map.

    What it shows of a model is its memory: after an optimizer's step, `page.show(page.values)` shows the new values.
    A `Watch` (`easel.inspector.watch`) brings them by itself, with a slider over the past and differences. The model is
    only read. Keys act while the pointer is on the panel; `h` tells them.
    """
    if isinstance(model, Watch):
        refs = tensors(model.model)
    else:
        refs = tensors(model) if isinstance(model, nn.Module) else model
    page = NetworkPage(panel, NetworkScene(refs), details=details)
    if isinstance(model, Watch):
        NetworkTime(page, model)
    panel.on_frame(lambda: take_keys(page))
    return page


def take_keys(page: NetworkPage) -> None:
    """In the panel's frame: do what keys are for, while the pointer is on it."""
    if imgui is None or not page.panel.visible or not imgui.is_window_hovered() or imgui.get_io().want_text_input:
        return
    for key in page.keys:
        if imgui.is_key_pressed(getattr(imgui.Key, KEY_NAMES.get(key, key)), False):
            page.press(KeyChanged(key, True))


KEY_NAMES = {"left": "left_arrow", "right": "right_arrow"}
"""Our names of keys → those of Dear ImGui, where they differ."""
