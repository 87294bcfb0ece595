"""A checkpoint that somebody else writes: every complete state once, never a mix, never a crash."""

import itertools
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save
from torch import nn

from easel.inspector.history.checkpoint_watcher import Follower, follow


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def state(value: float) -> dict[str, torch.Tensor]:
    return {name: torch.full_like(tensor, value) for name, tensor in model().state_dict().items()}


class Writer:
    """Writes a file as programs do, whose clock moves at each write."""

    def __init__(self, path):
        self.path, self.clock = path, itertools.count(10**9)

    def write(self, data: bytes, mode: str = "wb") -> None:
        with self.path.open(mode) as file:
            file.write(data)
        now = next(self.clock)
        os.utime(self.path, (now, now))

    def replace(self, data: bytes) -> None:
        other = self.path.with_suffix(".partial")
        other.write_bytes(data)
        other.replace(self.path)
        now = next(self.clock)
        os.utime(self.path, (now, now))


def value_of(snapshot) -> float:
    """The one value of all its weights; a mix of two states fails."""
    values = {float(x) for tensor in snapshot.tensors.values() for x in tensor.flatten()}
    assert len(values) == 1
    return values.pop()


ACTIONS = st.sampled_from(["whole", "half", "rest", "replace", "other shapes", "remove", "garbage", "poll", "poll"])


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.lists(ACTIONS, min_size=4, max_size=30))
def test_any_writer_gives_whole_states_in_order(tmp_path_factory, actions):
    path = tmp_path_factory.mktemp("run") / "checkpoint"
    writer, follower, written = Writer(path), Follower(path, model()), 0
    half, given_out = b"", []
    for action in [*actions, "replace", "poll", "poll"]:
        data = save(state(float(written + 1)))
        if action in ("whole", "replace"):
            written += 1
            (writer.write if action == "whole" else writer.replace)(data)
        elif action == "half":
            written += 1
            writer.write(data[: len(data) // 2])
        elif action == "rest":
            half = save(state(float(written)))
            writer.write(half[len(half) // 2 :], "ab")
        elif action == "other shapes":
            writer.write(save({"0.weight": torch.zeros(9)}))
        elif action == "garbage":
            writer.write(b"PK\x03\x04 this is nothing")
        elif action == "remove":
            path.unlink(missing_ok=True)
        elif (snapshot := follower.poll()) is not None:
            given_out.append(value_of(snapshot))
    assert given_out[-1] == written
    assert given_out == sorted(set(given_out))


def test_a_file_is_read_after_it_came_to_rest_and_once(tmp_path):
    writer = Writer(tmp_path / "weights")
    follower = Follower(writer.path)
    assert follower.poll() is None and "No such file" in follower.notice
    writer.write(save(state(1.0)))
    assert follower.poll() is None
    assert value_of(follower.poll()) == 1
    assert follower.notice == ""
    assert [follower.poll() for _ in range(3)] == [None] * 3
    writer.write(save(state(2.0)))
    assert follower.poll() is None
    assert value_of(follower.poll()) == 2


def test_what_never_fits_is_told_in_one_line_and_not_read_for_ever(tmp_path, monkeypatch):
    from easel.inspector.history import checkpoint_watcher as module

    reads = []
    read = module.read_weights
    monkeypatch.setattr(module, "read_weights", lambda path: reads.append(path) or read(path))
    writer = Writer(tmp_path / "weights")
    follower = Follower(writer.path, model())
    writer.write(save({"0.weight": torch.zeros(9), "extra": torch.zeros(1)}))
    assert [follower.poll() for _ in range(20)] == [None] * 20
    assert len(reads) == module.TRIES
    assert follower.notice == (
        f"{str(writer.path)!r} does not fit the model: 3 missing (0.bias, 1.weight, 1.bias); 1 unexpected (extra); "
        "1 of another shape (0.weight (9,) instead of (4, 3))."
    )


def test_names_of_wrappers_and_ties_are_the_models_own(tmp_path):
    tied = nn.ModuleDict({"embedding": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    tied["head"].weight = tied["embedding"].weight
    torch.save({"model": nn.DataParallel(tied).state_dict(), "epoch": 12}, tmp_path / "tied.pt")
    follower = Follower(tmp_path / "tied.pt", tied)
    follower.poll()
    snapshot = follower.poll()
    assert list(snapshot.tensors) == ["embedding.weight"]
    assert snapshot.step == 12


def test_a_folder_is_followed_in_the_order_of_its_steps(tmp_path):
    for step in (2, 10, 1):
        (tmp_path / f"step-{step}.safetensors").write_bytes(save(state(float(step))))
    (tmp_path / ".hidden").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("no checkpoint at all")
    follower = Follower(tmp_path)
    found = [snapshot for snapshot in (follower.poll() for _ in range(12)) if snapshot is not None]
    assert [(snapshot.step, value_of(snapshot)) for snapshot in found] == [(1, 1), (2, 2), (10, 10)]
    (tmp_path / "step-11.safetensors").write_bytes(save(state(11.0)))
    assert [snapshot.step for snapshot in (follower.poll(), follower.poll()) if snapshot is not None] == [11]


def test_the_model_stays_as_it_is(tmp_path):
    net = model()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    torch.save(state(5.0), tmp_path / "w")
    follower = Follower(tmp_path / "w", net)
    follower.poll()
    assert follower.poll() is not None
    torch.testing.assert_close(dict(net.state_dict()), before, rtol=0, atol=0)


def test_following_is_a_generator_that_closing_ends(tmp_path, monkeypatch):
    naps = []
    monkeypatch.setattr("easel.inspector.history.checkpoint_watcher.time.sleep", naps.append)
    torch.save(state(1.0), tmp_path / "w")
    run = follow(tmp_path / "w", seconds=0.25)
    assert value_of(next(run)) == 1
    assert naps == [0.25]
    run.close()
    with pytest.raises(StopIteration):
        next(run)
