"""Cues of flash photos to their material, before anything is learned.

The lamp of a phone is beside its lens. Where the camera is known, so is therefore the direction and the distance that
light came from and went back to, at every texel. Of every photo follows the *apparent albedo*: the albedo that a matt,
flat sheet would need to look like that. Of all photos together follows the *slope* that explains how a texel got
brighter and darker between them: photometric stereo (Woodham 1980) in logarithms, where albedo cancels.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import linear_to_srgb
from easel.materials.models.positional_encoding import texel_positions

PHOTO_CUES, JOINT_CUES = 20, 12
"""Channels of `Cues`."""
STRAIGHT_ABOVE = (0.0, 0.0, 1.2)
"""Position of a camera that is not known: where `easel materials render` has it on average."""
WHITE_CARD = 0.85
"""Brightness of white paper in an exposed photo."""
DARKEST = 0.02
"""Added to apparent albedo before the logarithm: below lies noise."""
SLOPE_NOISE = 0.03
"""Added to the variance of the directions: where they hardly differ, slopes are small."""
STEEPEST = 3.0
"""Slopes beyond are noise."""
ANGLE_STEP_DEGREES, ANGLES = 8.0, 8
"""Between normal and camera: brightness is gathered at that many angles, from 0 on."""
SURROUNDINGS = 9
"""Side in texels of the square that a texel's brightness is compared with."""


@dataclass(frozen=True, eq=False)
class Cues:
    """Facts about photos before anything is learned."""

    by_photo: Float[Tensor, "b n c h w"]
    """Of every photo: as it is, apparent albedo, where the camera is, and how they differ from one another."""
    joint: Float[Tensor, "b j h w"]
    """Of all together: slope, and the range, mean, minimum and maximum of apparent albedo, as logarithms."""
    gloss: Float[Tensor, "b g h w"]
    """Frequency of each angle to the camera; that times brightness; that times its square."""
    guess: Float[Tensor, "b 3 h w"]
    """The mean of apparent albedo, sRGB."""


def cues(
    photos: Float[Tensor, "b n 3 h w"], shown: Float[Tensor, "b n 1 h w"], cameras: Float[Tensor, "b n 3"] | None
) -> Cues:
    """Compute the cues of linear photos under a flash."""
    height, width = photos.shape[-2:]
    # Weights of a mean over the photos that show a texel; they sum to 1 where any does.
    share = shown / shown.sum(1, keepdim=True).clamp_min(1)
    direction, dimming = _flash(cameras, photos)
    # Divided by the light that arrives: what remains is reflectance.
    apparent = photos / (WHITE_CARD * dimming)
    # In logarithms a product of albedo, light and slope is a sum.
    bright = torch.log(apparent + DARKEST)
    level = bright.mean(2, keepdim=True)
    # Tangents of the direction: brightness is linear in them for small slopes.
    slant = direction[:, :, :2] / direction[:, :, 2:]
    known = shown * torch.ones_like(level)

    # Least squares of brightness over slant: log(n·l / l_z) = log(1 + slope·slant) + log n_z
    change = (level - (share * level).sum(1, keepdim=True)) * known
    # By what a whole photo is brighter than the others it was exposed longer, or shows a window of a larger one.
    change = change - known * change.sum((-2, -1), keepdim=True) / known.sum((-2, -1), keepdim=True).clamp_min(1)
    swing = (slant - (share * slant).sum(1, keepdim=True)) * known
    xx, yy = ((share * swing[:, :, i : i + 1].square()).sum(1) + SLOPE_NOISE / 3 for i in (0, 1))
    # The 2 x 2 normal equations of the least squares, solved in closed form below.
    xy = (share * swing[:, :, :1] * swing[:, :, 1:]).sum(1)
    x, y = ((share * swing[:, :, i : i + 1] * change).sum(1) for i in (0, 1))
    slope = (torch.cat([yy * x - xy * y, xx * y - xy * x], dim=1) / (xx * yy - xy.square())).clamp(-STEEPEST, STEEPEST)

    angle = torch.rad2deg(torch.acos(direction[:, :, 2:])) / ANGLE_STEP_DEGREES
    # A triangular histogram: gradients flow between neighbouring bins.
    near = (1 - (angle - torch.arange(ANGLES, device=angle.device)[:, None, None]).abs()).clamp_min(0)
    gloss = torch.cat([near, near * level, near * level.square()], dim=2)

    around = F.avg_pool2d(level[:, :, 0], SURROUNDINGS, 1, SURROUNDINGS // 2, count_include_pad=False)
    detail = level - around[:, :, None]
    # Texels that no photo shows are taken to be like the others
    seen = shown.amax(1)
    mean = (share * bright).sum(1)
    usual = (mean * seen).sum((-2, -1), keepdim=True) / seen.sum((-2, -1), keepdim=True).clamp_min(1)
    mean = mean.where(seen > 0, usual)
    # Hidden photos must be neither darkest nor brightest.
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
    """Return the direction of camera and flash at every texel, and the light there relative to the picture's middle."""
    above = photos.new_tensor(STRAIGHT_ABOVE).expand(*photos.shape[:2], 3)
    cameras = above if cameras is None else cameras.where(cameras.isfinite().all(-1, keepdim=True), above)
    texels = F.pad(texel_positions(photos.shape[-2], photos.shape[-1], photos.device), (0, 1))
    offset = cameras[:, :, None, None] - texels
    squared = offset.square().sum(-1, keepdim=True)
    direction = offset * squared.rsqrt()
    # Relative to the middle of the picture, where the exposure is metered.
    middle = cameras.square().sum(-1)[:, :, None, None, None]
    dimming = middle / squared * direction[..., 2:] / (cameras[:, :, None, None, 2:] * middle.rsqrt())
    return direction.movedim(-1, 2), dimming.movedim(-1, 2).clamp_min(0.05)
