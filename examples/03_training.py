"""Watch a small network learn a photograph.

The left panel shows the photograph, the right one what a network of 4.5 thousand weights makes of it, more of it every
frame. If the picture on the right grows out of the fog, training works: the quickest sanity check there is.

tested: 30 frames
"""

import torch
import torch.nn.functional as F
from skimage.data import astronaut
from torch import nn

import easel
from easel.graphics.image import resize

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE, GOAL = 256, 3000
STEPS = 6 if DEVICE == "cuda" else 1  # a step takes a CPU so long that a second one per frame would be felt

gt = resize(torch.from_numpy(astronaut()).to(DEVICE) / 255, (SIZE, SIZE))
axis = torch.linspace(-1, 1, SIZE, device=DEVICE)
coords = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)
target = gt.reshape(-1, 3)

torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3), nn.Sigmoid()
).to(DEVICE)  # fmt: skip
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

view = easel.viewer.launch("03 - Training", 1280, 760, frames=90)
gt_panel = view.panel("GT", side="left", width=0.5)
info = view.panel("Info", side="bottom", width=0.28)
prediction_panel = view.panel("Prediction")
gt_panel.canvas("gt").bind(gt)
prediction = prediction_panel.canvas("prediction").alloc(SIZE, SIZE, channels=3, device=DEVICE)
state = {"iteration": 0, "loss": 1.0, "ema": 1.0, "steps": STEPS}


@view.on_frame
def train():
    for _ in range(state["steps"]):
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(coords), target)
        loss.backward()
        optimizer.step()
        state["iteration"] += 1
        state["loss"] = loss.item()
        state["ema"] = 0.98 * state["ema"] + 0.02 * state["loss"]
    with torch.no_grad():
        prediction[:] = model(coords).reshape(SIZE, SIZE, 3)


@info.on_frame
def draw_info():
    info.text(
        f"{view.fps:.0f} FPS   iteration {state['iteration']}   loss {state['loss']:.5f}   EMA {state['ema']:.5f}"
    )
    state["steps"] = info.slider_int("Steps / Frame", 1, 32, default=STEPS)
    info.progress(state["iteration"] / GOAL, overlay=f"{state['iteration']} / {GOAL}")


if __name__ == "__main__":
    view.run()
