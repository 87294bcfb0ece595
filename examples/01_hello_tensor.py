"""Show a tensor.

A window, a panel in it, a canvas in that, and a tensor bound to the canvas: that is all of it. What the tensor holds is
on screen at every frame, so writing into it is how the picture changes.

tested: 5 frames
"""

import sys

import torch

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE = 256

ramp = torch.linspace(0, 1, SIZE, device=DEVICE)
green, red = torch.meshgrid(ramp, ramp, indexing="ij")  # rows run down, columns to the right
gradient = torch.stack([red, green, torch.full_like(red, 0.3)], dim=-1)

view = easel.View("01 - Hello Tensor", 512, 512, headless="--headless" in sys.argv)
view.panel("Viewer").canvas("gradient").bind(gradient)

if __name__ == "__main__":
    view.run()
