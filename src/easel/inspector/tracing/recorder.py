"""What runs in a forward pass, written down while it runs.

Hooks see the modules, a function mode sees the functions between them, and the identity of the tensors that they
exchange links both. A layer (a module without children, or attention) is one node; what it does inside stays inside.
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

from easel.inspector.models.graph import Edge, Graph, Node
from easel.inspector.models.model_tensors import join_path
from easel.inspector.models.naming import number_names, one_line, plain_name
from easel.inspector.models.tree import leaves

_ALIASES = frozenset({"__get__", "detach"})
"""Functions whose result is the same data under another handle: no operations of the network."""


@dataclass(eq=False)
class Record:
    """A node in the making; tensors that flow are numbers until all names are known."""

    kind: str
    base: str
    path: str
    reads: list[int] = field(default_factory=list)
    makes: list[tuple[str, int]] = field(default_factory=list)
    """(suffix, number) of its outputs."""
    tensors: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Call:
    """One call as it was made, to be made again."""

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    reads: Mapping[int, int]
    """id of a tensor among the arguments → its number."""
    state: Mapping[str, Tensor]
    """Parameters and buffers of a module, by its own names."""


@dataclass
class _Frame:
    """A module that is running."""

    module: nn.Module
    path: str
    is_layer: bool
    given: list[Tensor]
    versions: list[int]
    numbers: list[int]
    tensors: tuple[str, ...]
    handled: BaseException | None
    """An exception that was being handled when the module began, which is none of its own."""


class Recorder(TorchFunctionMode):
    """Writes down what runs inside `with recorder:`; between `watch_module` and the end its hooks are in place.

    `known` names the parameters and buffers by the id of their tensor. `keep` is called with the number, the tensor
    and whether a layer made it, at once, because a later operation may write into the same memory.
    """

    def __init__(
        self, known: Mapping[int, str], keep: Callable[[int, Tensor, bool], None], *, keep_calls: bool = False
    ) -> None:
        super().__init__()
        self._keep_calls = keep_calls
        self.records: list[Record] = []
        self.shapes: list[tuple[int, ...]] = []
        self.calls: list[tuple[Record, Call]] = []
        """What each record ran, where `keep_calls` asks for it."""
        self.failure: BaseException | None = None
        self._known = dict(known)
        self._keep = keep
        self._numbers: dict[int, int] = {}
        self._handles: dict[int, dict[int, bool]] = {}
        """id of a tensor with memory of its own → id of each handle on it → whether that shows all of it."""
        # A tensor that is freed leaves its id to the next one, and edges would lead to the wrong node.
        self._alive: list[object] = []
        self._frames: list[_Frame] = []
        self._silent = 0

    def add_input(self, name: str, tensor: Tensor) -> None:
        """An argument of the model."""
        record = Record("input", name, "")
        self.records.append(record)
        record.makes.append(("", self._number(tensor, True)))

    def watch_module(self, module: nn.Module, path: str, *, is_layer: bool, tensors: tuple[str, ...]) -> list[Any]:
        """Follow the calls of a module; returns the handles of its hooks, to be removed."""

        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            with self._quietly():
                given = [tensor for _, tensor in leaves((args, kwargs))]
                self._alive.append(given)
                # What is read is known now; afterwards a tensor may have been written into.
                is_seen = self._silent == 1
                parent = self._frames[-1].path if self._frames else ""
                numbers = [self._read(tensor, parent) for tensor in given] if is_seen and is_layer else []
                versions = [_version(tensor) for tensor in given]
                frame = _Frame(module, path, is_layer, given, versions, numbers, tensors, sys.exc_info()[1])
                self._frames.append(frame)
            self._silent += is_layer

        def leave(module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
            if not self._frames or self._frames[-1].module is not module:
                return None  # a hook of the user's own raised before the module began
            frame = self._frames.pop()
            self._silent -= frame.is_layer
            if self._silent:
                return None
            with self._quietly():
                error = sys.exc_info()[1]
                if output is None and error is not None and error is not frame.handled:
                    return self._fail(error, self._module_record(frame))
                return self._module(frame, args, kwargs, output)

        if isinstance(module, torch.jit.ScriptModule):  # takes no hooks of its own
            before = register_module_forward_pre_hook(lambda m, args: enter(m, args, {}) if m is module else None)
            # Without keywords: torch would keep the note that this hook wants them for ever.
            after = register_module_forward_hook(
                lambda m, args, output: leave(m, args, {}, output) if m is module else None, always_call=True
            )
            return [before, after]
        return [
            module.register_forward_pre_hook(enter, with_kwargs=True),
            module.register_forward_hook(leave, with_kwargs=True, always_call=True),
        ]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._silent:
            return func(*args, **kwargs)
        name = getattr(func, "__name__", type(func).__name__)
        given = [tensor for _, tensor in leaves((args, kwargs))]
        versions = [_version(tensor) for tensor in given]
        try:
            result = func(*args, **kwargs)
        except Exception as error:
            with self._quietly():
                record = self._function_record(name, given)
                self._reads(record, given)
                self._fail(error, record)
            raise
        with self._quietly():
            self._function(func, name, args, kwargs, given, versions, result)
        return result

    def graph(self) -> tuple[Graph, dict[int, str]]:
        """The graph, and the name of every number."""
        records = [record for record in self.records if not record.error or self.failure is not None]
        names = number_names([record.base for record in records], set(self._known.values()))
        outputs = {
            number: name + suffix
            for name, record in zip(names, records, strict=True)
            for suffix, number in record.makes
        }
        makers = {number: name for name, record in zip(names, records, strict=True) for _, number in record.makes}
        nodes: list[Node] = []
        edges: dict[Edge, None] = {}
        for name, record in zip(names, records, strict=True):
            reads = list(dict.fromkeys(number for number in record.reads if number in makers))
            shape = self.shapes[record.makes[0][1]] if record.makes else None
            made = tuple(outputs[number] for _, number in record.makes)
            read = tuple(outputs[number] for number in reads)
            nodes.append(Node(name, record.kind, record.path, read, made, record.tensors, shape, record.error))
            edges |= dict.fromkeys(Edge(makers[n], name, self.shapes[n], outputs[n]) for n in reads)
        return Graph(tuple(nodes), tuple(edges)), outputs

    def _function(
        self,
        func: Callable[..., Any],
        name: str,
        args: Any,
        kwargs: Any,
        given: list[Tensor],
        versions: list[int],
        result: Any,
    ) -> None:
        made = list(leaves(result))
        self._alive.extend((given, made))
        if name in _ALIASES:
            if given:
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
        record = self._function_record(name, given)
        reads = self._reads(record, given)
        for suffix, tensor in made:
            record.makes.append((suffix if len(made) > 1 else "", self._number(tensor, False)))
            if id(tensor) in changed:
                self._written(tensor)
        if self._keep_calls:
            self.calls.append((record, Call(func, args, kwargs, reads, {})))

    def _module(self, frame: _Frame, args: Any, kwargs: Any, output: Any) -> Any:
        made = list(leaves(output))
        self._alive.append(made)
        given = {id(tensor) for tensor in frame.given}
        if not frame.is_layer:
            # Compiled to a script, or by way of numpy: what came out of nowhere was made by the module itself.
            made = [(s, t) for s, t in made if not ({id(t)} & (given | self._numbers.keys() | self._known.keys()))]
            frame.numbers = [self._read(tensor, frame.path) for tensor in frame.given] if made else []
        if not made:
            return None
        record = self._module_record(frame)
        unchanged = {id(t) for t, v in zip(frame.given, frame.versions, strict=True) if _version(t) == v}
        replaced = None
        if (
            output is made[0][1]
            and (id(output) in unchanged or id(output) in self._known)
            and output.layout is torch.strided
        ):
            # It hands on what it got, or owns. Another handle keeps both apart: a residual path may go past it.
            replaced = output.view_as(output)
            made = [("", replaced)]
            self._alive.append(replaced)
        for suffix, tensor in made:
            record.makes.append((suffix, self._number(tensor, True)))
            if id(tensor) in given - unchanged:
                self._written(tensor)
        if self._keep_calls and frame.is_layer:
            ids = {id(tensor): number for tensor, number in zip(frame.given, frame.numbers, strict=True)}
            state = {name: tensor.clone() for name, tensor in frame.module.named_buffers()}
            state |= dict(frame.module.named_parameters())
            self.calls.append((record, Call(frame.module, args, kwargs, ids, state)))
        return replaced

    def _module_record(self, frame: _Frame) -> Record:
        kind = getattr(frame.module, "original_name", type(frame.module).__name__)  # a script's own class
        record = Record(kind, frame.path or kind, frame.path, list(frame.numbers), tensors=frame.tensors)
        self.records.append(record)
        return record

    def _function_record(self, name: str, given: list[Tensor]) -> Record:
        path = self._frames[-1].path if self._frames else ""
        kind = plain_name(name)
        owned = tuple(dict.fromkeys(self._known[id(tensor)] for tensor in given if id(tensor) in self._known))
        return Record(kind, join_path(path, kind), path, tensors=owned)

    def _reads(self, record: Record, given: list[Tensor]) -> dict[int, int]:
        """Link a function to what it read, before it stands among the records itself."""
        reads = {id(tensor): self._read(tensor, record.path) for tensor in given if id(tensor) not in self._known}
        record.reads.extend(reads.values())
        self.records.append(record)
        return reads

    def _fail(self, error: BaseException, record: Record) -> None:
        """Blame the innermost record for an error, once."""
        if self.failure is error:
            if record in self.records:
                self.records.remove(record)
            return
        self.failure, record.error = error, one_line(error)
        if record not in self.records:
            self.records.append(record)

    def _read(self, tensor: Tensor, path: str) -> int:
        """The number of a tensor that is read; one that nobody made comes from outside."""
        if id(tensor) in self._known:
            return -1
        if id(tensor) not in self._numbers:
            record = Record("outside", join_path(path, "outside"), path)
            self.records.append(record)
            record.makes.append(("", self._number(tensor, False)))
        return self._numbers[id(tensor)]

    def _number(self, tensor: Tensor, is_layers: bool) -> int:
        """A fresh number for a tensor that was just made, or written into."""
        number = self._numbers[id(tensor)] = len(self.shapes)
        self._alive.append(tensor)
        self.shapes.append(tuple(tensor.shape))
        if not tensor.is_inference():
            whole = tensor if tensor._base is None else tensor._base
            self._alive.append(whole)
            self._handles.setdefault(id(whole), {})[id(tensor)] = tensor.numel() == whole.numel()
        self._keep(number, tensor, is_layers)
        return number

    def _written(self, tensor: Tensor) -> None:
        """Whoever reads the same memory through another handle reads what was written."""
        if not tensor.is_inference():
            handles = self._handles[id(tensor if tensor._base is None else tensor._base)]
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
        self._silent += 1
        try:
            yield
        finally:
            self._silent -= 1


def _version(tensor: Tensor) -> int:
    """How often it was written into; tensors of the inference mode do not count."""
    return 0 if tensor.is_inference() else tensor._version
