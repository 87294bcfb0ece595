"""Look inside a network, in 3D: every tensor is one sheet in space, coloured by value and exact under the mouse."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.inspector.comparison import Difference, difference
    from easel.inspector.export_films import turntable
    from easel.inspector.export_gltf import save_gltf
    from easel.inspector.export_page import save_html
    from easel.inspector.export_statistics import save_statistics
    from easel.inspector.follower import Follower, follow
    from easel.inspector.forward import Capture, capture
    from easel.inspector.graph import Edge, Graph, Node, TensorRef
    from easel.inspector.layout import Arrangement, arrange
    from easel.inspector.model_tensors import tensors
    from easel.inspector.network_scene import NetworkScene
    from easel.inspector.pick import Hit
    from easel.inspector.snapshot import Snapshot
    from easel.inspector.sources import open_source
    from easel.inspector.statistics import NetworkSummary, Summary, dead_units, summarize, summarize_network
    from easel.inspector.timeline import Timeline
    from easel.inspector.watcher import Watch, watch

_HOME = {
    "Arrangement": "layout",
    "Capture": "forward",
    "Difference": "comparison",
    "Edge": "graph",
    "Follower": "follower",
    "Graph": "graph",
    "Hit": "pick",
    "NetworkScene": "network_scene",
    "NetworkSummary": "statistics",
    "Node": "graph",
    "Snapshot": "snapshot",
    "Summary": "statistics",
    "TensorRef": "graph",
    "Timeline": "timeline",
    "Watch": "watcher",
    "arrange": "layout",
    "capture": "forward",
    "dead_units": "statistics",
    "difference": "comparison",
    "follow": "follower",
    "open_source": "sources",
    "save_gltf": "export_gltf",
    "save_html": "export_page",
    "save_statistics": "export_statistics",
    "summarize": "statistics",
    "summarize_network": "statistics",
    "tensors": "model_tensors",
    "turntable": "export_films",
    "watch": "watcher",
}
__all__ = [
    "Arrangement",
    "Capture",
    "Difference",
    "Edge",
    "Follower",
    "Graph",
    "Hit",
    "NetworkScene",
    "NetworkSummary",
    "Node",
    "Snapshot",
    "Summary",
    "TensorRef",
    "Timeline",
    "Watch",
    "arrange",
    "capture",
    "dead_units",
    "difference",
    "follow",
    "open_source",
    "save_gltf",
    "save_html",
    "save_statistics",
    "summarize",
    "summarize_network",
    "tensors",
    "turntable",
    "watch",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
