"""Parameters and buffers of any module, by name, without running it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from easel.inspector.models.graph import Kind, TensorRef, meta_note

WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Names that torch puts into a path when it compiles, shards or checkpoints a module."""


def tensors(model: nn.Module, *, buffers: bool = True) -> dict[str, TensorRef]:
    """Return every parameter, and buffer, once: name → TensorRef, in the order of the modules.

    Tied weights stand under their first name and list the others. Lazy parameters and those on `meta` are there
    without values. The model is only read.

        refs = tensors(model)
        refs["conv1.weight"].shape
    """
    refs: dict[str, TensorRef] = {}
    first_names: dict[int, str] = {}
    for name, tensor, kind, path, module in _owned_tensors(unwrap(model), buffers):
        first = first_names.setdefault(id(tensor), name)
        if first != name:
            refs[first] = replace(refs[first], aliases=(*refs[first].aliases, name))
            continue
        values, note = _values(tensor)
        groups = getattr(module, "groups", 1)
        # Modules of other libraries may call anything `groups`.
        if not isinstance(groups, int):
            groups = 1
        refs[name] = TensorRef(name, values, kind, path, (), type(module).__name__, groups, note)
    return refs


def unwrap(model: nn.Module) -> nn.Module:
    """Return the module inside DataParallel, DistributedDataParallel and torch.compile."""
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return unwrap(model.module)
    inner = dict(model.named_children()).get("_orig_mod")
    return model if inner is None else unwrap(inner)


def clean_path(path: str) -> str:
    """Return a path without the names of wrappers."""
    return ".".join(part for part in path.split(".") if part not in WRAPPERS)


def join_path(path: str, name: str) -> str:
    """Return `path.name`, or the name alone at the top."""
    return ".".join(part for part in (path, name) if part)


def _owned_tensors(model: nn.Module, buffers: bool) -> Iterator[tuple[str, Tensor, Kind, str, nn.Module]]:
    """Yield (name, tensor, kind, path, module) of all that the modules own, tied ones under each of their names."""
    # remove_duplicate=False throughout: torch would hide every name of a tied weight but the first.
    for raw_path, module in model.named_modules(remove_duplicate=False):
        path = clean_path(raw_path)
        for name, parameter in module.named_parameters(recurse=False, remove_duplicate=False):
            yield join_path(path, name), parameter, "parameter", path, module
        if buffers:
            for name, buffer in module.named_buffers(recurse=False, remove_duplicate=False):
                yield join_path(path, name), buffer, "buffer", path, module


def _values(tensor: Tensor) -> tuple[Tensor, str]:
    """Return the part of a tensor that can be shown, detached, and the note that goes with it."""
    # Shape and values of a lazy parameter raise; an empty tensor stands for it.
    if nn.parameter.is_lazy(tensor):
        return torch.empty(0, device="meta"), "not materialised: its shape comes with the first batch"
    # Nobody has a sharded tensor before this module is loaded, and loading it takes seconds.
    sharding: Any = sys.modules.get("torch.distributed.tensor")
    if sharding is not None and isinstance(tensor, sharding.DTensor):
        shard: Any = tensor.detach()
        return shard.to_local(), f"local shard of {tuple(tensor.shape)}"
    return tensor.detach(), meta_note(tensor)
