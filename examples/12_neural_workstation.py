"""A neural rendering workstation in one file.

Fit any picture with a positionally encoded MLP and steer everything while it learns: learning rate, optimizer, loss,
architecture, error gain. The loop belongs to this program: `view.step()` draws the widgets, then the program trains,
then `view.end_step()` shows what came of it. `easel workstation` is this idea grown up.

tested: 8 frames
"""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from skimage.data import astronaut
from torch import Tensor, nn

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE, GOAL, KEPT = 256, 10_000, 500
STEPS = 8 if DEVICE == "cuda" else 1  # a step takes a CPU so long that a second one per frame would be felt
LOSSES = {"MSE": F.mse_loss, "L1": F.l1_loss, "Huber": F.huber_loss}
OPTIMIZERS = {
    "Adam": torch.optim.Adam,
    "SGD": lambda parameters, **settings: torch.optim.SGD(parameters, momentum=0.9, **settings),
    "AdamW": torch.optim.AdamW,
}


def positional_encoding(x: Tensor, levels: int) -> Tensor:
    """[x, sin 2^k·pi·x, cos 2^k·pi·x] for k below `levels`: (N, 2) -> (N, 2 + 4·levels)."""
    angles = (x.unsqueeze(-1) * math.pi * 2.0 ** torch.arange(levels, device=x.device)).flatten(-2)
    return torch.cat([x, angles.sin(), angles.cos()], dim=-1)


def make_model(hidden: int, layers: int, levels: int) -> nn.Module:
    widths = [2 + 4 * levels] + [hidden] * (layers - 1)
    hidden_layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden_layers, nn.Linear(widths[-1], 3), nn.Sigmoid()).to(DEVICE)


def load(path: str) -> Tensor:
    return easel.imread(path, channels=3, size=(SIZE, SIZE), device=DEVICE)


@dataclass
class State:
    photograph: Tensor
    architecture: tuple[int, int, int] = (128, 4, 6)
    name: str = "astronaut"
    iteration: int = 0
    paused: bool = False
    steps: int = STEPS
    gain: float = 5.0
    loss: str = "MSE"
    optimizer: str = "Adam"
    speed: float = 0.0
    counted: tuple[int, float] = (0, 0.0)
    error: str = ""
    losses: deque = field(default_factory=lambda: deque(maxlen=KEPT))
    psnrs: deque = field(default_factory=lambda: deque(maxlen=KEPT))


axis = torch.linspace(-1, 1, SIZE, device=DEVICE)
coords = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)
picture = torch.from_numpy(astronaut()).float().div(255).permute(2, 0, 1)[None]
picture = F.interpolate(picture, (SIZE, SIZE), mode="bilinear", antialias=True)[0].permute(1, 2, 0).contiguous()
S = State(picture.to(DEVICE))
torch.manual_seed(0)
model = make_model(*S.architecture)
optimizer = OPTIMIZERS[S.optimizer](model.parameters(), lr=1e-2, weight_decay=1e-5)

view = easel.viewer.launch("12 - Neural Workstation", 900, 900, frames=12)
controls = view.panel("Controls", side="left", width=0.5)
prediction_panel, error_panel, metrics = view.panel("Prediction"), view.panel("Error Map"), view.panel("Metrics")
prediction_canvas, error_canvas = prediction_panel.canvas("prediction"), error_panel.canvas("error")
prediction = prediction_canvas.alloc(SIZE, SIZE, channels=3, device=DEVICE)
error_map = error_canvas.alloc(SIZE, SIZE, channels=3, device=DEVICE)


def reset(architecture: tuple[int, int, int]) -> None:
    """Fresh weights, fresh moments, empty curves."""
    global model, optimizer
    S.architecture, S.iteration, S.counted = architecture, 0, (0, time.perf_counter())
    S.losses.clear()
    S.psnrs.clear()
    settings = {key: optimizer.param_groups[0][key] for key in ("lr", "weight_decay")}
    model = make_model(*architecture)
    optimizer = OPTIMIZERS[S.optimizer](model.parameters(), **settings)


@controls.on_frame
def draw_controls():
    global optimizer
    path = controls.file_dialog("Open Image...")
    if path:
        try:
            S.photograph, S.name, S.error = load(path), Path(path).name, ""
            reset(S.architecture)
        except RuntimeError as problem:
            S.error = str(problem)
    controls.text(S.name)
    if S.error:
        controls.text_colored(1, 0.4, 0.4, 1, S.error)

    rate = 10 ** controls.slider("log10(LR)", -5.0, -1.0, default=-2.0)
    chosen = list(OPTIMIZERS)[controls.combo("Optimizer", list(OPTIMIZERS))]
    decay = 10 ** controls.slider("log10(WD)", -6.0, -2.0, default=-5.0)
    S.loss = list(LOSSES)[controls.combo("Loss", list(LOSSES))]
    if chosen != S.optimizer:
        S.optimizer, optimizer = chosen, OPTIMIZERS[chosen](model.parameters(), lr=rate)
    optimizer.param_groups[0].update(lr=rate, weight_decay=decay)

    controls.separator()
    proposed = (
        controls.slider_int("Hidden", 32, 256, default=128),
        controls.slider_int("Layers", 2, 8, default=4),
        controls.slider_int("PE Levels", 0, 10, default=6),
    )
    if proposed != S.architecture:
        controls.text_colored(1, 0.8, 0, 1, "Architecture changed!")
        if controls.button("Apply & Reset", width=170):
            reset(proposed)

    controls.separator()
    S.steps = controls.slider_int("Steps / Frame", 1, 64, default=STEPS)
    S.paused = controls.checkbox("Pause Training")
    S.gain = controls.slider("Error Gain", 1.0, 20.0, default=5.0)
    if controls.button("Save Snapshots", width=170):
        prediction_canvas.save("snapshot_pred.png")
        error_canvas.save("snapshot_error.png")
    if controls.button("Reset Model", width=170):
        reset(S.architecture)
    controls.progress(S.iteration / GOAL, overlay=f"{S.iteration} / {GOAL}")
    controls.text(f"{sum(p.numel() for p in model.parameters()):,} parameters")


@metrics.on_frame
def draw_metrics():
    loss, psnr = (S.losses[-1], S.psnrs[-1]) if S.losses else (math.nan, math.nan)
    metrics.text(f"Loss: {loss:.6f}   PSNR: {psnr:.1f} dB   Speed: {S.speed:.0f} it/s")
    metrics.separator()
    metrics.plot(S.losses, label="##loss", overlay=f"loss {loss:.5f}", height=70)
    metrics.plot(S.psnrs, label="##psnr", overlay=f"PSNR {psnr:.1f} dB", height=70)


def train() -> None:
    target = S.photograph.reshape(-1, 3)
    for _ in range(S.steps):
        optimizer.zero_grad(set_to_none=True)
        loss = LOSSES[S.loss](model(positional_encoding(coords, S.architecture[2])), target)
        loss.backward()
        optimizer.step()
        S.iteration += 1
        S.losses.append(loss.item())
    now, (index, since) = time.perf_counter(), S.counted
    if now - since >= 0.5:
        S.speed, S.counted = (S.iteration - index) / (now - since), (S.iteration, now)


@torch.no_grad()
def show() -> None:
    prediction[:] = model(positional_encoding(coords, S.architecture[2])).reshape(SIZE, SIZE, 3)
    difference = prediction - S.photograph
    error_map[:] = easel.colormap(difference.abs().mean(-1), "turbo", vmin=0, vmax=1 / S.gain)
    if not S.paused:
        S.psnrs.append(-10 * math.log10(max(difference.square().mean().item(), 1e-10)))


if __name__ == "__main__":
    while view.step():
        if not S.paused:
            train()
        show()
        view.end_step()
