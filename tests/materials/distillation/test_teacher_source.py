"""A teacher's answers to its own training materials, and students that learn from them."""

import json
from pathlib import Path

import pytest
import torch

from easel import checkpoint
from easel.graphics.files import FileError
from easel.graphics.image import imwrite
from easel.materials.config import TrainConfig
from easel.materials.dataset.batches import Batches
from easel.materials.dataset.dataset import PBRDataset
from easel.materials.distillation.shards import Shards
from easel.materials.distillation.teacher_source import train
from easel.materials.distillation.write_shards import ShardJob, ShardWriter
from easel.materials.maps import MAP_NAMES, MaterialMaps
from easel.materials.models.build import build_model
from easel.materials.models.network_files import Trained, find_run, save_generator
from easel.materials.resolve import resolve
from easel.materials.training.step import Knobs

SIDE, SAMPLES = 16, 6


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def noise(root: Path, seed: int) -> Path:
    """Six materials of noise, three photos each."""
    generator = torch.Generator().manual_seed(seed)
    up = torch.tensor([0.0, 0.0, 1.0])[:, None, None].expand(3, SIDE, SIDE)
    for number in range(SAMPLES):
        grey = torch.rand(2, 1, SIDE, SIDE, generator=generator)
        albedo = torch.rand(3, SIDE, SIDE, generator=generator)
        MaterialMaps(albedo, *grey, up).save(root / "output" / f"m{number}", bits=16)
        for view in range(3):
            picture = torch.rand(SIDE, SIDE, 3, generator=generator)
            imwrite(root / "input" / "clean" / f"sample_{number:04d}" / f"{view}.png", picture)
    metadata = {f"sample_{number:04d}": f"m{number}" for number in range(SAMPLES)}
    (root / "input" / "render_metadata.json").write_text(json.dumps(metadata))
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return noise(tmp_path_factory.mktemp("data"), 0)


def config_for(data: Path) -> TrainConfig:
    config = TrainConfig()
    config.data.input_dir, config.data.output_dir = str(data / "input"), str(data / "output")
    config.data.image_size = config.data.output_size = (SIDE, SIDE)
    config.data.batch_size, config.data.num_workers, config.data.rectify = 2, 0, "none"
    config.data.val_ratio = 0.34
    config.model.encoder_type, config.model.encoder_channels = "unet", [8, 16]
    config.model.use_transformer = config.model.use_gan = False
    config.loss.w_render = 0.0
    config.training.use_tensorboard = False
    return config


@pytest.fixture(scope="module")
def teacher(data, tmp_path_factory) -> Path:
    config = config_for(data)
    config.training.seed = 7
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = build_model(config)
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    save_generator(path, Trained(model, config, 1, ""))
    return path


@pytest.fixture(scope="module")
def answers(teacher, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("answers")
    fill(ShardJob(teacher, folder, shard_size=2, batch_size=1))
    return folder


def fill(job: ShardJob) -> list[bool]:
    """Which shards were there before."""
    teaching = ShardWriter(job)
    found = [teaching.make(number).skipped for number in range(len(teaching))]
    teaching.finish()
    return found


def student(data: Path, answers: Path, checkpoints: Path) -> TrainConfig:
    config = config_for(data)
    config.model.encoder_channels = [4, 8]
    config.data.shards_dir, config.training.checkpoint_dir = str(answers), str(checkpoints)
    config.training.epochs, config.training.save_every_n_epochs = 2, 1
    config.data.vertical_flip = config.data.random_rotation = True
    config.data.crop_size = 16
    return config


def test_only_training_materials_are_shown(data, answers):
    training = PBRDataset(
        data / "input", data / "output", image_size=SIDE, split="train", val_ratio=0.34, seed=7, rectify="none"
    )
    kept = Shards(answers)
    assert set(kept.samples) == {entry.name for entry in training.entries} and len(kept) == 4
    assert (kept.origin.split_seed, kept.origin.val_ratio) == (7, 0.34)


def test_any_share_in_any_order_makes_the_same_files(teacher, answers, tmp_path):
    job = ShardJob(teacher, tmp_path, shard_size=2, batch_size=1)
    ShardWriter(job).make(1)
    ShardWriter(job).finish()
    assert len(Shards(tmp_path)) == 2
    assert fill(job) == [False, True]
    assert (tmp_path / "index.json").read_bytes() == (answers / "index.json").read_bytes()
    (tmp_path / "shard_00000.safetensors").write_bytes(b"cut short")
    assert fill(job) == [False, True] and fill(job) == [True, True]
    with pytest.raises(FileError, match="another dataset"):
        ShardWriter(ShardJob(teacher, tmp_path, noise(tmp_path / "other", 1) / "input", tmp_path / "other" / "output"))


@pytest.mark.slow
def test_stored_answers_can_be_smaller(teacher, answers, tmp_path):
    fill(ShardJob(teacher, tmp_path, output_size=8, form="uint8"))
    small, whole = Shards(tmp_path), Shards(answers)
    for name in whole.samples:
        areas = whole.read(name).albedo.unflatten(1, (8, 2)).unflatten(3, (8, 2)).mean((2, 4))
        assert (small.read(name).albedo - areas).abs().max() < 4e-3


def test_answers_are_cut_and_turned_as_the_maps(data):
    config = config_for(data)
    config.data.crop_size, config.data.vertical_flip, config.data.random_rotation = 16, True, True
    config.data.image_size, config.data.output_size = (32, 32), (32, 32)
    said = []

    def truth(name):
        said.append(name)
        return MaterialMaps.load(data / "output" / f"m{name[len('sample_000')]}", size=(32, 32))

    for batch in Batches(resolve(config), "train", answers=truth).epoch(3):
        assert batch.answers is not None
        assert all(torch.allclose(batch.answers[name], batch.maps[name], atol=1e-4) for name in MAP_NAMES)
        assert batch.rows(slice(0, 1)).answers.albedo.shape[0] == 1
    assert len(said) == 4


@pytest.mark.slow
def test_a_student_that_is_interrupted_ends_as_one_that_is_not(data, answers, tmp_path):
    config = student(data, answers, tmp_path / "whole")
    steps = list(train(config))
    assert {"distill_total", "loss_hard", "loss_soft", "l1_albedo"} <= steps[0].info.keys()
    assert {saved.path.name for step in steps for saved in step.saved} >= {
        "student_epoch_0001.pth", "student_epoch_0002.pth", "best_student.pth"
    }  # fmt: skip
    config.training.checkpoint_dir = str(tmp_path / "pieces")
    knobs = Knobs()
    for step in train(config, knobs):
        knobs.stop = step.index == 1
    config.training.resume_from = config.training.checkpoint_dir
    list(train(config))
    ends = [find_run(tmp_path / name / "latest_student") for name in ("whole", "pieces")]
    whole, pieces = (checkpoint.read(end / "generator.safetensors")[0] for end in ends)
    assert all(torch.equal(whole[name], pieces[name]) for name in whole)
    # it is validated on what its teacher was
    saved = json.loads((ends[0] / "config.json").read_text())["data"]
    assert (saved["split_seed"], saved["val_ratio"]) == (7, 0.34)


def test_a_teacher_that_is_asked_says_what_it_has_stored(data, answers, teacher, tmp_path):
    losses = []
    for stored in (True, False):
        config = student(data, answers, tmp_path / str(stored))
        config.data.use_augmentation, config.data.min_views, config.training.steps = False, 3, 1
        if not stored:
            config.data.shards_dir, config.training.teacher_checkpoint = None, str(teacher)
        losses += [step.loss for step in train(config)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_what_does_not_fit_is_told_before_the_first_step(data, answers, teacher, tmp_path):
    config = student(noise(tmp_path / "other", 5), answers, tmp_path / "c")
    with pytest.raises(ValueError, match=r"sample_000\d/clean: its answer .* other photos"):
        list(train(config))
    config = student(data, answers, tmp_path / "c")
    config.data.render_curriculum = 0
    index = json.loads((answers / "index.json").read_text())
    part = tmp_path / "part"
    part.mkdir()
    first, facts = next(iter(index["shards"].items()))
    (part / first).write_bytes((answers / first).read_bytes())
    (part / "index.json").write_text(json.dumps(index | {"shards": {first: facts}}))
    config.data.shards_dir = str(part)
    with pytest.raises(ValueError, match=r"sample_000\d/clean: .* no answer"):
        list(train(config))
    config = student(data, answers, tmp_path / "c")
    config.data.image_size = config.data.output_size = (32, 32)
    with pytest.raises(ValueError, match="holds maps of 16x16"):
        list(train(config))
    config.data.shards_dir, config.training.teacher_checkpoint = None, str(teacher)
    config.data.image_size, config.model.encoder_type = (32, 32), "mobilenetv3"
    config.model.encoder_backbone, config.data.output_size = "mobilenet_v3_small", (64, 64)
    with pytest.raises(ValueError, match="2 times"):
        list(train(config))
