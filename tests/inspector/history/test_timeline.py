"""Snapshots through time: exact copies, a budget that is kept, the first and the last never lost."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from easel.inspector.history.snapshot import Snapshot, copied, live_tensors, same_bits
from easel.inspector.history.timeline import Timeline

KIB = 1024


def snapshot(step: int, kib: int = 1) -> Snapshot:
    return Snapshot(step, {"w": torch.full((kib * 256,), float(step))})


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=60, unique=True), st.integers(2, 12))
def test_the_budget_is_kept_and_so_are_the_ends(steps, kib):
    timeline = Timeline(memory_bytes=kib * KIB)
    for step in steps:
        timeline.add(snapshot(step))
        assert timeline.used_bytes <= kib * KIB
    assert timeline.first.step == min(steps)
    assert timeline.last.step == max(steps)
    assert list(timeline.steps) == sorted(timeline.steps)
    assert all(float(each.tensors["w"][0]) == each.step for each in timeline)


def test_what_is_left_covers_the_whole_run_evenly():
    timeline = Timeline(memory_bytes=20 * KIB)
    for step in range(1000):
        timeline.add(snapshot(step))
    gaps = [after - before for before, after in zip(timeline.steps[:-1], timeline.steps[1:], strict=True)]
    assert 10 <= len(timeline) <= 20
    assert set(gaps[:-1]) == {64}


def test_two_that_are_too_large_stay_all_the_same():
    timeline = Timeline(memory_bytes=1)
    for step in range(5):
        timeline.add(snapshot(step))
    assert timeline.steps == (0, 4)


def test_steps_that_come_in_any_order_keep_the_budget():
    timeline = Timeline(memory_bytes=2 * KIB)
    for step in (5, 9, 1, 7, 0, 12):
        timeline.add(snapshot(step))
    assert timeline.steps == (0, 12)


def test_shared_tensors_count_once():
    shared = torch.zeros(256)
    timeline = Timeline(memory_bytes=2 * KIB)
    for step in range(50):
        timeline.add(Snapshot(step, {"frozen": shared}))
    assert len(timeline) == 50
    assert timeline.used_bytes == KIB


def test_memory_is_counted_through_replacing_and_thinning():
    shared, timeline = torch.zeros(256), Timeline(memory_bytes=9 * KIB)
    for step in (*range(40), 39, 39, 3):
        timeline.add(Snapshot(step, {"frozen": shared, "again": shared, "w": torch.full((256,), float(step))}))
        distinct = {id(t): t for each in timeline for t in each.tensors.values()}
        assert timeline.used_bytes == len(distinct) * KIB <= 9 * KIB


def test_tiny_networks_do_not_fill_it_without_end(monkeypatch):
    monkeypatch.setattr("easel.inspector.history.timeline.MOST_SNAPSHOTS", 10)
    timeline = Timeline()
    for step in range(100):
        timeline.add(snapshot(step))
        assert len(timeline) <= 10
    assert (timeline.first.step, timeline.last.step) == (0, 99)


def test_a_folder_takes_what_memory_gives_up(tmp_path):
    timeline = Timeline(memory_bytes=3 * KIB, folder=tmp_path / "deep" / "run")
    for step in range(9):
        timeline.add(Snapshot(step, {"w": torch.full((256,), step / 3), "n": torch.tensor(step)}, {"n": "state"}))
    assert timeline.used_bytes <= 3 * KIB + 3 * 8
    assert timeline.steps == tuple(range(9))
    assert [float(each.tensors["w"][9]) for each in timeline] == torch.tensor([s / 3 for s in range(9)]).tolist()
    assert all(each.kind("n") == "state" for each in timeline)


def test_a_folder_that_takes_nothing_ends_no_training(tmp_path):
    (tmp_path / "file").write_text("in the way")
    timeline = Timeline(memory_bytes=3 * KIB, folder=tmp_path / "file" / "run")
    for step in range(9):
        timeline.add(snapshot(step))
    assert timeline.notice.startswith("step ") and "is a file" in timeline.notice
    assert (timeline.first.step, timeline.last.step) == (0, 8)
    assert timeline.used_bytes <= 3 * KIB


def test_steps_are_found():
    timeline = Timeline()
    assert timeline.nearest(3) is timeline.first is timeline.last is None
    for step in (0, 10, 20):
        timeline.add(snapshot(step))
    assert [timeline.nearest(step).step for step in (-5, 4, 5, 6, 99)] == [0, 0, 0, 10, 20]
    assert timeline.at(10).step == 10
    with pytest.raises(KeyError, match="no snapshot of step 11; the nearest is 10"):
        timeline.at(11)
    timeline.add(snapshot(10))
    assert timeline.steps == (0, 10, 20)
    assert timeline.values("w", (3,)) == [(0, 0.0), (10, 10.0), (20, 20.0)]
    assert timeline.values("w", (999,)) == timeline.values("v") == timeline.values("w") == []


def test_a_budget_of_nothing():
    with pytest.raises(ValueError, match="above 0 bytes; got 0"):
        Timeline(0)


def test_copies_keep_bits_and_share_what_did_not_change():
    values = torch.tensor([0.0, float("nan"), 1.0])
    first = copied(values)
    assert copied(values, first) is first
    assert copied(torch.tensor([-0.0, float("nan"), 1.0]), first) is not first
    values.fill_(7)
    assert float(first[2]) == 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn])
@pytest.mark.parametrize("shape", [(), (0,), (3, 4)])
def test_copies_of_any_type_and_shape(dtype, shape):
    tensor = torch.ones(shape).to(dtype)
    assert same_bits(copied(tensor), tensor)
    assert copied(tensor, copied(tensor)).dtype == dtype


def test_views_and_sparse_gradients_are_copied_as_they_look():
    matrix = torch.arange(6.0).view(2, 3)
    assert copied(matrix.T).tolist() == matrix.T.tolist()
    assert copied(matrix.to_sparse()).tolist() == matrix.tolist()


def test_what_can_be_copied_of_a_training():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model[0].bias.requires_grad_(False)
    optimizer = torch.optim.Adam(model.parameters(), amsgrad=True)
    assert list(live_tensors(model, optimizer, gradients=True)) == list(model.state_dict())
    model(torch.rand(4, 2)).sum().backward()
    optimizer.step()
    found = live_tensors(model, optimizer, gradients=True)
    kinds = {name: kind for name, (_, kind) in found.items()}
    assert kinds["0.weight.grad"] == "gradient"
    assert "0.bias.grad" not in kinds
    memory = {name for name, kind in kinds.items() if kind == "state" and name.startswith("0.weight")}
    assert memory == {f"0.weight.{key}" for key in ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")}
    assert found["0.weight.exp_avg"][0].shape == (3, 2)
