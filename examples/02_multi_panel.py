"""Arrange panels, and show one tensor twice.

Panels without a side share the room from top to bottom; one with a side takes its share of the window there. Several
canvases in a panel stand above each other. A tensor may be bound as often as one likes: nothing is copied.

tested: 5 frames
"""

import torch

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE, CHECKER = 128, 32


def only(channel: int, values: torch.Tensor) -> torch.Tensor:
    """(H, W) as a picture in one of the three primary colours."""
    picture = torch.zeros(*values.shape, 3, device=DEVICE)
    picture[..., channel] = values
    return picture


index = torch.arange(SIZE, device=DEVICE)
y, x = torch.meshgrid(index, index, indexing="ij")
pictures = {
    "Red": only(0, x / (SIZE - 1)),
    "Green": only(1, y / (SIZE - 1)),
    "Blue": only(2, (x // CHECKER ^ y // CHECKER) & 1),
}

view = easel.viewer.launch("02 - Multi Panel", 800, 1200)
combined = view.panel("Combined", side="right", width=0.5)
for name, picture in pictures.items():
    view.panel(name).canvas(name).bind(picture)
    combined.canvas(name).bind(picture)

if __name__ == "__main__":
    view.run()
