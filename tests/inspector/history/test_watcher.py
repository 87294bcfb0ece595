"""A watched training: the same bits as an unwatched one, and nothing done when nothing is due."""

import pytest
import torch
from torch import nn

from easel import inspector
from easel.inspector.history.timeline import Timeline
from easel.inspector.history.watcher import THRIFT, Watch


class Clock:
    """Time that passes when told, and counts who asks."""

    def __init__(self):
        self.now, self.reads, self.passes = 0.0, 0, 0.0

    def __call__(self):
        self.reads += 1
        self.now += self.passes
        return self.now


def train(watched: bool, steps: int = 6):
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.Flatten(), nn.Linear(144, 3))
    optimizer = torch.optim.Adam(model.parameters())
    x, y = torch.rand(8, 1, 8, 8), torch.arange(8) % 3
    watch = None
    if watched:
        watch = inspector.watch(
            model, optimizer, seconds=0, gradients=True, optimizer_state=True, sample=torch.rand(1, 1, 8, 8)
        )
    torch.manual_seed(4)
    seen = []
    for step in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        if watch is not None:
            assert watch.record(step)
        seen.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
    return model, optimizer, watch, seen, torch.get_rng_state()


def test_a_watched_training_is_the_same_bit_for_bit():
    _, plain_optimizer, _, plain, plain_random = train(False)
    _, optimizer, _, watched, random = train(True)
    torch.testing.assert_close(watched, plain, rtol=0, atol=0)
    torch.testing.assert_close(optimizer.state_dict(), plain_optimizer.state_dict(), rtol=0, atol=0)
    assert torch.equal(random, plain_random)


def test_snapshots_are_the_moments_themselves():
    model, _, watch, seen, _ = train(True)
    assert watch.timeline.steps == (0, 1, 2, 3, 4, 5)
    for step, state in enumerate(seen):
        torch.testing.assert_close(
            {name: watch.timeline.at(step).tensors[name] for name in state}, state, rtol=0, atol=0
        )
    last = watch.timeline.last
    assert last.of("gradient")["0.weight.grad"].shape == (4, 1, 3, 3)
    assert last.of("state")["4.weight.exp_avg"].shape == (3, 144)
    assert last.of("activation")["1"].shape == (1, 4, 6, 6)
    assert torch.equal(last.tensors["4.weight.grad"], model[4].weight.grad)
    assert "0" in {node.name for node in watch.capture.graph.nodes}


def test_tensors_that_did_not_change_are_shared():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    watch = Watch(model, seconds=0)
    watch.record()
    with torch.no_grad():
        model[1].weight.data.add_(1)  # past the version counter
    watch.record()
    first, last = watch.timeline
    assert (first.step, last.step) == (0, 1)
    assert first.tensors["0.weight"] is last.tensors["0.weight"]
    assert not torch.equal(first.tensors["1.weight"], last.tensors["1.weight"])


class Untouchable(nn.Module):
    def __getattribute__(self, name):
        if name != "__class__" and object.__getattribute__(self, "__dict__").get("sealed"):
            raise AssertionError(f"the model was asked for {name}")
        return super().__getattribute__(name)


def test_what_is_not_due_reads_the_clock_once_and_no_more():
    clock, model = Clock(), Untouchable()
    watch = Watch(model, clock=clock, seconds=1)
    assert watch.record()
    object.__setattr__(model, "sealed", True)
    clock.reads = 0
    for step in range(100):
        assert not watch.record(step)
    assert clock.reads == 100
    clock.now = 1.0
    with pytest.raises(AssertionError, match="was asked"):
        watch.record()


def test_a_slow_watch_waits_longer():
    clock = Clock()
    watch = Watch(nn.Linear(1, 1), clock=clock, seconds=0.5)
    clock.passes = 0.2  # a snapshot takes 0.2 s, from one look at the clock to the next
    watch.record()
    clock.passes = 0
    start = clock.now - 0.2
    clock.now = start + 0.2 / THRIFT - 0.1
    assert not watch.record()
    clock.now += 0.2
    assert watch.record()


def test_the_timeline_and_its_budget_are_the_watchs():
    watch = inspector.watch(nn.Linear(1, 1), memory_bytes=12345)
    assert watch.timeline.memory_bytes == 12345
    own = Timeline()
    assert Watch(nn.Linear(1, 1), timeline=own).timeline is own


def test_samples_of_several_arguments():
    class Two(nn.Module):
        def forward(self, a, b):
            return a + b

    one = torch.ones(2)
    for sample in ((one, one), {"a": one, "b": one}):
        watch = Watch(Two(), sample=sample, clock=Clock())
        watch.record()
        assert watch.timeline.last.tensors["add"].tolist() == [2, 2]


def test_a_forward_that_fails_does_not_end_the_training():
    watch = Watch(nn.Linear(3, 2), sample=torch.rand(1, 4), clock=Clock())
    assert watch.record()
    assert "shapes cannot be multiplied" in watch.capture.error
    assert "weight" in watch.timeline.last.tensors


def test_wrong_settings():
    with pytest.raises(ValueError, match="optimizer_state=True needs the optimizer"):
        inspector.watch(nn.Linear(1, 1), optimizer_state=True)
    with pytest.raises(ValueError, match="0 or more; got -1"):
        inspector.watch(nn.Linear(1, 1), seconds=-1)


@pytest.mark.cuda
def test_snapshots_from_a_gpu_are_of_their_moment():
    model = nn.Linear(2048, 2048, device="cuda")
    watch = Watch(model, seconds=0)
    for step in range(5):
        with torch.no_grad():
            model.weight.fill_(step)
        watch.record(step)
    for step in range(5):
        assert (watch.timeline.at(step).tensors["weight"] == step).all()
