"""Maps from photos: any number of them, of any size, window by window where the whole would not fit into memory."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn.functional import pad

from easel.graphics.image import as_values
from easel.materials.dataset.sample import normalize
from easel.materials.maps import MaterialMaps, unit_normals
from easel.materials.models.network_files import Trained
from easel.materials.tiles import LEAST_OVERLAP_PIXELS, Crop, Tiling, blend

GRAIN_PIXELS = 32
"""Networks halve a picture up to five times: what they are given is a multiple of this."""
Look = Callable[[Crop], tuple[Tensor, Tensor]]
"""Photos (n, 3, h, w), sRGB in [0, 1], of a window of the frame, and 1 in (n, 1, h, w) where they show it."""
Told = Callable[[float | int], object]
"""Hears which share of the work is done."""


def infer(
    trained: Trained,
    photos: Shaped[Tensor, "n 3 h w"],
    valid: Float[Tensor, "n 1 h w"] | None = None,
    cameras: Float[Tensor, "n 3"] | None = None,
    *,
    tile: int | None = None,
    overlap: int = LEAST_OVERLAP_PIXELS,
    wrap: bool = False,
    progress: Told | None = None,
) -> MaterialMaps:
    """Predict the maps (C, H, W) of a material from photos of one frame: sRGB in [0, 1], or 8 or 16 bits.

    `valid` is 1 where a photo shows the texel (None: everywhere); `cameras` are positions in the picture's frame, x
    right, y up, z towards the viewer, the picture spanning [-½, ½]² (None and NaN: unknown). For the rest see
    `infer_windows`.
    """
    count, _, height, width = photos.shape
    if valid is None:
        valid = torch.ones(count, 1, 1, 1).expand(-1, -1, height, width)
    if cameras is None:
        cameras = torch.full((count, 3), torch.nan)

    def look(window: Crop) -> tuple[Tensor, Tensor]:
        return as_values(window.cut(photos)), window.cut(valid)

    # It has never seen surroundings of another extent.
    tile = tile or usual_tile(trained)
    tiling = Tiling((height, width), tile, min(overlap, tile // 2), wrap)
    return infer_windows(trained, look, cameras, tiling, progress=progress)


@torch.inference_mode()
def infer_windows(
    trained: Trained,
    look: Look,
    cameras: Float[Tensor, "n 3"],
    tiling: Tiling,
    *,
    frame: tuple[int, int] | None = None,
    progress: Told | None = None,
) -> MaterialMaps:
    """Predict the maps (C, H, W), on the CPU, of what is looked at window by window.

    `cameras` are in the frame of a picture of `frame` = (height, width) pixels; None: of the tiling's own size.
    Besides the maps only one window is in memory at a time. Where the network enlarges, the maps are larger than the
    tiling. A tiling that wraps takes the picture as repeating and gives maps without a seam.
    """
    done = 0

    def predict(window: Crop) -> Float[Tensor, "c h w"]:
        nonlocal done
        # Cameras are given in the frame of the window, which is all that the network sees.
        said = ask(trained, *look(window), window.positions(cameras, frame or tiling.size))
        done += 1
        if progress is not None:
            progress(done / len(tiling))
        return said

    # Blended normals are shorter than 1 where windows disagree: made unit again below.
    maps = MaterialMaps.from_tensor(blend(predict, tiling, scale=enlargement(trained)))
    # Row by row and in place: the maps of 4096 x 4096 texels are half a GiB.
    for rows in maps.normal.split(256, dim=-2):
        rows.copy_(unit_normals(rows))
    return maps


def spread_windows(
    trained: Trained,
    look: Look,
    cameras: Float[Tensor, "n 3"],
    tiling: Tiling,
    *,
    frame: tuple[int, int] | None = None,
    progress: Told | None = None,
) -> Float[Tensor, "1 h w"]:
    """Return the standard deviation of the maps when each photo is left out, in the mean over all channels.

    Needs two photos or more. Photos that agree say little new: what differs without one of them rests on it alone.
    """
    count = len(cameras)
    total = torch.zeros(())
    squares = torch.zeros(())
    for hidden in range(count):
        kept = [number for number in range(count) if number != hidden]

        def look_at_rest(window: Crop, kept: list[int] = kept) -> tuple[Tensor, Tensor]:
            photos, valid = look(window)
            return photos[kept], valid[kept]

        def told(share: float | int, hidden: int = hidden) -> None:
            if progress is not None:
                progress((hidden + share) / count)

        maps = infer_windows(trained, look_at_rest, cameras[kept], tiling, frame=frame, progress=told)
        # E[x²] − E[x]²: two running sums instead of all maps in memory.
        values = maps.to_tensor()
        total = total + values / count
        squares = squares + values.square() / count
    # Rounding may leave a little less than nothing where all agree
    return (squares - total.square()).clamp(min=0).sqrt().mean(dim=0, keepdim=True)


def ask(
    trained: Trained, photos: Float[Tensor, "n 3 h w"], valid: Float[Tensor, "n 1 h w"], cameras: Float[Tensor, "n 3"]
) -> Float[Tensor, "c h2 w2"]:
    """Run the network on photos that it takes at once; the answer is on the CPU."""
    height, width = photos.shape[-2:]
    # Edge pixels are repeated, and cut off again: black ones would look like a border of the material.
    room = (0, -width % GRAIN_PIXELS, 0, -height % GRAIN_PIXELS)
    device = device_of(trained)
    transform = trained.config.transform
    views = pad(normalize(photos, valid, transform.mean, transform.std), room, mode="replicate")
    shown = pad(valid, room, mode="replicate")
    answer: Mapping[str, Tensor] = trained.model(
        views[None].to(device), valid=shown[None].to(device), cameras=cameras[None].to(device)
    )
    said = MaterialMaps.join(answer)[0].float().cpu()
    scale = enlargement(trained)
    return said[:, : height * scale, : width * scale]


def device_of(trained: Trained) -> torch.device:
    """Return the device of a network; what runs elsewhere than in torch has no parameters, and counts as the CPU."""
    return next((parameter.device for parameter in trained.model.parameters()), torch.device("cpu"))


def enlargement(trained: Trained) -> int:
    """Return the factor by which the network's maps are larger than its photos."""
    data = trained.config.data
    return max(1, data.output_size[0] // data.image_size[0])


def usual_tile(trained: Trained) -> int:
    """Return the side of a window in pixels: that of the pictures the network learned from."""
    return trained.config.data.crop_size or min(trained.config.data.image_size)
