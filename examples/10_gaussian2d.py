"""Paint a photograph with a few hundred Gaussians.

Each splat has a place, two sizes, an angle, a colour and an opacity, and all of them learn by gradient descent through
the picture that they make: 3D Gaussian splatting (Kerbl et al. 2023) without the third dimension. The red dots are an
overlay on the screen; they are in no tensor.

tested: 5 frames
"""

import math
from collections import deque

import torch
import torch.nn.functional as F
from skimage.data import chelsea
from torch import Tensor, nn

import easel
from easel.graphics.image import resize

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE, KEPT = 128, 300
STEPS = 4 if DEVICE == "cuda" else 1  # a step takes a CPU so long that a second one per frame would be felt

gt = resize(torch.from_numpy(chelsea()[:, 75:375]).to(DEVICE) / 255, (SIZE, SIZE))


class Splats(nn.Module):
    """Gaussians in the unit square, the first of them in front."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.rand(count, 2))  # x to the right, y down
        self.log_scale = nn.Parameter(torch.full((count, 2), -3.0))
        self.rotation = nn.Parameter(torch.zeros(count))
        self.color = nn.Parameter(torch.randn(count, 3))
        self.opacity = nn.Parameter(torch.zeros(count))

    def forward(self, size: int) -> Tensor:
        """(size, size, 3), over white."""
        axis = (torch.arange(size, device=self.mean.device) + 0.5) / size
        dx = axis[None, :, None] - self.mean[:, 0]
        dy = axis[:, None, None] - self.mean[:, 1]
        # exp(-(a dx² + 2b dx dy + c dy²)): the inverse covariance of a rotated Gaussian, halved.
        cos, sin = self.rotation.cos(), self.rotation.sin()
        p, q = (0.5 * (-2 * self.log_scale).exp()).unbind(-1)
        a, b, c = p * cos**2 + q * sin**2, (p - q) * sin * cos, p * sin**2 + q * cos**2
        alpha = (self.opacity.sigmoid() * (-(a * dx**2 + 2 * b * dx * dy + c * dy**2)).exp()).clamp(max=0.99)
        # How much light gets past the splats in front of each one, and past all of them.
        passed = (1 - alpha).cumprod(dim=-1)
        reaching = F.pad(passed[..., :-1], (1, 0), value=1.0)
        return (reaching * alpha) @ self.color.sigmoid() + passed[..., -1:]


splats: Splats
optimizer: torch.optim.Optimizer
losses, psnrs = deque(maxlen=KEPT), deque(maxlen=KEPT)
state = {"steps": STEPS, "iteration": 0, "log10_rate": -2.3}


def reset(count: int) -> None:
    global splats, optimizer
    splats = Splats(count).to(DEVICE)
    optimizer = torch.optim.Adam(splats.parameters())
    state["iteration"] = 0
    losses.clear()
    psnrs.clear()


torch.manual_seed(0)
reset(200)

view = easel.viewer.launch("10 - Gaussian Splatting in 2D", 1100, 900, frames=20)
controls = view.panel("Controls", side="left", width=0.25)
curves = view.panel("Curves", side="bottom", width=0.28)
target_canvas = view.panel("Target", side="left", width=0.5).canvas("target").bind(gt)
rendering_panel = view.panel("Rendering")
canvas = rendering_panel.canvas("rendering")
rendering = canvas.alloc(SIZE, SIZE, channels=3, device=DEVICE)


@controls.on_frame
def draw_controls():
    for count in (200, 500, 1000):
        if controls.button(f"Reset {count}", width=-1):
            reset(count)
    controls.separator()
    state["log10_rate"] = controls.slider("log10(LR)", -4.0, -1.0, default=-2.3)
    state["steps"] = controls.slider_int("Steps / Frame", 1, 16, default=STEPS)
    controls.checkbox("Show Centers", default=True)
    controls.text(f"{len(splats.mean)} splats, iteration {state['iteration']}")


@view.on_frame
def train():
    optimizer.param_groups[0]["lr"] = 10 ** state["log10_rate"]
    for _ in range(state["steps"]):
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(splats(SIZE), gt)
        loss.backward()
        optimizer.step()
        state["iteration"] += 1
        losses.append(loss.item())
    with torch.no_grad():
        rendering[:] = splats(SIZE)
    psnrs.append(-10 * math.log10(max(F.mse_loss(rendering, gt).item(), 1e-10)))


@rendering_panel.on_frame
def draw_centers():
    if canvas.rectangle and controls.get("Show Centers"):
        left, top, width, height = canvas.rectangle
        visible = splats.mean.detach()[splats.opacity.sigmoid() > 0.1]
        for x, y in visible.cpu().tolist():
            if 0 <= x <= 1 and 0 <= y <= 1:
                easel.ui.draw_circle_filled(left + x * width, top + y * height, 2.0, easel.ui.col32(255, 50, 50))


@curves.on_frame
def draw_curves():
    loss, psnr = (losses[-1], psnrs[-1]) if psnrs else (math.nan, math.nan)
    curves.plot(losses, label="##loss", overlay=f"loss {loss:.5f}", height=90)
    curves.plot(psnrs, label="##psnr", overlay=f"PSNR {psnr:.2f} dB", height=90)


if __name__ == "__main__":
    view.run()
