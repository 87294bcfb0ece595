"""The Materials page: photos to maps under a light of your own, and trainings that are watched as they go."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from easel.viewer.imgui.theme import ALARM, QUIET
from easel.viewer.panels.pages import Page, PageTab
from easel.workstation.materials.live_recovery import RecoveredMaterial
from easel.workstation.materials.live_run import HeldOutSheet
from easel.workstation.materials.recovery_panel import RecoveryPanel
from easel.workstation.materials.training_panel import WHAT_TO_DO, TrainingPanel
from easel.workstation.page import State, Training, WorkstationPage

PHOTOS, TRAINING = TABS = "Photos", "Training"


class MaterialsPage(WorkstationPage):
    """Two tabs: photos that become maps, and networks that learn to do it."""

    name = "Materials"

    def __init__(self, page: Page, out: Path) -> None:
        super().__init__(page, out)
        self.tab = PHOTOS
        self.controls = page.panel("Materials", side="left", width=0.21)
        self.recovery = RecoveryPanel(page, out)
        self.runs = TrainingPanel(out)
        self.pictures = page.panel("Pictures")
        self._bound: RecoveredMaterial | HeldOutSheet | None = None
        """Content of the panel of pictures."""
        self.controls.on_frame(self.draw_controls)
        self.pictures.on_frame(self.draw_pictures)

    @property
    def settled(self) -> bool:
        """True while nothing is under way but a training."""
        run = self.runs.run
        # A training may take days: a program that nobody watches does not wait for its end.
        return self.recovery.settled and (run is None or not run.judging)

    def advance(self) -> None:
        self.recovery.advance()
        self.runs.advance()
        self.recovery.show(self.tab == PHOTOS)
        wanted = {PHOTOS: self.recovery.found, TRAINING: self.runs.sheet}[self.tab]
        if wanted is not self._bound:
            self._bound = wanted
            self.pictures.canvas("pictures").bind(None if wanted is None else wanted.picture, live=False)

    def background(self) -> None:
        """Go on training."""
        self.runs.advance()

    def training(self) -> Training | None:
        """Return the network of the run that is followed, as it was saved last."""
        run = self.runs.run
        if run is None or run.model is None or run.sheet is None:
            return None
        return Training(run.model, run.sheet.step)

    def open(self, path: Path) -> bool:
        """Take in photos or a folder of them, a network, a run or a dataset."""
        # Runs first: a checkpoint folder may hold pictures, a folder of photos holds no checkpoints.
        for tab, content in ((TRAINING, self.runs), (PHOTOS, self.recovery)):
            if content.take(path):
                self.tab = tab
                return True
        return False

    def state(self) -> State:
        """Return the tab, and the files that are open on both."""
        network, run, data = self.recovery.network, self.runs.run, self.runs.data
        return {
            "tab": self.tab,
            "photos": [str(path) for path in self.recovery.photos],
            "network": network and str(network),
            "run": run and str(run.folder),
            "data": data and str(data),
        }

    def restore(self, state: State) -> None:
        """Open the files again; ValueError for data that `state` never gives. The page tells of a file that is gone."""
        tab, photos = state["tab"], state["photos"]
        if tab not in TABS or not isinstance(photos, list) or not all(isinstance(path, str) for path in photos):
            raise ValueError(f"a Materials page keeps a tab of {', '.join(TABS)} and a list of photos.")
        network, run, data = (_path(state, name) for name in ("network", "run", "data"))
        self.tab = cast(str, tab)
        self.recovery.photos = tuple(map(Path, photos))
        # A session without a network keeps the one that is shipped.
        self.recovery.network = network or self.recovery.network
        self.runs.data = data
        if run is not None:
            self.runs.watch(run)

    def actions(self) -> dict[str, Callable[[], object]]:
        found: dict[str, Callable[[], object]] = {
            f"Show {tab.lower()}": partial(setattr, self, "tab", tab) for tab in TABS
        }
        found["Try an example material"] = self.recovery.make_example
        if self.recovery.found is not None:
            found["Export the maps"] = self.recovery.export
        if self.recovery.relighting is not None:
            found["Save pictures of the material"] = self.recovery.relighting.save
        if self.runs.data is not None:
            found["Train on the open dataset"] = self.runs.start
        if self.runs.training is not None and not self.runs.training.finished:
            found["Stop the training"] = self.runs.training.stop
        return found

    def close(self) -> None:
        self.recovery.close()
        self.runs.close()

    # Panels

    def draw_controls(self) -> None:
        """Draw the tabs and the widgets of the one that is shown."""
        controls = self.controls
        with controls.row():
            for tab in TABS:
                if controls.ask(tab, PageTab(tab == self.tab)):
                    self.tab = tab
        if self.tab == PHOTOS:
            self.recovery.draw(controls)
            return
        self.runs.draw(controls)
        run = self.runs.run
        if run is not None and run.sheet is not None:
            if controls.button("Use this network", help="For the photos, and anew after every epoch."):
                self.recovery.network = run.folder
                self.tab = PHOTOS

    def draw_pictures(self) -> None:
        """Draw the line below the pictures, or a hint where there are none."""
        pictures = self.pictures
        run = self.runs.run
        if self.tab == PHOTOS and self.recovery.found is None:
            pictures.hint(self.recovery.told)
        elif self.tab == PHOTOS:
            pictures.text_wrapped(self.recovery.told, color=QUIET)
        elif run is None:
            pictures.hint(WHAT_TO_DO)
        elif run.sheet is not None:
            pictures.text(f"materials that it never learned from, after {run.sheet.step:,} steps", color=QUIET)
        elif run.problem:
            pictures.text_wrapped(run.problem, color=ALARM)
        else:
            pictures.hint("The first checkpoint will show here what the network answers.")


def _path(state: State, name: str) -> Path | None:
    value = state[name]
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"a Materials page keeps {name!r} as a path or null; got {type(value).__name__}.")
    return Path(value)
