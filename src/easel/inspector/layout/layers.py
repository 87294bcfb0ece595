"""Layers: which tensors stand together, in which order, on which stage."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from easel.inspector.models.graph import Graph, Node, TensorRef


@dataclass(eq=False)
class Item:
    """One layer, or one operation without tensors; the page fills in where it stands."""

    title: str
    stage: str = ""
    node: Node | None = None
    """The operation, where there are no tensors."""
    sheets: list[TensorRef] = field(default_factory=list)
    strips: list[TensorRef] = field(default_factory=list)
    """What docks to the sheets, one-dimensional."""
    nodes: list[str] = field(default_factory=list)
    """Names of the graph's nodes that are drawn here."""
    perched: list["Item"] = field(default_factory=list)
    """Layers of side branches, drawn above this one."""
    parts: list[tuple[TensorRef, float, float]] = field(default_factory=list)
    """Each tensor with its width and height."""
    width: float = 0.0
    height: float = 0.0
    depth_span: float = 0.0
    left: float = 0.0
    middle: float = 0.0
    depth: float = 0.0
    line: int = 0
    gutter: float = 0.0
    """The height of the way between this line and the next."""
    ceiling: float = 0.0
    """The height above which nothing of this line stands."""

    @property
    def right(self) -> float:
        """The right edge of what is drawn."""
        return self.left + (sum(width for _, width, _ in self.parts) if self.parts else self.width)

    @property
    def outputs(self) -> int:
        """How long a one-dimensional tensor is that belongs here."""
        return 0 if not self.sheets else _outputs(self.sheets[0])


def items_of(refs: list[TensorRef], graph: Graph | None) -> list[Item]:
    """The layers in the order in which data passes them; side branches perch on the main path."""
    layers = _layers(refs)
    if graph is not None and graph.nodes:
        items = _in_order(layers, graph)
    else:
        items = layers
    _name_stages(items)
    return _perch(items, graph) if graph is not None else items


def _outputs(ref: TensorRef) -> int:
    return ref.tensor.shape[1 if "Transpose" in ref.module and ref.tensor.ndim > 1 else 0]


def _layers(refs: Iterable[TensorRef]) -> list[Item]:
    modules: dict[tuple[str, str], list[TensorRef]] = {}
    for ref in refs:
        alone = ref.name if ref.kind == "activation" else ref.module_path
        modules.setdefault((ref.kind if ref.kind == "activation" else "", alone), []).append(ref)
    layers: list[Item] = []
    for (kind, path), members in modules.items():
        if kind:
            layers += [Item(path, sheets=[ref]) for ref in members]
            continue
        sheets = [ref for ref in members if ref.tensor.ndim > 1]
        strips = [ref for ref in members if ref.tensor.ndim == 1]
        if not sheets and layers and _belong(layers[-1], strips, path):
            layers[-1].strips += strips
        elif not sheets:
            layers.append(Item(path, strips=strips))
        else:
            own = [Item(path, sheets=[ref]) for ref in sheets]
            for strip in strips:
                _host(strip, own).strips.append(strip)
            layers += own
    return layers


def _belong(layer: Item, strips: list[TensorRef], path: str) -> bool:
    """Whether a module of strips alone, such as a norm, works on the outputs of the layer before it."""
    if not layer.sheets or layer.sheets[0].kind == "activation":
        return False
    beside = layer.sheets[0].module_path.rpartition(".")[0] == path.rpartition(".")[0]
    return beside and all(strip.tensor.shape[0] == layer.outputs for strip in strips)


def _host(strip: TensorRef, layers: list[Item]) -> Item:
    """The layer of a module to which a bias belongs: by name, else by length, else the first."""
    stem = strip.name.rpartition(".")[2].replace("bias", "weight")
    for layer in layers:
        if layer.sheets[0].name.rpartition(".")[2] == stem:
            return layer
    return next((layer for layer in layers if layer.outputs == strip.tensor.shape[0]), layers[0])


def _in_order(layers: list[Item], graph: Graph) -> list[Item]:
    """The layers as the forward pass visited them, with pads for what has no tensors; what it never used last."""
    home = {ref.name: layer for layer in layers for ref in (*layer.sheets, *layer.strips)}
    home |= {
        alias: home[ref.name] for layer in layers for ref in (*layer.sheets, *layer.strips) for alias in ref.aliases
    }
    items: list[Item] = []
    for node in graph.nodes:
        mine = [home[name] for name in (*node.outputs, node.name, *node.tensors) if name in home]
        if not mine:
            items.append(Item(_pad_title(node), node.module_path, node, nodes=[node.name]))
            continue
        for layer in dict.fromkeys(mine):
            if not layer.nodes:
                items.append(layer)
        mine[0].nodes.append(node.name)
        for layer in mine[1:]:
            layer.nodes.append(node.name)
    return items + [layer for layer in layers if not layer.nodes]


def _pad_title(node: Node) -> str:
    size = "×".join(map(str, (node.shape or ())[1:] or (node.shape or ())))
    return f"{node.kind} {size}".strip()


def _name_stages(items: list[Item]) -> None:
    """Give each layer its stage: the first part of its path, or a later one where the first holds nearly all."""
    paths = [_path(item) for item in items]
    prefix: tuple[str, ...] = ()
    while True:
        deeper = [path for path in paths if path[: len(prefix)] == prefix and len(path) > len(prefix) + 1]
        common = Counter(path[len(prefix)] for path in deeper).most_common(1)
        if not common or common[0][1] <= 0.6 * len(items):
            break
        inside = [path for path in deeper if path[len(prefix)] == common[0][0]]
        children = Counter(path[len(prefix) + 1] for path in inside if len(path) > len(prefix) + 2)
        if not children or max(children.values()) < 2:
            break
        prefix = (*prefix, common[0][0])
    for item, path in zip(items, paths, strict=True):
        inside = path[: len(prefix)] == prefix and len(path) > len(prefix) + 1
        item.stage = ".".join(path[: len(prefix) + 1]) if inside or len(path) > 1 else ""
    before = ""
    for item in items:  # a function between two layers of a stage belongs there
        if item.node is not None and not item.node.module_path:
            item.stage = before
        before = item.stage


def _path(item: Item) -> tuple[str, ...]:
    members = [*item.sheets, *item.strips]
    path = item.node.module_path if item.node is not None else members[0].module_path
    return tuple(path.split(".")) if path else ()


def _perch(items: list[Item], graph: Graph | None) -> list[Item]:
    """Move the layers that are not on the longest path above the layer that stands before them."""
    if graph is None or not graph.edges:
        return items
    home = {name: item for item in items for name in item.nodes}
    order = {id(item): number for number, item in enumerate(items)}
    before: dict[int, list[Item]] = {}
    for edge in graph.edges:
        if edge.source in home and edge.target in home:
            source, target = home[edge.source], home[edge.target]
            if order[id(source)] < order[id(target)]:
                before.setdefault(id(target), []).append(source)
    length: dict[int, int] = {}
    best: dict[int, Item] = {}
    for item in items:
        sources = before.get(id(item), [])
        longest = max(sources, key=lambda source: length[id(source)], default=None)
        length[id(item)] = 1 + (length[id(longest)] if longest is not None else 0)
        if longest is not None:
            best[id(item)] = longest
    end = max(items, key=lambda item: length[id(item)])
    spine = {id(end)}
    while id(end) in best:
        end = best[id(end)]
        spine.add(id(end))
    linked = {id(item) for item in items if id(item) in before} | {
        id(s) for sources in before.values() for s in sources
    }
    kept: list[Item] = []
    for item in items:
        if id(item) in spine or id(item) not in linked or not kept or not item.stage:
            kept.append(item)
        else:
            kept[-1].perched.append(item)
    return kept
