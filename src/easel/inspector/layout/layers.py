"""Layers: which tensors stand together, in which order, and in which stage."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from easel.inspector.models.graph import Graph, Node, TensorRef


@dataclass(eq=False)
class Layer:
    """One layer, or one operation without tensors; `layout` fills in its size and place."""

    title: str
    stage: str = ""
    node: Node | None = None
    """The operation, if there are no tensors."""
    sheets: list[TensorRef] = field(default_factory=list)
    strips: list[TensorRef] = field(default_factory=list)
    """One-dimensional tensors, docked to the sheets."""
    nodes: list[str] = field(default_factory=list)
    """Names of the graph's nodes that are drawn here."""
    branches: list["Layer"] = field(default_factory=list)
    """Layers of side branches, drawn above this one."""
    parts: list[tuple[TensorRef, float, float]] = field(default_factory=list)
    """Each tensor with its width and height."""
    width: float = 0.0
    height: float = 0.0
    depth_span: float = 0.0
    """Extent along z, of a stack."""
    left: float = 0.0
    middle: float = 0.0
    """y of the middle."""
    depth: float = 0.0
    """z; not 0 on a side branch."""
    line: int = 0
    gutter: float = 0.0
    """y of the way between this line and the next."""
    ceiling: float = 0.0
    """y above which nothing of this line stands."""

    @property
    def right(self) -> float:
        """Right edge of what is drawn."""
        # `width` reserves room for the branches as well, where a route would end in the air.
        return self.left + (sum(width for _, width, _ in self.parts) or self.width)

    @property
    def outputs(self) -> int:
        """Length of a one-dimensional tensor that belongs to the first sheet, which is a parameter."""
        # Transposed convolutions store inputs first.
        return self.sheets[0].tensor.shape[int("Transpose" in self.sheets[0].module)]


def layers_of(refs: list[TensorRef], graph: Graph | None) -> list[Layer]:
    """Return the layers in the order in which data passes them, with side branches above the main path."""
    graph = graph or Graph()
    layers = _grouped(refs)
    if graph.nodes:
        layers = _in_order(layers, graph)
    _name_stages(layers)
    return _with_branches(layers, graph)


def _grouped(refs: Iterable[TensorRef]) -> list[Layer]:
    """Return a layer for every activation and every weight, with the strips of its module beside it."""
    modules: dict[tuple[bool, str], list[TensorRef]] = {}
    for ref in refs:
        is_activation = ref.kind == "activation"
        key = is_activation, ref.name if is_activation else ref.module_path
        modules.setdefault(key, []).append(ref)
    layers: list[Layer] = []
    for (is_activation, path), members in modules.items():
        if is_activation:
            layers += [Layer(path, sheets=[ref]) for ref in members]
            continue
        own = [Layer(path, sheets=[ref]) for ref in members if ref.tensor.ndim > 1]
        strips = [ref for ref in members if ref.tensor.ndim == 1]
        if own:
            for strip in strips:
                _host(strip, own).strips.append(strip)
            layers += own
        elif layers and _is_norm_of(layers[-1], strips, path):
            layers[-1].strips += strips
        else:
            layers.append(Layer(path, strips=strips))
    return layers


def _is_norm_of(layer: Layer, strips: list[TensorRef], path: str) -> bool:
    """Return True if a module of strips alone, such as a norm, works on the outputs of the layer before it."""
    if not layer.sheets or layer.sheets[0].kind == "activation":
        return False
    # A norm of the next block can have the same length by chance; a sibling of the layer cannot.
    beside = layer.sheets[0].module_path.rpartition(".")[0] == path.rpartition(".")[0]
    return beside and all(strip.tensor.shape[0] == layer.outputs for strip in strips)


def _host(strip: TensorRef, layers: list[Layer]) -> Layer:
    """Return the layer of a module to which a bias belongs: by name, else by length, else the first."""
    # An LSTM has `weight_ih_l0` and `bias_ih_l0`, and all its weights are equally long.
    stem = strip.name.rpartition(".")[2].replace("bias", "weight")
    named = [layer for layer in layers if layer.sheets[0].name.rpartition(".")[2] == stem]
    as_long = [layer for layer in layers if layer.outputs == strip.tensor.shape[0]]
    return (named + as_long + layers)[0]


def _in_order(layers: list[Layer], graph: Graph) -> list[Layer]:
    """Return the layers as the forward pass visits them, with pads for operations without tensors; unused ones last."""
    home = {}
    for layer in layers:
        for ref in (*layer.sheets, *layer.strips):
            home |= dict.fromkeys((ref.name, *ref.aliases), layer)
    ordered: list[Layer] = []
    for node in graph.nodes:
        own = [home[name] for name in (*node.outputs, node.name, *node.tensors) if name in home]
        if not own:
            ordered.append(Layer(_pad_title(node), node.module_path, node, nodes=[node.name]))
        for layer in own:
            # A layer that runs several times stands where it ran first.
            if not layer.nodes:
                ordered.append(layer)
            layer.nodes.append(node.name)
    return ordered + [layer for layer in layers if not layer.nodes]


def _pad_title(node: Node) -> str:
    """Return `relu 64×8×8`: the operation and its shape, without the batch unless that is all there is."""
    shape = node.shape or ()
    size = "×".join(map(str, shape[1:] or shape))
    return f"{node.kind} {size}".strip()


def _name_stages(layers: list[Layer]) -> None:
    """Give each layer its stage: the first part of its path, or a later one if the first holds nearly all."""
    paths = [_path(layer) for layer in layers]
    prefix: tuple[str, ...] = ()
    # Many models put everything into one `backbone`, which would be a single stage. The prefix grows while one name
    # holds more than 60 % of the layers, as long as some part of it holds two or more layers.
    while True:
        deeper = [path for path in paths if path[: len(prefix)] == prefix and len(path) > len(prefix) + 1]
        common = Counter(path[len(prefix)] for path in deeper).most_common(1)
        if not common or common[0][1] <= 0.6 * len(layers):
            break
        inside = [path for path in deeper if path[len(prefix)] == common[0][0]]
        children = Counter(path[len(prefix) + 1] for path in inside if len(path) > len(prefix) + 2)
        if not children or max(children.values()) < 2:
            break
        prefix = (*prefix, common[0][0])
    for layer, path in zip(layers, paths, strict=True):
        inside = path[: len(prefix)] == prefix and len(path) > len(prefix) + 1
        layer.stage = ".".join(path[: len(prefix) + 1]) if inside or len(path) > 1 else ""
    before = ""
    for layer in layers:  # a function between two layers of a stage belongs there
        if layer.node is not None and not layer.node.module_path:
            layer.stage = before
        before = layer.stage


def _path(layer: Layer) -> tuple[str, ...]:
    """Return the parts of the path of a layer's module."""
    owner = layer.node or (layer.sheets or layer.strips)[0]
    return tuple(part for part in owner.module_path.split(".") if part)


def _with_branches(layers: list[Layer], graph: Graph) -> list[Layer]:
    """Return the main path, with the layers that are not on it as branches of the layer that stands before them."""
    if not graph.edges:
        return layers
    position = {name: number for number, layer in enumerate(layers) for name in layer.nodes}
    predecessors: list[list[int]] = [[] for _ in layers]
    for edge in graph.edges:
        source = position.get(edge.source, len(layers))
        target = position.get(edge.target, -1)
        # A layer that runs twice stands at its first run: an edge back to it would close a ring.
        if source < target:
            predecessors[target].append(source)
    # The longest path to every layer, by dynamic programming: predecessors stand before it, so theirs are known.
    length: list[int] = []
    best: list[int | None] = []
    for sources in predecessors:
        best.append(max(sources, key=length.__getitem__, default=None))
        length.append(max((length[source] for source in sources), default=0) + 1)
    # Back along it from its end.
    spine: set[int] = set()
    end = max(range(len(layers)), key=length.__getitem__, default=None)
    while end is not None:
        spine.add(end)
        end = best[end]
    linked = {source for sources in predecessors for source in sources}
    linked |= {number for number, sources in enumerate(predecessors) if sources}
    main: list[Layer] = []
    for number, layer in enumerate(layers):
        # What no edge reaches is on no branch, and neither is what belongs to no stage: inputs, heads.
        is_branch = number in linked and number not in spine and layer.stage
        if main and is_branch:
            main[-1].branches.append(layer)
        else:
            main.append(layer)
    return main
