"""`easel.network_panel`: a model, or a training that is watched, in a panel of any window."""

from collections.abc import Mapping

from torch import nn

from easel.inspector.history.watcher import Watch
from easel.inspector.models.graph import TensorRef
from easel.inspector.models.model_tensors import tensors
from easel.inspector.network_scene import NetworkScene
from easel.viewer.panels.panel import Panel
from easel.workstation.network.network_page import NetworkPage, take_keys
from easel.workstation.network.network_time import NetworkTime


def network_panel(
    panel: Panel, model: nn.Module | Watch | Mapping[str, TensorRef], *, details: Panel | None = None
) -> NetworkPage:
    """Show the tensors of a model in a panel, from now on; `details` shows one of them as a heat map.

        page = easel.network_panel(view.panel("Network"), model)
        ...
        page.show(page.values)  # after an optimizer's step

    A model's own memory is shown, and only read: `page.show(page.values)` makes its new values visible. A `Watch`
    (`easel.inspector.watch`) brings them by itself, with a slider over the past and differences. Keys act while the
    pointer is on the panel; `h` lists them.
    """
    source = model.model if isinstance(model, Watch) else model
    refs = tensors(source) if isinstance(source, nn.Module) else source
    page = NetworkPage(panel, NetworkScene(refs), details=details)
    # It joins itself to the page: from there on the page's own frames bring the values of the newest step.
    if isinstance(model, Watch):
        NetworkTime(page, model)
    panel.on_frame(lambda: take_keys(page))
    return page
