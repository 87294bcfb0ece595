"""`easel materials train`: the predecessor's flags, its console, and how it ends."""

import json
import os
import re
import signal
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from easel.cli import main
from easel.commands.materials.train import EpochBar, prepare_train
from easel.graphics.image import imwrite
from easel.materials.config import TrainConfig
from easel.materials.maps import MaterialMaps

SMALL = (
    "--config lightweight --data.image-size 16 --data.output-size 16 --data.rectify none --data.num-workers 0 "
    "--model.encoder-type unet --model.encoder-channels 8 16 --model.no-use-transformer --device cpu "
    "--training.no-use-tensorboard --training.save-every-n-epochs 1 --batch-size 2"
).split()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Four materials of noise, three photos each."""
    root = tmp_path_factory.mktemp("data")
    generator = torch.Generator().manual_seed(0)
    up = torch.tensor([0.0, 0.0, 1.0])[:, None, None].expand(3, 16, 16)
    for number in range(4):
        grey = torch.rand(2, 1, 16, 16, generator=generator)
        MaterialMaps(torch.rand(3, 16, 16, generator=generator), *grey, up).save(root / "output" / f"m{number}")
        for view in range(3):
            picture = torch.rand(16, 16, 3, generator=generator)
            imwrite(root / "input" / "clean" / f"sample_{number:04d}" / f"{view}.png", picture)
    metadata = {f"sample_{number:04d}": f"m{number}" for number in range(4)}
    (root / "input" / "render_metadata.json").write_text(json.dumps(metadata))
    return root


@pytest.fixture
def told(monkeypatch):
    """The config that a command line comes to; nothing is trained."""

    def read(*arguments: str) -> TrainConfig:
        found = []
        home = "easel.materials.distillation.teacher_source"
        monkeypatch.setattr(f"{home}.train", lambda config, knobs: found.append(config) or [])
        assert main(["materials", "train", *arguments]) == 0
        return found[0]

    return read


def test_the_predecessors_flags(told):
    config = told(
        *("--config quick_test --batch-size 2 --input-dir in --output-dir out --metadata-path m.json").split(),
        *("--render-curriculum 1 --device cpu --epochs 7 --checkpoint-dir c --distributed --strict --steps 9").split(),
    )
    assert (config.data.batch_size, config.data.input_dir, config.data.output_dir) == (2, "in", "out")
    assert (config.data.metadata_path, config.data.render_curriculum, config.data.strict) == ("m.json", 1, True)
    training = config.training
    assert (training.device, training.epochs, training.steps, training.checkpoint_dir) == ("cpu", 7, 9, "c")
    assert training.distributed and config.model.encoder_backbone == "resnet18"


def test_squares_equal_signs_and_underscores(told):
    config = told("--config=quick_test", "--data.image-size", "64", "--data.output_size=64", "--batch_size=3")
    assert config.data.image_size == config.data.output_size == (64, 64) and config.data.batch_size == 3
    assert told("--data.image-size", "64", "32").data.image_size == (64, 32)
    assert told("--training.batch-size", "5").data.batch_size == 5


def test_data_root_stands_for_both_folders(told):
    config = told("--data-root", "some/where")
    assert (config.data.input_dir, config.data.output_dir) == ("some/where/input", "some/where/output")
    assert told("--data-root", "a", "--output-dir", "b").data.output_dir == "b"


def test_the_new_spelling_of_the_curriculum_wins(told):
    assert told("--use-dirty").data.use_dirty_renders
    both = told("--use-dirty", "--render-curriculum", "0").data
    assert not both.use_dirty_renders and both.render_curriculum == 0


def test_the_predecessors_config_paths_and_files(told, tmp_path):
    assert told("--config", "configs/high_quality.py").model.encoder_backbone == "resnet101"
    path = tmp_path / "my_config.py"
    path.write_text(
        "from easel.materials import TrainConfig\n"
        "def get_config():\n    cfg = TrainConfig()\n    cfg.training.batch_size = 8\n    return cfg\n"
    )
    assert told("--config", str(path)).data.batch_size == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batchsize", "3"], "Did you mean --batch-size"),
        (["--data.imagesize", "3"], "--data.image-size"),
        (["--config", "quick_tets"], "Did you mean 'quick_test'"),
        (["--config"], "needs a value"),
        (["--resume", "nowhere/latest.pth"], "no such run"),
        (["--epochs", "many"], "many"),
    ],
)
def test_mistakes_are_told_with_the_nearest(capsys, arguments, words):
    with pytest.raises(SystemExit) if arguments[0] in ("--data.imagesize", "--epochs") else nullcontext():
        assert main(["materials", "train", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input-dir", "nowhere"], "render_metadata.json"),
        (["--device", "cuda:77"], "cuda:77"),
        (["--device", "quantum"], "use auto, cuda"),
        (["--distributed"], "torchrun"),
        (["--data.output-size", "24"], "choose"),
        (["--data.val-ratio", "1.5"], "val_ratio"),
        (["--loss.extra", "no.where:found", "1"], "no.where:found"),
    ],
)
def test_bad_input_is_one_line(data, tmp_path, capsys, arguments, words):
    where = ["--data-root", str(data), "--checkpoint-dir", str(tmp_path / "c")]
    assert main(["materials", "train", *SMALL, *where, *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error and error.count("\n") == 1


def test_help_needs_no_torch(packages_loaded_by):
    code = (
        "import contextlib, easel.cli\n"
        "with contextlib.suppress(SystemExit): easel.cli.main(['materials', 'train', '--help'])"
    )
    assert "torch" not in packages_loaded_by(code)


@pytest.mark.slow
def test_the_console_is_the_predecessors(data, tmp_path, capsys):
    where = ["--data-root", str(data), "--checkpoint-dir", str(tmp_path / "c")]
    gan = "--model.use-gan --model.discriminator-type simple --model.discriminator-ndf 4 --training.gan-start-epoch 2"
    sizes = ["--data.image-size", "32", "--data.output-size", "32"]
    assert main(["materials", "train", *SMALL, *where, *gan.split(), *sizes, "--epochs", "2"]) == 0
    out = capsys.readouterr().out
    number = r"-?\d+\.\d{3}"
    saved = re.escape(str(tmp_path / "c"))
    assert re.fullmatch(
        rf"Epoch 1 Summary:\n  Generator Loss: {number}\n\[Validation\] Epoch 1 - Loss: {number}\n"
        rf"Saved checkpoint: {saved}/checkpoint_epoch_0001\.pth\nSaved best model: {saved}/best_model\.pth\n"
        rf"Epoch 2 Summary:\n  Generator Loss: {number}\n  Discriminator Loss: {number}\n"
        rf"\[Validation\] Epoch 2 - Loss: {number}\nSaved checkpoint: {saved}/checkpoint_epoch_0002\.pth\n"
        rf"(Saved best model: {saved}/best_model\.pth\n)?wrote {saved}\n",
        out,
    )


@pytest.mark.slow
def test_a_run_is_stopped_by_a_signal_and_resumed_by_one_flag(data, tmp_path, capsys, monkeypatch):
    where = ["--data-root", str(data), "--checkpoint-dir", str(tmp_path / "c")]
    shown = []

    def interrupt(self, epoch, position, steps, losses, update=EpochBar.update):
        shown.append((epoch, position))
        if len(shown) == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(EpochBar, "update", interrupt)
    assert main(["materials", "train", *SMALL, *where, "--epochs", "2"]) == 143
    assert signal.getsignal(signal.SIGTERM) is before
    captured = capsys.readouterr()
    assert "once more stops at once" in captured.err and "checkpoint_epoch_0001.pth" in captured.out
    assert shown == [(1, 1), (1, 2)]
    moved = (tmp_path / "c").rename(tmp_path / "moved")
    assert main(["materials", "train", "--resume", str(moved / "latest.pth")]) == 0
    assert shown[2:] == [(2, 1), (2, 2)] and capsys.readouterr().out.endswith(f"wrote {moved}\n")
    assert main(["materials", "train", "--resume", str(moved), "--model.encoder-channels", "8", "24"]) == 2
    assert "model.encoder_channels is [8, 16] there and [8, 24] here" in capsys.readouterr().err


def test_loss_functions_that_a_checkpoint_names_are_not_called_unasked(monkeypatch):
    config = TrainConfig()
    config.loss.extra = {"os:system": 1.0}
    monkeypatch.setattr("easel.materials.models.network_files.saved_config", lambda path: config.copy())
    with pytest.raises(Exception, match=r"os:system.*if you trust them"):
        prepare_train(["--resume", "checkpoints"])
    assert prepare_train(["--resume", "checkpoints", "--loss.extra", "math:sin", "1"])[1].training.resume_from


def test_the_bar_looks_as_it_should(capsys, monkeypatch):
    clock = iter((0.0, 100.0, 403.0))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    bar = EpochBar()
    bar.alive = True
    bar.update(10, 1, 1000, {"G_loss": 0.5})
    bar.update(10, 400, 1000, {"G_loss": 0.1234, "D_loss": 0.5678})
    shown = capsys.readouterr().err.split("\r")[-1]
    assert shown == "Epoch 10:  40%|████      | 400/1000 [05:03<07:34, 1.32it/s, G_loss=0.123, D_loss=0.568]"
