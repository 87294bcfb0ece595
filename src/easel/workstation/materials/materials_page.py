"""The Materials page: photos to maps under a light of your own, and trainings that are watched as they go."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from easel.viewer.imgui.theme import ALARM, QUIET
from easel.viewer.panels.page import Page
from easel.viewer.panels.pages import Tab
from easel.workstation.materials import training_panel
from easel.workstation.materials.live_recovery import Recovered, strip
from easel.workstation.materials.live_run import Sheet
from easel.workstation.materials.recovery_panel import RecoveryDesk
from easel.workstation.materials.training_panel import TrainingDesk
from easel.workstation.page import State, Training, WorkstationPage

PHOTOS, TRAINING = TABS = "Photos", "Training"


class MaterialsPage(WorkstationPage):
    """Two desks, of which one is seen: photos that become maps, and networks that learn to do it."""

    name = "Materials"

    def __init__(self, page: Page, out: Path) -> None:
        super().__init__(page, out)
        self.tab = PHOTOS
        self.controls = page.panel("Materials", side="left", width=0.21)
        self.recovery, self.runs = RecoveryDesk(page, out), TrainingDesk(out)
        self.pictures = page.panel("Pictures")
        self._seen: Recovered | Sheet | None = None
        """What the panel of pictures shows."""
        self.controls.on_frame(self.draw_controls)
        self.pictures.on_frame(self.draw_pictures)

    @property
    def settled(self) -> bool:
        """Nothing is under way but a training."""
        run = self.runs.run
        return self.recovery.settled and (run is None or not run.judging)

    def advance(self) -> None:
        self.recovery.advance()
        self.runs.advance()
        self.recovery.show(self.tab == PHOTOS)
        wanted = self.runs.sheet if self.tab == TRAINING else self.recovery.found
        if wanted is not self._seen:
            self._seen = wanted
            picture = wanted.picture if isinstance(wanted, Sheet) else None if wanted is None else strip(wanted.seen)
            self.pictures.canvas("pictures").bind(picture, live=False)

    def background(self) -> None:
        """A training goes on."""
        self.runs.advance()

    def training(self) -> Training | None:
        """The run that is followed, as it was saved last."""
        run = self.runs.run
        if run is None or run.model is None or run.sheet is None:
            return None
        return Training(run.model, run.sheet.step)

    def open(self, path: Path) -> bool:
        """Take in photos or a folder of them, a network, a run or a dataset."""
        if self.runs.take(path):
            self.tab = TRAINING
            return True
        if self.recovery.take(path):
            self.tab = PHOTOS
            return True
        return False

    def state(self) -> State:
        """The tab, and what is open on both desks."""
        recovery, training = self.recovery, self.runs
        return {
            "tab": self.tab,
            "photos": [str(path) for path in recovery.photos],
            "network": _text(recovery.network),
            "run": _text(training.run.folder if training.run else None),
            "data": _text(training.data),
        }

    def restore(self, state: State) -> None:
        """Open it again; ValueError for what `state` never gives. Files that are gone are told on the page."""
        tab, photos = state["tab"], state["photos"]
        if tab not in TABS or not isinstance(photos, list) or not all(isinstance(path, str) for path in photos):
            raise ValueError(f"a Materials page keeps a tab of {', '.join(TABS)} and a list of photos.")
        network, run, data = (_path(state, name) for name in ("network", "run", "data"))
        self.tab = cast(str, tab)
        self.recovery.photos = tuple(map(Path, photos))
        self.recovery.network = network or self.recovery.network
        self.runs.data = data
        if run is not None:
            self.runs.watch(run)

    def actions(self) -> dict[str, Callable[[], object]]:
        found: dict[str, Callable[[], object]] = {f"Show {tab.lower()}": partial(self._show, tab) for tab in TABS}
        found["Try an example material"] = self.recovery.make_example
        if self.recovery.found is not None:
            found["Export the maps"] = self.recovery.export
        if self.recovery.relit is not None:
            found["Save pictures of the material"] = self.recovery.relit.save
        if self.runs.data is not None:
            found["Train on the open dataset"] = self.runs.start
        if self.runs.training is not None and not self.runs.training.finished:
            found["Stop the training"] = self.runs.training.stop
        return found

    def close(self) -> None:
        self.recovery.close()
        self.runs.close()

    def _show(self, tab: str) -> None:
        self.tab = tab

    # Panels

    def draw_controls(self) -> None:
        controls = self.controls
        with controls.row():
            for tab in TABS:
                if controls.ask(tab, Tab(tab == self.tab)):
                    self.tab = tab
        if self.tab == PHOTOS:
            self.recovery.draw(controls)
            return
        self.runs.draw(controls)
        run = self.runs.run
        if run is not None and run.sheet is not None:
            if controls.button("Use this network", help="For the photos, and anew after every epoch."):
                self.recovery.network, self.tab = run.folder, PHOTOS

    def draw_pictures(self) -> None:
        pictures, run = self.pictures, self.runs.run
        if self.tab == PHOTOS and self.recovery.found is None:
            pictures.hint(self.recovery.told)
        elif self.tab == PHOTOS:
            pictures.text_wrapped(self.recovery.told, color=QUIET)
        elif run is None:
            pictures.hint(training_panel.WHAT_TO_DO)
        elif run.sheet is not None:
            pictures.text(f"materials that it never learned from, after {run.sheet.step:,} steps", color=QUIET)
        elif run.problem:
            pictures.text_wrapped(run.problem, color=ALARM)
        else:
            pictures.hint("The first checkpoint will show here what the network answers.")


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _path(state: State, name: str) -> Path | None:
    value = state[name]
    if value is not None and not isinstance(value, str):
        raise ValueError(f"a Materials page keeps {name!r} as a path or null; got {type(value).__name__}.")
    return None if value is None else Path(value)
