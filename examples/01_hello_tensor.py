"""Show a tensor.

A window, a panel in it, a canvas in that, and a tensor bound to the canvas: that is all of it. What the tensor holds is
on screen at every frame, so writing into it is how the picture changes.

`launch` is `easel.View` with a command line: `--headless` draws off screen, `--frames N` ends after N frames.

tested: 5 frames
"""

import torch

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE = 256

ramp = torch.linspace(0, 1, SIZE, device=DEVICE)
green, red = torch.meshgrid(ramp, ramp, indexing="ij")  # rows run down, columns to the right
gradient = torch.stack([red, green, torch.full_like(red, 0.3)], dim=-1)

view = easel.viewer.launch("01 - Hello Tensor", 512, 512)
view.panel("Viewer").canvas("gradient").bind(gradient)

if __name__ == "__main__":
    view.run()
