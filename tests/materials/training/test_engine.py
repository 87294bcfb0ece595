"""Devices by name, precision by device, and what torch is set to for a while."""

import pytest
import torch

from easel.materials.training.engine import DeviceError, Engine, numerics, pick_device, pick_precision, start_engine


def test_devices_by_name():
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda", "mps")
    for wrong in ("gpu", "cuda:x", "", "meta"):
        with pytest.raises(ValueError, match="auto, cuda"):
            pick_device(wrong)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_device_that_is_absent_is_named_with_those_that_are_there():
    with pytest.raises(RuntimeError, match=r"'cuda:1' is not there; this machine has .*cpu"):
        pick_device("cuda:1")


def test_auto_takes_what_is_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == "cuda"


def test_precision_follows_the_device(monkeypatch):
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    for capability, expected in (((8, 0), "bf16"), ((9, 0), "bf16"), ((7, 5), "fp16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, found=capability: found)
        assert pick_precision("auto", True, cuda) == expected
    assert pick_precision("auto", False, cuda) == "fp32"
    assert pick_precision("auto", True, cpu) == "fp32" and pick_precision("bf16", True, cpu) == "bf16"


def test_several_processes_need_torchrun(monkeypatch):
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    with pytest.raises(DeviceError, match="torchrun --nproc_per_node"):
        start_engine("cpu", distributed=True)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr("easel.materials.training.engine.import_module", _missing)
    with pytest.raises(DeviceError, match=r"pip install 'torch-easel\[train\]'"):
        start_engine("cpu", distributed=True)


def _missing(name):
    raise ModuleNotFoundError(name)


def test_one_process_agrees_with_itself():
    engine, values = Engine(torch.device("cpu")), torch.ones(2)
    engine.average([values])
    assert engine.any([True, False]) == [True, False] and values.tolist() == [1, 1]
    assert engine.gather("a") == ["a"] and engine.from_first("b") == "b" and engine.world == 1


def test_torch_is_left_as_it_was():
    with pytest.raises(KeyError), numerics(True, torch.device("cpu")):
        assert torch.are_deterministic_algorithms_enabled()
        raise KeyError
    assert not torch.are_deterministic_algorithms_enabled()
    with numerics(False, torch.device("cuda")):
        assert torch.get_float32_matmul_precision() == "high"
    assert torch.get_float32_matmul_precision() == "highest"
