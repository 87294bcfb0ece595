"""Open a picture, transform it, save what is seen.

The picture below is a function of the one above and of the widgets, recomputed only when one of them changes. A saved
file holds the numbers that are on screen: there is no gamma in between.

tested: 5 frames
"""

from pathlib import Path

import torch
from skimage.data import coffee
from torch import Tensor

import easel

LUMA = torch.tensor([0.299, 0.587, 0.114])
SEPIA = torch.tensor([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
TRANSFORMS = {
    "None": lambda x: x,
    "Horizontal Flip": lambda x: x.flip(1),
    "Vertical Flip": lambda x: x.flip(0),
    "Grayscale": lambda x: (x @ LUMA.to(x))[..., None].expand_as(x),
    "Invert": lambda x: 1 - x,
    "Sepia": lambda x: x @ SEPIA.T.to(x),
}
SAMPLINGS = ("linear", "nearest")


def transformed(picture: Tensor, transform: str, brightness: float, contrast: float) -> Tensor:
    """(H, W, 3) -> the same size, in [0, 1]."""
    return ((TRANSFORMS[transform](picture) - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)


view = easel.viewer.launch("05 - Image Viewer", 1024, 768)
controls = view.panel("Controls", side="left", width=0.28)
original, result = view.panel("Original").canvas("original"), view.panel("Transformed").canvas("transformed")
state = {"name": "coffee.png", "picture": torch.from_numpy(coffee()) / 255}
state |= {"shown": None, "message": "", "failed": False}


def attempt(work, message: str) -> None:
    """Do it and tell that it is done, or else why not."""
    try:
        work()
        state.update(message=message, failed=False)
    except (RuntimeError, OSError) as problem:
        state.update(message=str(problem), failed=True)


def load(path: str) -> None:
    state.update(picture=easel.imread(path, channels=3), name=Path(path).name, shown=None)


@controls.on_frame
def draw_controls():
    opened = controls.file_dialog("Open Image...", filters=[("Images", "*.png *.jpg *.jpeg *.bmp *.tga *.webp")])
    if opened:
        attempt(lambda: load(opened), f"Opened {opened}")
    height, width, _ = state["picture"].shape
    controls.text(f"{state['name']}, {width} x {height}")

    controls.section("Transform")
    transform = list(TRANSFORMS)[controls.combo("Transform", list(TRANSFORMS))]
    brightness = controls.slider("Brightness", -1.0, 1.0, default=0.0)
    contrast = controls.slider("Contrast", 0.0, 3.0, default=1.0)
    original.filter = result.filter = SAMPLINGS[controls.combo("Sampling", SAMPLINGS)]
    settings = transform, brightness, contrast
    if settings != state["shown"]:
        state["shown"] = settings
        original.bind(state["picture"], live=False)
        result.bind(transformed(state["picture"], *settings), live=False)

    controls.section("Save")
    path = controls.input_text("Path", default="transformed.png")
    if controls.button("Save Image"):
        attempt(lambda: result.save(path), f"Saved {path}")
    controls.text_wrapped(state["message"], color=(1, 0.4, 0.4, 1) if state["failed"] else None)


if __name__ == "__main__":
    view.run()
