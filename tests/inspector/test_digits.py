"""A small CNN learns scikit-learn's digits while the inspector watches; afterwards every moment is there, exactly."""

import pytest
import torch
from torch import nn

from easel import inspector
from easel.inspector.history.comparison import difference
from easel.inspector.history.statistics import summarize_network
from easel.inspector.network_scene import NetworkScene

STEPS = 40


class DigitsNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.pool, self.norm = nn.MaxPool2d(2), nn.BatchNorm2d(16)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.pool(self.conv1(x).relu())
        x = self.pool(self.norm(self.conv2(x)).relu())
        return self.fc(x.flatten(1))


@pytest.fixture(scope="module")
def digits():
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = datasets.load_digits(return_X_y=True)
    return torch.from_numpy(images).float().view(-1, 1, 8, 8) / 16, torch.from_numpy(labels)


@pytest.fixture(scope="module")
def learnt(digits):
    """(watch, state dict after each step, accuracy on what was not learnt)."""
    images, labels = digits
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network only waits for a second one
    torch.manual_seed(0)
    model = DigitsNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    watch = inspector.watch(
        model, optimizer, seconds=0, gradients=True, optimizer_state=True, sample=images[:1], memory_bytes=2**30
    )
    states = []
    for step in range(STEPS):
        batch = torch.randint(1500, (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
        watch.record(step)
        states.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
    with torch.no_grad():
        accuracy = (model.eval()(images[1500:]).argmax(1) == labels[1500:]).float().mean()
    torch.set_num_threads(threads)
    return watch, states, float(accuracy)


@pytest.mark.slow
def test_it_learns_while_it_is_watched(learnt):
    assert learnt[2] > 0.8


def test_scrubbing_finds_the_very_numbers_of_each_moment(learnt):
    watch, states, _ = learnt
    assert watch.timeline.steps == tuple(range(STEPS))
    for step in (0, 17, STEPS - 1):
        moment = watch.timeline.nearest(step)
        assert all(torch.equal(moment.tensors[name], tensor) for name, tensor in states[step].items())
    kernel = (11, 5, 2, 1)
    told = watch.timeline.values("conv2.weight", kernel)
    assert told == [(step, state["conv2.weight"][kernel].item()) for step, state in enumerate(states)]
    assert len({value for _, value in told}) > STEPS // 2


@pytest.mark.parametrize("step", [0, 17, STEPS - 1])
def test_a_picked_kernel_tells_the_numbers_of_its_moment(learnt, step):
    watch, states, _ = learnt
    scene, size = NetworkScene(inspector.tensors(watch.model)), (360, 640)
    scene.update(watch.timeline.nearest(step).tensors)
    for row in range(3):
        for column in range(3):
            index = (11, 5, row, column)
            camera = scene.look_at("conv2.weight", size, index)
            hit = scene.pick(camera, size, size[1] / 2, size[0] / 2)
            assert (hit.name, hit.index, hit.value) == ("conv2.weight", index, states[step][hit.name][index].item())


def test_activations_of_the_sample_belong_to_the_weights_of_their_moment(learnt, digits):
    watch, states, _ = learnt
    moment = watch.timeline.at(17)
    expected = nn.functional.conv2d(digits[0][:1], states[17]["conv1.weight"], states[17]["conv1.bias"], padding=1)
    torch.testing.assert_close(moment.tensors["conv1"], expected)
    assert [node.name for node in watch.capture.graph.nodes] == (
        ["input", "conv1", "relu:1", "pool:1", "conv2", "norm", "relu:2", "pool:2", "flatten", "fc"]
    )


def test_what_changed_between_two_moments(learnt):
    watch, states, _ = learnt
    found = difference(watch.timeline.at(0), watch.timeline.at(STEPS - 1))
    moved = states[-1]["fc.weight"] - states[0]["fc.weight"]
    assert torch.equal(found.tensors["fc.weight"], moved)
    same = difference(watch.timeline.at(9), watch.timeline.at(9))
    assert not any(tensor.any() for tensor in same.tensors.values())


def test_numbers_of_the_training(learnt):
    watch, _, _ = learnt
    steps = watch.timeline
    summary = summarize_network(steps.at(STEPS - 1), initial=steps.first, previous=steps.at(STEPS - 2))
    rows = {row.name: row for row in summary.rows}
    assert list(rows) == [
        f"{layer}.{part}" for layer in ("conv1", "conv2", "norm", "fc") for part in ("weight", "bias")
    ]
    assert all(row.distance > row.update_ratio > 0 for row in summary.rows if row.name != "norm.bias")
    # A bias before a normalisation shifts what is normalised away: its gradient is rounding, and that is told.
    assert any(warning.startswith("conv2.bias: gradients vanish") for warning in summary.warnings)
    assert not any(warning.startswith(("conv1", "fc")) for warning in summary.warnings)
