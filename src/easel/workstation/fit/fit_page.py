"""The Fit page: a photograph, the field that learns it, and every knob of the fit beside it."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from easel.fields.model.config import FieldConfig, Knobs
from easel.graphics.files import FileError, write_json
from easel.graphics.image import as_picture
from easel.graphics.metrics import ssim
from easel.graphics.picture_formats import PICTURE_SUFFIXES
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.pages import Page
from easel.viewer.panels.panel import Panel
from easel.workstation.background import Background
from easel.workstation.fit.live_fit import USUAL_STEPS, End, LiveFit
from easel.workstation.fit.photograph import Photograph, load_photograph
from easel.workstation.options import PageOptions
from easel.workstation.page import PageContext, PageMaker, State, Training, WorkstationPage

FRAME_SECONDS = 1 / 15
"""Aim of a frame that trains as many steps as fit: long enough to learn, short enough to steer."""
BACKGROUND_SECONDS = 1 / 60
"""Time to train in a frame of another page, which is to stay fluent."""
LOG10_NO_DECAY = -9.0
"""Lowest position of the weight decay slider, where it is off."""
OPTIMIZERS: dict[str, Any] = {"Adam": "adam", "SGD": "sgd", "AdamW": "adamw"}
LOSSES: dict[str, Any] = {"MSE": "mse", "L1": "l1", "Huber": "huber"}
ENCODINGS: dict[str, Any] = {"Grid": "grid", "Fourier": "fourier"}
USUAL = {"grid": FieldConfig(), "fourier": FieldConfig(encoding="fourier", hidden=128, layers=4)}
"""The network that is proposed when a person picks an encoding."""
PHOTOGRAPHS = [("Images", " ".join(f"*{suffix}" for suffix in PICTURE_SUFFIXES)), ("All files", "*.*")]
COMPARISONS = {"Off": "", "Wipe": "wipe", "Flicker": "flicker", "Difference": "l1", "FLIP": "flip"}
"""Label → mode of `Canvas.compare` with the photograph; empty for none."""
COMPARE_HELP = "With the photograph. The line of a wipe can be dragged."
LEAST_CURVE = 44.0
"""Height of a curve, in pixels at scale 1."""
HISTORY_BYTES, HISTORY_DISK_BYTES = 128 << 20, 512 << 20
T = TypeVar("T")
Color = tuple[float, float, float, float]
YELLOW: Color = (1.0, 0.8, 0.0, 1.0)
RED: Color = (1.0, 0.42, 0.38, 1.0)
GREEN: Color = (0.45, 0.85, 0.55, 1.0)


class FitPage(WorkstationPage):
    """Joins a `LiveFit` to panels, widgets and canvases."""

    name = "Fit"
    reads_image = True

    def __init__(
        self,
        page: Page,
        fit: LiveFit,
        photograph: Photograph,
        out: Path,
        max_size: int,
        context: PageContext | None = None,
    ) -> None:
        super().__init__(page, out)
        self.fit = fit
        self.photograph = photograph
        self.max_size = max_size
        self.context = context
        self.notes = tuple(f"{photograph.name}: {note}" for note in photograph.notes)
        self.proposed: FieldConfig = fit.config
        """The network that the widgets describe; it takes the place of the present one by "Apply & Reset"."""
        self.paused = False
        self.steps_per_frame = 0
        self.error_gain = 5.0
        self.notice = ""
        self.notice_color = GREEN
        self._loader = Background[Photograph]("open-image")
        self._advanced_at = time.perf_counter()
        self._compared = ""
        """Mode of the comparison with the photograph."""
        self._past_step: int | None = None
        """Step of the history that is shown."""

        self.controls = page.panel("Controls", side="left", width=0.25)
        self.metrics = page.panel("Metrics", side="bottom", width=0.27)
        self.error_panel = page.panel("Error map", side="right", width=0.5)
        self.prediction_panel = page.panel("Prediction")
        # live=False: these canvases convert a new picture when `refresh` says so, not in every frame.
        self.prediction_canvas = self.prediction_panel.canvas("prediction").bind(
            lambda: self.fit.prediction, live=False
        )
        # The error map has no history of its own: it is made anew from the past prediction.
        self.prediction_canvas.keep_history(HISTORY_BYTES, disk_bytes=HISTORY_DISK_BYTES)
        self.error_canvas = self.error_panel.canvas("error map").bind(self._error_map, live=False)
        self._original = Canvas("photograph").bind(lambda: self.fit.picture, live=False)
        self.controls.on_frame(self.draw_controls)
        self.metrics.on_frame(self.draw_metrics)
        self.prediction_panel.on_frame(self.draw_comparison)
        self.error_panel.on_frame(self.draw_gain)

    @classmethod
    def prepare(cls, options: PageOptions) -> PageMaker:
        """Read the photograph that the options name; FileError for a file that is no picture."""
        # Here, not in `make`: an unreadable file is then one line at the terminal and no window.
        photograph = load_photograph(options.image, options.max_size)

        def make(page: Page, context: PageContext) -> FitPage:
            end = End(options.steps, options.seconds, options.psnr)
            if context.headless and end == End():
                # Nobody is there to stop it.
                end = End(steps=USUAL_STEPS)
            device = options.device
            if device == "auto":
                device = "cuda" if torch.cuda.is_available() else "cpu"
            fit = LiveFit(photograph.picture.to(device), FieldConfig(), Knobs(), end, seed=options.seed)
            return cls(page, fit, photograph, options.out, options.max_size, context)

        return make

    def open(self, path: Path) -> bool:
        """Load another photograph in the background; the fit begins again when it is there."""
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            return False
        self._load(path)
        return True

    @property
    def settled(self) -> bool:
        return self.fit.finished

    @property
    def task(self) -> str:
        return f"fitting {self.photograph.name}"

    @property
    def progress(self) -> float:
        return self.fit.progress

    @property
    def summary(self) -> str:
        return self.fit.summary

    def training(self) -> Training:
        return Training(self.fit.field, self.fit.index)

    def state(self) -> State:
        path = self.photograph.path
        return {"photograph": path and str(path)}

    def restore(self, state: State) -> None:
        path = state["photograph"]
        if not isinstance(path, str | None):
            raise TypeError(f"a photograph is a path or null; got {path!r}.")
        if path is not None:
            self._load(Path(path))

    def actions(self) -> dict[str, Callable[[], object]]:
        found: dict[str, Callable[[], object]] = {"Save snapshots": self.save_snapshots, "Reset model": self._restart}
        if self.context is not None:
            found["Look inside"] = self.look_inside
        return found

    def advance(self) -> None:
        """Train unless paused, and render the prediction when it is time."""
        self._take_opened()
        # The rest of the frame, drawing included, has used up a part; a quarter is for training whatever it cost.
        left = max(FRAME_SECONDS - (time.perf_counter() - self._advanced_at), FRAME_SECONDS / 4)
        # Sleeping keeps the frame rate without keeping the processor.
        if self.paused or self.fit.finished:
            time.sleep(left)
        else:
            self.fit.advance(steps=self.steps_per_frame, seconds=left)
        self._advanced_at = time.perf_counter()
        self.look(now=self.fit.finished)
        # The step of the picture that is seen, which may be some steps behind the fit.
        self.page.timeline.step = self.fit.seen_index

    def background(self) -> None:
        """Go on training."""
        self._take_opened()
        if not (self.paused or self.fit.finished):
            self.fit.advance(steps=self.steps_per_frame, seconds=BACKGROUND_SECONDS)

    def look(self, *, now: bool = True) -> None:
        """Bring the canvases up to the latest step."""
        if self.fit.look(now=now):
            self._refresh()

    def look_inside(self) -> None:
        """Show the network on the page for networks."""
        if self.context is not None:
            self.context.look_inside(self.name)

    def close(self) -> None:
        self._loader.close()
        self.fit.close()

    # Files

    def finish(self) -> list[Path]:
        """Write prediction.png, error.png and metrics.json, of the prediction alone and as it is now."""
        # The files show the end of the fit, wherever in its past a person was looking.
        self.page.timeline.live()
        self.prediction_panel.set("Compare", 0)
        self._compare("")
        self.look()
        return [*self.save(), self._save_metrics()]

    def save(self, prefix: str = "") -> list[Path]:
        """Write both canvases as they are shown into the out folder; returns the files."""
        canvases = {f"{prefix}prediction.png": self.prediction_canvas, f"{prefix}error.png": self.error_canvas}
        for name, canvas in canvases.items():
            canvas.save(self.out / name)
        return [self.out / name for name in canvases]

    def save_snapshots(self) -> None:
        """Write both canvases under names that say the step, and hand the files out."""
        files = self.save(f"step-{self.fit.index:06d}-")
        # In a browser the person's disk is another one than the program's.
        for file in files:
            self.page.hand_out(file)
        self._say("Saved " + ", ".join(map(str, files)))

    def _save_metrics(self) -> Path:
        fit = self.fit
        height, width, _ = fit.picture.shape
        metrics: dict[str, object] = {
            "picture": self.photograph.name,
            "image_size": [height, width],
            "psnr": fit.psnr,
            "ssim": ssim(fit.shown, fit.picture).item(),
            "steps": fit.index,
            "seconds": fit.step.seconds if fit.step else 0.0,
            "cpu_seconds": fit.cpu_seconds,
            "parameters": fit.field.size,
            "seed": fit.seed,
            "device": str(fit.picture.device),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }
        if self.context is not None:
            metrics |= {"backend": self.context.backend, "backend_reason": self.context.backend_reason}
        file = self.out / "metrics.json"
        write_json(file, metrics, indent=2)
        return file

    # Canvases

    def draw_comparison(self) -> None:
        """Draw, below the prediction, the comparison with the photograph and the history."""
        with self.prediction_panel.row():
            mode = _choose(self.prediction_panel, "Compare", COMPARISONS, self._compared, COMPARE_HELP)
            past_step = self.prediction_panel.timeline()
        if mode != self._compared:
            self._compare(mode)
        if past_step != self._past_step:
            self._past_step = past_step
            self.error_canvas.refresh()

    def draw_gain(self) -> None:
        """Draw, below the error map, the factor by which errors are enlarged."""
        with self.error_panel.row():
            gain = self.error_panel.slider(
                "Error Gain", 1.0, 20.0, default=self.error_gain, format="%.1f", help="An error of 1/gain is dark red."
            )
        if gain != self.error_gain:
            self.error_gain = gain
            self.error_canvas.refresh()

    def _refresh(self) -> None:
        self.prediction_canvas.refresh()
        self.error_canvas.refresh()

    def _compare(self, mode: str) -> None:
        self._compared = mode
        self.prediction_canvas.compare(self._original if mode else None, mode or "wipe")

    def _error_map(self) -> Tensor:
        """Return the error of what the prediction's canvas shows, which may be a past step."""
        past = self.prediction_canvas.past
        # The past of a photograph before may have another size: it has no error against this one.
        if past is None or past.picture.shape != self.fit.picture.shape:
            return self.fit.error_map(self.error_gain)
        return self.fit.error_map(self.error_gain, as_picture(past.picture).to(self.fit.picture))

    # Photograph

    def _load(self, path: Path) -> None:
        self._loader.start(load_photograph, path, self.max_size)
        self._say(f"Opening {path.name} ...")

    def _take_opened(self) -> None:
        if not self._loader.done:
            return
        try:
            self.photograph = self._loader.result()
        except (FileError, OSError) as error:
            self._say(str(error), RED)
            return
        # A field of another size cannot go on: its grids follow the size of the picture.
        self.fit.restart(picture=self.photograph.picture.to(self.fit.picture.device))
        self._original.refresh()
        self._say("; ".join(self.photograph.notes))
        self._refresh()

    # Controls

    def draw_controls(self) -> None:
        """Draw the widgets of the photograph, the optimization, the network and the run."""
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

    def _draw_optimization(self) -> None:
        controls = self.controls
        knobs = self.fit.knobs
        controls.section("Optimization")
        # Log scale: useful rates span four orders of magnitude.
        knobs.lr = 10 ** controls.slider(
            "log10(LR)",
            -5.0,
            -1.0,
            default=math.log10(knobs.lr),
            format=f"%.2f  ({knobs.lr:.1e})",
            help="Learning rate; acts at the next step.",
        )
        knobs.optimizer = _choose(
            controls, "Optimizer", OPTIMIZERS, knobs.optimizer, "A change keeps the weights and forgets the momentum."
        )
        # The logarithm of no decay at all would be -∞: the left end of the slider stands for it.
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
        controls = self.controls
        proposed = self.proposed
        controls.section("Network")
        encoding = _choose(controls, "Encoding", ENCODINGS, proposed.encoding, "How coordinates enter the network.")
        # A width that suits one encoding is far off for the other.
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
            if self.context is not None and controls.button(
                "Look inside", help="See the network's weights in space, while they learn."
            ):
                self.look_inside()
            controls.text(f"{self.fit.field.size:,} parameters")
        # Only on demand: a slider that is dragged would otherwise throw the fit away at every step.
        if proposed != self.fit.config:
            controls.text_colored(*YELLOW, "Architecture changed!")
            if controls.button("Apply & Reset"):
                self._restart(proposed)

    def _draw_run(self) -> None:
        controls = self.controls
        fit = self.fit
        controls.section("Run")
        self.steps_per_frame = controls.slider_int(
            "Steps / Frame",
            0,
            256,
            default=0,
            # 0 steps would be no fit; the left end stands for as many as fit.
            format="%d" if self.steps_per_frame else "auto",
            help="At the left end, as many as keep the window near 15 frames a second.",
        )
        self.paused = controls.checkbox("Pause")
        with controls.row():
            if controls.button("Save Snapshots"):
                self.save_snapshots()
            if controls.button("Reset Model"):
                self._restart()
        overlay = "starting ..." if fit.starting else f"step {fit.index:,}"
        controls.progress(fit.progress, overlay="done" if fit.finished else overlay)

    def _restart(self, config: FieldConfig | None = None) -> None:
        self.fit.restart(config=config)
        self._refresh()

    def _say(self, notice: str, color: Color = GREEN) -> None:
        self.notice = notice
        self.notice_color = color

    # Metrics

    def draw_metrics(self) -> None:
        """Draw the figures of the fit and the curves of its loss and PSNR."""
        fit = self.fit
        metrics = self.metrics
        loss = fit.losses[-1] if fit.losses else math.nan
        metrics.text(
            f"step {fit.index:,}    loss {loss:.6f}    PSNR {fit.psnr:.2f} dB    {fit.steps_per_second:,.0f} it/s"
        )
        height = self._curve_height()
        metrics.plot(fit.losses, label="##loss", overlay=f"loss {loss:.6f}", height=height)
        metrics.plot(fit.psnrs, label="##psnr", overlay=f"PSNR {fit.psnr:.2f} dB", height=height)

    def _curve_height(self) -> float:
        """Return the height of a curve when both share the room that is free."""
        if not self.metrics.visible:
            return LEAST_CURVE
        style = imgui.get_style()
        free = imgui.get_content_region_avail().y - style.item_spacing.y
        # The panel takes heights at scale 1, Dear ImGui gives pixels of the screen.
        return max(free / 2 / style.font_scale_dpi, LEAST_CURVE)


def _choose(panel: Panel, label: str, values: dict[str, T], current: T, help: str) -> T:
    """Draw a combo over the keys of `values`; takes and returns a value."""
    names = list(values)
    return values[names[panel.combo(label, names, default=list(values.values()).index(current), help=help)]]
