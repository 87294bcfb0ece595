"""NetworkTime: the step of a watched training that a network page shows, and the step it is compared with."""

import time
from collections.abc import Mapping

from torch import Tensor

from easel.inspector.history.comparison import difference, relative
from easel.inspector.history.snapshot import Snapshot
from easel.inspector.history.statistics import NetworkSummary, summarize_network
from easel.inspector.history.timeline import Timeline
from easel.inspector.history.watcher import Watch
from easel.inspector.scene.pick import value_at, written
from easel.viewer.panels.panel import Panel
from easel.workstation.background import Background
from easel.workstation.network.network_page import NetworkPage
from easel.workstation.network.statistics_table import StatisticsTable

VALUES, DIFFERENCE, RELATIVE, BLINK = MODES = ("Values", "B - A", "|B - A| / |A|", "Blink A, B")
PLAY_SECONDS = 0.25
BLINK_SECONDS = 0.5
WEIGHTS = "weights"


class NetworkTime:
    """Joins a `Timeline`, or the `Watch` that fills it, to a page: a slider below the picture, a table of numbers.

    B is the step that the slider stands at, A the reference: the first one, until the button "A = this" is pressed.
    """

    def __init__(self, page: NetworkPage, source: Timeline | Watch, *, table: Panel | None = None) -> None:
        self.page, self.source, self.table = page, source, table
        self.position: int | None = None
        """Index of the step that is shown; None follows the newest."""
        self.reference: int | None = None
        """The step that differences start from; None takes the first."""
        self.playing = False
        self._shown: tuple[object, ...] = ()
        """Step, mode, quantity and reference that the sheets show."""
        self._played_at = 0.0
        self._counter = Background[NetworkSummary]("statistics")
        self._summary: NetworkSummary | None = None
        self._summed: int | None = None
        """Step of the summary that was asked for last."""
        self._curve_of: tuple[object, ...] = ()
        self._curve: list[float | int | bool] = []
        page.on_key("space", self._toggle_play)
        page.on_key("d", self._toggle_difference)
        for key, by in (("comma", -1), ("left", -1), ("period", 1), ("right", 1)):
            page.on_key(key, lambda by=by: self.go(by))
        # Below the picture, where a slider over time is sought.
        page.footers.append(self.draw)
        if table is not None:
            table.on_frame(self.draw_table)
        page.notes.append(self.draw_pinned)

    @property
    def timeline(self) -> Timeline:
        return self.source.timeline if isinstance(self.source, Watch) else self.source

    @property
    def shown(self) -> Snapshot | None:
        """The snapshot of the step that is shown."""
        steps = self.timeline.steps
        return None if not steps else self.timeline.at(steps[self._position(steps)])

    def go(self, by: int) -> None:
        """Move by so many steps."""
        steps = self.timeline.steps
        self._stand(min(max(self._position(steps) + by, 0), len(steps) - 1))

    def draw(self) -> None:
        """Draw the slider and its switches, and bring the sheets to the step that is chosen."""
        panel = self.page.panel
        steps = self.timeline.steps
        if not steps:
            panel.text("Nothing was recorded yet.")
            return
        # No past yet: a slider of one position would only puzzle.
        if len(steps) == 1:
            self._show(VALUES, WEIGHTS)
            return
        self._play(steps)
        position = self._position(steps)
        with panel.row():
            if panel.button("Pause##time" if self.playing else "Play##time"):
                self._toggle_play()
            if self.position is None:
                panel.set("Moment", position)
            chosen = panel.slider_int("Moment", 0, len(steps) - 1, default=position, format=f"step {steps[position]}")
            if chosen != position:
                self._stand(chosen)
            if panel.button("Newest"):
                self.position = None
                self.playing = False
            mode = panel.combo("Compare", MODES, help=f"B is this moment, A is step {self._reference(steps)}.")
            if panel.button("A = this"):
                self.reference = steps[position]
            quantities = self._quantities(self.timeline.at(steps[position]))
            quantity = quantities[panel.combo("Of", quantities)] if len(quantities) > 1 else WEIGHTS
        self._show(MODES[mode], quantity)

    def draw_table(self) -> None:
        """Draw the statistics of the step that is shown; they are counted in the background."""
        assert self.table is not None
        snapshot = self.shown
        if self._counter.done:
            self._summary = self._counter.result()
        # One at a time: while a training runs on, the newest step would otherwise drop every count before its end.
        if snapshot is not None and self._summed != snapshot.step and not self._counter.busy:
            self._summed = snapshot.step
            self._counter.start(self._summarize, snapshot)
        if self._summary is None:
            self.table.text("Counting ...")
            return
        name = self.table.ask("Statistics", StatisticsTable(self._summary))
        # Only a new choice: flying there in every frame would take the camera out of the person's hand.
        if name and name != self.page.scene.selected:
            self.page.pinned = None
            self.page.scene.selected = name
            self.page.view.look_at(name)

    def draw_pinned(self) -> None:
        """Draw the pinned value as a curve over the steps, and its gradient and optimizer state as text."""
        hit, details, snapshot = self.page.pinned, self.page.details, self.shown
        if hit is None or hit.index is None or details is None or snapshot is None or len(self.timeline.steps) < 2:
            return
        wanted = (hit.name, hit.index, self.timeline.steps)
        # Reading a value out of every snapshot may mean reading them from the disk.
        if wanted != self._curve_of:
            self._curve_of = wanted
            found = self.timeline.values(hit.name, hit.index)
            self._curve = [value for _, value in found if not isinstance(value, complex)]
        details.plot(self._curve, label="##curve", overlay=f"{self._curve[-1]:.5g} now" if self._curve else "")
        for quantity in self._quantities(snapshot)[1:]:
            tensor = snapshot.tensors.get(f"{hit.name}.{quantity}")
            if tensor is not None and tensor.shape == self.page.scene.refs[hit.name].shape:
                details.text(f"{quantity} {written(value_at(tensor, hit.index))}")

    def close(self) -> None:
        """Stop counting."""
        self._counter.close()

    def _summarize(self, snapshot: Snapshot) -> NetworkSummary:
        # The step before says how far the last update went, the first one how far the whole training.
        timeline = self.timeline
        # Chosen before it is read: earlier ones may lie on the disk.
        before = [step for step in timeline.steps if step < snapshot.step][-1:]
        return summarize_network(snapshot, timeline.first, *map(timeline.at, before))

    def _position(self, steps: tuple[int, ...]) -> int:
        """Return the index of the step that is shown; a timeline that was thinned out may have fewer than before."""
        return len(steps) - 1 if self.position is None else min(self.position, len(steps) - 1)

    def _stand(self, position: int) -> None:
        self.position = position
        self.page.panel.set("Moment", position)

    def _play(self, steps: tuple[int, ...]) -> None:
        now = time.monotonic()
        if self.playing and now - self._played_at >= PLAY_SECONDS:
            self._played_at = now
            self._stand((self._position(steps) + 1) % len(steps))

    def _show(self, mode: str, quantity: str) -> None:
        """Bring the sheets to the step that is shown, unless they show it already."""
        snapshot = self.shown
        assert snapshot is not None
        start = self._reference(self.timeline.steps)
        if mode == BLINK:
            mode = VALUES
            if int(time.monotonic() / BLINK_SECONDS) % 2 == 0:
                snapshot = self.timeline.at(start)
        # The reference is part of what is shown only where something is compared with it.
        wanted = (snapshot.step, mode, quantity, mode != VALUES and start)
        if wanted == self._shown:
            return
        # Before the values are made: if that fails, it would fail in every frame.
        self._shown = wanted
        values = self._of(snapshot, quantity)
        if mode != VALUES:
            before = self._of(self.timeline.at(start), quantity)
            if mode == DIFFERENCE:
                values = difference(before, values).tensors
            else:
                # A relative difference needs the value before; a tensor that came later has none.
                both = [name for name in values if name in before and values[name].shape == before[name].shape]
                values = {name: relative(values[name], before[name]) for name in both}
        self.page.show(values)

    def _of(self, snapshot: Snapshot, quantity: str) -> Mapping[str, Tensor]:
        """Return the tensors of one quantity, under the names of the sheets that have their shapes."""
        shapes = {name: ref.shape for name, ref in self.page.scene.refs.items()}
        ending = "" if quantity == WEIGHTS else f".{quantity}"
        found = {name: snapshot.tensors.get(name + ending) for name in shapes}
        return {name: tensor for name, tensor in found.items() if tensor is not None and tensor.shape == shapes[name]}

    def _quantities(self, snapshot: Snapshot) -> list[str]:
        """Return the quantities that are known of each tensor: weights, gradients, the optimizer's state."""
        # Quantities share the last part of their names: `.grad`, `.exp_avg` …
        more = {name.rpartition(".")[2] for kind in ("gradient", "state") for name in snapshot.of(kind)}
        return [WEIGHTS, *sorted(more)]

    def _reference(self, steps: tuple[int, ...]) -> int:
        return self.reference if self.reference in steps else steps[0]

    def _toggle_play(self) -> None:
        self.playing = not self.playing

    def _toggle_difference(self) -> None:
        # From any comparison back to the values, the first mode; from there to B - A, the second.
        self.page.panel.set("Compare", int(not self.page.panel.get("Compare", 0)))
