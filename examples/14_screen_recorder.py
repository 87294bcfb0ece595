"""Record what you see.

A kaleidoscope turns. Record writes it to kaleidoscope.gif, Record Window the whole window, controls and all, to
window.gif. A film lasts as long as its recording did, however fast the frames came, and is complete even if you close
the window while it records. With .mp4, .webm or .png in place of .gif it has another format.

Without a window it records from the first frame to the last.

tested: 30 frames
writes: kaleidoscope.gif
"""

import math

import torch

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE, FPS = 256, 30
RADIAL_PHASES = torch.tensor([0.0, 2.094, 4.189], device=DEVICE)
ANGULAR_PHASES = torch.tensor([0.0, 1.047, 2.094], device=DEVICE)

axis = torch.linspace(-1, 1, SIZE, device=DEVICE)
y, x = torch.meshgrid(axis, axis, indexing="ij")
radius, angle = torch.hypot(x, y)[..., None], torch.atan2(y, x)[..., None]


def kaleidoscope(t):
    waves = torch.sin(4 * radius + t + RADIAL_PHASES)
    return waves * torch.cos(6 * angle % math.tau + t / 2 + ANGULAR_PHASES) / 2 + 0.5


view = easel.viewer.launch("14 - Screen Recorder", 1024, 700, dt=1 / FPS)
controls = view.panel("Recorder", side="right", width=0.28)
canvas = view.panel("Kaleidoscope").canvas("kaleidoscope").bind(kaleidoscope(0.0))
state = {"t": 0.0, "time": view.time, "since": 0.0}
if view.headless:
    controls.press("Record")


@view.on_frame
def turn():
    # added up: a new speed does not jump
    state["t"] += controls.get("Speed", 2.0) * (view.time - state["time"])
    state["time"] = view.time
    canvas.bind(kaleidoscope(state["t"]))


@controls.on_frame
def draw_controls():
    quality = controls.slider("Quality", 0.0, 1.0, default=0.8)
    controls.slider("Speed", 0.5, 10.0, default=2.0)
    if not canvas.is_recording:
        state["since"] = view.time
    controls.record_button(canvas, "kaleidoscope.gif", fps=FPS, quality=quality)
    controls.record_button(view, "window.gif", fps=FPS, quality=quality, start_label="Record Window")
    if canvas.is_recording:
        controls.text(f"recording: {view.time - state['since']:.1f} s")
    else:
        controls.text("saving" if canvas.is_saving else "ready")
    controls.text(f"{view.fps:.0f} FPS")


@view.on_close
def finish(_):
    for film in (canvas.stop_recording(), view.stop_recording()):
        if film:
            print(f"wrote {film}")


if __name__ == "__main__":
    view.run()
