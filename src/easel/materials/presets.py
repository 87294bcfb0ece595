"""Named configs. Each is a function that returns a fresh `TrainConfig`: change it, then `resolve` it.

Standard library only: help texts must not wait for torch.
"""

from collections.abc import Callable

from easel.materials.config import TrainConfig


def get_default_config() -> TrainConfig:
    """ResNet-50, four attention blocks, a discriminator from epoch 5; 2048 px."""
    return TrainConfig()


def get_quick_test_config() -> TrainConfig:
    """The whole machinery, small: ResNet-18, two attention blocks; 256 px."""
    config = _sized(256, 256)
    config.data.num_workers = 4
    model = config.model
    model.encoder_backbone = "resnet18"
    model.transformer_depth, model.transformer_dim, model.transformer_num_heads = 2, 256, 8
    model.discriminator_n_layers = 3
    config.training.epochs, config.optimizer.scheduler_warmup_epochs = 20, 2
    return config


def get_lightweight_config() -> TrainConfig:
    """The default without a discriminator."""
    config = get_default_config()
    config.model.use_gan = False
    config.loss.w_gan, config.loss.w_ssim, config.loss.w_normal = 0.0, 0.5, 0.7
    return config


def high_quality() -> TrainConfig:
    """ResNet-101 and six attention blocks, for long training; 2048 px at half the work, by super-resolution."""
    config = _at_half_resolution()
    config.model.encoder_backbone, config.model.transformer_depth = "resnet101", 6
    loss = config.loss
    loss.w_ssim, loss.w_normal, loss.w_gan, loss.w_albedo = 0.5, 0.8, 0.1, 1.2
    config.optimizer.g_lr, config.optimizer.d_lr, config.optimizer.scheduler_warmup_epochs = 1e-4, 2e-4, 10
    config.training.epochs, config.training.gan_start_epoch = 200, 10
    return config


def fast_iteration() -> TrainConfig:
    """ResNet-18 and two attention blocks, to try ideas; 2048 px, by super-resolution."""
    config = _at_half_resolution()
    model = config.model
    model.encoder_backbone, model.transformer_depth, model.transformer_num_heads = "resnet18", 2, 16
    training = config.training
    training.epochs, training.val_every_n_epochs, training.save_every_n_epochs = 50, 2, 10
    config.data.num_workers = 4
    return config


def normal_focused() -> TrainConfig:
    """Normals weigh most; 2048 px, by super-resolution."""
    config = _at_half_resolution()
    loss = config.loss
    loss.w_ssim, loss.w_normal, loss.w_gan, loss.w_normal_map = 0.2, 1.5, 0.08, 2.0
    loss.w_albedo = loss.w_roughness = loss.w_metallic = 0.8
    config.optimizer.g_lr = 1.5e-4
    config.training.epochs, config.training.gan_start_epoch = 150, 8
    return config


def high_res() -> TrainConfig:
    """The default with two samples in a step, for large devices."""
    config = get_default_config()
    config.data.batch_size = 2
    return config


def mobilenetv3_512() -> TrainConfig:
    """Student for phones: MobileNetV3 and a small transformer; 512 px in, 1024 px out."""
    config = _mobile(512, 1024)
    config.model.encoder_stride, config.model.discriminator_n_layers = 1, 4
    config.data.batch_size = 8
    return config


def mobilenetv3_2048() -> TrainConfig:
    """The same student at 2048 px."""
    config = _mobile(2048, 2048)
    config.data.batch_size = 2
    return config


def convattn_student() -> TrainConfig:
    """Student without attention, whose memory is linear in pixels; 1024 px."""
    config = _mobile(1024, 1024)
    model, optimizer = config.model, config.optimizer
    model.fusion, model.use_gan = "convattn", False
    optimizer.g_lr, optimizer.g_betas = 1e-4, (0.9, 0.999)
    config.data.batch_size, config.training.epochs = 4, 60
    config.loss.w_gan, config.loss.lambda_feat = 0.0, 0.1
    return config


def convattn_student_high_quality() -> TrainConfig:
    """The same, trained longer and more slowly."""
    config = convattn_student()
    config.training.epochs, config.optimizer.g_lr, config.optimizer.scheduler_warmup_epochs = 150, 5e-5, 10
    return config


def convattn_student_fast() -> TrainConfig:
    """The same, trained briefly."""
    config = convattn_student()
    config.training.epochs, config.optimizer.scheduler_warmup_epochs = 20, 2
    return config


def convattn_student_512() -> TrainConfig:
    """The same from 512 px to 1024 px, by fourfold super-resolution."""
    config = convattn_student()
    config.data.image_size = (512, 512)
    return config


def laptop() -> TrainConfig:
    """The compact network, for photos whose camera is known; trained on two CPU cores, 128 px."""
    config = _compact(128)
    config.data.focus_size, config.data.val_ratio = 32, 0.2
    training = config.training
    training.epochs, training.val_every_n_epochs, training.save_every_n_epochs = 80, 20, 40
    training.log_images_every_n_epochs = 100
    return config


def laptop_teacher() -> TrainConfig:
    """ResNet-18 and two attention blocks at the size of `laptop`: slow, for small students to learn from."""
    config = _on_laptop()
    model = config.model
    model.encoder_type, model.encoder_backbone = "resnet", "resnet18"
    model.transformer_depth, model.transformer_dim, model.transformer_num_heads = 2, 256, 8
    return config


def laptop_student() -> TrainConfig:
    """Its student: a small MobileNetV3 and a small transformer; trained on two CPU cores, 128 px."""
    config = _on_laptop()
    model = config.model
    model.encoder_type, model.encoder_backbone, model.encoder_stride = "mobilenetv3", "mobilenet_v3_small", 2
    model.transformer_depth, model.transformer_dim, model.transformer_num_heads = 2, 128, 4
    model.transformer_mlp_ratio = 2.0
    return config


def laptop_student_convattn() -> TrainConfig:
    """The same without attention."""
    config = laptop_student()
    config.model.fusion, config.model.bottleneck_channels, config.model.kernel_size = "convattn", 128, 9
    return config


def tiny() -> TrainConfig:
    """The same, narrower: for tests and demonstrations, 64 px."""
    config = _compact(64)
    config.model.compact_channels, config.model.compact_context = [24, 24, 32, 48], 32
    return config


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


def _sized(image: int, output: int) -> TrainConfig:
    config = TrainConfig()
    config.data.image_size, config.data.output_size = (image, image), (output, output)
    return config


def _at_half_resolution() -> TrainConfig:
    config = get_default_config()
    config.model.encoder_stride = 2
    return config


def _mobile(image: int, output: int) -> TrainConfig:
    config = _sized(image, output)
    model = config.model
    model.encoder_type, model.encoder_backbone, model.encoder_stride = "mobilenetv3", "mobilenet_v3_large", 2
    model.transformer_dim, model.transformer_num_heads = 256, 4
    model.transformer_depth, model.transformer_mlp_ratio = 2, 2.0
    config.transform.use_imagenet_stats = True
    return config


def _on_laptop() -> TrainConfig:
    """The data, losses and rates of `laptop`, for networks that are not told what flash photography is."""
    config = laptop()
    model, optimizer = config.model, config.optimizer
    config.data.focus_size, config.data.crop_size, config.data.batch_size = None, 64, 8
    # They are trained briefly: what is dropped at random takes longer to learn
    model.transformer_proj_drop = model.transformer_attn_drop = model.transformer_drop_path_rate = 0.0
    optimizer.g_lr, optimizer.lr_fan_in, optimizer.scheduler_warmup_epochs = 1e-3, None, 1
    return config


def _compact(size: int) -> TrainConfig:
    config = _sized(size, size)
    data, loss, optimizer = config.data, config.loss, config.optimizer
    config.model.encoder_type, config.model.use_gan, loss.w_gan = "compact", False, 0.0
    data.batch_size, data.num_workers = 4, 0
    data.vertical_flip = data.random_rotation = True
    # Roughness and normals are learned last, and show most where light is mirrored.
    loss.w_ssim, loss.w_roughness, loss.w_normal_map, loss.w_normal = 0.0, 2.0, 3.0, 1.0
    loss.w_render, loss.render_lights = 0.25, 1
    optimizer.g_lr, optimizer.lr_fan_in = 4e-3, 48
    optimizer.g_betas, optimizer.g_weight_decay = (0.9, 0.99), 0.01
    optimizer.scheduler_warmup_epochs, optimizer.scheduler_min_lr = 3, 1e-5
    config.training.ema_decay = 0.99
    return config
