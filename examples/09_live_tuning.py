"""Turn every knob while the network learns.

Learning rate, weight decay, optimizer and loss are read at every step, so they act at the next one; the weights stay
when the optimizer changes. The loop belongs to this program: `view.step()` draws the widgets, the program does its
work, `view.end_step()` shows what came of it.

tested: 5 frames
"""

import math
from collections import deque
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from skimage.data import astronaut
from torch import nn

import easel
from easel.graphics.image import resize

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE, KEPT = 256, 300
STEPS = 6 if DEVICE == "cuda" else 1  # a step takes a CPU so long that a second one per frame would be felt
LOSSES = {"MSE": F.mse_loss, "L1": F.l1_loss, "Huber": F.huber_loss}
OPTIMIZERS = {
    "Adam": torch.optim.Adam,
    "SGD": lambda parameters, **settings: torch.optim.SGD(parameters, momentum=0.9, **settings),
    "AdamW": torch.optim.AdamW,
}

gt = resize(torch.from_numpy(astronaut()).to(DEVICE) / 255, (SIZE, SIZE))
axis = torch.linspace(-1, 1, SIZE, device=DEVICE)
coords = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)


def make_model() -> nn.Module:
    hidden = [part for width in (2, 64, 64) for part in (nn.Linear(width, 64), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(64, 3), nn.Sigmoid()).to(DEVICE)


@dataclass
class State:
    model: nn.Module
    optimizer: torch.optim.Optimizer
    optimizer_name: str = "Adam"
    loss: str = "MSE"
    steps: int = STEPS
    iteration: int = 0
    reset: bool = False
    losses: deque = field(default_factory=lambda: deque(maxlen=KEPT))
    psnrs: deque = field(default_factory=lambda: deque(maxlen=KEPT))


torch.manual_seed(0)
start = make_model()
S = State(start, OPTIMIZERS["Adam"](start.parameters()))

view = easel.viewer.launch("09 - Live Tuning", 1100, 900, frames=40)
controls = view.panel("Controls", side="left", width=0.32)
curves = view.panel("Curves", side="bottom", width=0.3)
controls.canvas("target").bind(gt)
prediction_canvas = view.panel("Prediction").canvas("prediction")
prediction = prediction_canvas.alloc(SIZE, SIZE, channels=3, device=DEVICE)


@controls.on_frame
def draw_controls():
    rate = 10 ** controls.slider("log10(LR)", -5.0, -1.0, default=-2.7)
    controls.text(f"learning rate {rate:.2e}")
    name = list(OPTIMIZERS)[controls.combo("Optimizer", list(OPTIMIZERS))]
    if name != S.optimizer_name:
        S.optimizer_name, S.optimizer = name, OPTIMIZERS[name](S.model.parameters(), lr=rate)
    decay = controls.slider("Weight Decay", 0.0, 0.1, default=0.0, format="%.4f")
    S.optimizer.param_groups[0].update(lr=rate, weight_decay=decay)
    S.loss = list(LOSSES)[controls.combo("Loss", list(LOSSES))]
    S.steps = controls.slider_int("Steps / Frame", 1, 32, default=STEPS)

    controls.separator()
    S.reset = controls.button("Reset Model", width=-1)
    controls.text(f"iteration {S.iteration}, {view.fps:.0f} FPS")


@curves.on_frame
def draw_curves():
    loss, psnr = (S.losses[-1], S.psnrs[-1]) if S.psnrs else (math.nan, math.nan)
    curves.plot(S.losses, label="##loss", overlay=f"{S.loss} {loss:.5f}", height=100)
    curves.plot(S.psnrs, label="##psnr", overlay=f"PSNR {psnr:.2f} dB", height=100)


def reset() -> None:
    """Fresh weights and empty curves; the widgets keep their settings."""
    S.model, S.iteration = make_model(), 0
    settings = {key: S.optimizer.param_groups[0][key] for key in ("lr", "weight_decay")}
    S.optimizer = OPTIMIZERS[S.optimizer_name](S.model.parameters(), **settings)
    S.losses.clear()
    S.psnrs.clear()


def work() -> None:
    """What this program does in a frame, after its widgets and before it is shown."""
    if S.reset:
        reset()
    for _ in range(S.steps):
        S.optimizer.zero_grad(set_to_none=True)
        loss = LOSSES[S.loss](S.model(coords), gt.reshape(-1, 3))
        loss.backward()
        S.optimizer.step()
        S.iteration += 1
        S.losses.append(loss.item())
    with torch.no_grad():
        prediction[:] = S.model(coords).reshape(SIZE, SIZE, 3)
    # Whatever is minimised, quality is told in the same unit.
    S.psnrs.append(-10 * math.log10(max(F.mse_loss(prediction, gt).item(), 1e-10)))


if __name__ == "__main__":
    try:
        while view.step():
            work()
            view.end_step()
    finally:
        view.close()
