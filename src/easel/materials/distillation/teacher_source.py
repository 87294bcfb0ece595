"""Training with a teacher: its answers, stored or asked for at every step, and the objective they are compared by."""

import logging
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from easel.materials.config import TrainConfig
from easel.materials.dataset.batches import Answers
from easel.materials.dataset.listing import ListedSample
from easel.materials.dataset.sample import Batch, denormalize, normalize
from easel.materials.distillation.objective import FeatureObjective, SoftObjective, watch_features
from easel.materials.distillation.shards import Shards, photos_digest
from easel.materials.models.generator import MultiViewPBRGenerator
from easel.materials.models.network_files import Trained, load_generator
from easel.materials.training.engine import Engine
from easel.materials.training.losses import Maps
from easel.materials.training.networks import Networks, Objective
from easel.materials.training.step import Knobs, Step
from easel.materials.training.train import train as train_with

log = logging.getLogger("easel")


def train(config: TrainConfig, knobs: Knobs | None = None) -> Iterator[Step]:
    """Train as the config says, a student with the teacher that it names: one `Step` at a time.

        for step in easel.materials.train(config):
            print(step.index, step.loss)

    Checkpoints and logs go into checkpoint_dir. Asking is training: a caller that does not ask pauses the run, one that
    closes it stops it, and `knobs.stop` ends it with a checkpoint. `training.resume_from` continues a run. ValueError
    for a config that does not fit, the dataset's errors, FileError for files that do not fit, RuntimeError for a device
    that is absent or memory that is too small, DivergedError when the loss explodes.
    """
    return train_with(config, knobs, open_teacher if config.is_student else None)


class TeacherSource:
    """A teacher, present or by its stored answers, and the config of its student."""

    def __init__(self, config: TrainConfig, shards: Shards | None, teacher: Trained | None) -> None:
        """Raise ValueError where teacher and student do not fit. `config` itself is left as it is."""
        self.shards = shards
        self.teacher = teacher
        self.config = config.copy()
        data = self.config.data
        # The materials of the teacher's validation are no secret to a student that is told the answers to them.
        if shards is not None:
            _check_shards(config, shards, teacher)
            data.split_seed = shards.origin.split_seed
            data.val_ratio = shards.origin.val_ratio
        # Shards fix the size of the answers; a present teacher is asked at the student's size.
        elif teacher is not None:
            _check_enlargement(config, teacher)
            data.split_seed = teacher.config.split_seed
            data.val_ratio = teacher.config.data.val_ratio
        if (data.split_seed, data.val_ratio) != (config.split_seed, config.data.val_ratio):
            log.warning(
                "the student is validated on the materials that its teacher was, not on %g of them.",
                config.data.val_ratio,
            )
        # Stored answers have no features: those need the teacher itself.
        self.compares_features = config.loss.lambda_feat > 0 and teacher is not None
        if self.compares_features and teacher is not None:
            for whose, of in (("student", config), ("teacher", teacher.config)):
                if of.model.encoder_type == "compact":
                    raise ValueError(
                        f"loss.lambda_feat compares features, which the {whose} 'compact' keeps for itself: set it to "
                        "0, or leave the teacher away and take its answers from shards."
                    )

    def check(self, entries: Sequence[ListedSample]) -> None:
        """Raise ValueError where an answer is missing, or was given to other photos."""
        if self.shards is None:
            return
        for entry in entries:
            if entry.name not in self.shards.samples:
                raise ValueError(
                    f"{entry.name}: {str(self.shards.folder)!r} has no answer for it. They belong to another dataset, "
                    "or not all shards are there: run `easel materials shards` again."
                )
            if self.shards.samples[entry.name][1].photos_sha256 != photos_digest(entry):
                raise ValueError(
                    f"{entry.name}: its answer in {str(self.shards.folder)!r} was given to other photos, or for "
                    "another material. Run `easel materials shards` for this dataset, into another folder."
                )

    @property
    def answers(self) -> Answers | None:
        """Stored answers by the name of a sample; None where the teacher itself is asked at every step."""
        return None if self.shards is None else self.shards.read

    def objective(self, networks: Networks) -> Objective:
        """Return the loss that the generator of `networks` is trained with."""
        teacher = _Answers(self.config, self.teacher, self.compares_features)
        if self.compares_features:
            assert isinstance(networks.generator, MultiViewPBRGenerator), "it has been checked"
            return FeatureObjective(self.config.loss, networks.generator, networks.against_truth, teacher)
        return SoftObjective(self.config.loss, networks.against_truth, teacher)


def open_teacher(config: TrainConfig, engine: Engine) -> TeacherSource:
    """Open the teacher that a student's config names; ValueError or FileError of one line where there is none."""
    path = config.training.teacher_checkpoint
    teacher = load_generator(path, engine.device) if path else None
    shards = None
    if config.data.shards_dir:
        # One process looks at every byte, the others take its word.
        shards = Shards(config.data.shards_dir, verify=engine.rank == 0)
    if config.loss.lambda_feat > 0 and teacher is None:
        log.warning("features are not compared: that needs the teacher itself, by training.teacher_checkpoint.")
    return TeacherSource(config, shards, teacher)


class _Answers:
    """Answers to a batch: those that it brings along, and the teacher's where it has to be asked."""

    def __init__(self, config: TrainConfig, teacher: Trained | None, wants_features: bool) -> None:
        self.transform = config.transform
        self.teacher = teacher
        self.features = None
        if wants_features and teacher is not None and isinstance(teacher.model, MultiViewPBRGenerator):
            self.features = watch_features(teacher.model)

    def __call__(self, batch: Batch) -> tuple[Maps, list[Tensor]]:
        said: Maps | None = batch.answers
        # Stored answers go first: asking again would give the same maps, slower.
        if self.teacher is not None and (said is None or self.features is not None):
            present = self._ask(self.teacher, batch)
            said = said or present
        assert said is not None, "a student has shards or a teacher"
        return said, self.features() if self.features else []

    @torch.no_grad()
    def _ask(self, teacher: Trained, batch: Batch) -> Maps:
        mine = self.transform
        its = teacher.config.transform
        # Teacher and student may have been trained with photos of different mean and deviation.
        photos = denormalize(batch.views, mine.mean, mine.std)
        # Masked again: the mean of hidden pixels is not 0 under another normalisation.
        views = normalize(photos, batch.valid, its.mean, its.std)
        return teacher.model(views, valid=batch.valid, cameras=batch.cameras)


def _check_shards(config: TrainConfig, shards: Shards, teacher: Trained | None) -> None:
    origin = shards.origin
    wanted = config.data.output_size
    if (origin.height, origin.width) != wanted:
        raise ValueError(
            f"data.shards_dir {str(shards.folder)!r} holds maps of {origin.height}x{origin.width}, the student's are "
            f"{wanted[0]}x{wanted[1]} (data.output_size): make shards with --shard-output-size {min(wanted)}, or take "
            "a config of that size."
        )
    if teacher is not None and teacher.digest != origin.teacher_sha256:
        raise ValueError(
            f"data.shards_dir {str(shards.folder)!r} holds the answers of another teacher than "
            "training.teacher_checkpoint: leave one of them away."
        )


def _check_enlargement(config: TrainConfig, teacher: Trained) -> None:
    mine, its = (data.output_size[0] / data.image_size[0] for data in (config.data, teacher.config.data))
    if mine != its:
        raise ValueError(
            f"the teacher's maps are {its:g} times as large as its photos, the student's {mine:g} times: store its "
            "answers at the student's data.output_size with `easel materials shards --shard-output-size`."
        )
