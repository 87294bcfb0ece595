"""Named configs. Each is a function that returns a fresh `TrainConfig`: change it, then `resolve` it.

Standard library only: help texts must not wait for torch.
"""

from collections.abc import Callable, Mapping
from typing import Any

from easel.materials.config import TrainConfig


def get_default_config() -> TrainConfig:
    """Return ResNet-50, four attention blocks, a discriminator from epoch 5; 2048 px."""
    return TrainConfig()


def get_quick_test_config() -> TrainConfig:
    """Return the whole machinery, small: ResNet-18, two attention blocks; 256 px."""
    return _with(
        _sized(256, 256),
        data={"num_workers": 4},
        model={"encoder_backbone": "resnet18", "discriminator_n_layers": 3} | _attention(256, heads=8),
        training={"epochs": 20},
        optimizer={"scheduler_warmup_epochs": 2},
    )


def get_lightweight_config() -> TrainConfig:
    """Return the default without a discriminator."""
    return _with(get_default_config(), model={"use_gan": False}, loss={"w_gan": 0.0, "w_ssim": 0.5, "w_normal": 0.7})


def high_quality() -> TrainConfig:
    """Return ResNet-101 and six attention blocks, for long training; 2048 px at half the work, by super-resolution."""
    return _with(
        _at_half_resolution(),
        model={"encoder_backbone": "resnet101", "transformer_depth": 6},
        loss={"w_ssim": 0.5, "w_normal": 0.8, "w_gan": 0.1, "w_albedo": 1.2},
        optimizer={"g_lr": 1e-4, "d_lr": 2e-4, "scheduler_warmup_epochs": 10},
        training={"epochs": 200, "gan_start_epoch": 10},
    )


def fast_iteration() -> TrainConfig:
    """Return ResNet-18 and two attention blocks, to try ideas; 2048 px, by super-resolution."""
    return _with(
        _at_half_resolution(),
        model={"encoder_backbone": "resnet18", "transformer_depth": 2, "transformer_num_heads": 16},
        training={"epochs": 50, "val_every_n_epochs": 2, "save_every_n_epochs": 10},
        data={"num_workers": 4},
    )


def normal_focused() -> TrainConfig:
    """Return a config in which normals weigh most; 2048 px, by super-resolution."""
    maps = {"w_normal_map": 2.0, "w_albedo": 0.8, "w_roughness": 0.8, "w_metallic": 0.8}
    return _with(
        _at_half_resolution(),
        loss={"w_ssim": 0.2, "w_normal": 1.5, "w_gan": 0.08} | maps,
        optimizer={"g_lr": 1.5e-4},
        training={"epochs": 150, "gan_start_epoch": 8},
    )


def high_res() -> TrainConfig:
    """Return the default with two samples in a step, for large devices."""
    return _with(get_default_config(), data={"batch_size": 2})


def mobilenetv3_512() -> TrainConfig:
    """Return a student for phones: MobileNetV3 and a small transformer; 512 px in, 1024 px out."""
    return _with(_mobile(512, 1024), model={"encoder_stride": 1, "discriminator_n_layers": 4}, data={"batch_size": 8})


def mobilenetv3_2048() -> TrainConfig:
    """Return the same student at 2048 px."""
    return _with(_mobile(2048, 2048), data={"batch_size": 2})


def convattn_student() -> TrainConfig:
    """Return a student without attention, whose memory is linear in pixels; 1024 px."""
    return _with(
        _mobile(1024, 1024),
        model={"fusion": "convattn", "use_gan": False},
        optimizer={"g_lr": 1e-4, "g_betas": (0.9, 0.999)},
        data={"batch_size": 4},
        training={"epochs": 60},
        loss={"w_gan": 0.0, "lambda_feat": 0.1},
    )


def convattn_student_high_quality() -> TrainConfig:
    """Return the same, trained longer and more slowly."""
    return _with(convattn_student(), training={"epochs": 150}, optimizer={"g_lr": 5e-5, "scheduler_warmup_epochs": 10})


def convattn_student_fast() -> TrainConfig:
    """Return the same, trained briefly."""
    return _with(convattn_student(), training={"epochs": 20}, optimizer={"scheduler_warmup_epochs": 2})


def convattn_student_512() -> TrainConfig:
    """Return the same from 512 px to 1024 px, by fourfold super-resolution."""
    return _with(convattn_student(), data={"image_size": 512})


def laptop() -> TrainConfig:
    """Return the compact network, for photos whose camera is known; trained on two CPU cores, 128 px."""
    rarely = {"val_every_n_epochs": 20, "save_every_n_epochs": 40, "log_images_every_n_epochs": 100}
    return _with(_compact(128), data={"focus_size": 32, "val_ratio": 0.2}, training={"epochs": 80} | rarely)


def laptop_teacher() -> TrainConfig:
    """Return ResNet-18 and two attention blocks at the size of `laptop`: slow, for small students to learn from."""
    resnet = {"encoder_type": "resnet", "encoder_backbone": "resnet18"}
    return _with(_on_laptop(), model=resnet | _attention(256, heads=8))


def laptop_student() -> TrainConfig:
    """Return its student: a small MobileNetV3 and a small transformer; trained on two CPU cores, 128 px."""
    return _with(_on_laptop(), model=_mobilenet("mobilenet_v3_small", 128))


def laptop_student_convattn() -> TrainConfig:
    """Return the same without attention."""
    return _with(laptop_student(), model={"fusion": "convattn", "bottleneck_channels": 128, "kernel_size": 9})


def tiny() -> TrainConfig:
    """Return a narrower `laptop`: for tests and demonstrations, 64 px."""
    return _with(_compact(64), model={"compact_channels": [24, 24, 32, 48], "compact_context": 32})


PRESETS: dict[str, Callable[[], TrainConfig]] = {
    "default": get_default_config,
    "quick_test": get_quick_test_config,
    "lightweight": get_lightweight_config,
    "high_quality": high_quality,
    "fast_iteration": fast_iteration,
    "normal_focused": normal_focused,
    "high_res": high_res,
    "mobilenetv3_512": mobilenetv3_512,
    "mobilenetv3_2048": mobilenetv3_2048,
    "convattn_student": convattn_student,
    "convattn_student_512": convattn_student_512,
    "convattn_student_high_quality": convattn_student_high_quality,
    "convattn_student_fast": convattn_student_fast,
    "laptop": laptop,
    "laptop_teacher": laptop_teacher,
    "laptop_student": laptop_student,
    "laptop_student_convattn": laptop_student_convattn,
    "tiny": tiny,
}
"""Name → a function that returns a fresh config."""


def _with(config: TrainConfig, **sections: Mapping[str, Any]) -> TrainConfig:
    """Change settings, by section; ValueError for a name that is not known."""
    config.update(sections)
    return config


def _sized(image: int, output: int) -> TrainConfig:
    return _with(TrainConfig(), data={"image_size": image, "output_size": output})


def _at_half_resolution() -> TrainConfig:
    return _with(get_default_config(), model={"encoder_stride": 2})


def _mobile(image: int, output: int) -> TrainConfig:
    model = _mobilenet("mobilenet_v3_large", 256)
    return _with(_sized(image, output), model=model, transform={"use_imagenet_stats": True})


def _mobilenet(backbone: str, dim: int) -> dict[str, Any]:
    encoder = {"encoder_type": "mobilenetv3", "encoder_backbone": backbone, "encoder_stride": 2}
    # Half the default's hidden layer: the network has to fit a phone.
    return encoder | _attention(dim, heads=4) | {"transformer_mlp_ratio": 2.0}


def _attention(dim: int, *, heads: int) -> dict[str, Any]:
    return {"transformer_depth": 2, "transformer_dim": dim, "transformer_num_heads": heads}


def _on_laptop() -> TrainConfig:
    """Return data, losses and rates of `laptop`, for networks that are not told what flash photography is."""
    return _with(
        laptop(),
        data={"focus_size": None, "crop_size": 64, "batch_size": 8},
        # They are trained briefly: what is dropped at random takes longer to learn.
        model=dict.fromkeys(("transformer_proj_drop", "transformer_attn_drop", "transformer_drop_path_rate"), 0.0),
        optimizer={"g_lr": 1e-3, "lr_fan_in": None, "scheduler_warmup_epochs": 1},
    )


def _compact(size: int) -> TrainConfig:
    # Roughness and normals are learned last, and show most where light is mirrored.
    maps = {"w_ssim": 0.0, "w_roughness": 2.0, "w_normal_map": 3.0, "w_normal": 1.0}
    schedule = {"scheduler_warmup_epochs": 3, "scheduler_min_lr": 1e-5}
    return _with(
        _sized(size, size),
        model={"encoder_type": "compact", "use_gan": False},
        data={"batch_size": 4, "num_workers": 0, "vertical_flip": True, "random_rotation": True},
        loss={"w_gan": 0.0, "w_render": 0.25, "render_lights": 1} | maps,
        optimizer={"g_lr": 4e-3, "lr_fan_in": 48, "g_betas": (0.9, 0.99), "g_weight_decay": 0.01} | schedule,
        training={"ema_decay": 0.99},
    )
