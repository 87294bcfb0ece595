"""See where a prediction is wrong, not only how wrong.

A network learns a photograph; below both, their difference as a heat map. The PSNR belongs to the very prediction on
screen, and the map follows its two settings at once, because it is a function that is called whenever it is drawn.

tested: 5 frames
"""

import math
from collections import deque

import torch
import torch.nn.functional as F
from skimage.data import astronaut
from torch import Tensor, nn

import easel
from easel.graphics.image import resize

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE, GOAL, KEPT = 256, 5000, 300
STEPS = 6 if DEVICE == "cuda" else 1  # a step takes a CPU so long that a second one per frame would be felt
ERRORS = {
    "L1": lambda difference: difference.abs().mean(dim=-1),
    "L2": lambda difference: difference.square().mean(dim=-1).sqrt(),
    "Per-Channel Max": lambda difference: difference.abs().amax(dim=-1),
}

gt = resize(torch.from_numpy(astronaut()).to(DEVICE) / 255, (SIZE, SIZE))
axis = torch.linspace(-1, 1, SIZE, device=DEVICE)
coords = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)

torch.manual_seed(0)
hidden = [part for width in (2, 64, 64) for part in (nn.Linear(width, 64), nn.ReLU())]
model = nn.Sequential(*hidden, nn.Linear(64, 3), nn.Sigmoid()).to(DEVICE)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

view = easel.viewer.launch("08 - GT vs Prediction", 1280, 1000, frames=40)
metrics = view.panel("Metrics", side="right", width=0.28)
error_panel = view.panel("Error", side="bottom", width=0.5)
gt_panel = view.panel("GT", side="left", width=0.5)
gt_panel.canvas("gt").bind(gt)
prediction_canvas = view.panel("Prediction").canvas("prediction")
prediction = prediction_canvas.alloc(SIZE, SIZE, channels=3, device=DEVICE)
state = {"iteration": 0, "steps": STEPS, "mode": "L1", "gain": 5.0}
losses, psnrs = deque(maxlen=KEPT), deque(maxlen=KEPT)


def psnr(predicted: Tensor, true: Tensor) -> float:
    """In decibels; 50 where nothing differs."""
    mse = F.mse_loss(predicted, true).item()
    return -10 * math.log10(mse) if mse > 0 else 50.0


def error_map() -> Tensor:
    error = ERRORS[state["mode"]](prediction - gt)
    return easel.colormap((error * state["gain"]).clamp(0, 1), "turbo", vmin=0, vmax=1)


error_panel.canvas("error").bind(error_map)


@view.on_frame
def train():
    for _ in range(state["steps"]):
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(coords), gt.reshape(-1, 3))
        loss.backward()
        optimizer.step()
        state["iteration"] += 1
        losses.append(loss.item())
    with torch.no_grad():
        prediction[:] = model(coords).reshape(SIZE, SIZE, 3)
    psnrs.append(psnr(prediction, gt))


@metrics.on_frame
def draw_metrics():
    metrics.text(f"{view.fps:.0f} FPS   iteration {state['iteration']}")
    metrics.progress(state["iteration"] / GOAL, overlay=f"{state['iteration']} / {GOAL}")
    metrics.plot(losses, label="##loss", overlay=f"loss {losses[-1]:.5f}")
    metrics.plot(psnrs, label="##psnr", overlay=f"PSNR {psnrs[-1]:.2f} dB")

    metrics.section("Training")
    state["steps"] = metrics.slider_int("Steps / Frame", 1, 32, default=STEPS)
    metrics.section("Error")
    state["mode"] = list(ERRORS)[metrics.combo("Error Mode", list(ERRORS))]
    state["gain"] = metrics.slider("Error Gain", 1.0, 20.0, default=5.0)


if __name__ == "__main__":
    view.run()
