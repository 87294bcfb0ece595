"""TrainingPanel: a run that is followed or trained here, its curves, and the datasets to train on."""

from pathlib import Path

from easel.graphics.files import FileError
from easel.materials.config import TrainConfig
from easel.materials.models.network_files import saved_runs
from easel.materials.training.logs import METRICS
from easel.viewer.canvas.recording import free_path
from easel.viewer.imgui.theme import ALARM, QUIET
from easel.viewer.panels.panel import Panel
from easel.workstation.materials.live_run import HeldOutSheet, LiveRun
from easel.workstation.materials.live_training import LiveTraining, TrainingOptions, continued, new_run

CURVES = {
    "train/g_loss": "loss",
    "val/loss": "held-out loss",
    "val/albedo_psnr": "albedo, dB",
    "val/normal_angle_mean": "normals, degrees off",
}
"""Tag in the log → label of its curve."""
FILES = [("Logs and checkpoints", "*.jsonl *.json *.safetensors *.pth"), ("All files", "*.*")]
DATA = [("Datasets", "render_metadata.json"), ("All files", "*.*")]
WHAT_TO_DO = (
    "Open a run to watch it: its metrics.jsonl, or drop its folder here. It may be training elsewhere just now.\n\n"
    "Or open a dataset and train here: `easel materials render --out data` makes one of made-up materials."
)


class TrainingPanel:
    """Joins a `LiveRun`, and a `LiveTraining` where the run is trained here, to the widgets of a panel."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.run: LiveRun | None = None
        self.training: LiveTraining | None = None
        self.data: Path | None = None
        """The dataset's folder, with input/ and output/."""
        self.options = TrainingOptions()
        self.notice = ""
        """The last failure, in one line."""

    @property
    def sheet(self) -> HeldOutSheet | None:
        """The sheet of the run's last checkpoint."""
        return self.run and self.run.sheet

    def take(self, path: Path) -> bool:
        """Take in a run or a dataset; False for what is neither."""
        folder = path if path.is_dir() else path.parent
        # A run that is only beginning has a log and no checkpoint, an old one may have lost its log.
        if path.name == METRICS or (path.is_dir() and ((path / METRICS).exists() or saved_runs(path))):
            self.watch(folder)
            return True
        if path.is_dir() and (path / "input").is_dir() and (path / "output").is_dir():
            self.data = path
            self.notice = ""
            return True
        return False

    def watch(self, folder: Path, config: TrainConfig | None = None) -> None:
        """Follow the run in a folder from now on, and train it here if there is a config; the run before is left."""
        # First the old training: it may be writing into this very folder.
        self.close()
        if config is not None:
            self.training = LiveTraining(config)
        self.run = LiveRun(folder)
        self.notice = ""

    def start(self) -> None:
        """Train on the dataset that is open, and follow that run."""
        assert self.data is not None, "the button is there where a dataset is"
        folder = free_path(self.out / "training")
        self.watch(folder, new_run(self.data, folder, self.options))

    def go_on(self) -> None:
        """Train the run that is followed for more epochs, here."""
        assert self.run is not None, "the button is there where a run is"
        try:
            config = continued(self.run.folder, self.options.epochs)
        except (FileError, ValueError) as error:
            self.notice = str(error)
            return
        self.watch(self.run.folder, config)

    def advance(self) -> None:
        """Let the training go on, and read the files of the run."""
        if self.training is not None:
            self.training.advance()
            # A training that ended well must not take away what was said before.
            self.notice = self.training.problem or self.notice
        if self.run is not None:
            self.run.poll()

    # Widgets

    def draw(self, controls: Panel) -> None:
        """Draw the widgets and the curves into a panel."""
        self._draw_run(controls)
        self._draw_training(controls)
        if self.notice:
            controls.text_wrapped(self.notice, color=ALARM)
        if self.run is not None:
            self._draw_curves(controls, self.run)

    def _draw_run(self, controls: Panel) -> None:
        controls.section("Run")
        run = self.run
        if run is not None:
            controls.text(run.folder.name)
            if run.step:
                controls.text(f"epoch {run.epoch}, step {run.step:,}", color=QUIET)
        path = controls.file_dialog("Open run...", title="Open the metrics.jsonl of a run", filters=FILES)
        if path and not self.take(Path(path)) and not self.take(Path(path).parent):
            self.notice = f"{path} is in no run's folder: that has a {METRICS}, or checkpoints."

    def _draw_training(self, controls: Panel) -> None:
        training = self.training
        controls.section("Train here")
        if training is not None and not training.finished:
            controls.progress(training.progress, overlay=training.summary)
            with controls.row():
                training.paused = controls.checkbox("Pause")
                if controls.button("Stop", help="After this step, with a checkpoint to continue from."):
                    # The wish is taken at the end of a step: a paused training has to go on to see it.
                    training.stop()
                    controls.set("Pause", False)
            return
        if training is not None:
            controls.text(f"Training is {training.summary}.", color=QUIET)
        controls.text(f"dataset {self.data.name}" if self.data else "no dataset is open", color=QUIET)
        path = controls.file_dialog("Open dataset...", title="Open the render_metadata.json of a dataset", filters=DATA)
        if path and not self.take(Path(path).parent.parent):
            self.notice = f"{path} is in no dataset: photos lie in input, with render_metadata.json, maps in output."
        self.options = controls.edit(self.options, name="train")
        with controls.row():
            with controls.enabled(self.data is not None):
                if controls.button("Train", help="In this program, in a folder of its own."):
                    self.start()
            with controls.enabled(self.run is not None and bool(saved_runs(self.run.folder))):
                if controls.button("Continue", help="For so many epochs more."):
                    self.go_on()

    def _draw_curves(self, controls: Panel, run: LiveRun) -> None:
        controls.section("Curves")
        drawn = [(tag, name) for tag, name in CURVES.items() if tag in run.curves]
        for tag, name in drawn:
            values = run.curves[tag].values
            controls.plot(values, label=f"##{tag}", overlay=f"{name} {values[-1]:.4g}", height=76)
        if not drawn:
            controls.text(f"nothing in {METRICS} yet", color=QUIET)

    def close(self) -> None:
        """Stop the training, with a checkpoint, and follow the run no longer."""
        if self.training is not None:
            self.training.close()
        if self.run is not None:
            self.run.close()
        self.training = self.run = None
