"""A small generator for flash photos, which is told what flash photography is: it trains on a laptop.

It works at two scales. How rough or metallic something is shows in its highlights, and holds elsewhere too: that is
found out at a quarter of the size, by a U-Net over what `cues` say of all photos, whose blocks are scaled and shifted
by statistics of the whole picture. How a surface slopes shows in every texel by itself and in its neighbours: that is
read at full size, by a few layers that need no more than `REACH` texels around.

What is asked of one texel is the same everywhere, so that while it learns it may be asked for a window only: it sees
whole pictures, and learns from many of them in the time that a few would take.
"""

import itertools
import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from easel.graphics.color import srgb_to_linear
from easel.materials.config import TrainConfig
from easel.materials.maps import CHANNELS, MAP_NAMES, MaterialMaps
from easel.materials.models.cues import ANGLES, JOINT_CUES, PHOTO_CUES, Cues, cues
from easel.materials.models.layers import Norm, Padding, convolution, normalisation, upsample
from easel.materials.models.pooling import mean_and_maximum, shown_share
from easel.materials.tiles import Crop

COARSE = 4
"""Texels of the picture along one of the U-Net's finest layer."""
COARSEST = 16
"""The same of its coarsest layer: sides are filled up to a multiple of it."""
TEXEL_BLOCKS = 3
"""Of two convolutions each, at full size."""
REACH = 2 * TEXEL_BLOCKS
"""Texels around one that these see."""
LEAST_SURE = 0.02
"""Distance of the first guess of albedo from 0 and 1, where its logit would be infinite."""
FIRST_ANSWER = 0.1
"""Share of the untrained network's output that is added to the first guess."""
KINDS = 8
"""Kinds of texels that are told apart."""
HEAD_WIDTH = 64
MAPS = sum(CHANNELS.values())
"""Channels of all maps together."""
LEAST_METALLIC = -1.0
"""Logit that metallic starts from: most materials are no metals."""


class CompactGenerator(nn.Module):
    """Photos of a material → its maps, as `MultiViewPBRGenerator`; any number of photos, in any order."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        model = config.model
        norm = model.norm
        padding = model.padding
        fine, *widths = model.compact_channels
        first = widths[0]
        last = widths[-1]
        context = model.compact_context
        steps = list(itertools.pairwise(widths))
        # At a quarter of the size
        self.look = nn.Sequential(
            _conv(PHOTO_CUES + JOINT_CUES, first, padding), nn.ReLU(), _conv(first, first, padding)
        )
        # Mean and maximum over the photos, and what all photos say together.
        self.join = nn.Conv2d(2 * first + JOINT_CUES, first, 1)
        self.alike = Alike(first, context)
        self.down = nn.ModuleList(
            nn.ModuleList([ModulatedBlock(width, 0, norm, padding), _conv(width, wider, padding, stride=2)])
            for width, wider in steps
        )
        self.bottom = ModulatedBlock(last, 0, norm, padding)
        self.context = nn.Sequential(
            nn.Linear(3 * last + 2 * first, 2 * context), nn.ReLU(), nn.Linear(2 * context, context), nn.ReLU()
        )
        self.bottom_out = ModulatedBlock(last, context, norm, padding)
        self.up = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(wider, width, 1), ModulatedBlock(width, context, norm, padding)])
            for width, wider in reversed(steps)
        )
        self.tell = nn.Conv2d(first, fine, 1)
        # At full size
        self.read = nn.Sequential(nn.Conv2d(PHOTO_CUES + JOINT_CUES, fine, 1), nn.ReLU(), nn.Conv2d(fine, fine, 1))
        self.mix = nn.Conv2d(2 * fine + JOINT_CUES, fine, 1)
        self.texels = nn.ModuleList(
            nn.ModuleList([_conv(fine, fine, padding), _conv(fine, fine, padding)]) for _ in range(TEXEL_BLOCKS)
        )
        outputs = MAPS + len(MAP_NAMES) * model.predict_uncertainty
        # What a texel says, and by what all the rest changes that
        self.head = nn.Sequential(
            nn.Conv2d(fine + JOINT_CUES, HEAD_WIDTH, 1), nn.ReLU(), nn.Conv2d(HEAD_WIDTH, outputs, 1)
        )
        self.correct = nn.Sequential(
            nn.Conv2d(2 * fine + JOINT_CUES, HEAD_WIDTH, 1), nn.ReLU(), nn.Conv2d(HEAD_WIDTH, outputs, 1)
        )
        self.padding: Padding = padding
        self._initialise()

    def forward(
        self, views: Tensor, valid: Tensor | None = None, cameras: Tensor | None = None, window: Crop | None = None
    ) -> dict[str, Tensor]:
        """Return albedo, roughness, metallic and normal (and log_variance), float32, as `MultiViewPBRGenerator`.

        With a `window`, which lies within the picture, that part of them; the rest is looked at all the same.
        """
        window = window or Crop(0, 0, views.shape[-2], views.shape[-1])
        # Light adds up in linear values; sRGB would bend every ratio between photos.
        photos = self._linear(views)
        shown = torch.ones_like(photos[:, :, :1]) if valid is None else valid
        found = cues(photos, shown, cameras)
        answer = self._maps(found, shown, window)
        guess = window.cut(found.guess).clamp(LEAST_SURE, 1 - LEAST_SURE)
        starts = {"albedo": torch.logit(guess), "metallic": LEAST_METALLIC}
        maps = {}
        for name, said in MaterialMaps.split(answer[:, :MAPS]).items():
            if name == "normal":
                # The third channel is not asked: slopes alone, and an upright axis of 1, always face the viewer.
                maps[name] = F.normalize(F.pad(said[:, :2].float(), (0, 0, 0, 0, 0, 1), value=1.0), dim=1)
            else:
                maps[name] = torch.sigmoid(said + starts[name] if name in starts else said)
        if self.config.model.predict_uncertainty:
            maps["log_variance"] = answer[:, MAPS:]
        return maps

    def _initialise(self) -> None:
        """Draw weights that keep the variance of the U-Net's inputs: with torch's own it fades with depth.

        Those at full size stay torch's own, which are smaller: cues have long tails.
        """
        behind_relu = {self.look[2], self.alike.facts[2], self.context[2]}
        behind_relu |= {block.first for block in self.modules() if isinstance(block, ModulatedBlock)}
        for part in (self.look, self.join, self.alike, self.down, self.bottom, self.context, self.bottom_out, self.up):
            for layer in part.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    gain = math.sqrt(2.0) if layer in behind_relu else 1.0
                    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
                    if layer.bias is not None:
                        nn.init.zeros_(layer.bias)
        for block in (module for module in self.modules() if isinstance(module, ModulatedBlock)):
            nn.init.zeros_(block.second.weight)
            if block.modulate is not None:
                nn.init.zeros_(block.modulate.weight)
        # The last convolution of each block starts at 0: the block begins as an identity.
        for block in self.texels:
            nn.init.zeros_(block.get_parameter("1.weight"))
        # The first answer is the guess: flat, and of the albedo that the photos show.
        for parameter in self.head[2].parameters():
            parameter.data *= FIRST_ANSWER
        for parameter in self.correct[2].parameters():
            nn.init.zeros_(parameter)

    def _linear(self, views: Tensor) -> Float[Tensor, "b n 3 h w"]:
        transform = self.config.transform
        mean, std = (views.new_tensor(values)[:, None, None] for values in (transform.mean, transform.std))
        return srgb_to_linear((views * std + mean).clamp(0, 1))

    def _maps(self, found: Cues, shown: Float[Tensor, "b n 1 h w"], window: Crop) -> Float[Tensor, "b o h2 w2"]:
        """Return the logits and slopes that are added to the first guess."""
        count = shown.shape[1]
        each = torch.cat([found.by_photo, found.joint[:, None].expand(-1, count, -1, -1, -1)], dim=2)
        near, inner = _around(window, (shown.shape[-2], shown.shape[-1]), self.padding)
        # The U-Net sees the whole picture; only its result is cut.
        told = near.cut(self._surroundings(each, found, shown))
        # Full size costs most: only the crop and its surroundings are computed there.
        joint = near.cut(found.joint)
        shown = near.cut(shown)
        read = self.read(near.cut(each).flatten(0, 1).contiguous(memory_format=torch.channels_last))
        pooled = mean_and_maximum(F.relu(read).unflatten(0, (-1, count)), shown[:, :, 0])
        x = self.mix(torch.cat([pooled, joint], dim=1))
        for first, second in (block.children() for block in self.texels):
            x = x + second(F.relu(first(F.relu(x))))
        x = torch.cat([F.relu(x), joint], dim=1)
        return inner.cut(self.head(x) + self.correct(torch.cat([x, F.relu(told)], dim=1)))

    def _surroundings(
        self, each: Float[Tensor, "b n c h w"], found: Cues, shown: Float[Tensor, "b n 1 h w"]
    ) -> Float[Tensor, "b c2 h w"]:
        """Compute the features by which the U-Net tells every texel of the others."""
        size = (shown.shape[-2], shown.shape[-1])
        count = each.shape[:2]
        each, joint, gloss, shown = (_filled(x, self.padding) for x in (each, found.joint, found.gloss, shown))
        small = F.avg_pool2d(each.flatten(0, 1), COARSE).contiguous(memory_format=torch.channels_last)
        looks = self.look(small).unflatten(0, count)
        pooled = mean_and_maximum(looks, shown_share(shown, looks.shape[-2], looks.shape[-1]))
        x = self.join(torch.cat([pooled, F.avg_pool2d(joint, COARSE)], dim=1))
        x = self.alike(x, F.avg_pool2d(gloss, COARSE))
        skips = []
        for block, down in (level.children() for level in self.down):
            skips.append(block(x))
            x = down(skips[-1])
        x = self.bottom(x)
        # Mean, maximum and deviation of the whole picture: one number each per channel.
        context = self.context(torch.cat([x.mean((2, 3)), x.amax((2, 3)), _deviation(x), pooled.mean((2, 3))], dim=1))
        x = self.bottom_out(x, context)
        for level, skip in zip(self.up, reversed(skips), strict=True):
            narrow, block = level.children()
            x = block(upsample(narrow(x), (skip.shape[-2], skip.shape[-1]), self.padding) + skip, context)
        x = self.tell(x)
        # Bilinear doublings: one jump by 4 would leave a grid of 4 texels.
        while x.shape[-1] < shown.shape[-1]:
            x = upsample(x, (2 * x.shape[-2], 2 * x.shape[-1]), self.padding)
        return x[..., : size[0], : size[1]]


class ModulatedBlock(nn.Module):
    """x + two convolutions of its normalised values, which begin as nothing; a context scales and shifts these."""

    def __init__(self, channels: int, context: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        self.norm = normalisation(norm, channels)
        self.first = _conv(channels, channels, padding)
        self.second = _conv(channels, channels, padding)
        self.modulate = None
        if context:
            self.modulate = nn.Linear(context, 2 * channels)

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
        # A softmax over texels, so that each kind is a weighted mean over the picture.
        share = self.share(x).flatten(2).softmax(1)
        # 1e-3: a kind without texels has a size of 0.
        size = share.sum(2)[..., None] + 1e-3
        seen, light, squared = torch.einsum("bkp,bgp->bkg", share, gloss.flatten(2)).chunk(3, dim=-1)
        # 1e-2: angles that no texel is seen at would divide by 0.
        mean = light / (seen + 1e-2)
        deviation = (squared / (seen + 1e-2) - mean.square()).clamp_min(1e-4).sqrt()
        features = torch.einsum("bkp,bcp->bkc", share, x.flatten(2)) / size
        facts = self.facts(torch.cat([features, mean, deviation, seen / size], dim=-1))
        return x + self.tell(torch.einsum("bkp,bkd->bdp", share, facts).unflatten(2, x.shape[-2:]))


def _around(window: Crop, size: tuple[int, int], padding: Padding) -> tuple[Crop, Crop]:
    """Return the crop of the picture that it takes to answer for a window, and where the window lies in that."""
    top, height, down = _stretch(window.top, window.height, size[0], padding)
    left, width, right = _stretch(window.left, window.width, size[1], padding)
    return Crop(top, left, height, width), Crop(down, right, window.height, window.width)


def _stretch(start: int, length: int, whole: int, padding: Padding) -> tuple[int, int, int]:
    """Return start and length of what is within `REACH` of a stretch, and where the stretch begins in it."""
    if length + 2 * REACH >= whole:
        return 0, whole, start
    if padding == "circular":
        return (start - REACH) % whole, length + 2 * REACH, REACH
    first = max(start - REACH, 0)
    return first, min(start + length + REACH, whole) - first, start - first


def _conv(inputs: int, outputs: int, padding: Padding, stride: int = 1) -> nn.Conv2d:
    return convolution(inputs, outputs, 3, stride=stride, bias=True, padding=padding)


def _deviation(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
    # The root of nothing has an infinite slope.
    return (x.var((2, 3), correction=0) + 1e-6).sqrt()


def _filled(x: Float[Tensor, "*b h w"], padding: Padding) -> Float[Tensor, "*b h2 w2"]:
    """Pad below and on the right to a multiple of `COARSEST`: by what is at the edge, or at the opposite one."""
    height, width = x.shape[-2:]
    below, beside = (-length % COARSEST for length in (height, width))
    if not below and not beside:
        return x
    rows = torch.arange(height + below)
    columns = torch.arange(width + beside)
    if padding == "circular":
        return x[..., rows % height, :][..., columns % width]
    return x[..., rows.clamp_max(height - 1), :][..., columns.clamp_max(width - 1)]
