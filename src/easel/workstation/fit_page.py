"""The Fit page: a photograph, the field that learns it, and every knob of the fit beside it."""

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from easel.fields.config import FieldConfig
from easel.graphics.files import FileError
from easel.viewer.panel import Panel
from easel.viewer.view import View
from easel.workstation.live_fit import LiveFit
from easel.workstation.photograph import Photograph, load_photograph

FRAME_SECONDS = 1 / 15
"""What a frame aims at when it trains as many steps as fit: long enough to learn, short enough to steer."""
LOG10_NO_DECAY = -9.0
"""Lowest position of the weight decay slider, where it is off."""
OPTIMIZERS: dict[str, Any] = {"Adam": "adam", "SGD": "sgd", "AdamW": "adamw"}
LOSSES: dict[str, Any] = {"MSE": "mse", "L1": "l1", "Huber": "huber"}
ENCODINGS: dict[str, Any] = {"Grid": "grid", "Fourier": "fourier"}
USUAL = {"grid": FieldConfig(), "fourier": FieldConfig(encoding="fourier", hidden=128, layers=4)}
"""The network that is proposed when a person picks an encoding."""
PHOTOGRAPHS = [("Images", "*.png *.jpg *.jpeg *.bmp *.tga *.tif *.tiff *.webp *.hdr"), ("All files", "*.*")]
T = TypeVar("T")
YELLOW, RED, GREEN = (1.0, 0.8, 0.0, 1.0), (1.0, 0.42, 0.38, 1.0), (0.45, 0.85, 0.55, 1.0)


class FitPage:
    """Joins a `LiveFit` to the panels, widgets and canvases of a `View`."""

    def __init__(self, view: View, fit: LiveFit, photograph: Photograph, out: Path, max_size: int) -> None:
        self.view, self.fit, self.photograph, self.out, self.max_size = view, fit, photograph, out, max_size
        self.proposed: FieldConfig = fit.config
        self.paused = False
        self.steps_per_frame = 0
        self.error_gain = 5.0
        self.notice, self.notice_color = "", GREEN
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="open-image")
        self._opening: Future[Photograph] | None = None
        self._advanced_at = time.perf_counter()

        self.controls = view.panel("Controls", side="left", width=0.25)
        self.metrics = view.panel("Metrics", side="bottom", width=0.27)
        error, prediction = view.panel("Error map", side="right", width=0.5), view.panel("Prediction")
        self.prediction_canvas = prediction.canvas("prediction").bind(lambda: self.fit.prediction, live=False)
        self.error_canvas = error.canvas("error map").bind(lambda: self.fit.error_map(self.error_gain), live=False)
        self.controls.on_frame(self.draw_controls)
        self.metrics.on_frame(self.draw_metrics)
        view.on_drop(lambda dropped: self.open(Path(dropped.paths[0])))

    def open(self, path: Path) -> None:
        """Take in another photograph, read beside the loop; the fit begins again when it is there."""
        self._opening = self._loader.submit(load_photograph, path, self.max_size)
        self._say(f"Opening {path.name} ...")

    def advance(self) -> None:
        """The page's share of a frame: train unless paused, and look at the prediction when it is time."""
        self._take_opened()
        left = max(FRAME_SECONDS - (time.perf_counter() - self._advanced_at), FRAME_SECONDS / 4)
        if self.paused or self.fit.finished:
            time.sleep(left)
        else:
            self.fit.advance(steps=self.steps_per_frame, seconds=left)
        self._advanced_at = time.perf_counter()
        self.look(now=self.fit.finished)

    def look(self, *, now: bool = True) -> None:
        """Bring the canvases up to the latest step."""
        if self.fit.look(now=now):
            self._show_anew()

    def close(self) -> None:
        self._loader.shutdown(cancel_futures=True)

    def save(self, prefix: str = "") -> list[Path]:
        """Write both canvases as they are shown into the out folder; returns the files."""
        files = [self.out / f"{prefix}prediction.png", self.out / f"{prefix}error.png"]
        self.prediction_canvas.save(files[0])
        self.error_canvas.save(files[1])
        return files

    def _show_anew(self) -> None:
        self.prediction_canvas.refresh()
        self.error_canvas.refresh()

    # Controls

    def draw_controls(self) -> None:
        self._draw_image()
        self._draw_optimization()
        self._draw_architecture()
        self._draw_run()
        if self.notice:
            self.controls.text_wrapped(self.notice, color=self.notice_color)

    def _draw_image(self) -> None:
        height, width, _ = self.fit.picture.shape
        self.controls.text(f"{self.photograph.name}  {width} x {height}")
        path = self.controls.file_dialog("Open Image...", title="Open a photograph", filters=PHOTOGRAPHS)
        if path:
            self.open(Path(path))

    def _take_opened(self) -> None:
        if self._opening is None or not self._opening.done():
            return
        opening, self._opening = self._opening, None
        try:
            self.photograph = opening.result()
        except (FileError, OSError) as error:
            self._say(str(error), RED)
            return
        self.fit.restart(picture=self.photograph.picture.to(self.fit.picture.device))
        self._say("; ".join(self.photograph.notes))
        self._show_anew()

    def _draw_optimization(self) -> None:
        controls, knobs = self.controls, self.fit.knobs
        controls.section("Optimization")
        rate = controls.slider(
            "log10(LR)",
            -5.0,
            -1.0,
            default=math.log10(knobs.lr),
            format=f"%.2f  ({knobs.lr:.1e})",
            help="Learning rate; acts at the next step.",
        )
        knobs.lr = 10**rate
        knobs.optimizer = _choose(
            controls, "Optimizer", OPTIMIZERS, knobs.optimizer, "A change keeps the weights and forgets the momentum."
        )
        decay = controls.slider(
            "log10(WD)",
            LOG10_NO_DECAY,
            -2.0,
            default=math.log10(knobs.weight_decay) if knobs.weight_decay else LOG10_NO_DECAY,
            format=f"%.2f  ({knobs.weight_decay:.1e})" if knobs.weight_decay else "off",
            help="Weight decay; acts at the next step, off at the left end.",
        )
        knobs.weight_decay = 10**decay if decay > LOG10_NO_DECAY else 0.0
        knobs.loss = _choose(controls, "Loss", LOSSES, knobs.loss, "What a step makes smaller.")

    def _draw_architecture(self) -> None:
        controls, proposed = self.controls, self.proposed
        controls.section("Network")
        encoding = _choose(controls, "Encoding", ENCODINGS, proposed.encoding, "How coordinates enter the network.")
        if encoding != proposed.encoding:
            proposed = USUAL[encoding]
            controls.set("Hidden", proposed.hidden)
            controls.set("Layers", proposed.layers)
        proposed = replace(
            proposed,
            hidden=controls.slider_int("Hidden", 32, 256, default=proposed.hidden, help="Width of every hidden layer."),
            layers=controls.slider_int(
                "Layers", 2, 8, default=proposed.layers, help="Linear layers, the last included."
            ),
        )
        if encoding == "fourier":
            levels = controls.slider_int(
                "PE Levels", 0, 10, default=proposed.fourier_levels, help="0: bare coordinates."
            )
            proposed = replace(proposed, fourier_levels=levels)
        self.proposed = proposed
        controls.text(f"{self.fit.field.size:,} parameters")
        if proposed != self.fit.config:
            controls.text_colored(*YELLOW, "Architecture changed!")
            if controls.button("Apply & Reset"):
                self._restart(proposed)

    def _draw_run(self) -> None:
        controls, fit = self.controls, self.fit
        controls.section("Run")
        self.steps_per_frame = controls.slider_int(
            "Steps / Frame",
            0,
            256,
            default=0,
            format="%d" if self.steps_per_frame else "auto",
            help="At the left end, as many as keep the window near 15 frames a second.",
        )
        self.paused = controls.checkbox("Pause")
        gain = controls.slider(
            "Error Gain", 1.0, 20.0, default=self.error_gain, format="%.1f", help="An error of 1/gain is dark red."
        )
        if gain != self.error_gain:
            self.error_gain = gain
            self.error_canvas.refresh()
        with controls.row():
            if controls.button("Save Snapshots"):
                files = self.save(f"step-{fit.index:06d}-")
                for file in files:
                    self.view.hand_out(file)
                self._say("Saved " + ", ".join(map(str, files)))
            if controls.button("Reset Model"):
                self._restart()
        controls.progress(
            fit.progress, overlay="done" if fit.finished else "starting ..." if fit.starting else f"step {fit.index:,}"
        )

    def _restart(self, config: FieldConfig | None = None) -> None:
        self.fit.restart(config=config)
        self._show_anew()

    def _say(self, notice: str, color: tuple[float, float, float, float] = GREEN) -> None:
        self.notice, self.notice_color = notice, color

    # Metrics

    def draw_metrics(self) -> None:
        fit, metrics = self.fit, self.metrics
        loss = fit.losses[-1] if fit.losses else math.nan
        metrics.text(
            f"step {fit.index:,}    loss {loss:.6f}    PSNR {fit.psnr:.2f} dB    {fit.steps_per_second:,.0f} it/s"
        )
        metrics.plot(fit.losses, label="##loss", overlay=f"loss {loss:.6f}", height=70)
        metrics.plot(fit.psnrs, label="##psnr", overlay=f"PSNR {fit.psnr:.2f} dB", height=70)


def _choose(panel: Panel, label: str, values: dict[str, T], current: T, help: str) -> T:
    """A combo over the keys of `values`; takes and returns a value."""
    names = list(values)
    return values[names[panel.combo(label, names, default=list(values.values()).index(current), help=help)]]
