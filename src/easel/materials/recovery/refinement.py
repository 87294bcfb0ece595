"""Maps brought nearer to the photos that they were made from: inverse rendering, begun where a network ended.

The maps are rendered as the photos were taken, compared with them, and corrected by gradients until both agree. They
move in a space without bounds, logits and the slopes of normals, by the sum of a pyramid of corrections: coarse ones
turn whole areas at once, before fine ones follow single texels, so that highlights do not burn in. What no photo tells
of stays as the network said it: corrections are small and smooth where nothing speaks for them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from easel.materials.maps import CHANNELS, MaterialMaps
from easel.materials.recovery.observation import Observation, guessed_strengths
from easel.materials.rendering.brdf import Surface
from easel.materials.rendering.texture import Texture

BEYOND = 0.05
"""Margin beyond [0, 1] to which maps may move before they are cut: at 0 and 1 themselves a logit could not move."""
STEEPEST = 0.1
"""The smallest z of a normal that is a slope."""
BOUNDED = {name: channels for name, channels in CHANNELS.items() if name != "normal"}
"""Maps in [0, 1] → channels. They are corrected as logits, normals as the two slopes x/z and y/z."""
SPEED = {"normal": 0.5}
"""Step of a map's corrections beside that of the others."""
SMOOTHNESS = {"roughness": 0.01, "metallic": 0.01}
"""Weight of the differences between corrections of neighbouring texels, where it is not `USUAL_SMOOTHNESS`: roughness
and metallic, which show where a highlight happens to fall, are taken to be the same around it."""
USUAL_SMOOTHNESS = 0.002
OUTLIER = 0.01
"""Differences beyond it count by their size, smaller ones by their square: shadows and dust on a lens are far off."""


@dataclass(frozen=True)
class RefinementConfig:
    """Settings of the refinement."""

    steps: int = 100
    """Steps of gradients."""
    pixels: int = 65_536
    """Of all photos together that a step looks at: what bounds memory and time."""
    learning_rate: float | int = 0.05
    """Of Adam; it falls to nothing along half a cosine."""
    levels: int = 6
    """Of the pyramid, each half as large as the last."""
    nearness: float | int = 0.0003
    """Weight of the squares of corrections: how far the network is believed where photos say little."""


STANDARD = RefinementConfig()


@dataclass(frozen=True, eq=False)
class Step:
    """The maps after one step."""

    index: int
    difference: float
    """Mean, in sRGB, of the pixels that the step looked at from those of the photos, before it."""
    maps: MaterialMaps
    """(C, H, W) each."""
    strengths: tuple[Tensor, ...]
    """(groups, 3): the light of every photo as it is taken to be."""


def refine(
    maps: MaterialMaps,
    observations: Sequence[Observation],
    config: RefinementConfig = STANDARD,
    *,
    generator: torch.Generator,
) -> Iterator[Step]:
    """Bring maps (C, H, W) nearer to what was observed; `generator` draws the pixels that a step looks at."""
    start = to_unbounded(maps.detach())
    (height, width) = maps.size
    sizes = [(max(1, height >> level), max(1, width >> level)) for level in range(config.levels)]
    pyramid = [start.new_zeros(len(start), *size, requires_grad=True) for size in sizes]
    known = [guessed_strengths(maps, observation) for observation in observations]
    # Light as exp(gain): strengths stay positive.
    gains = [torch.zeros_like(strengths, requires_grad=True) for strengths in known]
    # Known light is not adjusted: it would take the place of albedo.
    free = [gain for gain, observation in zip(gains, observations, strict=True) if not observation.is_lit_as_told]
    # β₂ = 0.99: the usual 0.999 remembers longer than these runs last.
    optimizer = torch.optim.Adam([*pyramid, *free], lr=config.learning_rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    draws = [_batches(each.shown, config.pixels // len(observations), generator) for each in observations]
    speed = _by_channel(start, SPEED, 1.0)
    smoothness = _by_channel(start, SMOOTHNESS, USUAL_SMOOTHNESS)
    for index in range(config.steps):
        optimizer.zero_grad()
        correction = speed * _summed(pyramid)
        texture = Texture.of(Surface.of(from_unbounded(start + correction)))
        # Photo by photo, up to the texture: what a photo needs for its gradients is gone before the next one
        texels = texture.texels.detach().requires_grad_()
        difference = 0.0
        for observation, strengths, gain, draw in zip(observations, known, gains, draws, strict=True):
            chosen = next(draw)
            rendered = observation.rendered(Texture(texels, texture.sizes), strengths * gain.exp(), chosen)
            away = rendered - observation.seen(chosen)
            ((away.square() + OUTLIER**2).sqrt().mean() / len(observations)).backward()
            difference += away.detach().abs().mean().item() / len(observations)
        prior = config.nearness * correction.square().mean() + (smoothness * _unevenness(correction)).mean()
        # Texel gradients of all photos, and those of the prior, in one pass.
        torch.autograd.backward([texture.texels, prior], [texels.grad, None])
        optimizer.step()
        schedule.step()
        # Rendered from the moved values: the step that is told is the one taken.
        with torch.no_grad():
            refined = from_unbounded(start + speed * _summed(pyramid))
            lit = tuple(strengths * gain.exp() for strengths, gain in zip(known, gains, strict=True))
        yield Step(index, difference, refined, lit)


def carried(maps: MaterialMaps, before: MaterialMaps, after: MaterialMaps) -> MaterialMaps:
    """Apply the corrections that led from `before` to `after` to `maps`, which may be larger than they are."""
    correction = to_unbounded(after) - to_unbounded(before)
    return from_unbounded(to_unbounded(maps) + _resized(correction, maps.size))


def to_unbounded(maps: MaterialMaps) -> Float[Tensor, "c h w"]:
    """Return logits of what lies in [0, 1], and the slopes of normals."""
    bounded = torch.cat([maps[name] for name in BOUNDED]).clamp(0, 1)
    logits = ((bounded + BEYOND) / (1 + 2 * BEYOND)).logit()
    return torch.cat([logits, maps.normal[:2] / maps.normal[2:].clamp(min=STEEPEST)])


def from_unbounded(values: Float[Tensor, "c h w"]) -> MaterialMaps:
    """Undo `to_unbounded`, but for normals that are steeper than it takes them."""
    logits = values[:-2]
    slopes = values[-2:]
    free = logits.sigmoid() * (1 + 2 * BEYOND) - BEYOND
    # Cut, but with the gradient of what is not: what is beyond an end finds its way back.
    bounded = (free + (free.clamp(0, 1) - free).detach()).split(list(BOUNDED.values()))
    upright = torch.cat([slopes, torch.ones_like(slopes[:1])])
    normal = upright / upright.square().sum(0, keepdim=True).sqrt()
    return MaterialMaps(**dict(zip(BOUNDED, bounded, strict=True)), normal=normal)


def _by_channel(like: Tensor, weights: Mapping[str, float], usual: float) -> Float[Tensor, "c 1 1"]:
    """Return the weight of every unbounded channel from those of their maps."""
    widths = BOUNDED | {"normal": 2}
    return like.new_tensor([weights.get(name, usual) for name, width in widths.items() for _ in range(width)])[
        :, None, None
    ]


def _summed(pyramid: Sequence[Float[Tensor, "c _ _"]]) -> Float[Tensor, "c h w"]:
    """Add up the corrections of all levels, at the size of the first."""
    size = pyramid[0].shape[-2], pyramid[0].shape[-1]
    return pyramid[0] + sum(_resized(level, size) for level in pyramid[1:])


def _resized(values: Float[Tensor, "c _ _"], size: tuple[int, int]) -> Float[Tensor, "c h w"]:
    return torch.nn.functional.interpolate(values[None], size, mode="bilinear")[0]


def _unevenness(correction: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
    """Return the total variation of corrections; edges cost no more than slopes. Rudin et al. 1992."""
    # 0.01: where all agree, the root has a gradient
    right, down = ((correction - correction.roll(1, axis)).square() + 0.01**2 for axis in (-1, -2))
    return right.sqrt() + down.sqrt()


def _batches(shown: Int[Tensor, " n"], count: int, generator: torch.Generator) -> Iterator[Int[Tensor, " m"]]:
    """Yield some of the pixels at a time, all of them once before any comes again."""
    while True:
        order = torch.randperm(len(shown), generator=generator).to(shown.device)
        # As even parts: a step that saw a rest of few pixels would follow them as far as others follow many
        for part in order.chunk(math.ceil(len(shown) / count)):
            yield shown[part]
