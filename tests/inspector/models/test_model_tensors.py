"""Parameters and buffers of any module by name; the model is only read."""

import pytest
import torch
from torch import nn

from easel import inspector
from easel.inspector.models.model_tensors import tensors


def test_names_kinds_and_shapes_are_the_state_dicts():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.LSTM(4, 5), nn.MultiheadAttention(4, 2))
    refs = tensors(model)
    assert list(refs) == [name for name, _ in [*model.state_dict().items()]]
    assert all(refs[name].shape == tuple(tensor.shape) for name, tensor in model.state_dict().items())
    assert refs["1.running_mean"].kind == "buffer"
    assert (refs["2.weight_ih_l0"].module, refs["2.weight_ih_l0"].module_path) == ("LSTM", "2")
    assert "1.running_mean" not in tensors(model, buffers=False)


def test_values_follow_a_training_and_cannot_be_trained():
    model = nn.Linear(2, 2)
    ref = tensors(model)["weight"]
    with torch.no_grad():
        model.weight.fill_(3)
    assert ref.tensor.tolist() == [[3, 3], [3, 3]]
    assert not ref.tensor.requires_grad


def test_tied_weights_are_one_with_two_names():
    model = nn.ModuleDict({"embedding": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["embedding"].weight
    assert list(tensors(model)) == ["embedding.weight"]
    assert tensors(model)["embedding.weight"].aliases == ("head.weight",)


def test_a_module_in_two_places_is_shown_once():
    layer = nn.Linear(2, 2)
    refs = tensors(nn.ModuleList([layer, layer]))
    assert {name: ref.aliases for name, ref in refs.items()} == {"0.weight": ("1.weight",), "0.bias": ("1.bias",)}


def test_lazy_and_meta_tensors_are_there_without_values():
    with torch.device("meta"):
        on_meta = nn.Linear(3, 2)
    for model, shape in ((nn.LazyLinear(3), (0,)), (on_meta, (2, 3))):
        ref = tensors(model)["weight"]
        assert not ref.is_materialised and ref.note.startswith("not materialised")
        assert ref.shape == shape


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda model: nn.Sequential(nn.DataParallel(model))[0]])
def test_wrappers_are_left_out_of_names(wrap):
    assert list(tensors(wrap(nn.Linear(2, 1)))) == ["weight", "bias"]


def test_an_empty_module_and_scalars():
    model = nn.Module()
    assert tensors(model) == {}
    model.scale = nn.Parameter(torch.tensor(2.0))
    model.nothing = nn.Parameter(torch.zeros(0, 3))
    assert [ref.shape for ref in tensors(model).values()] == [(), (0, 3)]


def test_a_shard_says_that_it_is_one(tmp_path):
    from torch import distributed
    from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh

    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        model = nn.Module()
        mesh = init_device_mesh("cpu", (1,))
        model.weight = nn.Parameter(distribute_tensor(torch.rand(4, 2), mesh, [Shard(0)]))
        ref = tensors(model)["weight"]
    finally:
        distributed.destroy_process_group()
    assert type(ref.tensor) is torch.Tensor
    assert ref.note == "local shard of (4, 2)"


def test_no_public_name_is_a_files_name():
    # Loading the file would put the module in the function's place.
    from pathlib import Path

    files = {path.stem for path in Path(inspector.__file__).parent.glob("*.py")}
    assert not files & set(inspector.__all__)
    assert all(getattr(inspector, name) is not None for name in inspector.__all__)
