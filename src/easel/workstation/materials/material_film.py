"""A material as one picture, and as a film that turns it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from easel.graphics.image import resize
from easel.graphics.video import VideoWriter
from easel.materials.maps import MAP_NAMES, MaterialMaps
from easel.workstation.materials.material_view import MaterialView, Stage

GAP = 12
PAPER = 0.08
FRAMES_PER_SECOND = 24
FRAMES = 72
"""Of one turn."""


def poster(
    ball: Float[Tensor, "side side 3"], plane: Float[Tensor, "side side 3"], maps: MaterialMaps
) -> Float[Tensor, "h w 3"]:
    """Ball and plane beside each other, and the four maps below."""
    top = beside([ball, plane])
    small = (top.shape[1] - 3 * GAP) // 4
    row = beside([resize(maps.picture(name).float(), (small, small)) for name in MAP_NAMES])
    row = pad(row, (0, 0, 0, top.shape[1] - row.shape[1]), value=PAPER)
    sheet = torch.cat([top, torch.full((GAP, top.shape[1], 3), PAPER), row])
    return pad(sheet, (0, 0, GAP, GAP, GAP, GAP), value=PAPER)


def beside(pictures: Sequence[Float[Tensor, "h w 3"]]) -> Float[Tensor, "h w2 3"]:
    """Pictures of one height in a row."""
    gap = torch.full((len(pictures[0]), GAP, 3), PAPER)
    return torch.cat([part for picture in pictures for part in (gap, picture)][1:], dim=1)


def turntable(
    material: MaterialView, stage: Stage, frames: int = FRAMES, side: int = 320
) -> Iterator[Float[Tensor, "h w 3"]]:
    """Ball and plane, all the way around; the lamp stays where it is in the picture."""
    for frame in range(frames):
        turn = (stage.turn + 360 * frame / frames + 180) % 360 - 180
        turned = replace(stage, turn=turn)
        yield beside([material.ball(turned, side), material.plane(turned, side)])


def film(material: MaterialView, stage: Stage, path: Path, side: int, *, frames: int = FRAMES) -> Path:
    """Write a turntable; the suffix says which kind of film. Returns the path."""
    with VideoWriter(path, fps=FRAMES_PER_SECOND) as writer:
        for picture in turntable(material, stage, frames, side):
            writer.append(picture)
    return path
