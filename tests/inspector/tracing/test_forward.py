"""One forward pass of many architectures: every node and every edge by name, and a model that stays as it was."""

import copy
import random
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from easel.inspector.models.model_tensors import tensors
from easel.inspector.models.tree import leaves
from easel.inspector.tracing import forward
from easel.inspector.tracing.forward import capture


class Net(nn.Module):
    """Layers by name, and a forward pass as a function."""

    def __init__(self, forward, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.run = forward

    def forward(self, *args, **kwargs):
        return self.run(self, *args, **kwargs)


def edges(captured) -> str:
    """`input>conv conv>view …`, in order."""
    return " ".join(f"{edge.source}>{edge.target}" for edge in captured.graph.edges)


def captured(model, *args, **kwargs):
    """A capture that has proved its links."""
    found = capture(model, *args, check=True, **kwargs)
    assert found.mismatches == ()
    assert set(found.activations) == {name for node in found.graph.nodes for name in node.outputs}
    places = {node.name: place for place, node in enumerate(found.graph.nodes)}
    assert all(places[edge.source] < places[edge.target] for edge in found.graph.edges)
    assert len(places) == len(found.graph.nodes)
    return found


class SimpleCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.conv2 = nn.Conv2d(4, 8, kernel_size=3, padding=1)
        self.flatten_method = nn.Flatten()
        self.fc1 = nn.Linear(8 * 7 * 7, 16)
        self.fc2 = nn.Linear(16, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = self.flatten_method(x)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


def test_a_cnn_of_layers_and_functions():
    found = captured(SimpleCNN(), torch.rand(1, 1, 28, 28))
    assert edges(found) == (
        "input>conv1 conv1>relu:1 relu:1>pool:1 pool:1>conv2 conv2>relu:2 relu:2>pool:2 pool:2>flatten_method "
        "flatten_method>fc1 fc1>relu:3 relu:3>fc2"
    )
    nodes = {node.name: node for node in found.graph.nodes}
    assert len(nodes) == 11
    assert nodes["conv2"].tensors == ("conv2.weight", "conv2.bias")
    assert (nodes["conv2"].kind, nodes["relu:2"].kind, nodes["pool:2"].kind) == ("Conv2d", "relu", "MaxPool2d")
    assert nodes["pool:2"].shape == found.activations["pool:2"].shape == (1, 8, 7, 7)


def test_sizes_that_are_read_from_the_input():
    model = Net(lambda net, x: net.fc(net.conv(x).view(x.size(0), -1)), conv=nn.Conv2d(1, 2, 3), fc=nn.Linear(72, 3))
    found = captured(model, torch.rand(1, 1, 8, 8))
    assert edges(found) == "input>conv conv>view view>fc"
    assert len(found.graph.nodes) == 4


@pytest.mark.parametrize(("sign", "way"), [(1, "input>sum sum>gt input>up"), (-1, "input>sum sum>gt input>down")])
def test_a_branch_that_depends_on_data(sign, way):
    model = Net(lambda net, x: net.up(x) if x.sum() > 0 else net.down(x), up=nn.Linear(3, 3), down=nn.Linear(3, 3))
    assert edges(captured(model, sign * torch.ones(2, 3))) == way


def test_attention_is_one_node_and_a_residual_goes_round_it():
    model = Net(
        lambda net, x: net.fc(net.norm(x + net.attention(x, x, x)[0])),
        attention=nn.MultiheadAttention(8, 2),
        norm=nn.LayerNorm(8),
        fc=nn.Linear(8, 2),
    )
    found = captured(model, torch.rand(5, 1, 8))
    assert edges(found) == "input>attention input>add attention>add add>norm norm>fc"
    attention = found.graph.nodes[1]
    assert attention.outputs == ("attention.0", "attention.1")
    assert attention.tensors == tuple(
        f"attention.{name}" for name in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
    )


def test_a_residual_past_a_dropout_that_does_nothing():
    model = Net(lambda net, x: x + net.fc(net.drop(x)), drop=nn.Dropout(), fc=nn.Linear(4, 4)).eval()
    assert edges(captured(model, torch.rand(2, 4))) == "input>drop drop>fc input>add fc>add"


def test_lstm_with_its_states():
    model = Net(lambda net, x: net.fc(net.lstm(x)[1][0][-1]), lstm=nn.LSTM(3, 4, num_layers=2), fc=nn.Linear(4, 1))
    found = captured(model, torch.rand(6, 2, 3))
    assert edges(found) == "input>lstm lstm>getitem getitem>fc"
    assert found.graph.nodes[1].outputs == ("lstm.0", "lstm.1.0", "lstm.1.1")
    assert found.graph.edges[1].tensor == "lstm.1.0"
    assert len(found.graph.nodes[1].tensors) == 8


def test_recurrence_in_a_loop():
    def forward(net, x):
        hidden = torch.zeros(len(x), 4)
        for step in range(x.shape[1]):
            hidden = net.cell(x[:, step], hidden)
        return hidden

    found = captured(Net(forward, cell=nn.GRUCell(3, 4)), torch.rand(2, 3, 3))
    assert edges(found) == (
        "input>getitem:1 getitem:1>cell:1 zeros>cell:1 input>getitem:2 getitem:2>cell:2 cell:1>cell:2 "
        "input>getitem:3 getitem:3>cell:3 cell:2>cell:3"
    )


def test_tensors_from_outside_torch_in_a_loop_are_never_mixed_up():
    def forward(net, x):
        for step in range(20):
            x = net.fc(x + torch.from_numpy(np.full((2, 4), step, np.float32)))
        return x

    found = captured(Net(forward, fc=nn.Linear(4, 4)), torch.rand(2, 4))
    sources = [edge.source for edge in found.graph.edges if edge.target.startswith("add")]
    expected = [name for i in range(20) for name in (f"fc:{i}" if i else "input", f"outside:{i + 1}")]
    assert sorted(sources) == sorted(expected)
    assert len(found.graph.edges) == 60


def test_a_detour_through_numpy_is_seen_as_outside():
    model = Net(lambda net, x: net.b(torch.from_numpy(2 * net.a(x).numpy())), a=nn.Linear(2, 2), b=nn.Linear(2, 2))
    found = captured(model, torch.rand(1, 2))
    assert edges(found) == "input>a outside>b"
    assert found.graph.nodes[2].kind == "outside"


def test_no_bias_three_dimensions_groups_cat_and_keywords():
    model = Net(
        lambda net, x, *, skip: torch.cat([net.volume(x), skip], dim=1),
        volume=nn.Conv3d(4, 2, 3, padding=1, groups=2, bias=False),
    )
    found = captured(model, torch.rand(1, 4, 3, 3, 3), skip=torch.rand(1, 1, 3, 3, 3))
    assert edges(found) == "input.0>volume volume>cat input.skip>cat"
    assert found.graph.nodes[2].tensors == ("volume.weight",)
    assert tensors(model)["volume.weight"].groups == 2


class Block(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        x += identity
        return self.relu(x)


class ResNet(nn.Module):
    """The shape of ResNet-18, thinner."""

    def __init__(self, width=4):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        for stage in range(1, 5):
            out, entry = width * 2 ** (stage - 1), width * 2 ** max(stage - 2, 0)
            blocks = nn.Sequential(Block(entry, out, 1 if stage == 1 else 2), Block(out, out, 1))
            setattr(self, f"layer{stage}", blocks)
        self.fc = nn.Linear(width * 8, 10)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


def test_resnet_in_train_mode():
    found = captured(ResNet(), torch.rand(2, 3, 64, 64))
    # Only flow: the counters of 20 normalisations are not among the operations.
    assert sum(node.kind == "add_" for node in found.graph.nodes) == 8
    assert len(found.graph.nodes) == 1 + 4 + 8 * 7 + 3 * 2 + 3
    assert len(found.graph.edges) == 4 + 8 * 8 + 3 * 2 + 3
    at_join = [edge.source for edge in found.graph.edges if edge.target == "layer2.0.add_"]
    assert at_join == ["layer2.0.bn2", "layer2.0.downsample.1"]
    # The block's input is what the join of the block before it made, after its ReLU in place.
    assert "layer1.0.relu:2>layer1.1.add_" in edges(found)


def test_a_transformer_shows_its_layers_in_eval_mode():
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).eval()
    found = captured(model, torch.rand(1, 5, 8))
    assert edges(found).startswith(
        "input>layers.0.self_attn layers.0.self_attn>layers.0.dropout1 input>layers.0.add:1 "
        "layers.0.dropout1>layers.0.add:1 layers.0.add:1>layers.0.norm1 layers.0.norm1>layers.0.linear1"
    )
    assert len(found.graph.nodes) == 23


def test_outputs_in_a_dict_and_integers_in():
    def forward(net, tokens):
        x = net.embedding(tokens)
        return {"logits": net.head(x), "hidden": [x]}

    model = Net(forward, embedding=nn.Embedding(9, 4), head=nn.Linear(4, 9))
    found = captured(model, torch.tensor([[1, 2, 3]]))
    assert edges(found) == "input>embedding embedding>head"
    assert found.activations["input"].tensor.tolist() == [[1, 2, 3]]


def test_writing_in_place():
    def forward(net, x):
        x = net.fc(x)
        rows = x.view(-1)
        x.mul_(2)
        x[0] = 1
        return rows + net.relu(x).sum()

    found = captured(Net(forward, fc=nn.Linear(3, 3), relu=nn.ReLU(inplace=True)), torch.rand(2, 3))
    # The view is read after ReLU wrote into the memory that it shows.
    assert edges(found) == "input>fc fc>view fc>mul_ mul_>setitem setitem>relu relu>sum relu>add sum>add"
    assert (found.activations["fc"].tensor * 2)[1].tolist() == found.activations["mul_"].tensor[1].tolist()
    assert found.activations["setitem"].tensor[0].tolist() == [1, 1, 1]


def test_two_parts_of_a_tensor_are_written_apart():
    def forward(net, x):
        left, right = net.fc(x).chunk(2, dim=1)
        left.neg_()
        return right * 2

    assert edges(captured(Net(forward, fc=nn.Linear(4, 4)), torch.rand(1, 4))) == (
        "input>fc fc>chunk chunk>neg_ chunk>mul"
    )


def test_a_forward_that_fails_shows_what_ran_before():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(5, 2), nn.Linear(2, 2))
    found = captured(model, torch.rand(1, 4))
    assert [node.name for node in found.graph.nodes] == ["input", "0", "1", "2"]
    assert edges(found) == "input>0 0>1 1>2"
    assert "shapes cannot be multiplied (1x3 and 5x2)" in found.error
    assert [bool(node.error) for node in found.graph.nodes] == [False, False, False, True]
    assert "\n" not in found.error


def test_a_function_that_fails_is_the_node_to_blame():
    model = Net(lambda net, x: torch.cat([net.fc(x), x[0]]), fc=nn.Linear(4, 3))
    found = captured(model, torch.rand(2, 4))
    assert [node.name for node in found.graph.nodes if node.error] == ["cat"]
    assert edges(found) == "input>fc input>getitem fc>cat getitem>cat"


def test_an_error_of_python_is_blamed_on_its_module():
    found = captured(nn.Sequential(nn.ReLU(), Net(lambda net, x: x["key"])), {"not": 3})
    assert found.error and found.graph.nodes[-1].error


def test_an_error_that_the_model_handles_is_none():
    def forward(net, x):
        try:
            return net.wide(x)
        except RuntimeError:
            return net.fits(x)

    found = captured(Net(forward, wide=nn.Linear(9, 2), fits=nn.Linear(4, 2)), torch.rand(1, 4))
    assert found.error == ""
    assert edges(found) == "input>fits"


def test_tied_weights_are_one_tensor_of_both_layers():
    model = Net(lambda net, x: net.head(net.embedding(x)), embedding=nn.Embedding(9, 4), head=nn.Linear(4, 9, False))
    model.head.weight = model.embedding.weight
    found = captured(model, torch.tensor([1]))
    assert [node.tensors for node in found.graph.nodes[1:]] == [("embedding.weight",), ("embedding.weight",)]


def test_bare_parameters_belong_to_the_functions_that_use_them():
    model = Net(lambda net, x: F.linear(x, net.weight) + net.shift.T)
    model.weight, model.shift = nn.Parameter(torch.rand(3, 4)), nn.Parameter(torch.rand(3, 1))
    found = captured(model, torch.rand(1, 4))
    assert [(node.name, node.tensors) for node in found.graph.nodes[1:]] == [
        ("linear", ("weight",)),
        ("add", ("shift",)),
    ]


def test_a_layer_that_hands_out_its_parameter():
    query = Net(lambda net: net.weight)
    query.weight = nn.Parameter(torch.rand(1, 4))
    model = Net(lambda net, x: net.fc(x + net.query()), query=query, fc=nn.Linear(4, 2))
    assert edges(captured(model, torch.rand(1, 4))) == "input>add query>add add>fc"


def test_a_hook_of_the_users_that_raises():
    def refuse(*_):
        raise KeyError("not today")

    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].register_forward_pre_hook(refuse)
    found = captured(model, torch.rand(1, 2))
    assert "not today" in found.error
    assert edges(found) == "input>0"


def test_the_check_notices_a_node_that_gives_something_else():
    class Counting(nn.Module):
        count = 0

        def forward(self, x):
            self.count += 1
            return x + self.count

    found = capture(nn.Sequential(nn.ReLU(), Counting()), torch.rand(2), check=True)
    assert found.mismatches == ("1",)


def test_several_inputs_and_transposed_convolutions():
    model = Net(lambda net, a, b: net.up(a) + net.up(b[0]), up=nn.ConvTranspose2d(4, 2, 2, stride=2, groups=2))
    found = captured(model, torch.rand(1, 4, 3, 3), [torch.rand(1, 4, 3, 3)])
    assert edges(found) == "input.0>up:1 input.1.0>up:2 up:1>add up:2>add"
    assert tensors(model)["up.weight"].module == "ConvTranspose2d"


def test_bfloat16():
    model = SimpleCNN().bfloat16()
    found = captured(model, torch.rand(1, 1, 28, 28).bfloat16())
    assert found.activations["fc2"].tensor.dtype == torch.bfloat16


def test_a_model_on_meta_has_structure_and_no_values():
    with torch.device("meta"):
        model = SimpleCNN()
    found = captured(model, torch.rand(1, 1, 28, 28))
    assert found.activations["conv2"].shape == (1, 8, 14, 14)
    assert {ref.note for ref in found.activations.values()} == {"not materialised"}


def test_a_lazy_model_is_left_alone():
    model = nn.Sequential(nn.LazyLinear(3))
    assert "not materialised" in capture(model, torch.rand(1, 4)).error
    assert nn.parameter.is_lazy(model[0].weight)


def test_a_script_is_one_node_and_its_statistics_stay():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch no longer develops scripts
        script = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)))
    model = Net(lambda net, x: net.fc(net.script(x)), script=script, fc=nn.Linear(4, 2))
    before = copy.deepcopy(model.state_dict())
    assert edges(captured(model, torch.rand(3, 4))) == "input>script script>fc"
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert edges(captured(script, torch.rand(3, 4))) == "input>Sequential"
    left = [name for name, value in vars(torch.nn.modules.module).items() if name.startswith("_global_") and value]
    assert left == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, while it loads its compiler
def test_compiled_and_wrapped_models_show_what_is_inside():
    inner = nn.Sequential(torch.compile(nn.Sequential(nn.Linear(2, 2), nn.ReLU())), nn.Linear(2, 3))
    assert edges(captured(torch.compile(inner), torch.rand(1, 2))) == "input>0.0 0.0>0.1 0.1>1"
    assert edges(captured(nn.DataParallel(inner), torch.rand(1, 2))) == "input>0.0 0.0>0.1 0.1>1"


def test_an_empty_module():
    found = captured(nn.Sequential(), torch.rand(1, 2))
    assert (edges(found), found.error) == ("input>Sequential", "")
    assert "forward" in capture(nn.ModuleList(), torch.rand(1)).error


def test_weights_from_elsewhere_run_without_being_loaded():
    model, other = nn.Linear(3, 2), nn.Linear(3, 2)
    x, before = torch.rand(1, 3), model.weight.detach().clone()
    found = capture(model, x, weights=other.state_dict())
    torch.testing.assert_close(found.activations["Linear"].tensor, other(x).detach())
    assert torch.equal(model.weight, before)
    with pytest.raises(ValueError, match=r"'weight' is \(2, 3\); the weights that came are \(3, 3\)"):
        capture(model, x, weights={"weight": torch.rand(3, 3)})


def test_activations_stay_in_their_budget_and_layers_go_first():
    model = Net(lambda net, x: net.b(F.relu(net.a(x)) * 2), a=nn.Linear(256, 256), b=nn.Linear(256, 256))
    found = capture(model, torch.rand(1, 256), memory_bytes=3 * 1024)
    kept = {name for name, ref in found.activations.items() if ref.is_materialised}
    assert kept == {"input", "a", "b"}
    assert found.activations["mul"].note.startswith("not kept: over the budget of 0.00293 MiB; ")
    assert found.activations["mul"].shape == (1, 256)
    assert capture(model, torch.rand(1, 256), activations=False).activations == {}


def test_an_unknown_mode():
    with pytest.raises(ValueError, match=r"unknown mode 'evaluate'. Known: as_is, eval, train."):
        capture(nn.ReLU(), torch.rand(1), mode="evaluate")


def test_a_mode_is_for_the_pass_alone():
    model = Net(lambda net, x: net.drop(x), drop=nn.Dropout(0.5))
    x = torch.rand(100)
    assert torch.equal(capture(model, x, mode="eval").activations["drop"].tensor, x)
    dropped = capture(model.eval(), x, mode="train").activations["drop"].tensor
    assert 20 < (dropped == 0).sum() < 80
    assert torch.equal(dropped, capture(model, x, mode="train").activations["drop"].tensor)
    assert not torch.equal(dropped, capture(model, x, mode="train", seed=1).activations["drop"].tensor)


def everything(model: nn.Module) -> dict:
    """All that a capture could have changed."""
    held = [*model.parameters(), *model.buffers()]
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_forward_hooks_always_called", "_forward_hooks_with_kwargs")
    return {
        "weights": {name: tensor.clone() for name, tensor in model.state_dict().items()},
        "identities": [id(tensor) for tensor in held],
        "versions": [tensor._version for tensor in held],
        "flags": [module.training for module in model.modules()],
        "gradients": {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None},
        "frozen": [p.requires_grad for p in model.parameters()],
        "hooks": [len(getattr(module, name)) for module in model.modules() for name in hooks],
        # Not Python's own: checking the types of lists draws from it.
        "random": [torch.get_rng_state(), np.random.get_state()[1].tolist()],
    }


def test_random_numbers_of_python_go_on_as_if_nothing_had_been():
    before = random.getstate()
    with forward.same_afterwards(nn.ReLU(), "as_is", 0):
        first = random.random()
    assert random.getstate() == before
    with forward.same_afterwards(nn.ReLU(), "as_is", 0):
        assert random.random() == first


def test_what_is_compared_notices_a_plain_forward_pass():
    model = ResNet()
    before = everything(model)
    model(torch.rand(2, 3, 32, 32))
    with pytest.raises(AssertionError):
        torch.testing.assert_close(everything(model), before, rtol=0, atol=0)


@pytest.mark.parametrize("mode", ["as_is", "eval", "train"])
@pytest.mark.parametrize("channels", [3, 5], ids=["runs", "fails"])
def test_the_model_and_all_random_states_stay_as_they_were(mode, channels):
    model = nn.Sequential(ResNet(), nn.Dropout(0.5), Net(lambda net, x: x * random.random() * np.random.rand()))
    model[0].layer1.eval()
    model[0].fc.weight.requires_grad_(False)
    calls = []
    model[0].conv1.register_forward_pre_hook(lambda *_: calls.append(1))
    model(torch.rand(2, 3, 32, 32)).sum().backward()
    x = torch.rand(2, channels, 32, 32)
    before = everything(model)
    found = capture(model, x, mode=mode)
    torch.testing.assert_close(everything(model), before, rtol=0, atol=0)
    assert bool(found.error) == (channels == 5)
    assert len(calls) == 2


def test_tensors_are_found_in_any_container():
    one, two, three = torch.rand(3, 1)
    packed = nn.utils.rnn.pack_sequence([torch.rand(2, 1)])
    assert [suffix for suffix, _ in leaves({"a": [one, (two, 5)], "b": three})] == [".a.0", ".a.1.0", ".b"]
    assert [suffix for suffix, _ in leaves(packed)] == [".0", ".1"]
    ring: list = []
    ring.append(ring)
    assert list(leaves(ring)) == []


def test_a_check_needs_no_activations_in_the_result():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    found = capture(model, torch.ones(1, 2), activations=False, check=True)
    assert (
        found.activations == {}
        and found.mismatches == ()
        and [node.kind for node in found.graph.nodes][1:]
        == [
            "Linear",
            "ReLU",
        ]
    )
