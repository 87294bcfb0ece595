"""Verification of a capture: each node runs again, alone, from the activations that it is said to have read."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from easel.inspector.models.tree import leaves, map_leaves
from easel.inspector.tracing.recorder import Call, PendingNode


def mismatching(calls: Sequence[tuple[PendingNode, Call]], copies: Mapping[int, Tensor]) -> Iterator[str]:
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
