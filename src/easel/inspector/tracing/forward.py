"""Capture of one real forward pass as a graph and its activations, for any architecture; the model stays as it was."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from easel.inspector.models.graph import Graph, TensorRef, meta_note, one_line
from easel.inspector.models.model_tensors import clean_path, tensors, unwrap
from easel.inspector.models.tree import leaves, map_leaves
from easel.inspector.tracing.recorder import Call, ForwardRecorder, PendingNode

MEMORY_BYTES = 256 * 2**20
"""Budget for the kept activations of one capture."""


@dataclass(frozen=True)
class Capture:
    """The graph and the activations of one forward pass."""

    graph: Graph
    activations: dict[str, TensorRef]
    """By name, copies in main memory. What did not fit the budget is on `meta`, and its note says so."""
    error: str = ""
    """Reason why the forward pass ended early, in one line; the graph holds what ran before, and the failed node."""
    mismatches: tuple[str, ...] = ()
    """Nodes that gave something else when they were checked."""


def capture(
    model: nn.Module,
    *args: Any,
    activations: bool = True,
    mode: str = "as_is",
    seed: int = 0,
    weights: Mapping[str, Tensor] | None = None,
    memory_bytes: int = MEMORY_BYTES,
    check: bool = False,
    **kwargs: Any,
) -> Capture:
    """Run `model(*args, **kwargs)` once, without gradients, and record its operations.

    State dict, training flags, gradients, hooks and random states are the same before and after: the pass uses the
    model's own parameters, copies of its buffers, and random numbers of `seed`. `weights`, by name, take the place of
    the model's own for this pass; `mode` is one of as_is, eval and train. Call it from the thread that trains, between
    two steps. Hooks of the user's own run once per capture, and what a forward writes into plain attributes stays
    written. Functions that torch fuses where nothing watches run one by one, so that last bits may differ.

    `check` runs every node again, alone, from the activations that it is said to have read; `mismatches` then names
    those that give something else. A forward pass that raises gives what ran until then. Raises ValueError for weights
    of other shapes and for an unknown mode.

        found = capture(model, torch.zeros(1, 3, 224, 224))
        found.graph.nodes[1].name, found.activations["conv1"].shape
    """
    if mode not in ("as_is", "eval", "train"):
        raise ValueError(f"unknown mode {mode!r}. Known: as_is, eval, train.")
    model = unwrap(model)
    refs = tensors(model)
    if lazy := [ref.name for ref in refs.values() if ref.note.startswith("not materialised:")]:
        return Capture(Graph(), {}, f"{lazy[0]!r} is not materialised: run the model once, on one batch.")
    swapped, known, originals = _swapped(model, weights or {})
    # A model without values runs on shapes alone; its input must be on `meta` too.
    if refs and all(ref.tensor.is_meta for ref in refs.values()):
        args, kwargs = map_leaves((args, kwargs), lambda tensor: tensor.to("meta"))
    # A check compares with the activations, even if nobody wants to have them.
    kept = _Kept(memory_bytes if activations or check else -1)
    recorder = ForwardRecorder(known, kept.keep, keep_calls=check)
    given = [*leaves([*args]), *leaves(kwargs)]
    # Before the pass: a tensor that is read and has no number yet comes from outside.
    for suffix, tensor in given:
        recorder.add_input("input" if len(given) == 1 else f"input{suffix}", tensor)
    error = ""
    with same_afterwards(model, mode, seed):
        with _watched(model, recorder, originals):
            try:
                with torch.no_grad(), recorder:
                    # TorchScript runs with its own tensors; same_afterwards puts its buffers back.
                    if isinstance(model, torch.jit.ScriptModule):
                        model(*args, **kwargs)
                    else:
                        functional_call(model, swapped, args, kwargs)
                recorder.failure = None  # whatever failed on the way, the model knew what to do
            except Exception as failure:
                error = one_line(failure)
        graph, names = recorder.graph()
        # Without `check` the recorder has kept no calls.
        mismatches = tuple(_mismatching(recorder.calls, kept.copies))
    return Capture(graph, kept.refs(graph, names) if activations else {}, error, mismatches)


@dataclass
class _Kept:
    """Copies of activations within a budget; those of layers push out those of functions."""

    memory_bytes: int
    """Below 0 nothing is kept."""
    copies: dict[int, Tensor] = field(default_factory=dict)
    """Number of an activation → its copy, on the CPU or on `meta`."""
    notes: dict[int, str] = field(default_factory=dict)
    of_functions: list[int] = field(default_factory=list)
    """Numbers of the kept ones that functions made."""
    used_bytes: int = 0

    def keep(self, number: int, tensor: Tensor, is_layers: bool) -> None:
        """Copy an activation, or its shape and range if it does not fit the budget."""
        if self.memory_bytes < 0:
            return
        size_bytes = 0 if tensor.is_meta else tensor.numel() * tensor.element_size()
        # The outputs of layers are what people look for: those of functions make room, the latest first.
        while is_layers and self.of_functions and self.used_bytes + size_bytes > self.memory_bytes:
            evicted = self.of_functions.pop()
            copy = self.copies[evicted]
            self.used_bytes -= copy.numel() * copy.element_size()
            self._note_range(evicted, copy)
        if self.used_bytes + size_bytes > self.memory_bytes:
            self._note_range(number, tensor)
            return
        self.used_bytes += size_bytes
        dense = tensor.detach().to_dense()
        # A tensor on `meta` has no values that could come to the CPU.
        self.copies[number] = dense.clone() if dense.is_meta else dense.to("cpu", copy=True)
        if not is_layers:
            self.of_functions.append(number)

    def refs(self, graph: Graph, names: Mapping[int, str]) -> dict[str, TensorRef]:
        """Return the activations by name, in the order in which they were made."""
        makers = {output: node for node in graph.nodes for output in node.outputs}
        refs = {}
        for number, name in names.items():
            node = makers[name]
            copy = self.copies[number]
            note = self.notes.get(number) or meta_note(copy)
            refs[name] = TensorRef(name, copy, "activation", node.module_path, module=node.kind, note=note)
        return refs

    def _note_range(self, number: int, tensor: Tensor) -> None:
        """Keep shape and type of an activation, and note its range."""
        self.copies[number] = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
        self.notes[number] = f"not kept: over the budget of {self.memory_bytes / 2**20:.4g} MiB"
        if tensor.numel() and not tensor.is_complex():
            low, high = (float(bound) for bound in torch.aminmax(tensor.detach()))
            self.notes[number] += f"; {low:.4g} to {high:.4g}"


@contextmanager
def _watched(model: nn.Module, recorder: ForwardRecorder, originals: Mapping[int, str]) -> Iterator[None]:
    """Put the recorder's hooks on all modules inside, and remove them afterwards."""
    # TorchScript calls its inner modules by itself, past any hook.
    inside_scripts = {inner for script in _scripts(model) for inner in script.modules() if inner is not script}
    with ExitStack() as stack:
        for raw_path, module in model.named_modules():
            if module not in inside_scripts:
                is_layer = _is_layer(module, is_top=module is model)
                members = (*module.parameters(), *module.buffers()) if is_layer else ()
                owned = tuple(dict.fromkeys(originals[id(tensor)] for tensor in members))
                for handle in recorder.watch_module(module, clean_path(raw_path), is_layer=is_layer, tensors=owned):
                    stack.callback(handle.remove)
        yield


@contextmanager
def same_afterwards(model: nn.Module, mode: str, seed: int) -> Iterator[None]:
    """Seed all random numbers and set training flags inside; put back everything that a forward pass may change."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    flags = [(module, module.training) for module in model.modules()]
    # The tensors of scripts are not exchanged: what they write into is put back.
    buffers = [(buffer, buffer.clone()) for script in _scripts(model) for buffer in script.buffers()]
    devices = sorted({tensor.device.index for tensor in model.parameters() if tensor.is_cuda})
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices))
        if any("_orig_mod" in dict(module.named_children()) for module in model.modules()):
            stack.enter_context(torch.compiler.set_stance("force_eager"))  # hooks and modes see eager calls only
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would also touch devices that nobody uses
        for index in devices:
            torch.cuda.default_generators[index].manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)
        try:
            if mode != "as_is":
                # Not `model.train()`: models override it, to keep a part in evaluation.
                for module, _ in flags:
                    module.training = mode == "train"
            yield
        finally:
            for module, flag in flags:
                module.training = flag
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)
            random.setstate(python_state)
            np.random.set_state(numpy_state)


def _swapped(
    model: nn.Module, weights: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[int, str], dict[int, str]]:
    """Return the tensors of one functional call: (torch's name → tensor, its id → our name, the original's → ours).

    Raises ValueError for weights of another shape.
    """
    swapped: dict[str, Tensor] = {}
    known: dict[int, str] = {}
    originals: dict[int, str] = {}
    is_buffer = {id(buffer) for buffer in model.buffers()}
    is_scripts = {id(tensor) for script in _scripts(model) for tensor in (*script.parameters(), *script.buffers())}
    for raw_name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        name = originals[id(tensor)] = clean_path(raw_name)
        if id(tensor) in is_scripts:
            continue
        values = tensor.detach()
        if name in weights:
            if weights[name].shape != tensor.shape:
                came = tuple(weights[name].shape)
                raise ValueError(f"the model's {name!r} is {tuple(tensor.shape)}; the weights that came are {came}.")
            values = weights[name].detach().to(tensor.device, tensor.dtype)
        # A forward pass may write into buffers (running statistics), and never into parameters.
        swapped[raw_name] = values.clone() if id(tensor) in is_buffer else values
        known[id(swapped[raw_name])] = name
    return swapped, known, originals


def _scripts(model: nn.Module) -> list[nn.Module]:
    """Return the modules that are compiled to TorchScript, the inner ones included."""
    return [module for module in model.modules() if isinstance(module, torch.jit.ScriptModule)]


def _is_layer(module: nn.Module, is_top: bool) -> bool:
    """Return True for a module that is one node of the graph."""
    # Attention has a child of its own, which is not called as one; a script cannot be looked into.
    if isinstance(module, nn.MultiheadAttention | torch.jit.ScriptModule):
        return True
    if any(name != "parametrizations" for name, _ in module.named_children()):
        return False
    # A model that is written with bare parameters has no children, and its operations are what there is to see.
    return not is_top or type(module).__module__.startswith("torch.nn.")


def _mismatching(calls: Sequence[tuple[PendingNode, Call]], copies: Mapping[int, Tensor]) -> Iterator[str]:
    """Yield the names, not yet numbered, of the nodes whose second run differs from the copies of their outputs.

    Nodes that draw random numbers are skipped, and so are those whose inputs or outputs were not kept.
    """
    for node, call in calls:
        made = [copies[number] for _, number in node.makes]
        # TorchScript takes no parameters from outside.
        if any(copy.is_meta for copy in made) or isinstance(call.function, torch.jit.ScriptModule):
            continue
        inputs: dict[int, Tensor] = {}
        try:
            args, kwargs = _arguments(call, copies, inputs)
        except LookupError:
            continue
        before = torch.get_rng_state()
        with torch.no_grad():
            if isinstance(call.function, nn.Module):
                result = functional_call(call.function, dict(call.state), args, kwargs)
            else:
                result = call.function(*args, **kwargs)
        # Another draw gives another result, which proves nothing.
        if not torch.equal(before, torch.get_rng_state()):
            continue
        again = [tensor for _, tensor in leaves(result)]
        if len(again) != len(made):  # it gives nothing back, and wrote into what it got
            again = [tensor for tensor in inputs.values() if tensor._version]
        if len(again) != len(made) or not all(map(_is_close, again, made)):
            yield node.base


def _arguments(call: Call, copies: Mapping[int, Tensor], inputs: dict[int, Tensor]) -> tuple[tuple, dict]:
    """Return a call's arguments with its inputs taken from the copies, which are added to `inputs` by id.

    Raises LookupError if one of them was not kept.
    """

    def replaced(tensor: Tensor) -> Tensor:
        number = call.reads.get(id(tensor), -1)
        if number < 0:
            return tensor
        # Once for each tensor: a function that got the same one twice writes into both.
        if id(tensor) not in inputs:
            if copies[number].is_meta or copies[number].shape != tensor.shape:
                raise LookupError
            inputs[id(tensor)] = copies[number].to(tensor.device).clone().detach()
        return inputs[id(tensor)]

    args, kwargs = map_leaves((list(call.args), dict(call.kwargs)), replaced)
    return tuple(args), kwargs


def _is_close(one: Tensor, other: Tensor) -> bool:
    # Not bit for bit: alone, a node may run by another kernel than in its place.
    return one.shape == other.shape and torch.allclose(one.cpu(), other, rtol=1e-4, atol=1e-6, equal_nan=True)
