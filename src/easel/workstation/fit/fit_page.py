"""The Fit page: a photograph, the field that learns it, and every knob of the fit beside it."""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from easel.fields.model.config import FieldConfig
from easel.graphics.files import FileError
from easel.graphics.image import as_picture
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.page import Page
from easel.viewer.panels.panel import Panel
from easel.workstation.fit.live_fit import LiveFit
from easel.workstation.fit.photograph import Photograph, load_photograph
from easel.workstation.page import State, Training, WorkstationPage

FRAME_SECONDS = 1 / 15
"""What a frame aims at when it trains as many steps as fit: long enough to learn, short enough to steer."""
LOG10_NO_DECAY = -9.0
"""Lowest position of the weight decay slider, where it is off."""
OPTIMIZERS: dict[str, Any] = {"Adam": "adam", "SGD": "sgd", "AdamW": "adamw"}
LOSSES: dict[str, Any] = {"MSE": "mse", "L1": "l1", "Huber": "huber"}
ENCODINGS: dict[str, Any] = {"Grid": "grid", "Fourier": "fourier"}
USUAL = {"grid": FieldConfig(), "fourier": FieldConfig(encoding="fourier", hidden=128, layers=4)}
"""The network that is proposed when a person picks an encoding."""
BACKGROUND_SECONDS = 1 / 60
"""What it trains in a frame of another page, which is to stay fluent."""
KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".tga", ".tif", ".tiff", ".webp", ".hdr")
PHOTOGRAPHS = [("Images", " ".join(f"*{kind}" for kind in KINDS)), ("All files", "*.*")]
COMPARISONS = {"Off": "", "Wipe": "wipe", "Flicker": "flicker", "Difference": "l1", "FLIP": "flip"}
"""With the photograph; what canvases call them."""
COMPARE_HELP = "With the photograph. The line of a wipe can be dragged."
LEAST_CURVE = 44.0
"""Height of a curve, in pixels at scale 1."""
HISTORY_BYTES, HISTORY_DISK_BYTES = 128 << 20, 512 << 20
T = TypeVar("T")
YELLOW, RED, GREEN = (1.0, 0.8, 0.0, 1.0), (1.0, 0.42, 0.38, 1.0), (0.45, 0.85, 0.55, 1.0)


class FitPage(WorkstationPage):
    """Joins a `LiveFit` to panels, widgets and canvases; `look_inside` shows the network that it trains."""

    name = "Fit"

    def __init__(
        self,
        page: Page,
        fit: LiveFit,
        photograph: Photograph,
        out: Path,
        max_size: int,
        look_inside: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(page, out)
        self.fit, self.photograph, self.max_size, self.look_inside = fit, photograph, max_size, look_inside
        self.proposed: FieldConfig = fit.config
        self.paused = False
        self.steps_per_frame = 0
        self.error_gain = 5.0
        self.notice, self.notice_color = "", GREEN
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="open-image")
        self._opening: Future[Photograph] | None = None
        self._advanced_at = time.perf_counter()

        self.controls = page.panel("Controls", side="left", width=0.25)
        self.metrics = page.panel("Metrics", side="bottom", width=0.27)
        self.wrong, self.seen = page.panel("Error map", side="right", width=0.5), page.panel("Prediction")
        self.prediction_canvas = self.seen.canvas("prediction").bind(lambda: self.fit.prediction, live=False)
        self.prediction_canvas.keep_history(HISTORY_BYTES, disk_bytes=HISTORY_DISK_BYTES)
        self.error_canvas = self.wrong.canvas("error map").bind(self._error_map, live=False)
        self._original = Canvas("photograph").bind(lambda: self.fit.picture, live=False)
        self._compared, self._stood_at = "", None
        self.controls.on_frame(self.draw_controls)
        self.metrics.on_frame(self.draw_metrics)
        self.seen.on_frame(self.draw_looks)
        self.wrong.on_frame(self.draw_gain)

    def open(self, path: Path) -> bool:
        """Take in another photograph, read beside the loop; the fit begins again when it is there."""
        if path.suffix.lower() not in KINDS:
            return False
        self._load(path)
        return True

    @property
    def settled(self) -> bool:
        return self.fit.finished

    def training(self) -> Training:
        return Training(self.fit.field, self.fit.index)

    def state(self) -> State:
        return {"photograph": None if self.photograph.path is None else str(self.photograph.path)}

    def restore(self, state: State) -> None:
        path = state["photograph"]
        if not isinstance(path, str | None):
            raise TypeError(f"a photograph is a path or null; got {path!r}.")
        if path is not None:
            self._load(Path(path))

    def actions(self) -> dict[str, Callable[[], object]]:
        inside = {} if self.look_inside is None else {"Look inside": self.look_inside}
        return {"Save snapshots": self.save_snapshots, "Reset model": self._restart, **inside}

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
        self.page.timeline.step = self.fit.seen_index

    def background(self) -> None:
        """Go on training."""
        self._take_opened()
        if not (self.paused or self.fit.finished):
            self.fit.advance(steps=self.steps_per_frame, seconds=BACKGROUND_SECONDS)

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

    def save_snapshots(self) -> None:
        """Write both canvases under names that tell the step, and give them to the person."""
        files = self.save(f"step-{self.fit.index:06d}-")
        for file in files:
            self.page.hand_out(file)
        self._say("Saved " + ", ".join(map(str, files)))

    def _show_anew(self) -> None:
        self.prediction_canvas.refresh()
        self.error_canvas.refresh()

    def show_plain(self) -> None:
        """Show the prediction alone, as it is now: what the files that stay are made from."""
        self.page.timeline.live()
        self.seen.set("Compare", 0)
        self._compare("")
        self.look()

    def _compare(self, mode: str) -> None:
        self._compared = mode
        self.prediction_canvas.compare(self._original if mode else None, mode or "wipe")

    def _error_map(self) -> Tensor:
        """Of what the prediction's canvas shows, which may be past."""
        past = self.prediction_canvas.past
        shown = None if past is None or past.picture.shape != self.fit.picture.shape else as_picture(past.picture)
        return self.fit.error_map(self.error_gain, None if shown is None else shown.to(self.fit.picture))

    def _load(self, path: Path) -> None:
        self._opening = self._loader.submit(load_photograph, path, self.max_size)
        self._say(f"Opening {path.name} ...")

    # Prediction

    def draw_looks(self) -> None:
        """Below the prediction: what it is compared with, and from when it is."""
        with self.seen.row():
            mode = _choose(self.seen, "Compare", COMPARISONS, self._compared, COMPARE_HELP)
            stands_at = self.seen.timeline()
        if mode != self._compared:
            self._compare(mode)
        if stands_at != self._stood_at:
            self._stood_at = stands_at
            self.error_canvas.refresh()

    def draw_gain(self) -> None:
        """Below the error map: how much an error is enlarged."""
        with self.wrong.row():
            gain = self.wrong.slider(
                "Error Gain", 1.0, 20.0, default=self.error_gain, format="%.1f", help="An error of 1/gain is dark red."
            )
        if gain != self.error_gain:
            self.error_gain = gain
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
            self._load(Path(path))

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
        self._original.refresh()
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
        with controls.row():
            if self.look_inside is not None and controls.button(
                "Look inside", help="See the network's weights in space, while they learn."
            ):
                self.look_inside()
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
        with controls.row():
            if controls.button("Save Snapshots"):
                self.save_snapshots()
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
        height = self._curve_height()
        metrics.plot(fit.losses, label="##loss", overlay=f"loss {loss:.6f}", height=height)
        metrics.plot(fit.psnrs, label="##psnr", overlay=f"PSNR {fit.psnr:.2f} dB", height=height)

    def _curve_height(self) -> float:
        """Both curves share what is free."""
        if not self.metrics.visible:
            return LEAST_CURVE
        style = imgui.get_style()
        free = imgui.get_content_region_avail().y - style.item_spacing.y
        return max(free / 2 / style.font_scale_dpi, LEAST_CURVE)


def _choose(panel: Panel, label: str, values: dict[str, T], current: T, help: str) -> T:
    """A combo over the keys of `values`; takes and returns a value."""
    names = list(values)
    return values[names[panel.combo(label, names, default=list(values.values()).index(current), help=help)]]
