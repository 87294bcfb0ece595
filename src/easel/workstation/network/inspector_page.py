"""The Network page: a network from a file, from a function, or from whatever another page is training."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from easel.graphics.files import FileError
from easel.inspector.history.watcher import Watch, watch
from easel.inspector.models.model_tensors import tensors
from easel.inspector.models.onnx_file import OnnxReaderMissingError
from easel.inspector.models.sources import Source, SourceError, open_source
from easel.inspector.network_scene import NetworkScene
from easel.viewer.imgui.theme import ALARM
from easel.viewer.panels.pages import Page
from easel.workstation.background import Background
from easel.workstation.network.network_page import NetworkPage, take_keys
from easel.workstation.network.network_time import NetworkTime
from easel.workstation.options import PageOptions
from easel.workstation.page import PageMaker, State, Training, WorkstationPage

SUFFIXES = (".safetensors", ".pt", ".pth", ".onnx")
NETWORKS = [("Networks", " ".join(f"*{suffix}" for suffix in SUFFIXES)), ("All files", "*.*")]
FUNCTION_HELP = "package.module:function, which returns a torch.nn.Module. This runs your own code."
EMPTY = (
    "No network yet.\n\n"
    "Open a file of weights or an ONNX file at the left, or drop one here; nothing in it is run.\n"
    "Name a function of your own that returns a model.\n"
    "Or look inside what another page is training: it stays live."
)


class InspectorPage(WorkstationPage):
    """Joins sources of networks to a `NetworkPage`; `trainings` returns what other pages train, by their names."""

    name = "Network"

    def __init__(self, page: Page, out: Path, trainings: Callable[[], Mapping[str, Training]]) -> None:
        super().__init__(page, out)
        self.title = ""
        """Name of the network that is shown."""
        self.following: str | None = None
        """The page whose training is shown."""
        self.notice = ""
        """The last failure, in one line."""
        self.network: NetworkPage | None = None
        self._trainings = trainings
        self._time: NetworkTime | None = None
        self._watch: Watch | None = None
        self._recorded = -1
        """Step of the last snapshot."""
        self._loader = Background[Source]("open-network")
        self._opening = ""
        """Name of the source that is being opened."""
        self.sources = page.panel("Source", side="left", width=0.2)
        self.details = page.panel("Tensor", side="right", width=0.26)
        self.panel = page.panel("Network")
        self.sources.on_frame(self.draw_sources)
        self.panel.on_frame(self.draw_network)
        self.details.on_frame(self.draw_details)

    @classmethod
    def prepare(cls, options: PageOptions) -> PageMaker:
        return lambda page, context: cls(page, options.out, context.trainings)

    def advance(self) -> None:
        self._take_opened()
        self._record()

    def background(self) -> None:
        """Keep recording the training: its past is there when somebody comes back."""
        self._record()

    @property
    def settled(self) -> bool:
        return not self._loader.busy

    def open(self, path: Path) -> bool:
        """Load a file of weights or an ONNX file in the background."""
        if path.suffix.lower() not in SUFFIXES:
            return False
        self.load(str(path))
        return True

    def load(self, name: str) -> None:
        """Load a file, or call `package.module:function`, in the background."""
        self._opening = name
        # In the background: a file may have gigabytes, and a function takes as long as it likes.
        self._loader.start(open_source, name)

    def follow(self, page: str) -> None:
        """Show the network that a page is training, from now on."""
        self.following = page
        self._watch = None
        self.notice = ""
        self._record()

    def state(self) -> State:
        # A training has no file that could be opened again, only a page that is asked for it.
        return {"source": None if self.following else self.title or None, "following": self.following}

    def restore(self, state: State) -> None:
        """Return to a file or a training; a function is named and not called, as sessions may be from strangers."""
        source, following = state["source"], state["following"]
        if not isinstance(source, str | None) or not isinstance(following, str | None):
            raise TypeError(f"a source and a page are texts or null; got {source!r} and {following!r}.")
        if following is not None:
            # The other page may not be made yet: `_record` shows its network once there is one.
            self.following = following
            self._watch = None
        # On Windows a path has a colon as well.
        elif source is not None and ":" in source and not Path(source).exists():
            self.sources.set("Function", source)
        elif source is not None:
            self.load(source)

    def actions(self) -> dict[str, Callable[[], object]]:
        found: dict[str, Callable[[], object]] = {}
        if self.network is not None:
            found["Whole network"] = self.network.view.home
        return found | {f"Look inside {page}": partial(self.follow, page) for page in self._trainings()}

    def close(self) -> None:
        self._loader.close()
        self._show(None)

    # Networks

    def _take_opened(self) -> None:
        if not self._loader.done:
            return
        try:
            source = self._loader.result()
        except (FileError, SourceError, OnnxReaderMissingError) as error:
            self.notice = str(error)
            return
        if not source.tensors:
            self.notice = f"{self._opening} has no parameters and no buffers: there is nothing to show."
            return
        self.title, self.following, self._watch, self.notice = self._opening, None, None, ""
        self._show(NetworkScene(source.tensors, source.graph))

    def _record(self) -> None:
        """Take a snapshot of the training that is followed, if it has made a step and one is due."""
        if self.following is None or (training := self._trainings().get(self.following)) is None:
            return
        # A page that begins again trains another model: its past is not that of the one before.
        if self._watch is None or self._watch.model is not training.model:
            self._watch = watch(training.model)
            self._recorded = -1
            self.title = f"what {self.following} is training"
            self._show(NetworkScene(tensors(training.model)))
            assert self.network is not None
            # After the network is shown: the slider belongs to its page.
            self._time = NetworkTime(self.network, self._watch)
        # The watch decides by itself how often a snapshot is worth its time.
        if training.step != self._recorded and self._watch.record(training.step):
            self._recorded = training.step

    def _show(self, scene: NetworkScene | None) -> None:
        """Show another network in place of the last; None releases it."""
        if self._time is not None:
            self._time.close()
            self._time = None
        if self.network is None:
            if scene is not None:
                self.network = NetworkPage(self.panel, scene, details=self.details)
            return
        # What was drawn around the network before belonged to its timeline.
        self.network.footers.clear()
        self.network.notes.clear()
        if scene is None:
            self.network.scene.close()
        else:
            self.network.change_scene(scene)

    # Panels

    def draw_sources(self) -> None:
        """Draw the panel that opens networks and says which one is shown."""
        panel = self.sources
        if path := panel.file_dialog("Open network...", title="Open a network", filters=NETWORKS):
            self.load(path)
        panel.section("Function")
        function = panel.input_text("Function", help=FUNCTION_HELP)
        with panel.enabled(bool(function.strip())):
            if panel.button("Call it", help=FUNCTION_HELP):
                self.load(function.strip())
        panel.section("In training")
        trainings = self._trainings()
        for name, training in trainings.items():
            if panel.button(f"Look inside {name}"):
                self.follow(name)
            panel.text(f"step {training.step:,}")
        if not trainings:
            panel.text_wrapped("Nothing is being trained. The Fit page trains a network as soon as it is shown.")
        if self.network is not None:
            panel.section("Shown")
            refs = self.network.scene.refs
            values = sum(ref.tensor.numel() for ref in refs.values())
            panel.text_wrapped(f"{self.title}\n{len(refs)} tensors, {values:,} values")
        if self._loader.busy:
            panel.text_wrapped(f"Opening {self._opening} ...")
        if self.notice:
            panel.text_wrapped(self.notice, color=ALARM)

    def draw_network(self) -> None:
        """Draw a hint as long as there is no network, and act on keys once there is one."""
        if self.network is None:
            self.panel.hint(EMPTY)
        else:
            take_keys(self.network)

    def draw_details(self) -> None:
        """Draw a hint as long as there is no tensor to show."""
        if self.network is None:
            self.details.hint("The tensor that you point at will be here, value by value.")
