"""Graphs of operations, to and from GraphML; a stranger's text runs nothing and reads no other file."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

OPERATIONS = ("scale", "shift", "linear", "conv")
"""Times a number, plus a number, a linear map, and a 1x1 convolution, which on single samples is a linear map."""
MOST_NODES, MOST_CHARACTERS = 512, 4_000_000
_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_KEYS = {"operation": "d0", "activation": "d1"}


@dataclass(frozen=True)
class GraphNode:
    """One operation on the sum of some nodes before it."""

    inputs: tuple[int, ...] = ()
    """Numbers of its sources, ascending, all below its own; only node 0, the graph's input, has none."""
    operation: str | None = None
    """One of OPERATIONS; None is not chosen yet."""
    activation: str | None = None
    """Behind a linear map or a convolution; None is not chosen yet."""


def directed(count: int, edges: Sequence[tuple[int, int]]) -> list[GraphNode]:
    """Direct an undirected graph from lower to higher numbers; nodes without a lower neighbour are joined to node 0.

    ValueError for loops and for edges to nodes that do not exist.
    """
    lower: list[set[int]] = [set() for _ in range(count)]
    for one, other in edges:
        if not (0 <= one < count and 0 <= other < count) or one == other:
            raise ValueError(f"the graph has nodes 0 to {count - 1} and no loops; got an edge from {one} to {other}.")
        lower[max(one, other)].add(min(one, other))
    # Only the input may have no source: every other node must depend on the coordinates.
    for sources in lower[1:]:
        if not sources:
            sources.add(0)
    return [GraphNode(tuple(sorted(sources))) for sources in lower]


def to_graphml(nodes: Sequence[GraphNode]) -> str:
    """Write a graph as text that networkx, Gephi and yEd read, too."""
    root = ElementTree.Element("graphml", xmlns=_NAMESPACE)
    for name, key in _KEYS.items():
        ElementTree.SubElement(root, "key", {"id": key, "for": "node", "attr.name": name, "attr.type": "string"})
    graph = ElementTree.SubElement(root, "graph", edgedefault="directed")
    for place, node in enumerate(nodes):
        element = ElementTree.SubElement(graph, "node", id=str(place))
        for name, key in _KEYS.items():
            if getattr(node, name) is not None:
                ElementTree.SubElement(element, "data", key=key).text = getattr(node, name)
    # Edges after all nodes: readers look up the ids at once.
    for place, node in enumerate(nodes):
        for source in node.inputs:
            ElementTree.SubElement(graph, "edge", source=str(source), target=str(place))
    return ElementTree.tostring(root, encoding="unicode")


def from_graphml(text: str) -> list[GraphNode]:
    """Read the nodes of a graph, by the numbers that are their ids; operations that it does not name stay None.

    ValueError for all else than GraphML of 2 to 512 numbered nodes.
    """
    # Declarations can make entities that grow without end or name files; a graph needs none.
    if len(text) > MOST_CHARACTERS or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError(f"a graph is GraphML without declarations, {MOST_CHARACTERS:,} characters at most.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"this is not GraphML: {error}.") from None
    names = {key.get("id"): key.get("attr.name") for key in root.iter() if _tag(key) == "key"}
    found = {_number(e.get("id")): _attributes(e, names) for e in root.iter() if _tag(e) == "node"}
    # Numbered without gaps: edges, operations and the random draws for them go by number.
    if sorted(found) != list(range(len(found))) or not 2 <= len(found) <= MOST_NODES:
        raise ValueError(f"a graph has nodes with the ids 0, 1, …, 2 to {MOST_NODES} of them; got {len(found)}.")
    edges = [(_number(e.get("source")), _number(e.get("target"))) for e in root.iter() if _tag(e) == "edge"]
    nodes = directed(len(found), edges)
    return [GraphNode(node.inputs, *found[place]) for place, node in enumerate(nodes)]


def _attributes(node: ElementTree.Element, names: dict[str | None, str | None]) -> tuple[str | None, str | None]:
    """Return a node's operation and activation."""
    told = {names.get(data.get("key")): data.text for data in node if _tag(data) == "data"}
    operation = told.get("operation")
    if operation not in (None, *OPERATIONS):
        raise ValueError(f"unknown operation {operation!r} in the graph. Known: {', '.join(OPERATIONS)}.")
    return operation, told.get("activation")


def _tag(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace, which some programs leave out."""
    return element.tag.rpartition("}")[2]


def _number(text: str | None) -> int:
    # Some programs write n0, n1, …
    digits = (text or "").removeprefix("n")
    if not (digits.isdecimal() and len(digits) < 7):
        raise ValueError(f"nodes of a graph are numbered 0, 1, …; got {text!r}.")
    return int(digits)
