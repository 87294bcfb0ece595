"""Samples in random order, as batches: a plain DataLoader whose every draw is keyed.

Batch `b` of epoch `e` depends on the dataset, the seed, `e` and `b` alone: not on the workers that read it, nor on
whether the run began at epoch 0 or is resumed in the middle of one.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from easel.graphics.files import FileError
from easel.materials.config import TrainConfig
from easel.materials.dataset.augment import Augmentation, draw
from easel.materials.dataset.dataset import PBRDataset, Split
from easel.materials.dataset.keys import key
from easel.materials.dataset.sample import Batch, Cut, Numbers, normalize, pack_maps
from easel.materials.maps import MaterialMaps

MARGIN_SHARE = 8
"""Packed samples keep this fraction of a tile around it: as much as the usual camera sees from straight above."""

Answers = Callable[[str], MaterialMaps]
"""Sample such as "sample_0000/clean" → a teacher's maps of it, (C, H, W) of the size of the true ones."""


@dataclass(frozen=True)
class Order:
    """One sample of one batch, as the sampler hands it to the worker that reads it."""

    index: int
    """Index in the dataset."""
    epoch: int
    views: int
    """Photos of it that the batch shows."""


class Batches:
    """Batches of a split: `len()` of them in an epoch, `epoch(e)` iterates over them.

    Training batches ("train") come in random order, cropped and augmented as `config.data` says, each with
    `min_views` to `num_views` photos of every sample, chosen and ordered at random. Others show the first `num_views`
    photos of whole samples, in the order of the dataset.

    Of several processes each takes its share: `world` processes together see what one with `world` times the batch
    sees. The dataset's errors pass through.
    """

    def __init__(
        self,
        config: TrainConfig,
        split: Split,
        *,
        rank: int = 0,
        world: int = 1,
        strict: bool = False,
        answers: Answers | None = None,
    ) -> None:
        """Open the dataset of a resolved `config`, which says sizes, transform and seed too."""
        # Whoever changes the config later must not change what this run draws.
        config = config.copy()
        data = config.data
        training = split == "train"
        augmentation = Augmentation.of(data) if training else Augmentation()
        self.dataset = PBRDataset(
            data.input_dir,
            data.output_dir,
            data.metadata_path,
            config.transform.mean,
            config.transform.std,
            data.image_size,
            data.output_size,
            curriculum_mode=data.render_curriculum,
            split=split,
            val_ratio=data.val_ratio,
            seed=config.split_seed,
            strict=strict,
            num_views=data.num_views,
            rectify=data.rectify,
            margin=min(data.image_size) // MARGIN_SHARE * augmentation.shift,
            # Every worker keeps what it has read.
            cache_mib=data.cache_mib // max(1, data.num_workers),
        )
        seed = config.training.seed
        self._sampler = _Sampler(len(self.dataset), config, training, rank, world)
        self._loader = DataLoader(
            _Drawn(self.dataset, augmentation, seed if training else None, answers),
            batch_sampler=self._sampler,
            num_workers=data.num_workers,
            collate_fn=partial(_collate, mean=config.transform.mean, std=config.transform.std),
            pin_memory=data.pin_memory and torch.cuda.is_available(),
            persistent_workers=data.persistent_workers and data.num_workers > 0,
            prefetch_factor=data.prefetch_factor if data.num_workers > 0 else None,
            # It seeds its workers, which draw nothing from it. Without one of its own it would draw from torch's.
            generator=key(seed, "workers"),
        )

    def __len__(self) -> int:
        return self._sampler.batches

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Iterate over the batches of an epoch from number `start` on; beginning another epoch ends this one."""
        self._sampler.epoch = epoch
        self._sampler.start = start
        return _raised(iter(self._loader))


def _raised(found: Iterator[Batch | Exception]) -> Iterator[Batch]:
    """Yield the batches; raise the error of a worker that could not read one."""
    # Raised here, in one line: a DataLoader would add the worker's traceback to the message
    for batch in found:
        if isinstance(batch, Exception):
            raise batch
        yield batch


@dataclass(eq=False)
class _Sampler(Sampler[list[Order]]):
    """Order of the samples and number of photos of every batch."""

    count: int
    config: TrainConfig
    training: bool
    rank: int
    world: int
    epoch: int = 0
    start: int = 0

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return math.ceil(self.count / (self.config.data.batch_size * self.world))

    def __len__(self) -> int:
        return self.batches - self.start

    def __iter__(self) -> Iterator[list[Order]]:
        epoch = self.epoch
        seed = self.config.training.seed
        data = self.config.data
        order = list(range(self.count))
        if self.training:
            order = torch.randperm(self.count, generator=key(seed, epoch, "order")).tolist()
        # Processes wait for one another: each needs as many samples, so the first ones come again.
        order = list(islice(cycle(order), math.ceil(self.count / self.world) * self.world))
        together = data.batch_size * self.world
        fewest = data.min_views if self.training else data.num_views
        batches = []
        for number in range(self.start, self.batches):
            # The larger of two draws: more photos tell more, and are what most people will have taken
            generator = key(seed, epoch, number, "views")
            views = int(torch.randint(fewest, data.num_views + 1, (2,), generator=generator).max())
            mine = order[number * together : (number + 1) * together]
            share = len(mine) // self.world
            mine = mine[self.rank * share : (self.rank + 1) * share]
            batches.append([Order(index, epoch, views) for index in mine])
        return iter(batches)


@dataclass(eq=False)
class _Drawn(Dataset[tuple[str, Cut | Exception]]):
    """Crops of a dataset's samples, by order, or the error of reading one; random ones where there is a seed."""

    dataset: PBRDataset
    augmentation: Augmentation
    seed: int | None
    answers: Answers | None

    def __getitem__(self, order: Order) -> tuple[str, Cut | Exception]:
        name = self.dataset.entries[order.index].name
        try:
            return name, self._cut(order)
        except (FileError, OSError, ValueError) as error:
            return name, error

    def _cut(self, order: Order) -> Cut:
        packed = self.dataset.packed(order.index)
        photos = list(range(len(packed.photos)))
        # Validation looks at the same photos in every epoch.
        if self.seed is not None:
            photos = torch.randperm(len(photos), generator=key(self.seed, order.epoch, order.index, "photos")).tolist()
        drawing = (self.augmentation, self.seed or 0, order.epoch, order.index)
        cut = draw(packed, photos[: order.views], *drawing)
        if self.answers is None:
            return cut
        # The same draw of no photos at all: a teacher's maps are cropped and turned as the true ones were
        answered = replace(packed, maps=pack_maps(self.answers(self.dataset.entries[order.index].name)))
        return replace(cut, answers=draw(answered, [], *drawing).maps)


def _collate(drawn: list[tuple[str, Cut | Exception]], *, mean: Numbers, std: Numbers) -> Batch | Exception:
    """Put crops side by side, normalised; return the error of the first that is missing."""
    cuts: list[Cut] = []
    for _, cut in drawn:
        if isinstance(cut, Exception):
            return cut
        cuts.append(cut)
    photos, valid, cameras = (
        torch.stack(parts) for parts in zip(*((cut.photos, cut.valid, cut.cameras) for cut in cuts), strict=True)
    )
    views = normalize(photos, valid, mean, std)
    maps = MaterialMaps.stack([cut.maps for cut in cuts])
    answers = [cut.answers for cut in cuts if cut.answers is not None]
    names = tuple(name for name, _ in drawn)
    return Batch(views, valid, cameras, maps, names, MaterialMaps.stack(answers) if answers else None)
