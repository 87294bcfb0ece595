"""Config of a training run: six small dataclasses of settings, changed by plain assignment and checked by `resolve`.

Standard library only: help texts must not wait for torch.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from easel.graphics.checked_record import Range
from easel.materials.settings import Settings

CHANNELS = {"albedo": 3, "roughness": 1, "metallic": 1, "normal": 3}
"""Maps of a material in the order of every tensor that holds them all → channels of each."""

Count = Annotated[int, Range(1)]
Whole = Annotated[int, Range(0)]
Weight = Annotated[float, Range(0)]
Positive = Annotated[float, Range(0, above=True)]
Share = Annotated[float, Range(0, 1, below=True)]


@dataclass
class DataConfig(Settings):
    """Photos and true maps: their folders, sizes and augmentation."""

    input_dir: str = "./data/input"
    """Folder with clean/, dirty/ and render_metadata.json."""
    output_dir: str = "./data/output"
    """Folder with one folder of maps per material."""
    metadata_path: str | None = None
    """Sample to material; None is render_metadata.json in input_dir."""
    image_size: tuple[int, int] = (2048, 2048)
    """Height and width in pixels at which photos enter the network."""
    output_size: tuple[int, int] = (2048, 2048)
    """Height and width of the maps: image_size, or 2 or 4 times it by super-resolution."""
    crop_size: int | None = None
    """Train on random squares of this many input pixels; None takes whole pictures."""
    focus_size: int | None = None
    """Learn from a random square of this many texels, of which 'compact' sees all that is around; None is from all."""
    cache_mib: Whole = 1024
    """Memory for decoded pictures in MiB, so that an epoch reads no file twice; 0 keeps none."""
    batch_size: Count = 1
    """Samples in a step, of each process."""
    num_workers: Whole = 8
    """Processes that read pictures, at most one per CPU; 0 reads in the training process."""
    pin_memory: bool = True
    """Hand batches to a CUDA device through locked memory."""
    persistent_workers: bool = True
    """Keep the reading processes from epoch to epoch."""
    prefetch_factor: Count = 4
    """Batches that each reading process keeps ready."""
    use_dirty_renders: bool = False
    """Old spelling of render_curriculum 2."""
    render_curriculum: Literal[0, 1, 2] = 0
    """Clean renders alone, what is on disk, or dirty renders alone."""
    strict: bool = False
    """Stop at the first sample that cannot be used, instead of leaving it out."""
    val_ratio: Share = 0.1
    """Share of the materials that are kept for validation."""
    split_seed: int | None = None
    """Chooses which materials those are; None takes training.seed. Students take their teacher's."""
    shards_dir: str | None = None
    """Folder with a teacher's answers, from `easel materials shards`: the network becomes its student."""
    use_augmentation: bool = True
    """Do any of the five below, and cut photos with cameras as if their tile began elsewhere."""
    horizontal_flip: bool = True
    """Mirror left and right, every second time."""
    vertical_flip: bool = False
    """Mirror up and down, every second time."""
    random_rotation: bool = False
    """Turn by a random multiple of 90 degrees."""
    exposure_jitter: float = 0.0
    """Make each photo brighter or darker by up to so many stops."""
    white_balance_jitter: float = 0.0
    """Change red and blue of each photo by up to this share."""
    num_views: Count = 3
    """Photos of a sample that are used."""
    min_views: Count = 1
    """Every step hides a random number of photos but leaves at least this many."""
    rectify: Literal["camera", "match", "corners", "none"] = "camera"
    """Way to bring photos into the frame of the texture: by their stored cameras, by matching with the first, by the
    corners that were marked, or not at all."""


@dataclass
class ModelConfig(Settings):
    """The generator, from photos to maps, and the discriminator."""

    encoder_type: Literal["resnet", "unet", "unet_stride", "mobilenetv3", "compact"] = "resnet"
    """Family of the encoder, which all photos share. unet halves by pooling, unet_stride by strided convolutions."""
    encoder_backbone: Literal[
        "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "mobilenet_v3_large", "mobilenet_v3_small"
    ] = "resnet50"
    """Depth of 'resnet' or size of 'mobilenetv3'."""
    encoder_in_channels: Count = 3
    """Channels of a photo."""
    encoder_stride: Literal[1, 2] = 1
    """Stride of the first convolution: 2 does a quarter of the work. U-Nets have none."""
    encoder_channels: list[int] = field(default_factory=lambda: [64, 128, 256, 512, 1024, 2048])
    """Widths of a U-Net's stages."""
    compact_channels: list[int] = field(default_factory=lambda: [48, 64, 96, 128])
    """Widths of 'compact' at the whole size of the picture, a quarter, an eighth and a sixteenth."""
    compact_context: Count = 64
    """Numbers in which 'compact' sums up the whole picture."""
    weights: str | None = None
    """File with the encoder's weights, named as torchvision names them; None starts from random numbers."""
    freeze_backbone: bool = False
    """Keep the early convolutions as they are: through layer2 of a ResNet, all of a MobileNet."""
    freeze_bn: bool = False
    """Keep the encoder's normalisation as it is: scales, shifts and statistics."""
    norm: Literal["group", "batch", "instance"] = "group"
    """Normalisation of the whole generator. Group does not depend on the batch."""
    padding: Literal["zeros", "circular"] = "zeros"
    """Padding beyond the edge of a picture; circular makes maps that tile."""
    fusion: Literal["vit", "convattn", "pool", "concat"] = "vit"
    """Fusion of the latents of all photos: attention, large convolutions, mean and maximum; or, for comparison,
    the predecessor's attention between all texels of num_views photos, in their order."""
    fusion_attention: Literal["views_windows", "global"] = "views_windows"
    """Attention across the photos at each texel, then within windows of texels; or between all texels of all photos."""
    window_size: Count = 16
    """Side of an attention window in texels of the latent."""
    position_code: bool = True
    """Tell attention where on the picture a texel lies."""
    view_code: bool = True
    """Tell attention where the camera was, when that is known."""
    use_transformer: bool = True
    """False fuses by 'pool', whatever `fusion` says."""
    transformer_dim: Count = 2048
    """Numbers per token."""
    transformer_num_heads: Count = 32
    """Attention heads; they divide transformer_dim."""
    transformer_depth: Count = 4
    """Attention blocks."""
    transformer_mlp_ratio: Positive = 4.0
    """Width of a block's hidden layer, in multiples of transformer_dim."""
    transformer_proj_drop: Share = 0.1
    """Dropout behind attention and in the hidden layer."""
    transformer_attn_drop: Share = 0.1
    """Dropout of attention weights."""
    transformer_drop_path_rate: Share = 0.1
    """Chance that the last block is left out in a step; earlier ones less, the first never."""
    bottleneck_channels: Count = 320
    """Channels of 'convattn'."""
    num_blocks: Count = 3
    """Blocks of 'convattn'."""
    kernel_size: Count = 17
    """Side of the large kernel of 'convattn', odd."""
    decoder_sr_scale: Literal[0, 2, 4] = 0
    """Super-resolution behind the decoder. It follows from the sizes and need not be set."""
    output_channels: list[int] = field(default_factory=lambda: list(CHANNELS.values()))
    """Channels of albedo, roughness, metallic and normal."""
    predict_uncertainty: bool = False
    """Also predict the logarithm of every map's variance."""
    gradient_checkpointing: bool = False
    """Compute activations twice instead of keeping them: less memory, more time."""
    use_gan: bool = True
    """Train a discriminator beside the generator."""
    discriminator_type: Literal["configurable", "simple"] = "configurable"
    """PatchGAN of discriminator_n_layers, or of four convolutions."""
    discriminator_in_channels: int = sum(CHANNELS.values())
    """Channels of all maps together."""
    discriminator_ndf: Count = 64
    """Width of its first layer."""
    discriminator_n_layers: Literal[3, 4, 5, 6] = 6
    """Strided layers: a logit sees 70, 142, 286 or 574 texels."""
    discriminator_norm: Literal["instance", "group"] = "instance"
    """Its normalisation."""
    discriminator_use_sigmoid: bool = False
    """Put its answers into [0, 1], to look at them; training takes logits."""


@dataclass
class LossConfig(Settings):
    """Loss of the generator: each w_… weighs one part of the sum."""

    loss_type: Literal["hybrid", "l1_only"] = "hybrid"
    """All parts, or the L1 of the maps alone."""
    w_l1: Weight = 1.0
    """Mean absolute difference of the maps, each times its own weight below."""
    w_ssim: Weight = 0.3
    """1 − structural similarity of albedo."""
    w_normal: Weight = 0.5
    """1 − cosine of the angle between normals."""
    w_render: Weight = 0.5
    """Difference of the logarithms of both materials rendered under random lights."""
    w_gan: Weight = 0.05
    """Weight of the discriminator's verdict."""
    w_albedo: Weight = 1.0
    """Weight of albedo within L1."""
    w_roughness: Weight = 1.0
    """Weight of roughness within L1."""
    w_metallic: Weight = 1.0
    """Weight of metallic within L1."""
    w_normal_map: Weight = 1.0
    """Weight of normals within L1."""
    w_discriminator: Weight = 1.0
    """Weight of the discriminator's own loss."""
    gan_loss_type: Literal["hinge", "bce"] = "hinge"
    """Loss over the discriminator's logits."""
    render_lights: Count = 2
    """Pairs of light and camera per step, half of them mirrored about the normal of the plane."""
    render_epsilon: Positive = 0.1
    """Radiance that is added before the logarithm, so that darkness does not outweigh all else."""
    distill_temperature: Positive = 4.0
    """Temperature T that softens a teacher's and a student's answers before they are compared."""
    distill_alpha: Share = 0.3
    """Share of the teacher's answer against the truth."""
    lambda_output: Weight = 1.0
    """Weight of the teacher's maps where features are compared as well."""
    lambda_feat: Weight = 0.0
    """Weight of the teacher's features; 0 compares none."""
    extra: dict[str, float] = field(default_factory=dict)
    """More parts: "package.module:function" and its weight."""


@dataclass
class OptimizerConfig(Settings):
    """Optimizers and learning rates: g_… the generator's, d_… the discriminator's."""

    g_optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """SGD has momentum 0.9."""
    g_lr: Positive = 2e-4
    """Learning rate after warmup."""
    g_betas: tuple[float, float] = (0.5, 0.999)
    """β₁ and β₂, the decay of the mean of gradients and of their squares, for adam and adamw."""
    g_weight_decay: float = 1e-4
    """Pull towards zero: taken off the weights by adamw, added to the gradient by the others."""
    d_optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """SGD has momentum 0.9."""
    d_lr: Positive = 2e-4
    """Learning rate after warmup."""
    d_betas: tuple[float, float] = (0.5, 0.999)
    """β₁ and β₂, the decay of the mean of gradients and of their squares, for adam and adamw."""
    d_weight_decay: float = 0.0
    """Pull towards zero: taken off the weights by adamw, added to the gradient by the others."""
    lr_fan_in: Count | None = None
    """Inputs of a layer beyond which it learns slower in proportion; None lets all layers learn alike."""
    scheduler: Literal["cosine", "step", "plateau", "none"] = "cosine"
    """Learning rate after warmup: half a cosine, steps, a step whenever validation stalls, or constant."""
    scheduler_warmup_epochs: Whole = 5
    """Epochs in which the rates rise from a tenth."""
    scheduler_min_lr: float = 1e-6
    """Last rate of the cosine, and the lowest of a plateau."""
    step_size: Count = 30
    """Epochs from step to step."""
    gamma: Positive = 0.1
    """Factor of a step."""
    patience: Whole = 10
    """Validations without progress before a plateau."""
    factor: Positive = 0.5
    """Factor at a plateau."""


@dataclass
class TrainingConfig(Settings):
    """Length, device and files of a run. `batch_size` is at home in `data` and answers here too."""

    epochs: Count = 100
    """Passes through the data."""
    steps: Count | None = None
    """Stop after so many steps, if that is earlier."""
    start_epoch: Whole = 0
    """Count from here."""
    device: str = "auto"
    """auto (CUDA, then MPS, then CPU), cuda, cuda:N, mps or cpu."""
    use_amp: bool = True
    """Half precision where the device is faster with it."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Kind of half precision: auto takes bf16 or fp16 on CUDA, as the device can, and fp32 elsewhere."""
    grad_clip_norm: Weight = 1.0
    """Longest gradient; 0 does not clip."""
    accumulate: Count = 1
    """Batches whose gradients make one step."""
    ema_decay: Share | None = None
    """Also keep a moving average of the weights, which keeps this share in a step."""
    gan_start_epoch: Whole = 5
    """First epoch in which the discriminator has a say."""
    d_steps_per_g_step: Count = 1
    """Steps of the discriminator for one of the generator."""
    val_every_n_epochs: Count = 1
    """Epochs from validation to validation."""
    val_batches: Count | None = None
    """Batches that are validated; None takes all."""
    save_every_n_epochs: Count = 5
    """Epochs from checkpoint to checkpoint."""
    save_best_only: bool = False
    """Write latest and best, and no others."""
    save_pth: bool = True
    """Write a .pth file, which torch.load opens, beside every checkpoint."""
    checkpoint_dir: str = "./checkpoints"
    """Folder for checkpoints and logs."""
    log_every_n_steps: Count = 10
    """Steps from line to line of the log."""
    log_images_every_n_epochs: Count = 5
    """Epochs from picture to picture in TensorBoard."""
    use_tensorboard: bool = True
    """Write TensorBoard files into checkpoint_dir/logs."""
    use_wandb: bool = False
    """Send scalars to Weights & Biases."""
    wandb_project: str = "easel"
    """Project there."""
    wandb_run_name: str | None = None
    """Name of the run there."""
    resume_from: str | None = None
    """Checkpoint to continue."""
    teacher_checkpoint: str | None = None
    """Network to learn from, asked at every step where data.shards_dir has no answers, and for its features."""
    distributed: bool = False
    """Several processes, started by torchrun."""
    seed: int = 42
    """All randomness comes from it."""
    deterministic: bool = False
    """Refuse operations whose results differ from run to run."""
    auto_resize_on_low_vram: bool = True
    """On CUDA devices of up to 16 GB, 1024 pixels in and out instead of more."""

    @property
    def batch_size(self) -> int:
        """`data.batch_size` of the config that this section belongs to."""
        return self._data().batch_size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        self._data().batch_size = size

    def _data(self) -> DataConfig:
        data = vars(self).get("_owner_data")
        if data is None:
            raise AttributeError("a TrainingConfig alone has no batch_size: put it into a TrainConfig, or set data's.")
        return data


@dataclass
class TransformConfig(Settings):
    """Normalisation of photos, never of maps, before the network: (x − mean) / std."""

    mean: list[float] = field(default_factory=lambda: [0.5] * 3)
    """Of each channel."""
    std: list[float] = field(default_factory=lambda: [0.5] * 3)
    """Of each channel."""
    use_imagenet_stats: bool = False
    """Take ImageNet's mean and standard deviation instead, as its encoders were trained with."""


@dataclass
class TrainConfig(Settings):
    """Everything that a run depends on. Assign freely; `resolve` checks the whole once, at the end."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    transform: TransformConfig = field(default_factory=TransformConfig)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if "data" in vars(self) and "training" in vars(self):
            # Past __setattr__, for it is no setting: training.batch_size is data's.
            vars(self.training)["_owner_data"] = self.data

    @staticmethod
    def from_dict(found: Mapping[str, Any]) -> "TrainConfig":
        """Undo `to_dict`; what is missing has its default, what is unknown is a ValueError."""
        config = TrainConfig()
        config.update(found)
        return config

    @property
    def is_student(self) -> bool:
        """True if the network learns from another one, too."""
        return bool(self.data.shards_dir or self.training.teacher_checkpoint)

    @property
    def split_seed(self) -> int:
        """Seed of the choice of validation materials."""
        return self.training.seed if self.data.split_seed is None else self.data.split_seed

    def copy(self) -> "TrainConfig":
        """Return an independent config with the same values."""
        return copy.deepcopy(self)
