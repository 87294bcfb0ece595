"""The generator: from photos of a material to its maps."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from easel.materials.config import TrainConfig
from easel.materials.models.convattn import ConvAttnFusion
from easel.materials.models.decoder import Decoder
from easel.materials.models.encoders import build_encoder
from easel.materials.models.fusion import ViTFusion
from easel.materials.models.pooling import PhotoPooling, PoolFusion, shown_share
from easel.materials.models.predecessor import ConcatFusion, MeanOverPhotos
from easel.materials.resolve import checked, fusion_of


class MultiViewPBRGenerator(nn.Module):
    """An encoder that sees every photo alone, a fusion, and a decoder with a head for each map.

    Any number of photos in any order, the same maps. Teachers and students differ by their config alone.
    """

    def __init__(self, config: TrainConfig | Mapping[str, Any]) -> None:
        """Draw random weights; `encoder_weights` reads those of a file. A dict is what a checkpoint holds."""
        super().__init__()
        self.config = checked(config if isinstance(config, TrainConfig) else TrainConfig.from_dict(config))
        model = self.config.model
        self.encoder = build_encoder(model)
        channels = self.encoder.channels
        kind = fusion_of(model)
        if kind == "concat":
            self.fusion = ConcatFusion(channels, self.config.data.num_views, model)
            self.skips = nn.ModuleList(MeanOverPhotos() for _ in self.encoder.skip_channels)
        else:
            makers = {"vit": ViTFusion, "convattn": ConvAttnFusion}
            self.fusion = makers[kind](channels, model) if kind in makers else PoolFusion(channels)
            self.skips = nn.ModuleList(PhotoPooling(width, width) for width in self.encoder.skip_channels)
        self.decoder = Decoder(self.fusion.channels, self.encoder.skip_channels, model)

    def forward(self, views: Tensor, valid: Tensor | None = None, cameras: Tensor | None = None) -> dict[str, Tensor]:
        """Return albedo (b, 3, ·, ·), roughness (b, 1), metallic (b, 1) in [0,1], unit normals (b, 3); all float32.

        `views` (b, n, 3, h, w): normalised photos, as config.transform says. `valid` (b, n, 1, h, w): 1 where a photo
        shows the material, 0 elsewhere; a photo of zeros counts as absent. `cameras` (b, n, 3): where the camera was,
        with the picture spanning [−½, ½]² at z = 0, x to the right, y up; NaN where that is unknown.
        With predict_uncertainty also log_variance (b, 4), a channel for each map.
        """
        latent, features = self.fuse(views, valid, cameras)
        return self.decoder(latent, features)

    def fuse(
        self, views: Tensor, valid: Tensor | None = None, cameras: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Return (latent, features, finest first) of the material: the input of the decoder."""
        # Here, with the names of the caller's arguments, not as a shape error deep inside.
        check_photos(views, valid, cameras, self.config.model.encoder_in_channels)
        # All photos as one batch: the encoder sees each alone.
        b, n = views.shape[:2]
        found, latent = self.encoder(views.flatten(0, 1))
        features = []
        for pool in self.skips:
            # Off the list at once: the features of all photos are the largest tensors there are.
            photos = found.pop(0).unflatten(0, (b, n))
            features.append(pool(photos, None if valid is None else shown_share(valid, *photos.shape[-2:])))
        latent = latent.unflatten(0, (b, n))
        shown = None if valid is None else shown_share(valid, *latent.shape[-2:])
        return self.fusion(latent, shown, cameras), features


def check_photos(views: Tensor, valid: Tensor | None, cameras: Tensor | None, channels: int) -> None:
    """Raise ValueError where shapes do not fit."""
    if views.ndim != 5 or views.shape[2] != channels or views.shape[1] < 1:
        raise ValueError(
            f"views is a batch of photos, (batch, photos, {channels}, height, width); got {tuple(views.shape)}. "
            "One material? Add a batch with x[None]."
        )
    b, n, _, h, w = views.shape
    for name, tensor, shape in (("valid", valid, (b, n, 1, h, w)), ("cameras", cameras, (b, n, 3))):
        if tensor is not None and tuple(tensor.shape) != shape:
            raise ValueError(f"{name} belongs to views {tuple(views.shape)} and is {shape}; got {tuple(tensor.shape)}.")
