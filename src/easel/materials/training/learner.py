"""One optimisation step of the two networks of a run."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from easel.materials.dataset.keys import key, key_seed
from easel.materials.dataset.sample import Batch
from easel.materials.maps import MaterialMaps
from easel.materials.tiles import Crop
from easel.materials.training.losses import Maps, discriminator_loss, generator_loss
from easel.materials.training.networks import Networks
from easel.materials.training.step import Outcome

CPU_OUT_OF_MEMORY = "can't allocate memory"
"""Message of the CPU's allocator, which has no exception of its own."""


class OutOfMemoryError(RuntimeError):
    """One sample at a time is too much; the message says what to do."""


@dataclass(frozen=True)
class BatchPart:
    """Samples that go through the networks together."""

    batch: Batch
    first: int
    """The first sample's place in the epoch: random draws are named by it."""
    share: float
    """Of the step's samples."""
    window: Crop | None
    """Crop of the picture that the network answers for, as the batch's maps are cut; None: all of it."""


class Trainer(Networks):
    """The networks while they learn."""

    def step(
        self, batches: Sequence[Batch], number: int, epoch: int, index: int, rates: tuple[float, float]
    ) -> Outcome:
        """Move the weights once, by the gradient of all batches; nothing moves where it is not finite.

        `number` is the first batch's in its epoch, `index` the number of steps before this one, `rates` the learning
        rates of both networks. Memory that runs out halves the parts of a batch, for good; OutOfMemoryError when a part
        is one sample already.
        """
        # A generator that answers noise teaches a discriminator nothing.
        adversarial = self.discriminator is not None and epoch >= self.config.training.gan_start_epoch
        while True:
            try:
                return self._step(list(self._parts(batches, number, epoch)), epoch, index, rates, adversarial)
            except _PartTooLarge:
                # Half-summed gradients of the failed attempt would be added to the next one.
                self._forget_gradients()
                # What the allocator keeps is too fragmented for parts of another size.
                if self.engine.device.type == "cuda":
                    torch.cuda.empty_cache()
            # A part is one sample already: nothing is left to halve.
            if self.splits >= self.config.data.batch_size:
                raise OutOfMemoryError(
                    "out of memory with one sample at a time: lower --data.image-size or --data.crop-size, "
                    "or take a smaller network."
                )
            self.splits *= 2

    def _step(
        self, parts: list[BatchPart], epoch: int, index: int, rates: tuple[float, float], adversarial: bool
    ) -> Outcome:
        maps: list[Maps] = []
        d_loss = None
        finite = True
        kept: Maps | None = None
        if adversarial:
            with self._shortage_shared():
                # One part's forward pass serves both networks; those of several would add up in memory
                kept = self._answer(parts[0], epoch) if len(parts) == 1 else None
                fakes = [kept or self._answered(part, epoch) for part in parts]
            for _ in range(self.config.training.d_steps_per_g_step):
                d_loss, finite = self._discriminator_step(parts, fakes, rates[1])

        infos: list[Mapping[str, Tensor]] = []

        def loss_of(place: int, part: BatchPart) -> Tensor:
            answer = kept or self._answer(part, epoch)
            total, info = self._generator_loss(part, answer, epoch, adversarial)
            infos.append(info)
            maps.append({name: value.detach() for name, value in answer.items()})
            return total

        loss, g_finite = self._gradients(parts, loss_of)
        # Where the discriminator diverged, the generator's gradient came through it.
        if finite and g_finite:
            finite = self._move(self.g_optimizer, self.g_scaler, self.generator, rates[0])
        finite = finite and g_finite
        if finite:
            self._follow(index)
        self._forget_gradients()
        # Parts may differ in size: their means are weighed by their share of the samples.
        shares = torch.tensor([part.share for part in parts], device=self.engine.device)
        info = {name: (torch.stack([info[name] for info in infos]) * shares).sum() for name in infos[0]}
        return Outcome(loss, d_loss, info, maps[-1], parts[-1].batch, not finite, self.splits)

    def _parts(self, batches: Sequence[Batch], number: int, epoch: int) -> Iterator[BatchPart]:
        """Yield the batches, each cut into up to `splits` parts, on the device."""
        total = sum(len(batch.ids) for batch in batches)
        # Rounded up, so that `splits` is the most parts, whatever the batch size.
        rows = math.ceil(self.config.data.batch_size / self.splits)
        for batch in batches:
            count = len(batch.ids)
            # Counted over all processes: a sample draws the same numbers however many share the batch.
            first = number * self.config.data.batch_size * self.engine.world + self.engine.rank * count
            window = self._window(batch, key(self.config.training.seed, epoch, first, "focus"))
            if window is not None:
                batch = batch.focused(window)
            for start in range(0, count, rows):
                part = batch.rows(slice(start, start + rows)).to(self.engine.device)
                yield BatchPart(part, first + start, len(part.ids) / total, window)
            number += 1

    def _window(self, batch: Batch, generator: torch.Generator) -> Crop | None:
        """Draw a random crop of the size that is learned from; None where the config names no size."""
        size = self.config.data.focus_size
        if size is None:
            return None
        top, left = (int(torch.randint(side - size + 1, (), generator=generator)) for side in batch.maps.size)
        return Crop(top, left, size, size)

    # The discriminator

    def _discriminator_step(self, parts: list[BatchPart], fakes: list[Maps], lr: float) -> tuple[float, bool]:
        assert self.discriminator is not None and self.d_optimizer is not None
        weight = self.config.loss.w_discriminator

        def loss_of(place: int, part: BatchPart) -> Tensor:
            fake = MaterialMaps.join(fakes[place]).float().detach()
            # Real and fake in one pass, so that a normalisation over the batch sees both
            real, fake = self._judge(torch.cat([part.batch.maps.to_tensor().float(), fake])).chunk(2)
            return weight * discriminator_loss(self.config.loss, real, fake)

        loss, finite = self._gradients(parts, loss_of, self.d_scaler)
        if finite:
            finite = self._move(self.d_optimizer, self.d_scaler, self.discriminator, lr)
        self.d_optimizer.zero_grad()
        return loss, finite

    def _judge(self, maps: Tensor) -> Tensor:
        assert self.discriminator is not None
        with self.half():
            return self.discriminator(maps)

    # The generator

    def _answer(self, part: BatchPart, epoch: int) -> Maps:
        with self._dropout_of(part, epoch), self.half():
            where = () if part.window is None else (part.window,)
            return self.forward(part.batch.views, part.batch.valid, part.batch.cameras, *where)

    def _answered(self, part: BatchPart, epoch: int) -> Maps:
        with torch.no_grad():
            return self._answer(part, epoch)

    def _generator_loss(
        self, part: BatchPart, answer: Maps, epoch: int, adversarial: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        judged = None
        if adversarial and self.discriminator is not None:
            # Its weights need no gradient here, but the maps need one through it.
            self.discriminator.requires_grad_(False)
            judged = generator_loss(self.config.loss, self._judge(MaterialMaps.join(answer).float()))
            self.discriminator.requires_grad_(True)
        seed = self.config.training.seed
        keys = [key(seed, epoch, part.first + row, "lights") for row in range(len(part.batch.ids))]
        return self.objective(answer, part.batch, adversarial=judged, key=keys)

    def _follow(self, index: int) -> None:
        """Move the average towards the weights; quickly at first, when they are far from where they will be."""
        decay = self.config.training.ema_decay
        # Nothing follows where nobody asked for an average.
        if self.average is None or decay is None:
            return
        # (1 + n) / (10 + n) is the warmup of TensorFlow's ExponentialMovingAverage.
        towards = 1 - min(decay, (1 + index) / (10 + index))
        for name, value in self.generator.state_dict().items():
            self.average[name].lerp_(value, towards) if value.is_floating_point() else self.average[name].copy_(value)

    # What both have in common

    def _gradients(
        self,
        parts: list[BatchPart],
        loss_of: Callable[[int, BatchPart], Tensor],
        scaler: torch.amp.GradScaler | None = None,
    ) -> tuple[float, bool]:
        """Add up the gradients of all parts in the parameters; return (loss, True if it is finite in every process)."""
        scaler = scaler or self.g_scaler
        losses: list[Tensor] = []
        with self._shortage_shared():
            for place, part in enumerate(parts):
                loss = loss_of(place, part) * part.share
                scaler.scale(loss).backward()
                losses.append(loss.detach())
        total = torch.stack(losses).sum().item()
        # One process with a bad sample must stop all of them, or their weights part ways.
        infinite = self.engine.any([not math.isfinite(total)])[0]
        # The loss that is told is that of the whole batch.
        mean = torch.tensor(total, device=self.engine.device)
        self.engine.average([mean])
        return mean.item() if self.engine.world > 1 else total, not infinite

    @contextmanager
    def _shortage_shared(self) -> Iterator[None]:
        """Turn out-of-memory in one process into _PartTooLarge in all, before any of them waits for another."""
        short = False
        try:
            yield
        except torch.OutOfMemoryError:
            short = True
        except RuntimeError as error:
            if CPU_OUT_OF_MEMORY not in str(error):
                raise
            short = True
        if self.engine.any([short])[0]:
            raise _PartTooLarge

    def _move(
        self, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler, network: nn.Module, lr: float
    ) -> bool:
        """Take the optimizer's step, unless a gradient is not finite. True if it was taken."""
        moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
        for parameter in moving:
            # Unused in this process, perhaps not in others.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.engine.average([parameter.grad for parameter in moving if parameter.grad is not None])
        self.engine.average([value for name, value in network.named_buffers() if "running_" in name])
        # Before clipping: the limit is of true gradients, not of scaled ones.
        scaler.unscale_(optimizer)
        longest = self.config.training.grad_clip_norm or math.inf
        norm = nn.utils.clip_grad_norm_(moving, longest)
        # A float16 overflow is the scaler's to handle; elsewhere it is a fault.
        finite = scaler.is_enabled() or math.isfinite(norm.item())
        if finite:
            for group in optimizer.param_groups:
                group["lr"] = lr * group["share"]
            # Leaves a step out when float16 overflowed, and lowers the scale.
            scaler.step(optimizer)
            scaler.update()
        return finite

    def _forget_gradients(self) -> None:
        self.generator.zero_grad()
        if self.discriminator is not None:
            self.discriminator.zero_grad()

    @contextmanager
    def _dropout_of(self, part: BatchPart, epoch: int) -> Iterator[None]:
        """Draw dropout from torch's own generator, keyed for this part, and give the program its own back."""
        devices = [self.engine.device] if self.engine.device.type == "cuda" else []
        # Dropout has no generator argument, so torch's own is seeded and put back.
        with torch.random.fork_rng(devices):
            torch.manual_seed(key_seed(self.config.training.seed, epoch, part.first, "dropout") >> 1)
            yield


class _PartTooLarge(Exception):  # noqa: N818 - it is caught here and tells nobody of an error
    """Some process ran out of memory."""
