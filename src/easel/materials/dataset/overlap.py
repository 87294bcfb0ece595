"""What registered photos have in common, as a picture to look at."""

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import colormap
from easel.graphics.sheet import contact_sheet
from easel.materials.dataset.matching import contrast
from easel.materials.dataset.registration import Registered
from easel.materials.dataset.sample import Sample

STRIPE_PIXELS = 6
"""Half the period of the pattern where a photo shows nothing."""
LARGEST_DEVIATION = 2.0
"""Of local contrast, whose own deviation is 1 in each photo; unrelated photos reach about 1."""


def overlap_picture(sample: Sample | Registered) -> Float[Tensor, "rows columns 3"]:
    """Every photo in the common frame, striped where it shows nothing; below, how they fit.

    The last row is the mean of what is seen; how many photos see each texel, from dark for none to bright for all; and
    how far their local contrast differs, dark where they fit and bright where two that see a texel disagree: there,
    they are not registered, or something stands out of the plane.
    """
    photos, valid = sample.photos.float(), sample.valid.float()
    number, _, height, width = photos.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    stripes = 0.12 + 0.1 * ((x + y) // STRIPE_PIXELS % 2).float()
    shown = [(valid[k] * photos[k] + (1 - valid[k]) * stripes).permute(1, 2, 0) for k in range(number)]
    count = valid.sum(0)
    mean = (photos * valid).sum(0) / count.clamp(min=1)
    mean = torch.where(count > 0, mean, stripes).permute(1, 2, 0)
    local = torch.stack([contrast(photo.mean(0)) for photo in photos])[:, None]
    spread = (local - (local * valid).sum(0) / count.clamp(min=1)).square().mul(valid).sum(0) / count.clamp(min=1)
    rows = [
        *shown,
        *[torch.full_like(mean, 0.08)] * (-number % 3),
        mean,
        colormap(count[0], "viridis", vmin=0, vmax=number),
        colormap(spread[0].sqrt() * (count[0] > 1), "magma", vmin=0, vmax=LARGEST_DEVIATION),
    ]
    return contact_sheet(rows, columns=3)
