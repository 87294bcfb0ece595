"""A program for the predecessor runs with its import line changed: its calls, its argument order, its loop."""

import os
import subprocess
import sys

PROGRAM = """
import torch
import torch.nn.functional as F
from skimage.data import astronaut

import easel as vultorch

device = "cuda" if torch.cuda.is_available() else "cpu"
gt = F.interpolate(torch.from_numpy(astronaut()).float().div(255).permute(2, 0, 1)[None], (48, 48))[0]
gt = gt.permute(1, 2, 0).contiguous().to(device)
H, W = gt.shape[0], gt.shape[1]
yy, xx = torch.meshgrid(torch.linspace(-1.0, 1.0, H), torch.linspace(-1.0, 1.0, W), indexing="ij")
coords = torch.stack([xx, yy], dim=-1).reshape(-1, 2).to(device)
target = gt.reshape(-1, 3)
model = torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.ReLU(), torch.nn.Linear(64, 3), torch.nn.Sigmoid())
model = model.to(device)
optim = torch.optim.Adam(model.parameters(), lr=2e-2)

view = vultorch.View("03 - Tiny Net Live Training", 640, 400)
left = view.panel("GT")
right = view.panel("Training Output", side="right", width=0.5)
left.canvas("gt").bind(gt)
pred_canvas = right.canvas("pred")
pred_rgba = vultorch.create_tensor(H, W, channels=4, device=device, name="pred", window=view.window)
pred_rgba[:, :, 3] = 1.0
pred_canvas.bind(pred_rgba)
losses = []


@view.on_frame
def train_and_render():
    for _ in range(6):
        optim.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(coords), target)
        loss.backward()
        optim.step()
    losses.append(loss.item())
    with torch.no_grad():
        pred_rgba[:, :, :3] = model(coords).reshape(H, W, 3).clamp_(0, 1)


view.run()
assert len(losses) == 12 and losses[-1] < 0.85 * losses[0], losses
capture = view.capture()
# The picture fills the panel on the right from edge to edge; its mean colour is the prediction's.
seen = capture[150:300, 400:560].mean((0, 1))
assert torch.allclose(seen, pred_rgba[12:36, 12:36, :3].cpu().mean((0, 1)), atol=0.1), seen
"""


def test_live_training(gl, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "EASEL_BACKEND": "headless", "EASEL_MAX_FRAMES": "12"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []
