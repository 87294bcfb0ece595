"""What NeuroPBR's guide shows, from the dataset to inference in line, with Easel's names for its programs."""

import os
from pathlib import Path

import pytest
import torch

from easel.cli import main
from easel.graphics.image import imwrite

SMALL = (
    "--data.image-size 32 --data.output-size 32 --data.num-workers 0 --device cpu --training.no-use-tensorboard".split()
)
"""What makes the guide's sizes fit a test."""
MY_CONFIG = """
from easel.materials import TrainConfig

def get_config():
    cfg = TrainConfig()
    cfg.model.encoder_backbone = 'resnet18'
    cfg.model.transformer_depth = 1
    cfg.model.transformer_dim, cfg.model.transformer_num_heads = 32, 4
    cfg.model.use_gan = True
    cfg.model.discriminator_n_layers, cfg.model.discriminator_ndf = 3, 8

    cfg.training.epochs = 2
    cfg.training.batch_size = 2

    cfg.loss.w_l1 = 1.0
    cfg.loss.w_ssim = 0.5
    cfg.loss.w_normal = 0.7

    cfg.optimizer.g_lr = 1e-4
    cfg.optimizer.d_lr = 4e-4
    cfg.optimizer.scheduler = 'cosine'
    return cfg
"""
VERIFICATION = """
from easel.materials import PBRDataset
from easel.materials import get_default_config
cfg = get_default_config()
ds = PBRDataset(
    input_dir='./data/input',
    output_dir='./data/output',
    metadata_path='./data/input/render_metadata.json',
    transform_mean=cfg.transform.mean,
    transform_std=cfg.transform.std,
    image_size=(48, 48),
  use_dirty=cfg.data.use_dirty_renders,
  curriculum_mode=cfg.data.render_curriculum
)
inputs, targets = ds[0]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ./data as the guide has it, four samples clean and dirty, and a config of one's own."""
    root = tmp_path_factory.mktemp("neuropbr")
    render = "materials render --materials 4 --size 32 --both --workers 1 --out".split()
    assert main([*render, str(root / "data")]) == 0
    (root / "configs").mkdir()
    (root / "configs" / "my_config.py").write_text(MY_CONFIG)
    return root


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def run(line: str, *more: str) -> int:
    return main(["materials", *line.split(), *more])


@pytest.mark.slow
def test_the_dataset_is_verified(here: Path) -> None:
    names: dict = {}
    exec(VERIFICATION, names)
    assert len(names["ds"]) == 4
    assert names["inputs"].shape == (3, 3, 48, 48) and names["targets"].shape == (4, 3, 48, 48)


def test_settings_are_as_the_guide_sets_them() -> None:
    from easel.materials import TrainConfig

    config = cfg = TrainConfig()
    for curriculum in (0, 1, 2):
        config.data.render_curriculum = curriculum
    config.data.val_ratio, config.training.seed = 0.1, 42
    cfg.loss.w_albedo = cfg.loss.w_roughness = cfg.loss.w_metallic = cfg.loss.w_normal_map = 1.0
    cfg.model.use_gan, cfg.loss.w_gan = False, 0.0
    cfg.loss.gan_loss_type = "hinge"
    cfg.loss.gan_loss_type = "bce"
    cfg.model.encoder_type, cfg.model.encoder_backbone, cfg.model.encoder_stride = "resnet", "resnet50", 1
    cfg.model.encoder_type, cfg.model.encoder_channels = "unet", [64, 128, 256, 512, 1024, 2048]
    cfg.model.transformer_dim, cfg.model.transformer_num_heads = 2048, 32
    cfg.model.transformer_depth, cfg.model.transformer_mlp_ratio = 4, 4
    cfg.model.discriminator_type, cfg.model.discriminator_n_layers = "configurable", 6
    cfg.model.discriminator_ndf, cfg.model.discriminator_use_sigmoid = 64, False
    cfg.model.freeze_backbone = cfg.model.freeze_bn = True
    cfg.training.device, cfg.training.use_amp, cfg.training.grad_clip_norm = "auto", True, 1.0
    cfg.training.gan_start_epoch, cfg.training.d_steps_per_g_step = 5, 1
    cfg.optimizer.scheduler, cfg.optimizer.scheduler_min_lr, cfg.optimizer.scheduler_warmup_epochs = "cosine", 1e-6, 5
    cfg.training.checkpoint_dir, cfg.training.save_every_n_epochs = "./checkpoints", 5
    cfg.training.save_best_only, cfg.training.use_tensorboard = False, True
    cfg.training.log_every_n_steps, cfg.training.log_images_every_n_epochs = 10, 5
    cfg.training.use_wandb = False


@pytest.mark.slow
def test_from_training_to_inference_in_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = "train --config configs/my_config.py --input-dir ./data/input --output-dir ./data/output"
    assert run(f"{train} --render-curriculum 1 --training.save-every-n-epochs 1", *SMALL) == 0
    assert "[Validation] Epoch 2 - Loss:" in capsys.readouterr().out
    assert run("train --resume checkpoints/checkpoint_epoch_0001.pth") == 0
    assert run("infer --checkpoint checkpoints/latest.pth --sample-idx 2 --out-dir inference_outputs/sample_2") == 0
    for number in range(3):
        imwrite(f"my_renders/{number}.png", torch.rand(40, 40, 3))
    custom = "infer --checkpoint checkpoints/latest.pth --input-dir ./my_renders --rectify none"
    assert run(f"{custom} --out-dir inference_outputs/custom_material") == 0
    for folder in ("sample_2", "custom_material"):
        files = set(os.listdir(here / "inference_outputs" / folder))
        assert {"albedo.png", "roughness.png", "metallic.png", "normal.png", "view_0.png"} <= files

    ckpt = torch.load("checkpoints/best_model.pth")
    torch.save({"config": ckpt["config"], "model_state_dict": ckpt["generator_state_dict"]}, "model_inference.pth")
    from easel.materials import MultiViewPBRGenerator

    ckpt = torch.load("model_inference.pth")
    model = MultiViewPBRGenerator(ckpt["config"]).eval()
    model.load_state_dict(ckpt["model_state_dict"])
    with torch.no_grad():
        outputs = model(torch.rand(1, 3, 3, 32, 32))
    assert {name: tuple(value.shape[1:]) for name, value in outputs.items()} == {
        "albedo": (3, 32, 32),
        "roughness": (1, 32, 32),
        "metallic": (1, 32, 32),
        "normal": (3, 32, 32),
    }


@pytest.mark.parametrize(
    "preset", ["quick_test", "lightweight", "configs/high_quality.py", "configs/normal_focused.py"]
)
def test_presets_are_found_by_name_and_by_the_guides_paths(here: Path, preset: str, monkeypatch) -> None:
    found = []
    home = "easel.materials.distillation.teacher_source"
    monkeypatch.setattr(f"{home}.train", lambda config, knobs: found.append(config) or [])
    paths = "--input-dir ./data/input --output-dir ./data/output --batch-size 2 --device cpu"
    assert run(f"train --config {preset} {paths}") == 0
    assert found[0].data.batch_size == 2


def test_a_device_that_is_not_there_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert run("train --input-dir ./data/input --output-dir ./data/output --device cuda --config tiny") != 0
    assert "cuda" in capsys.readouterr().err
