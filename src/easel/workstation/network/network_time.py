"""NetworkTime: which moment of a watched training a network page shows, and compared with which other."""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from torch import Tensor

from easel.inspector.history.comparison import difference, relative
from easel.inspector.history.snapshot import Snapshot
from easel.inspector.history.statistics import NetworkSummary, summarize_network
from easel.inspector.history.timeline import Timeline
from easel.inspector.history.watcher import Watch
from easel.inspector.scene.pick import value_at, written
from easel.viewer.panels.panel import Panel
from easel.workstation.network.network_page import NetworkPage
from easel.workstation.network.statistics_table import StatisticsTable

MODES = ("Values", "B - A", "|B - A| / |A|", "Blink A, B")
PLAY_SECONDS, BLINK_SECONDS = 0.25, 0.5
WEIGHTS = "weights"


class NetworkTime:
    """Joins a `Timeline`, or the `Watch` that fills it, to a page: a slider below the picture, a table of numbers.

    B is the moment that the slider stands at, A the reference: the first one, until the button "A = this" is pressed.
    """

    def __init__(self, page: NetworkPage, source: Timeline | Watch, *, table: Panel | None = None) -> None:
        self.page, self.source, self.table = page, source, table
        self.place: int | None = None
        """Which of the steps is shown; None follows the newest."""
        self.reference: int | None = None
        """The step that differences start from; None takes the first."""
        self.playing = False
        self._shown: tuple[object, ...] = ()
        self._played_at = 0.0
        self._worker = ThreadPoolExecutor(1, "easel-statistics")
        self._coming: Future[NetworkSummary] | None = None
        self._summary: NetworkSummary | None = None
        self._summed: int | None = None
        self._curve_of: tuple[object, ...] = ()
        self._curve: list[float | int | bool] = []
        page.on_key("space", self._toggle_play)
        page.on_key("comma", lambda: self.go(-1))
        page.on_key("period", lambda: self.go(1))
        page.on_key("left", lambda: self.go(-1))
        page.on_key("right", lambda: self.go(1))
        page.on_key("d", self._toggle_difference)
        page.footers.append(self.draw)
        if table is not None:
            table.on_frame(self.draw_table)
        page.notes.append(self.draw_pinned)

    @property
    def timeline(self) -> Timeline:
        return self.source.timeline if isinstance(self.source, Watch) else self.source

    @property
    def shown(self) -> Snapshot | None:
        """The moment that is shown."""
        steps = self.timeline.steps
        if not steps:
            return None
        return self.timeline.at(steps[-1 if self.place is None else min(self.place, len(steps) - 1)])

    def go(self, by: int) -> None:
        """So many moments on, or back."""
        last = len(self.timeline.steps) - 1
        place = last if self.place is None else self.place
        self._stand(min(max(place + by, 0), last))

    def draw(self) -> None:
        panel, steps = self.page.panel, self.timeline.steps
        if not steps:
            panel.text("Nothing was recorded yet.")
            return
        if len(steps) == 1:
            self._show(MODES[0], WEIGHTS)
            return
        self._play(len(steps))
        place = len(steps) - 1 if self.place is None else min(self.place, len(steps) - 1)
        with panel.row():
            if panel.button("Pause##time" if self.playing else "Play##time"):
                self.playing = not self.playing
            if self.place is None:
                panel.set("Moment", place)
            chosen = panel.slider_int("Moment", 0, max(len(steps) - 1, 0), default=place, format=f"step {steps[place]}")
            if chosen != place:
                self._stand(chosen)
            if panel.button("Newest"):
                self.place, self.playing = None, False
            mode = panel.combo("Compare", MODES, help=f"B is this moment, A is step {self._reference(steps)}.")
            if panel.button("A = this"):
                self.reference = steps[place]
            quantities = self._quantities(self.timeline.at(steps[place]))
            quantity = quantities[panel.combo("Of", quantities)] if len(quantities) > 1 else WEIGHTS
        self._show(MODES[mode], quantity)

    def draw_table(self) -> None:
        assert self.table is not None
        snapshot = self.shown
        if self._coming is not None and self._coming.done():
            self._summary, self._coming = self._coming.result(), None
        if snapshot is not None and self._summed != snapshot.step and self._coming is None:
            self._summed = snapshot.step
            self._coming = self._worker.submit(self._summarize, snapshot)
        if self._summary is None:
            self.table.text("Counting ...")
            return
        name = self.table.ask("Statistics", StatisticsTable(self._summary))
        if name and name != self.page.scene.selected:
            self.page.pinned = None
            self.page.scene.selected = name
            self.page.view.look_at(name)

    def draw_pinned(self) -> None:
        """The value that is pinned through time, and what else is known at its index."""
        hit, details, snapshot = self.page.pinned, self.page.details, self.shown
        if hit is None or hit.index is None or details is None or snapshot is None or len(self.timeline.steps) < 2:
            return
        wanted = (hit.name, hit.index, self.timeline.steps)
        if wanted != self._curve_of:
            found = self.timeline.values(hit.name, hit.index)
            self._curve_of, self._curve = wanted, [value for _, value in found if not isinstance(value, complex)]
        details.plot(self._curve, label="##curve", overlay=f"{self._curve[-1]:.5g} now" if self._curve else "")
        for quantity in self._quantities(snapshot)[1:]:
            tensor = snapshot.tensors.get(f"{hit.name}.{quantity}")
            if tensor is not None and tensor.shape == self.page.scene.refs[hit.name].shape:
                details.text(f"{quantity} {written(value_at(tensor, hit.index))}")

    def close(self) -> None:
        """Stop counting."""
        self._worker.shutdown(cancel_futures=True)

    def _summarize(self, snapshot: Snapshot) -> NetworkSummary:
        steps = self.timeline.steps
        before = [step for step in steps if step < snapshot.step]
        return summarize_network(snapshot, self.timeline.first, self.timeline.at(before[-1]) if before else None)

    def _stand(self, place: int) -> None:
        self.place = place
        self.page.panel.set("Moment", place)

    def _play(self, count: int) -> None:
        now = time.monotonic()
        if self.playing and now - self._played_at >= PLAY_SECONDS:
            self._played_at = now
            self._stand(((count - 1 if self.place is None else self.place) + 1) % count)

    def _show(self, mode: str, quantity: str) -> None:
        """Bring the sheets to the moment, unless they show it already."""
        snapshot, steps = self.shown, self.timeline.steps
        assert snapshot is not None
        start = self._reference(steps)
        if mode == MODES[3]:
            first = int(time.monotonic() / BLINK_SECONDS) % 2 == 0
            snapshot, mode = self.timeline.at(start) if first else snapshot, MODES[0]
        wanted = (snapshot.step, mode, quantity, start if mode != MODES[0] else None)
        if wanted == self._shown:
            return
        self._shown = wanted
        values = self._of(snapshot, quantity)
        if mode != MODES[0]:
            before = self._of(self.timeline.at(start), quantity)
            if mode == MODES[1]:
                values = difference(before, values).tensors
            else:
                both = [name for name in values if name in before and values[name].shape == before[name].shape]
                values = {name: relative(values[name], before[name]) for name in both}
        self.page.show(values)

    def _of(self, snapshot: Snapshot, quantity: str) -> Mapping[str, Tensor]:
        """The tensors of one quantity, under the names of the sheets that have their shapes."""
        shapes = {name: ref.shape for name, ref in self.page.scene.refs.items()}
        ending = "" if quantity == WEIGHTS else f".{quantity}"
        found = {name: snapshot.tensors.get(name + ending) for name in shapes}
        return {name: tensor for name, tensor in found.items() if tensor is not None and tensor.shape == shapes[name]}

    def _quantities(self, snapshot: Snapshot) -> list[str]:
        """Weights, and what else is known of each: gradients, what the optimizer remembers."""
        more = {name.rpartition(".")[2] for kind in ("gradient", "state") for name in snapshot.of(kind)}
        return [WEIGHTS, *sorted(more)]

    def _reference(self, steps: tuple[int, ...]) -> int:
        return self.reference if self.reference in steps else steps[0]

    def _toggle_play(self) -> None:
        self.playing = not self.playing

    def _toggle_difference(self) -> None:
        panel = self.page.panel
        panel.set("Compare", 0 if panel.get("Compare", 0) else 1)
