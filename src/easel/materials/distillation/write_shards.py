"""A teacher says what it thinks of the materials that it learned from, and of no others: shards for its students."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from easel.materials.dataset.dataset import PBRDataset
from easel.materials.dataset.sample import Sample, normalize
from easel.materials.distillation.shards import (
    Form,
    Origin,
    check_folder,
    is_written,
    partial_of,
    photos_digest,
    shard_name,
    write_index,
    write_shard,
)
from easel.materials.maps import MAP_NAMES, MaterialMaps, unit_normals
from easel.materials.models.network_files import Trained, load_generator
from easel.materials.models.training_data import training_dataset
from easel.materials.training.engine import pick_device


@dataclass(frozen=True)
class ShardJob:
    """Content of a folder of shards. It is plain data: any process on any machine can do a share of it."""

    checkpoint: Path
    """A run's folder, a .pth or a .safetensors."""
    folder: Path
    """Folder of the shards."""
    input_dir: Path | None = None
    """Folder with the photos; None: where the teacher learned from."""
    output_dir: Path | None = None
    """Folder with the true maps, which name the materials; None: as above."""
    metadata_path: Path | None = None
    """None: as above, or render_metadata.json in an `input_dir` of its own."""
    curriculum: int | None = None
    """Renders to be shown; None: as the teacher learned."""
    output_size: int | None = None
    """Texels of the stored maps' shorter side; None: as the teacher answers."""
    form: Form = "float16"
    shard_size: int = 8
    """Samples in a shard."""
    batch_size: int = 4
    """Samples that the teacher is shown at once."""


@dataclass(frozen=True)
class ShardResult:
    """A shard that is there now."""

    path: Path
    samples: int
    skipped: bool
    """It was there before."""


class ShardWriter:
    """A job with the network and the photos at hand."""

    def __init__(self, job: ShardJob, device: str | torch.device = "cpu") -> None:
        """Open teacher and dataset; FileError or ValueError, of one line, where they and the folder do not fit."""
        self.job = job
        self.trained = load_generator(job.checkpoint, device)
        self.dataset = training_materials(job, self.trained)
        self.size = answer_size(job, self.trained)
        if not len(self.dataset):
            folder = job.input_dir or self.trained.data.input_dir
            raise ValueError(f"{folder} has no sample of the teacher's training materials.")
        # Sorted keys: the digest must not depend on the order of the settings.
        config = json.dumps(self.trained.config.to_dict(), sort_keys=True)
        photos = [photos_digest(entry) for entry in self.dataset.entries]
        self.origin = Origin(
            self.trained.digest,
            hashlib.sha256(config.encode()).hexdigest(),
            hashlib.sha256("".join(photos).encode()).hexdigest(),
            self.trained.config.split_seed,
            self.trained.config.data.val_ratio,
            *self.size,
            job.form,
        )
        check_folder(job.folder, self.origin)

    def __len__(self) -> int:
        """Number of shards it takes."""
        return -(-len(self.dataset) // self.job.shard_size)

    def make(self, number: int) -> ShardResult:
        """Write a shard, unless it is there and whole. `finish` is due when all that this process makes are there."""
        size = self.job.shard_size
        places = range(number * size, min((number + 1) * size, len(self.dataset)))
        entries = [self.dataset.entries[place] for place in places]
        path = self.job.folder / shard_name(number)
        # What a killed process left.
        shutil.rmtree(partial_of(path), ignore_errors=True)
        if is_written(path, self.origin, [entry.name for entry in entries]):
            return ShardResult(path, len(entries), True)
        # Batches within a shard bound memory; the shard is written at once.
        answers = {}
        for start in range(0, len(places), self.job.batch_size):
            part = places[start : start + self.job.batch_size]
            said = answer(self.trained, [self.dataset.sample(place) for place in part], self.size)
            for place, maps in zip(part, said, strict=True):
                entry = self.dataset.entries[place]
                answers[entry.name] = photos_digest(entry), maps
        write_shard(path, self.origin, answers)
        return ShardResult(path, len(entries), False)

    def finish(self) -> Path:
        """Write the index of all shards that are there, whoever made them; returns its path."""
        return write_index(self.job.folder, self.origin)


def maker(job: ShardJob, device: str) -> Callable[[int], ShardResult]:
    """Return the function that makes the shards of a job, for a process of its own."""
    return ShardWriter(job, pick_device(device)).make


def training_materials(job: ShardJob, trained: Trained) -> PBRDataset:
    """Open the samples of the job that the teacher may be asked about; the dataset's errors pass through."""
    options = {} if job.curriculum is None else {"curriculum_mode": job.curriculum}
    return training_dataset(
        trained, job.input_dir, job.output_dir, job.metadata_path, split="train", cache_mib=0, **options
    )


def answer_size(job: ShardJob, trained: Trained) -> tuple[int, int]:
    """Return height and width of the stored maps; ValueError where they would be larger than the teacher's."""
    height, width = trained.config.data.output_size
    if job.output_size is None:
        return height, width
    shorter = min(height, width)
    if not 1 <= job.output_size <= shorter:
        raise ValueError(
            f"the teacher's maps are {height}x{width}: they can be stored at 1 to {shorter}; got {job.output_size}."
        )
    return height * job.output_size // shorter, width * job.output_size // shorter


@torch.inference_mode()
def answer(trained: Trained, samples: Sequence[Sample], size: tuple[int, int]) -> list[MaterialMaps]:
    """Return the maps (C, H, W) of whole samples, on the CPU, each texel the mean of the area that it replaces."""
    data = trained.config.data
    transform = trained.config.transform
    device = next(trained.model.parameters()).device
    # The teacher is shown as many photos as it was trained with.
    shown = slice(0, data.num_views)
    valid = torch.stack([sample.valid[shown] for sample in samples])
    photos = torch.stack([sample.photos[shown] for sample in samples])
    cameras = torch.stack([sample.cameras[shown] for sample in samples])
    views = normalize(photos, valid, transform.mean, transform.std)
    # Everything is moved at once: transfers one by one would wait for each other.
    said = trained.model(views.to(device), valid=valid.to(device), cameras=cameras.to(device))
    # The mean of areas keeps the energy of a texture; picking texels would alias.
    maps = {name: F.interpolate(said[name].float(), size, mode="area").cpu() for name in MAP_NAMES}
    return MaterialMaps(**maps | {"normal": unit_normals(maps["normal"])}).unstack()
