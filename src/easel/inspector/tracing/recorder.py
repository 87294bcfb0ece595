"""The recorder of a forward pass: operations become nodes of a graph while they run.

Hooks see the modules, a function mode sees the functions between them, and the identity of the tensors that they
exchange links both. A layer (a module without children, or attention) is one node; what it does inside stays inside.

Tensors that flow have numbers, 0, 1, …, in the order in which they were made: names are known at the end only.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from easel.inspector.models.graph import Edge, Graph, Node, number_names, one_line
from easel.inspector.models.model_tensors import join_path
from easel.inspector.models.tree import leaves

_ALIASES = frozenset({"__get__", "detach"})
"""Functions whose result is the same data under another handle: no operations of the network."""
_OPERATORS = frozenset({"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"})


@dataclass(eq=False)
class PendingNode:
    """A node whose final name, and the names of its inputs, are not known yet."""

    kind: str
    base: str
    """Name before it is numbered."""
    path: str
    reads: list[int] = field(default_factory=list)
    """Numbers of its inputs; -1 for a parameter or buffer."""
    makes: list[tuple[str, int]] = field(default_factory=list)
    """(suffix, number) of its outputs."""
    tensors: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Call:
    """One call with its arguments, to be repeated when a capture is checked."""

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    reads: Mapping[int, int]
    """id of a tensor among the arguments → its number."""
    state: Mapping[str, Tensor]
    """Parameters, and copies of the buffers, of a module by its own names."""


@dataclass
class _Frame:
    """A running module: an entry of the call stack."""

    module: nn.Module
    path: str
    is_layer: bool
    given: list[Tensor]
    """Tensors among its arguments."""
    versions: list[int]
    """Write counts of `given` at the start."""
    numbers: list[int]
    """Numbers of `given`, for a layer."""
    tensors: tuple[str, ...]
    """Names of its parameters and buffers."""
    handled: BaseException | None
    """An exception that was being handled when the module began, which is none of its own."""


class ForwardRecorder(TorchFunctionMode):
    """Records the operations inside `with recorder:`; `watch_module` adds the hooks on modules.

    `known` names the parameters and buffers by the id of their tensor. `keep(number, tensor, is_layers)` is called at
    once for every tensor that is made, because a later operation may write into the same memory.
    """

    def __init__(
        self, known: Mapping[int, str], keep: Callable[[int, Tensor, bool], None], *, keep_calls: bool = False
    ) -> None:
        super().__init__()
        self._keep_calls = keep_calls
        self.nodes: list[PendingNode] = []
        self.shapes: list[tuple[int, ...]] = []
        """Shapes of all tensors that flow, by number."""
        self.calls: list[tuple[PendingNode, Call]] = []
        """Calls of the nodes, if `keep_calls` asks for them."""
        self.failure: BaseException | None = None
        self._known = dict(known)
        self._keep = keep
        self._numbers: dict[int, int] = {}
        """id of a tensor → its number."""
        self._handles: dict[int, dict[int, bool]] = {}
        """id of a tensor with memory of its own → id of each handle on it → True if that shows all of it."""
        # A tensor that is freed leaves its id to the next one, and edges would lead to the wrong node.
        self._alive: list[object] = []
        self._frames: list[_Frame] = []
        # Above 0 nothing is recorded: inside a layer, and in the recorder's own work on tensors.
        self._silent = 0

    def add_input(self, name: str, tensor: Tensor) -> None:
        """Record an argument of the model as a node without inputs."""
        self._source("input", name, "", tensor, True)

    def watch_module(self, module: nn.Module, path: str, *, is_layer: bool, tensors: tuple[str, ...]) -> list[Any]:
        """Hook a module, so that its calls are recorded. Returns the handles of the hooks, to be removed."""

        def enter(called: nn.Module, args: Any, kwargs: Any) -> None:
            if called is not module:
                return
            with self._quietly():
                given = [tensor for _, tensor in leaves((args, kwargs))]
                self._alive.append(given)
                # What is read is known now; afterwards a tensor may have been written into. _quietly counts 1; more
                # means that this module runs inside a layer.
                numbers = [self._read(each, self._path) for each in given] if is_layer and self._silent == 1 else []
                versions = [_version(tensor) for tensor in given]
                frame = _Frame(module, path, is_layer, given, versions, numbers, tensors, sys.exc_info()[1])
                self._frames.append(frame)
            self._silent += is_layer

        def leave(called: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
            if called is not module or not self._frames or self._frames[-1].module is not module:
                return None  # for the last two, a hook of the user's own raised before the module began
            frame = self._frames.pop()
            self._silent -= frame.is_layer
            if self._silent:
                return None
            with self._quietly():
                # With always_call torch runs this hook for an exception too, and tells so by `output` alone.
                error = sys.exc_info()[1]
                if output is None and error is not None and error is not frame.handled:
                    return self._fail(error, self._module_node(frame))
                return self._module(frame, args, kwargs, output)

        if not isinstance(module, torch.jit.ScriptModule):
            before = module.register_forward_pre_hook(enter, with_kwargs=True)
            return [before, module.register_forward_hook(leave, with_kwargs=True, always_call=True)]
        # A script takes no hooks of its own: these are called for every module there is. Without keywords: torch would
        # keep the note that a hook wants them for ever.
        before = register_module_forward_pre_hook(lambda called, args: enter(called, args, {}))
        after = register_module_forward_hook(lambda m, args, output: leave(m, args, {}, output), always_call=True)
        return [before, after]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._silent:
            return func(*args, **kwargs)
        given = [tensor for _, tensor in leaves((args, kwargs))]
        versions = [_version(tensor) for tensor in given]
        try:
            result = func(*args, **kwargs)
        except Exception as error:
            with self._quietly():
                node = self._function_node(func, given)
                self._link_inputs(node, given)
                self._fail(error, node)
            raise
        with self._quietly():
            self._function(func, args, kwargs, given, versions, result)
        return result

    def graph(self) -> tuple[Graph, dict[int, str]]:
        """Return the graph, and number → name of every activation."""
        # An error that the model caught itself is none of the graph's.
        pending = [node for node in self.nodes if not node.error or self.failure is not None]
        names = number_names([node.base for node in pending], set(self._known.values()))
        named = list(zip(names, pending, strict=True))
        makers = {number: name for name, node in named for _, number in node.makes}
        outputs = {number: name + suffix for name, node in named for suffix, number in node.makes}
        nodes: list[Node] = []
        # A dict as an ordered set: an activation that is read twice is one edge.
        edges: dict[Edge, None] = {}
        for name, node in named:
            reads = list(dict.fromkeys(number for number in node.reads if number in makers))
            shape = next((self.shapes[number] for _, number in node.makes), None)
            made = tuple(outputs[number] for _, number in node.makes)
            read = tuple(outputs[number] for number in reads)
            nodes.append(Node(name, node.kind, node.path, read, made, node.tensors, shape, node.error))
            edges |= dict.fromkeys(Edge(makers[n], name, self.shapes[n], outputs[n]) for n in reads)
        return Graph(tuple(nodes), tuple(edges)), outputs

    @property
    def _path(self) -> str:
        """Path of the module that runs now."""
        return next((frame.path for frame in reversed(self._frames)), "")

    def _function(
        self, func: Callable[..., Any], args: Any, kwargs: Any, given: list[Tensor], versions: list[int], result: Any
    ) -> None:
        """Record a function that has run; `given` and `versions` are its tensors and their write counts before."""
        made = list(leaves(result))
        self._alive.extend((given, made))
        if given and _name_of(func) in _ALIASES:
            for _, tensor in made:
                self._follow(tensor, given[0])
            return
        changed = {id(tensor) for tensor, version in zip(given, versions, strict=True) if _version(tensor) != version}
        same = {id(tensor) for tensor in given} - changed
        # x.to(its own type) is x: nothing happened. x[0] = y gives nothing back but changes x.
        made = [(suffix, tensor) for suffix, tensor in made if id(tensor) not in same]
        returned = {id(tensor) for _, tensor in made}
        made += [("", tensor) for tensor in given if id(tensor) in changed - returned]
        # Running statistics and counters: bookkeeping, not flow.
        made = [(suffix, tensor) for suffix, tensor in made if id(tensor) not in self._known]
        if not made:
            return
        node = self._function_node(func, given)
        reads = self._link_inputs(node, given)
        if len(made) == 1:
            made = [("", made[0][1])]
        for suffix, tensor in made:
            node.makes.append((suffix, self._number(tensor, False)))
            if id(tensor) in changed:
                self._propagate_write(tensor)
        if self._keep_calls:
            self.calls.append((node, Call(func, args, kwargs, reads, {})))

    def _module(self, frame: _Frame, args: Any, kwargs: Any, output: Any) -> Any:
        """Record a module that has run. Returns the tensor that takes the place of its output, or None."""
        made = list(leaves(output))
        self._alive.append(made)
        given = {id(tensor) for tensor in frame.given}
        if not frame.is_layer:
            # Compiled to a script, or by way of numpy: what came out of nowhere was made by the module itself.
            made = [(s, t) for s, t in made if not ({id(t)} & (given | self._numbers.keys() | self._known.keys()))]
            if made:
                frame.numbers = [self._read(tensor, frame.path) for tensor in frame.given]
        if not made:
            return None
        node = self._module_node(frame)
        unchanged = {id(t) for t, v in zip(frame.given, frame.versions, strict=True) if _version(t) == v}
        is_handed_on = output is made[0][1] and (id(output) in unchanged or id(output) in self._known)
        replaced = None
        if is_handed_on and output.layout is torch.strided:
            # It hands on what it got, or owns. Another handle keeps both apart: a residual path may go past it.
            replaced = output.view_as(output)
            made = [("", replaced)]
            self._alive.append(replaced)
        for suffix, tensor in made:
            node.makes.append((suffix, self._number(tensor, True)))
            if id(tensor) in given - unchanged:
                self._propagate_write(tensor)
        if self._keep_calls and frame.is_layer:
            ids = {id(tensor): number for tensor, number in zip(frame.given, frame.numbers, strict=True)}
            # Copies of the buffers: a norm in training has just changed its own, and changes them again.
            state = {name: tensor.clone() for name, tensor in frame.module.named_buffers()}
            state |= dict(frame.module.named_parameters())
            self.calls.append((node, Call(frame.module, args, kwargs, ids, state)))
        return replaced

    def _module_node(self, frame: _Frame) -> PendingNode:
        """Add a node for a module, linked to its inputs."""
        kind = getattr(frame.module, "original_name", type(frame.module).__name__)  # a script's own class
        node = PendingNode(kind, frame.path or kind, frame.path, list(frame.numbers), tensors=frame.tensors)
        self.nodes.append(node)
        return node

    def _function_node(self, func: Callable[..., Any], given: list[Tensor]) -> PendingNode:
        """Return a function's node, not yet among `nodes`."""
        kind = _plain_name(_name_of(func))
        owned = tuple(dict.fromkeys(self._known[id(tensor)] for tensor in given if id(tensor) in self._known))
        return PendingNode(kind, join_path(self._path, kind), self._path, tensors=owned)

    def _link_inputs(self, node: PendingNode, given: list[Tensor]) -> dict[int, int]:
        """Link a function to its inputs and add it to `nodes`. Returns id → number of the inputs."""
        # First the inputs: a tensor from outside adds a node of its own, which comes before its reader.
        reads = {id(tensor): self._read(tensor, node.path) for tensor in given if id(tensor) not in self._known}
        node.reads.extend(reads.values())
        self.nodes.append(node)
        return reads

    def _fail(self, error: BaseException, node: PendingNode) -> None:
        """Blame the innermost node for an error, once; `node` is among `nodes`."""
        # The error climbs through the modules around; those are no nodes beside the one that failed.
        if self.failure is error:
            self.nodes.remove(node)
        else:
            self.failure = error
            node.error = one_line(error)

    def _source(self, kind: str, base: str, path: str, tensor: Tensor, is_layers: bool) -> None:
        """Add a node without inputs, whose only output is `tensor`."""
        node = PendingNode(kind, base, path)
        self.nodes.append(node)
        node.makes.append(("", self._number(tensor, is_layers)))

    def _read(self, tensor: Tensor, path: str) -> int:
        """Return the number of a tensor that is read, -1 for a parameter; one that nobody made comes from outside."""
        if id(tensor) in self._known:
            return -1
        if id(tensor) not in self._numbers:
            self._source("outside", join_path(path, "outside"), path, tensor, False)
        return self._numbers[id(tensor)]

    def _number(self, tensor: Tensor, is_layers: bool) -> int:
        """Give a fresh number to a tensor that was just made, or written into."""
        number = self._numbers[id(tensor)] = len(self.shapes)
        self._alive.append(tensor)
        self.shapes.append(tuple(tensor.shape))
        # Tensors of the inference mode count no writes, and have no base that could be asked for.
        if not tensor.is_inference():
            whole = _whole(tensor)
            self._alive.append(whole)
            self._handles.setdefault(id(whole), {})[id(tensor)] = tensor.numel() == whole.numel()
        self._keep(number, tensor, is_layers)
        return number

    def _propagate_write(self, tensor: Tensor) -> None:
        """Give the new number of a written tensor to all handles that show the same memory."""
        if tensor.is_inference():
            return
        handles = self._handles[id(_whole(tensor))]
        number = self._numbers[id(tensor)]
        # Two parts of one tensor need not overlap; the whole overlaps with every part.
        is_whole = handles[id(tensor)]
        self._numbers |= {other: number for other, whole in handles.items() if whole or is_whole}

    def _follow(self, tensor: Tensor, source: Tensor) -> None:
        """Let another handle stand for the same tensor."""
        if id(source) in self._known:
            self._known[id(tensor)] = self._known[id(source)]
        elif id(source) in self._numbers:
            self._numbers[id(tensor)] = self._numbers[id(source)]

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Record nothing inside: the recorder's own functions of tensors would appear in the graph."""
        self._silent += 1
        try:
            yield
        finally:
            self._silent -= 1


def _version(tensor: Tensor) -> int:
    """Return torch's count of the writes into a tensor; 0 in the inference mode, which does not count."""
    return 0 if tensor.is_inference() else tensor._version


def _whole(tensor: Tensor) -> Tensor:
    """Return the tensor whose memory a view shows; `tensor` itself if it is no view."""
    return tensor if tensor._base is None else tensor._base


def _name_of(func: Callable[..., Any]) -> str:
    # Some of torch's own are objects without a name.
    return getattr(func, "__name__", type(func).__name__)


def _plain_name(name: str) -> str:
    """Return a function's name for people: `__radd__` is add, `_max_pool2d` max_pool2d.

    `add_` keeps the mark that it works in place.
    """
    if not name.startswith("__"):
        return name.lstrip("_")
    name = name.strip("_")
    # r for reflected, i for in place: `__radd__`, `__iadd__`. `__index__` and others only begin like that.
    return name[1:] if name[0] in "ri" and name[1:] in _OPERATORS else name
