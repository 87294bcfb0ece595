"""A small generator for flash photos, which is told what flash photography is: it trains on a laptop.

The lamp of a phone is beside its lens. Where the camera is known, so is therefore the direction and the distance that
light came from and went back to, at every texel. Of every photo the network is given the *apparent albedo*: the albedo
that a matt, flat sheet would need to look like that. Of all photos together it is given the *slope* that explains how a
texel got brighter and darker between them: photometric stereo (Woodham 1980) in logarithms, where albedo cancels.

What every photo says is pooled over the photos at two scales. Then a U-Net follows, whose blocks are scaled and shifted
by statistics of the whole picture, because how rough or metallic something is shows in its highlights, and holds
elsewhere too. Beside it every texel is read at its own size.
"""

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from easel.graphics.color import linear_to_srgb, srgb_to_linear
from easel.materials.config import TrainConfig
from easel.materials.maps import CHANNELS, MAP_NAMES
from easel.materials.models.codes import texel_positions
from easel.materials.models.layers import Norm, Padding, convolution, normalisation, upsample
from easel.materials.models.pooling import mean_and_maximum, shown_share

PHOTO_CUES, JOINT_CUES = 20, 12
"""Channels of `Cues`."""
STRAIGHT_ABOVE = (0.0, 0.0, 1.2)
"""Where a camera is taken to be that is not known: where `easel materials render` has it on average."""
WHITE_CARD = 0.85
"""How bright an exposed photo shows white paper."""
DARKEST = 0.02
"""Added to apparent albedo before the logarithm: below lies noise."""
SLOPE_NOISE = 0.03
"""Added to the variance of the directions: where they hardly differ, slopes are small."""
STEEPEST = 3.0
"""Slopes beyond are noise."""
COARSEST = 16
"""Texels of the picture in one of the coarsest layer: sides are filled up to a multiple of it."""
LEAST_SURE = 0.02
"""Distance of the first guess of albedo from 0 and 1, where its logit would be infinite."""
ANGLE_STEP_DEGREES, ANGLES = 8.0, 8
"""Between normal and camera: brightness is gathered at that many angles, from 0 on."""
SURROUNDINGS = 9
"""Side in texels of the square that a texel's brightness is compared with."""
FIRST_ANSWER = 0.1
"""How much of what the untrained network says is added to the first guess."""
KINDS = 8
"""Kinds of texels that are told apart."""


@dataclass(frozen=True, eq=False)
class Cues:
    """What photos say before anything is learned."""

    by_photo: Float[Tensor, "b n c h w"]
    """Of every photo: as it is, apparent albedo, where the camera is, and how they differ from one another."""
    joint: Float[Tensor, "b j h w"]
    """Of all together: slope, and the range, mean, minimum and maximum of apparent albedo, as logarithms."""
    gloss: Float[Tensor, "b g h w"]
    """How often each angle to the camera occurs; that times brightness; that times its square."""
    guess: Float[Tensor, "b 3 h w"]
    """The mean of apparent albedo, sRGB."""


class CompactGenerator(nn.Module):
    """Photos of a material → its maps, as `MultiViewPBRGenerator`; any number of photos, in any order."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        model = config.model
        norm, padding = model.norm, model.padding
        fine, middle, coarse, coarsest = model.compact_channels
        context = model.compact_context
        self.photo_stem = nn.Sequential(_conv(4 * PHOTO_CUES, fine, padding), nn.ReLU(), _conv(fine, fine, padding))
        self.photo_down = _conv(fine, middle, padding, stride=2)
        self.photo_block = Block(middle, 0, norm, padding)
        self.join_fine = nn.Conv2d(2 * fine + 4 * JOINT_CUES, fine, 1)
        self.join_middle = nn.Conv2d(2 * middle, middle, 1)
        self.alike = Alike(middle, context)
        self.down = nn.ModuleList(
            nn.ModuleList([Block(width, 0, norm, padding), _conv(width, wider, padding, stride=2)])
            for width, wider in ((middle, coarse), (coarse, coarsest))
        )
        self.bottom = nn.Sequential(Block(coarsest, 0, norm, padding), Block(coarsest, 0, norm, padding))
        self.context = nn.Sequential(
            nn.Linear(3 * coarsest + 2 * middle, 2 * context), nn.ReLU(), nn.Linear(2 * context, context), nn.ReLU()
        )
        self.bottom_out = Block(coarsest, context, norm, padding)
        self.up = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(wider, width, 1), Block(width, context, norm, padding)])
            for wider, width in itertools.pairwise((coarsest, coarse, middle, fine))
        )
        self.last = Block(fine, context, norm, padding)
        self.spread = nn.Conv2d(fine, 2 * fine, 1)
        outputs = sum(CHANNELS) + (len(MAP_NAMES) if model.predict_uncertainty else 0)
        # Half of what normals say is finer than the U-Net's finest layer: it is read off the texels themselves.
        self.texel = nn.Sequential(
            nn.Conv2d(JOINT_CUES + 2 * PHOTO_CUES, fine, 1), nn.ReLU(), _conv(fine, fine, padding), nn.ReLU()
        )
        self.head = nn.Sequential(nn.Conv2d(fine // 2 + fine + JOINT_CUES, 48, 1), nn.ReLU(), nn.Conv2d(48, outputs, 1))
        self.padding: Padding = padding
        self._initialise()

    def forward(self, views: Tensor, valid: Tensor | None = None, cameras: Tensor | None = None) -> dict[str, Tensor]:
        """albedo, roughness, metallic and normal (and log_variance), float32, as `MultiViewPBRGenerator`'s."""
        height, width = views.shape[-2:]
        photos = self._linear(views)
        shown = torch.ones_like(photos[:, :, :1]) if valid is None else valid
        found = cues(photos, shown, cameras)
        filled = Cues(*(_filled(x, self.padding) for x in vars(found).values()))
        answer = self._maps(filled, _filled(shown, self.padding))[..., :height, :width]
        albedo, roughness, metallic, normal, *variance = answer.split([3, 1, 1, 3, answer.shape[1] - 8], dim=1)
        # The slope is right where the material is matt, and much too steep where it shines.
        slope = normal[:, :2] + found.joint[:, :2] * torch.sigmoid(normal[:, 2:] - 1)
        maps = {
            "albedo": torch.sigmoid(albedo + torch.logit(found.guess.clamp(LEAST_SURE, 1 - LEAST_SURE))),
            "roughness": torch.sigmoid(roughness),
            "metallic": torch.sigmoid(metallic - 1),
            "normal": F.normalize(F.pad(slope.float(), (0, 0, 0, 0, 0, 1), value=1.0), dim=1),
        }
        return maps | ({"log_variance": variance[0]} if self.config.model.predict_uncertainty else {})

    def _initialise(self) -> None:
        """Weights under which outputs vary as much as inputs: with torch's own, signals fade with depth."""
        behind_relu = {
            self.photo_stem[2],
            self.photo_down,
            self.alike.facts[2],
            self.context[2],
            self.head[2],
            self.texel[2],
        }
        behind_relu |= {block.first for block in self.modules() if isinstance(block, Block)}
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                gain = math.sqrt(2.0) if layer in behind_relu else 1.0
                nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        for block in (module for module in self.modules() if isinstance(module, Block)):
            nn.init.zeros_(block.second.weight)
            if block.modulate is not None:
                nn.init.zeros_(block.modulate.weight)
        # The first answer is the guess: flat, and of the albedo that the photos show.
        for parameter in self.head[2].parameters():
            parameter.data *= FIRST_ANSWER

    def _linear(self, views: Tensor) -> Float[Tensor, "b n 3 h w"]:
        transform = self.config.transform
        mean, std = (views.new_tensor(values)[:, None, None] for values in (transform.mean, transform.std))
        return srgb_to_linear((views * std + mean).clamp(0, 1))

    def _maps(self, found: Cues, shown: Float[Tensor, "b n 1 h w"]) -> Float[Tensor, "b o h w"]:
        """What is added to the first guess, at the size of the cues."""
        count = found.by_photo.shape[:2]
        halved = F.pixel_unshuffle(found.by_photo.flatten(0, 1), 2).contiguous(memory_format=torch.channels_last)
        fine = F.relu(self.photo_stem(halved))
        middle = self.photo_block(self.photo_down(fine))
        pooled_fine, pooled = (
            mean_and_maximum(x.unflatten(0, count), shown_share(shown, x.shape[-2], x.shape[-1]))
            for x in (fine, middle)
        )
        skips = [self.join_fine(torch.cat([pooled_fine, F.pixel_unshuffle(found.joint, 2)], dim=1))]
        x = self.alike(self.join_middle(pooled), F.avg_pool2d(found.gloss, 4))
        for block, down in (level.children() for level in self.down):
            x = block(x)
            skips.append(x)
            x = down(x)
        x = self.bottom(x)
        context = self.context(torch.cat([x.mean((2, 3)), x.amax((2, 3)), _deviation(x), pooled.mean((2, 3))], dim=1))
        x = self.bottom_out(x, context)
        for level, skip in zip(self.up, reversed(skips), strict=True):
            narrow, block = level.children()
            x = block(upsample(narrow(x), (skip.shape[-2], skip.shape[-1]), self.padding) + skip, context)
        x = F.pixel_shuffle(self.spread(self.last(x, context)), 2)
        texels = self.texel(torch.cat([found.joint, *_moments(found.by_photo, shown)], dim=1))
        return self.head(torch.cat([x, texels, found.joint], dim=1))


class Block(nn.Module):
    """x + two convolutions of its normalised values, which begin as nothing; a context scales and shifts these."""

    def __init__(self, channels: int, context: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        self.norm = normalisation(norm, channels)
        self.first, self.second = _conv(channels, channels, padding), _conv(channels, channels, padding)
        self.modulate = nn.Linear(context, 2 * channels) if context else None

    def forward(
        self, x: Float[Tensor, "b c h w"], context: Float[Tensor, "b k"] | None = None
    ) -> Float[Tensor, "b c h w"]:
        y = self.norm(x)
        if self.modulate is not None:
            scale, shift = self.modulate(context)[..., None, None].chunk(2, dim=1)
            y = y * (1 + scale) + shift
        return x + self.second(F.relu(self.first(F.relu(y))))


class Alike(nn.Module):
    """x + what is known of texels that look alike, wherever they are: a highlight tells how all of them are.

    Texels are divided among a few kinds, each with its share. Of every kind are found the mean of x, and how bright it
    is, and how much that varies, by the angle that it is seen at: a matt one is the same from everywhere.
    """

    def __init__(self, channels: int, facts: int) -> None:
        super().__init__()
        self.share = nn.Conv2d(channels, KINDS, 1)
        self.facts = nn.Sequential(nn.Linear(channels + 3 * ANGLES, 2 * facts), nn.ReLU(), nn.Linear(2 * facts, facts))
        self.tell = nn.Conv2d(facts, channels, 1)

    def forward(self, x: Float[Tensor, "b c h w"], gloss: Float[Tensor, "b g h w"]) -> Float[Tensor, "b c h w"]:
        share = self.share(x).flatten(2).softmax(1)
        size = share.sum(2)[..., None] + 1e-3
        seen, light, squared = torch.einsum("bkp,bgp->bkg", share, gloss.flatten(2)).chunk(3, dim=-1)
        mean = light / (seen + 1e-2)
        deviation = (squared / (seen + 1e-2) - mean.square()).clamp_min(1e-4).sqrt()
        features = torch.einsum("bkp,bcp->bkc", share, x.flatten(2)) / size
        facts = self.facts(torch.cat([features, mean, deviation, seen / size], dim=-1))
        return x + self.tell(torch.einsum("bkp,bkd->bdp", share, facts).unflatten(2, x.shape[-2:]))


def cues(
    photos: Float[Tensor, "b n 3 h w"], shown: Float[Tensor, "b n 1 h w"], cameras: Float[Tensor, "b n 3"] | None
) -> Cues:
    """What linear photos under a flash say."""
    height, width = photos.shape[-2:]
    share = shown / shown.sum(1, keepdim=True).clamp_min(1)
    direction, dimming = _flash(cameras, photos)
    apparent = photos / (WHITE_CARD * dimming)
    bright = torch.log(apparent + DARKEST)
    level = bright.mean(2, keepdim=True)
    slant = direction[:, :, :2] / direction[:, :, 2:]
    known = shown * torch.ones_like(level)

    # Least squares of brightness over slant: log(n·l / l_z) = log(1 + slope·slant) + log n_z
    change = (level - (share * level).sum(1, keepdim=True)) * known
    swing = (slant - (share * slant).sum(1, keepdim=True)) * known
    xx, yy = ((share * swing[:, :, i : i + 1].square()).sum(1) + SLOPE_NOISE / 3 for i in (0, 1))
    xy = (share * swing[:, :, :1] * swing[:, :, 1:]).sum(1)
    x, y = ((share * swing[:, :, i : i + 1] * change).sum(1) for i in (0, 1))
    slope = (torch.cat([yy * x - xy * y, xx * y - xy * x], dim=1) / (xx * yy - xy.square())).clamp(-STEEPEST, STEEPEST)

    angle = torch.rad2deg(torch.acos(direction[:, :, 2:])) / ANGLE_STEP_DEGREES
    near = (1 - (angle - torch.arange(ANGLES, device=angle.device)[:, None, None]).abs()).clamp_min(0)
    gloss = torch.cat([near, near * level, near * level.square()], dim=2)

    around = F.avg_pool2d(level[:, :, 0], SURROUNDINGS, 1, SURROUNDINGS // 2, count_include_pad=False)
    detail = level - around[:, :, None]
    mean = (share * bright).sum(1)
    dark = bright.where(shown > 0, math.inf).amin(1).nan_to_num(posinf=0.0)
    light = bright.where(shown > 0, -math.inf).amax(1).nan_to_num(neginf=0.0)
    by_photo = torch.cat(
        [
            2 * linear_to_srgb(photos) - 1,
            bright / 2,
            2 * slant,
            dimming - 1,
            level - level.mean((3, 4), keepdim=True),
            2 * change,
            8 * change * slant,
            4 * detail,
            8 * detail * slant,
            angle / 4,
            8 * change * swing,
            shown,
        ],
        dim=2,
    )
    joint = torch.cat(
        [slope, light.mean(1, keepdim=True) - dark.mean(1, keepdim=True), mean / 2, dark / 2, light / 2], 1
    )
    assert by_photo.shape[2] == PHOTO_CUES and joint.shape[1:] == (JOINT_CUES, height, width)
    return Cues(by_photo * shown, joint, (gloss * share).sum(1), linear_to_srgb((mean.exp() - DARKEST).clamp(0, 1)))


def _flash(
    cameras: Float[Tensor, "b n 3"] | None, photos: Float[Tensor, "b n 3 h w"]
) -> tuple[Float[Tensor, "b n 3 h w"], Float[Tensor, "b n 1 h w"]]:
    """The direction of camera and flash at every texel, and how much light comes to it against the picture's middle."""
    above = photos.new_tensor(STRAIGHT_ABOVE).expand(*photos.shape[:2], 3)
    cameras = above if cameras is None else cameras.where(cameras.isfinite().all(-1, keepdim=True), above)
    texels = F.pad(texel_positions(photos.shape[-2], photos.shape[-1], photos.device), (0, 1))
    offset = cameras[:, :, None, None] - texels
    squared = offset.square().sum(-1, keepdim=True)
    direction = offset * squared.rsqrt()
    middle = cameras.square().sum(-1)[:, :, None, None, None]
    dimming = middle / squared * direction[..., 2:] / (cameras[:, :, None, None, 2:] * middle.rsqrt())
    return direction.movedim(-1, 2), dimming.movedim(-1, 2).clamp_min(0.05)


def _moments(by_photo: Float[Tensor, "b n c h w"], shown: Float[Tensor, "b n 1 h w"]) -> tuple[Tensor, Tensor]:
    """Mean and deviation over the photos that show a texel, (b, c, h, w)."""
    share = shown / shown.sum(1, keepdim=True).clamp_min(1)
    mean = (share * by_photo).sum(1)
    variance = (share * (by_photo - mean[:, None]).square()).sum(1)
    return mean, (variance + 1e-4).sqrt()


def _conv(inputs: int, outputs: int, padding: Padding, stride: int = 1) -> nn.Conv2d:
    return convolution(inputs, outputs, 3, stride=stride, bias=True, padding=padding)


def _deviation(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
    # The root of nothing has an infinite slope.
    return (x.var((2, 3), correction=0) + 1e-6).sqrt()


def _filled(x: Float[Tensor, "*b h w"], padding: Padding) -> Float[Tensor, "*b h2 w2"]:
    """Below and on the right filled up to a multiple of `COARSEST`: by what is at the edge, or at the opposite one."""
    height, width = x.shape[-2:]
    below, beside = (-length % COARSEST for length in (height, width))
    if not below and not beside:
        return x
    rows, columns = torch.arange(height + below), torch.arange(width + beside)
    if padding == "circular":
        return x[..., rows % height, :][..., columns % width]
    return x[..., rows.clamp_max(height - 1), :][..., columns.clamp_max(width - 1)]
