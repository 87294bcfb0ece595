"""A run: what it yields, what it writes, and that an interrupted one ends where the uninterrupted one does."""

import json
import math
from pathlib import Path

import pytest
import torch

from easel import checkpoint
from easel.graphics.files import FileError
from easel.materials.config import TrainConfig
from easel.materials.models.network_files import find_run, load_generator
from easel.materials.training.engine import fit_to_memory
from easel.materials.training.learner import OutOfMemoryError, Trainer
from easel.materials.training.step import Knobs
from easel.materials.training.train import DivergedError, train


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def everything(config: TrainConfig) -> dict[str, str]:
    """The digest of each part of the state that a run ended with."""
    folder = find_run(Path(config.training.checkpoint_dir) / "latest")
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    digests = {name: checkpoint.digest(checkpoint.read(folder / name)[0]) for name in files}
    return digests | {"state": (folder / "state.json").read_text()}


def elsewhere(config: TrainConfig, name: str) -> TrainConfig:
    other = config.copy()
    other.training.checkpoint_dir = str(Path(config.training.checkpoint_dir).with_name(name))
    return other


def interrupted(config: TrainConfig, at: tuple[int, ...]) -> None:
    """Run in several pieces, each stopped after that many steps of the whole run."""
    resume = None
    for limit in (*at, None):
        piece, knobs = config.copy(), Knobs()
        piece.training.resume_from = resume
        for step in train(piece, knobs):
            knobs.stop = step.index + 1 == limit
            assert step.stopped_by != "stop" or step.index == limit
        resume = config.training.checkpoint_dir


def test_a_run_tells_and_writes_what_it_does(small_config):
    steps = list(train(small_config))
    assert [(step.index, step.epoch, step.position) for step in steps] == [
        (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 2, 2), (5, 3, 1), (6, 3, 2)
    ]  # fmt: skip
    assert [step.stopped_by for step in steps] == [None] * 5 + ["epochs"]
    assert all(math.isfinite(step.loss) and step.d_loss is None and step.steps_per_epoch == 2 for step in steps)
    ended = [step.ended for step in steps if step.ended]
    assert [epoch.number for epoch in ended] == [1, 2, 3]
    assert ended[0].g_loss == pytest.approx((steps[0].loss + steps[1].loss) / 2)
    assert ended[0].validation["loss"] > 0 and 0 < ended[0].validation["normal_angle_mean"] < 180
    folder = Path(small_config.training.checkpoint_dir)
    names = {path.name for path in folder.iterdir()}
    expected = {"latest", "best_model", "checkpoint_epoch_0001", "checkpoint_epoch_0002", "checkpoint_epoch_0003"}
    assert names == {*expected, *(f"{name}.pth" for name in expected), "previous", "metrics.jsonl"}
    assert {saved.path.name for step in steps for saved in step.saved} == {f"{n}.pth" for n in expected - {"latest"}}
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "train/g_loss" in line] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["train/loss_total"] == pytest.approx(lines[0]["train/g_loss"])
    assert lines[2]["val/loss"] == ended[0].validation["loss"]


@pytest.mark.slow
def test_it_learns(small_config):
    small_config.data.use_augmentation = False
    small_config.data.min_views = 3
    small_config.optimizer.g_lr, small_config.optimizer.scheduler_warmup_epochs = 1e-2, 0
    small_config.training.epochs, small_config.training.save_every_n_epochs = 15, 100
    losses = [step.loss for step in train(small_config)]
    assert sum(losses[-3:]) < 0.9 * sum(losses[:3])


def with_everything(config: TrainConfig) -> TrainConfig:
    """A discriminator, dropout, an average, a plateau, accumulation: whatever a step could forget."""
    config.model.use_gan, config.model.discriminator_type, config.model.discriminator_ndf = True, "simple", 4
    config.data.image_size = config.data.output_size = (32, 32)
    config.model.use_transformer, config.model.transformer_dim = True, 16
    config.model.transformer_num_heads, config.model.transformer_depth, config.model.window_size = 2, 2, 4
    config.training.gan_start_epoch, config.training.d_steps_per_g_step = 2, 2
    config.training.ema_decay, config.training.accumulate = 0.9, 2
    config.optimizer.scheduler, config.optimizer.patience, config.optimizer.scheduler_warmup_epochs = "plateau", 0, 1
    config.data.batch_size = 2
    config.data.vertical_flip = config.data.random_rotation = True
    return config


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True], ids=["plain", "everything"])
def test_an_interrupted_run_ends_with_the_same_bits(small_config, whole):
    config = with_everything(small_config) if whole else small_config
    for _ in train(config):
        pass
    pieces = elsewhere(config, "pieces")
    interrupted(pieces, (1, 2, 5) if not whole else (1, 3))
    assert everything(pieces) == everything(config)
    if whole:
        assert {"average.safetensors", "discriminator.safetensors"} < everything(config).keys()


@pytest.mark.slow
def test_windows_are_learned_from_and_come_again(small_config):
    config = small_config
    config.model.encoder_type, config.model.compact_channels, config.data.focus_size = "compact", [4, 4, 4, 4], 8
    config.optimizer.lr_fan_in = 9
    windows = []
    for step in train(config):
        whole, part = step.batch.views.shape[-2:], step.batch.maps.size
        assert (whole, part) == ((16, 16), (8, 8)) and step.maps["albedo"].shape[-2:] == part
        windows.append(step.batch.maps.albedo[0])
    assert any(not torch.equal(windows[0], other) for other in windows[1:])
    pieces = elsewhere(config, "pieces")
    interrupted(pieces, (1, 3))
    assert everything(pieces) == everything(config)


def test_the_program_keeps_its_own_random_numbers(small_config):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    small_config.training.epochs = 1
    for _ in train(with_everything(small_config)):
        torch.manual_seed(7)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.slow
def test_memory_that_runs_out_halves_the_parts(small_config, monkeypatch):
    """Batches in parts give the gradient of the whole, so that the run goes on as it would have."""
    small_config.training.epochs = 1
    for _ in train(small_config):
        pass
    answer, sizes = Trainer._answer, []

    def small_memory(self, part, epoch):
        sizes.append(len(part.batch.ids))
        if len(part.batch.ids) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return answer(self, part, epoch)

    monkeypatch.setattr(Trainer, "_answer", small_memory)
    parts = elsewhere(small_config, "parts")
    steps = list(train(parts))
    assert sizes == [3, 2, 1, 2] and [len(step.notes) for step in steps] == [1, 0]
    assert "2 parts" in steps[0].notes[0]
    whole, cut = (load_generator(config.training.checkpoint_dir).model for config in (small_config, parts))
    for mine, other in zip(whole.parameters(), cut.parameters(), strict=True):
        assert (mine - other).abs().max() < 1e-5

    monkeypatch.setattr(Trainer, "_answer", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("out of memory")))
    with pytest.raises(OutOfMemoryError, match="image-size"):
        next(train(elsewhere(small_config, "never")))


def test_a_loss_that_is_not_finite_moves_nothing(small_config, monkeypatch):
    """Skipped; three times in a row leads back to a checkpoint at half the rate; then it is an error that reports."""
    small_config.training.epochs, small_config.optimizer.scheduler_warmup_epochs = 20, 0
    bad = set()

    def spoil(self, part, answer, epoch, adversarial, original=Trainer._generator_loss):
        total, info = original(self, part, answer, epoch, adversarial)
        return (total * math.nan, {**info, "loss_ssim": total.detach() * math.nan}) if bad else (total, info)

    monkeypatch.setattr(Trainer, "_generator_loss", spoil)
    steps = train(small_config)
    first = [next(steps) for _ in range(2)]
    before = checkpoint.digest(load_generator(find_run(small_config.training.checkpoint_dir)).model.state_dict())
    bad.add("now")
    skipped = [next(steps) for _ in range(3)]
    assert [len(step.notes) for step in skipped] == [1, 1, 2] and not math.isfinite(skipped[0].loss)
    assert "half the rate" in skipped[2].notes[1] and "loss_ssim" in skipped[2].notes[1]
    bad.clear()
    again = next(steps)
    assert again.index > first[-1].index and again.notes == ()
    assert again.rate < 0.6 * first[0].rate
    found = load_generator(Path(small_config.training.checkpoint_dir) / "checkpoint_epoch_0001")
    assert checkpoint.digest(found.model.state_dict()) == before
    bad.add("now")
    with pytest.raises(DivergedError, match=r"sample_.*again at half the rate"):
        for _ in steps:
            pass


def test_without_validation_the_best_is_that_of_training(small_config, caplog):
    small_config.data.val_ratio = 0.0
    small_config.training.epochs = 1
    (ended,) = [step.ended for step in train(small_config) if step.ended]
    assert "validation" in caplog.text and ended.validation == {}
    state = json.loads((Path(small_config.training.checkpoint_dir) / "best_model" / "state.json").read_text())
    assert state["best"] == ended.g_loss


def test_another_network_is_told_what_differs(small_config):
    small_config.training.epochs = 1
    for _ in train(small_config):
        pass
    small_config.training.resume_from = small_config.training.checkpoint_dir
    small_config.model.encoder_channels = [8, 24]
    with pytest.raises(FileError, match=r"model\.encoder_channels is \[8, 16\] there and \[8, 24\] here"):
        next(train(small_config))
    with pytest.raises(FileError, match="no such run"):
        small_config.training.resume_from = "nowhere.pth"
        next(train(small_config))


@pytest.mark.slow
def test_steps_end_a_run_that_can_go_on(small_config):
    limited = elsewhere(small_config, "limited")
    limited.training.steps = 3
    steps = list(train(limited))
    assert len(steps) == 3 and steps[-1].stopped_by == "steps" and steps[-1].saved[0].path.name == "latest.pth"
    limited.training.steps, limited.training.resume_from = None, str(steps[-1].saved[0].path)
    assert [step.index for step in train(limited)] == [4, 5, 6]
    lines = (Path(limited.training.checkpoint_dir) / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines if "train/g_loss" in line] == [1, 2, 3, 4, 5, 6]
    for _ in train(small_config):
        pass
    ours, theirs = (everything(config) for config in (limited, small_config))
    assert ours == theirs


def test_small_cuda_devices_get_smaller_pictures(monkeypatch):
    config = TrainConfig()
    properties = type("Properties", (), {"total_memory": 8 * 2**30})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    smaller = fit_to_memory(config, torch.device("cuda"))
    assert smaller.data.image_size == smaller.data.output_size == (1024, 1024)
    assert fit_to_memory(config, torch.device("cpu")) is config
