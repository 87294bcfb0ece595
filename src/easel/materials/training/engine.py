"""Device and precision of a run, and the agreement of several processes.

A run in one process needs nothing but torch. Started by torchrun it meets its other processes through
lightning-fabric, which only this file knows.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Literal

import torch
from torch import Tensor, nn

from easel.materials.config import TrainConfig
from easel.materials.resolve import resolve

log = logging.getLogger("easel")

Precision = Literal["fp32", "bf16", "fp16"]
SMALL_CUDA_BYTES, SMALL_CUDA_PIXELS = 16 * 2**30, 1024
"""CUDA devices of up to so much memory, and the largest side of pictures there."""
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class DeviceError(RuntimeError):
    """The device or launcher that was asked for is not on this machine; the message says what is."""


class Engine:
    """One process: it agrees with itself."""

    rank = 0
    """Number of this process; 0 is the one that writes."""
    world = 1
    """Number of processes."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def any(self, flags: Sequence[bool]) -> list[bool]:
        """Return for each flag if it is True in any process."""
        return list(flags)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Make each tensor the mean over the processes, in place."""

    def gather(self, value: Any) -> list[Any]:
        """Return plain data of every process, in their order."""
        return [value]

    def from_first(self, value: Any) -> Any:
        """Return the value of the first process."""
        return value

    def wait(self) -> None:
        """Block until every process is here."""


class FabricEngine(Engine):
    """One of several processes that torchrun started."""

    def __init__(self, device: torch.device) -> None:
        try:
            fabric_class = import_module("lightning_fabric").Fabric
        except ModuleNotFoundError as error:
            raise DeviceError(
                "training in several processes needs lightning-fabric: pip install 'torch-easel[train]'."
            ) from error
        accelerator = "cuda" if device.type == "cuda" else "cpu"
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ.get("GROUP_WORLD_SIZE", "1"))
        self.fabric = fabric_class(accelerator=accelerator, devices=local, num_nodes=nodes, strategy="ddp")
        self.fabric.launch()
        super().__init__(self.fabric.device)
        self.rank = self.fabric.global_rank
        self.world = self.fabric.world_size

    def any(self, flags: Sequence[bool]) -> list[bool]:
        # Numbers, not booleans: NCCL sums those alone.
        votes = torch.tensor([float(flag) for flag in flags], device=self.device)
        return [vote > 0 for vote in self.fabric.all_reduce(votes, reduce_op="sum").tolist()]

    def average(self, tensors: Sequence[Tensor]) -> None:
        # One message per dtype. All gradients at once, after the processes have agreed that the step counts: a
        # process that ran out of memory then leaves no other waiting inside its backward pass, as DDP's hooks would.
        for dtype in {tensor.dtype for tensor in tensors}:
            alike = [tensor for tensor in tensors if tensor.dtype == dtype]
            flat = torch.cat([tensor.reshape(-1) for tensor in alike])
            mean = self.fabric.all_reduce(flat, reduce_op="mean")
            for tensor, part in zip(alike, mean.split([tensor.numel() for tensor in alike]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def gather(self, value: Any) -> list[Any]:
        gathered = [None] * self.world
        torch.distributed.all_gather_object(gathered, value)
        return gathered

    def from_first(self, value: Any) -> Any:
        return self.fabric.broadcast(value, src=0)

    def wait(self) -> None:
        self.fabric.barrier()


def start_engine(device: str, distributed: bool) -> Engine:
    """Return the engine of this process: several when torchrun started it and `distributed` asks for that.

    `device` is auto (CUDA, then MPS, then the CPU), cuda, cuda:N, mps or cpu. DeviceError for one that is absent or
    for several processes that nobody started, ValueError for a word that names none.
    """
    chosen = pick_device(device)
    # Under torchrun without --distributed every process would train alone: nobody asked for more.
    if not distributed:
        return Engine(chosen)
    if "LOCAL_WORLD_SIZE" not in os.environ:
        raise DeviceError(
            "--distributed needs the variables that torchrun sets: "
            "torchrun --nproc_per_node=4 -m easel materials train … --distributed"
        )
    if chosen.type == "mps":
        raise DeviceError("several processes train on CUDA devices or on the CPU; name one: --device cpu.")
    return FabricEngine(chosen)


def pick_device(name: str) -> torch.device:
    """Return the device of that name; DeviceError when it is absent, ValueError when the name is none."""
    cuda = torch.cuda.is_available()
    mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    # torch.device raises RuntimeError for a word it does not know, and takes some that cannot train, such as meta.
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cuda", "mps", "cpu"):
        raise ValueError(f"unknown device {name!r}; use auto, cuda, cuda:0, mps or cpu.")
    present = {"cuda": cuda and (device.index or 0) < torch.cuda.device_count(), "mps": mps, "cpu": True}
    if not present[device.type]:
        there = [f"cuda:{k}" for k in range(torch.cuda.device_count())] + ["mps"] * mps + ["cpu"]
        raise DeviceError(
            f"device {name!r} is not there; this machine has {', '.join(there)}. --device auto picks one."
        )
    return device


@contextmanager
def numerics(deterministic: bool, device: torch.device) -> Iterator[None]:
    """Set how torch computes for a while: reproducibly, or on CUDA with the tensor cores' 19-bit numbers (TF32).

    On CUDA `deterministic` also needs CUBLAS_WORKSPACE_CONFIG=:4096:8 from before the first use of the device.
    """
    if deterministic:
        # Not touched where it is not asked for: setting it imports torch's compiler, which takes seconds
        before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0])
            torch.backends.cudnn.benchmark = before[1]
        return
    # Put back afterwards: the setting belongs to the program, not to the run.
    precision = torch.get_float32_matmul_precision()
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)


def pick_precision(wanted: str, use_amp: bool, device: torch.device) -> Precision:
    """Return the precision of activations; weights, optimizers and losses are always float32.

    "auto" is bfloat16 on CUDA devices of compute capability 8 and up, float16 with a scaled loss on older ones, float32
    elsewhere; without `use_amp` it is float32.
    """
    # Who names a precision gets it, on devices that are slow with it, too.
    if wanted in ("fp32", "bf16", "fp16"):
        return wanted
    if not use_amp or device.type != "cuda":
        return "fp32"
    if torch.cuda.get_device_capability(device) >= (8, 0):
        # From Ampere (8.0) on: bfloat16 has float32's range, so that no loss has to be scaled.
        return "bf16"
    return "fp16"


def fit_to_memory(config: TrainConfig, device: torch.device) -> TrainConfig:
    """Return the config, with 1024 pixels where it asks for more than a small CUDA device holds; warns of that."""
    data = config.data
    side = max(*config.data.image_size, *config.data.output_size)
    if device.type != "cuda" or not config.training.auto_resize_on_low_vram or side <= SMALL_CUDA_PIXELS:
        return config
    if torch.cuda.get_device_properties(device).total_memory > SMALL_CUDA_BYTES:
        return config
    # By the same factor, so that the ratio of maps to photos, and with it the decoder, stays.
    smaller = config.copy()
    for name in ("image_size", "output_size"):
        setattr(smaller.data, name, tuple(pixels * SMALL_CUDA_PIXELS // side for pixels in getattr(data, name)))
    log.warning(
        "%s has up to 16 GB: photos are read at %s and maps made at %s. training.auto_resize_on_low_vram False "
        "keeps the sizes.",
        device,
        smaller.data.image_size,
        smaller.data.output_size,
    )
    return resolve(smaller)


def compiled(network: nn.Module, device: torch.device) -> nn.Module:
    """Wrap `network` as the variable USE_TORCH_COMPILE says: true compiles it, auto does so on CUDA."""
    wish = os.environ.get("USE_TORCH_COMPILE", "false").lower()
    if wish == "true" or (wish == "auto" and device.type == "cuda"):
        return torch.compile(network)  # pyright: ignore[reportReturnType] - a module goes in, a module comes out
    return network
