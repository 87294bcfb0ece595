"""A capture that proves itself: each node runs again, alone, from what it is said to have read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from easel.inspector.models.tree import leaves
from easel.inspector.tracing.recorder import Call, Record


def different(calls: Sequence[tuple[Record, Call]], copies: Mapping[int, Tensor]) -> Iterator[str]:
    """Names, not yet numbered, of the nodes that give something else than the copies of their outputs.

    What draws random numbers is passed over, and so is what read or made something that was not kept.
    """
    for record, call in calls:
        made = [copies[number] for _, number in record.makes]
        if any(copy.is_meta for copy in made):
            continue
        exchanged: dict[int, Tensor] = {}
        try:
            args, kwargs = _exchange((list(call.args), dict(call.kwargs)), call.reads, copies, exchanged)
        except LookupError:
            continue
        before = torch.get_rng_state()
        with torch.no_grad():
            if isinstance(call.function, nn.Module):
                if isinstance(call.function, torch.jit.ScriptModule):
                    continue
                result = functional_call(call.function, dict(call.state), tuple(args), kwargs)
            else:
                result = call.function(*args, **kwargs)
        if not torch.equal(before, torch.get_rng_state()):
            continue
        again = [tensor for _, tensor in leaves(result)]
        if len(again) != len(made):  # it gives nothing back, and wrote into what it got
            again = [tensor for tensor in exchanged.values() if tensor._version]
        if len(again) != len(made) or not all(map(_equal, again, made)):
            yield record.base


def _exchange(value: Any, reads: Mapping[int, int], copies: Mapping[int, Tensor], exchanged: dict[int, Tensor]) -> Any:
    """The same containers with what was read taken from the copies; LookupError where that was not kept."""
    if isinstance(value, Tensor):
        number = reads.get(id(value), -1)
        if number < 0:
            return value
        if id(value) not in exchanged:
            if copies[number].is_meta or copies[number].shape != value.shape:
                raise LookupError
            exchanged[id(value)] = copies[number].to(value.device).clone().detach()
        return exchanged[id(value)]
    if isinstance(value, Mapping):
        return {key: _exchange(part, reads, copies, exchanged) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_exchange(part, reads, copies, exchanged) for part in value)
    return value


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one.cpu(), other, rtol=1e-4, atol=1e-6, equal_nan=True)
