"""The two networks of a run, what moves them, and how all of it is stored and comes back."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from easel.materials.config import TrainConfig
from easel.materials.dataset.sample import Batch
from easel.materials.models.build import misfit
from easel.materials.training.engine import DTYPES, Engine, pick_precision
from easel.materials.training.losses import HybridLoss, Maps
from easel.materials.training.rerendering import Keys
from easel.materials.training.schedule import build_optimizer, load_optimizer, optimizer_tensors

Objective = Callable[..., tuple[Tensor, dict[str, Tensor]]]
"""Called as `Networks.against_truth`: (loss, its parts by name, detached) of an answer to a batch."""


class Networks:
    """Both networks, their optimizers, and the average of the generator's weights."""

    def __init__(
        self, config: TrainConfig, engine: Engine, generator: nn.Module, discriminator: nn.Module | None
    ) -> None:
        self.config = config
        self.engine = engine
        self.generator = _placed(generator, engine.device)
        self.discriminator = discriminator and _placed(discriminator, engine.device)
        self.forward: Callable[..., Maps] = self.generator
        self.loss = HybridLoss(config)
        self.objective: Objective = self.against_truth
        """Loss that the generator learns from; students have another."""
        self.g_optimizer = build_optimizer(config.optimizer, "g", self.generator.parameters())
        self.d_optimizer = discriminator and build_optimizer(config.optimizer, "d", discriminator.parameters())
        self.precision = pick_precision(config.training.precision, config.training.use_amp, engine.device)
        # bfloat16 and float32 do not underflow; a disabled scaler passes losses through.
        scaled = self.precision == "fp16"
        self.g_scaler, self.d_scaler = (torch.amp.GradScaler(engine.device.type, enabled=scaled) for _ in "gd")
        # A copy: state_dict hands out the weights themselves.
        self.average = {name: value.clone() for name, value in self.generator.state_dict().items()}
        if config.training.ema_decay is None:
            self.average = None
        self.splits = 1
        """In how many parts each batch is computed: 1, 2, 4, …, more after memory ran out."""

    def against_truth(
        self, answer: Maps, batch: Batch, *, adversarial: Tensor | None = None, key: Keys | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return `HybridLoss` of an answer to a batch."""
        return self.loss(answer, batch.maps, adversarial=adversarial, key=key)

    def answer(self, batch: Batch) -> Maps:
        """Predict maps in evaluation mode, with the averaged weights where there are any."""
        # The average is asked as it is used: without dropout, with running statistics.
        self.generator.eval()
        try:
            with torch.no_grad(), self.half():
                inputs = (batch.views, batch.valid, batch.cameras)
                return torch.func.functional_call(self.generator, self.weights(), inputs)
        finally:
            self.generator.train()

    def half(self) -> torch.autocast:
        return torch.autocast(self.engine.device.type, DTYPES[self.precision], enabled=self.precision != "fp32")

    # What a run continues from

    def weights(self) -> dict[str, Tensor]:
        """Return the generator's weights as they are to be used: the average where there is one."""
        return self.average or self.generator.state_dict()

    def take_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Start from the weights of another generator; ValueError, in a few words, where it is another network."""
        _copy(self.generator.state_dict(), weights)
        if self.average is not None:
            _copy(self.average, weights)

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """Return all tensors that have to be stored, by the name of their file."""
        found = {"generator": self.generator.state_dict(), "g_optimizer": optimizer_tensors(self.g_optimizer)}
        if self.average is not None:
            found["average"] = self.average
        if self.discriminator is not None and self.d_optimizer is not None:
            found["discriminator"] = self.discriminator.state_dict()
            found["d_optimizer"] = optimizer_tensors(self.d_optimizer)
        return found

    def state(self) -> dict[str, Any]:
        """Return the rest of the state as plain data."""
        scalers = {"g_scaler": self.g_scaler.state_dict(), "d_scaler": self.d_scaler.state_dict()}
        return {"splits": self.splits, **scalers}

    def load(self, tensors: Mapping[str, Mapping[str, Tensor]], state: Any) -> None:
        """Put back what `tensors` and `state` gave; ValueError, in a few words, where it is of another network."""
        splits = None
        if isinstance(state, dict):
            # A file may be damaged: a huge number of parts would make steps without end.
            splits = state.get("splits")
        if type(splits) is not int or not 0 < splits < 2**20:
            raise ValueError("its state of the learner is damaged")
        # Copied into the tensors that exist, which optimizers and the average refer to.
        for name, kept in self.tensors().items():
            if "optimizer" not in name:
                _copy(kept, tensors[name])
        load_optimizer(self.g_optimizer, tensors["g_optimizer"])
        if self.d_optimizer is not None:
            load_optimizer(self.d_optimizer, tensors["d_optimizer"])
        self.splits = splits
        for name, scaler in (("g_scaler", self.g_scaler), ("d_scaler", self.d_scaler)):
            if scaler.is_enabled():
                scaler.load_state_dict(state[name])


def _copy(kept: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    reason = misfit(kept, found)
    if reason:
        raise ValueError(reason)
    for name, value in kept.items():
        value.copy_(found[name])


def _placed(network: nn.Module, device: torch.device) -> nn.Module:
    network = network.to(device).train()
    # GPUs convolve faster with the channels of a pixel side by side
    return network.to(memory_format=torch.channels_last) if device.type == "cuda" else network  # pyright: ignore[reportCallIssue] - torch's hints lack it
