"""Paint pixels with the mouse.

`canvas.strokes` tells what the hand drew since the last frame, in the pixels of the tensor and without gaps, however
the picture stands on the screen. The left button paints, the right one erases. What is painted is one tensor, what is
shown is another: the grid is laid over a copy and never gets into the painting.

tested: 5 frames
"""

import torch
from torch import Tensor

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE, GRID = 128, 8
ERASE = 1  # the right button

paint = torch.zeros(SIZE, SIZE, 3, device=DEVICE)
painted = torch.zeros(SIZE, SIZE, 1, dtype=torch.bool, device=DEVICE)
x = torch.linspace(-1.5, 1.5, SIZE, device=DEVICE)
y = -x[:, None]
heart = (x**2 + y**2 - 1) ** 3 < x**2 * y**3  # something to begin with: paint over it, or clear it
painted[heart] = True
paint[..., 0], paint[..., 2] = 1.0, 0.3 * (1.5 - y)
on_grid = torch.arange(SIZE, device=DEVICE) % GRID == 0
on_grid = (on_grid[:, None] | on_grid)[..., None]

view = easel.viewer.launch("06 - Pixel Canvas", 900, 700)
controls = view.panel("Brush", side="left", width=0.28)
canvas_panel = view.panel("Canvas")
canvas = canvas_panel.canvas("painting", filter="nearest")
shown = canvas.alloc(SIZE, SIZE, channels=3, device=DEVICE)


def square(x: int, y: int, size: int) -> tuple[slice, slice]:
    """The pixels of a brush at (x, y) that are in the picture."""
    left, top = x - size // 2, y - size // 2
    return slice(max(top, 0), max(top + size, 0)), slice(max(left, 0), max(left + size, 0))


def with_grid(picture: Tensor) -> Tensor:
    return torch.where(on_grid, picture.clamp(0, 0.85) + 0.15, picture)


@controls.on_frame
def draw_controls():
    controls.slider_int("Brush Size", 1, 16, default=4)
    controls.color_picker("Brush Color", default=(1.0, 0.3, 0.1))
    controls.color_picker("Background", default=(0.1, 0.1, 0.1))
    controls.checkbox("Show Grid (8px)")
    if controls.button("Clear", width=-1):
        painted.zero_()
    controls.text("left paints, right erases")
    if canvas.mouse:
        controls.text("pixel {}, {}".format(*map(int, canvas.mouse)))


@canvas_panel.on_frame
def draw():
    color = torch.tensor(controls.get("Brush Color"), device=DEVICE)
    for stroke in canvas.strokes:
        for x, y in stroke.pixels():
            pixels = square(x, y, controls.get("Brush Size"))
            paint[pixels] = color
            painted[pixels] = stroke.button != ERASE
    picture = torch.where(painted, paint, torch.tensor(controls.get("Background"), device=DEVICE))
    shown[:] = with_grid(picture) if controls.get("Show Grid (8px)") else picture


if __name__ == "__main__":
    view.run()
