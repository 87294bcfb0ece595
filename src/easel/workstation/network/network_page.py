"""The network page: a network in space, what is under the mouse, one tensor as a heat map, and how it changed."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from easel.inspector.drawing.colors import value_colors
from easel.inspector.network_scene import NetworkScene
from easel.inspector.scene.pick import Hit, value_at, written
from easel.inspector.scene.pyramid import AGGREGATES
from easel.inspector.scene.sheet import RANGES, Sheet
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.histogram import Histogram
from easel.viewer.canvas.histogram_plot import HistogramPlot
from easel.viewer.imgui.events import KeyChanged
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.theme import ALARM
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.panel import Panel
from easel.workstation.network.network_view import NetworkView

RANGE_NAMES = {"own": "99.5 %", "peak": "own peak", "shared": "shared"}
"""Of the inspector's ranges, what a person calls them."""
PART = 512
"""Cells a side of a tensor, at most, that the heat map shows at a time."""
COUNTED = 1 << 20
"""Values at most, about, that a histogram counts."""
HELP = (
    "Left button turns, middle one moves, right one and wheel zoom; a click pins a value.\n"
    "u update   r whole network   f fly to what the mouse is on   l labels   w / s outlines only / filled\n"
    "a peak, RMS, mean   n shared range   d difference   space , . timeline   q close"
)
NONE = "Point at a tensor to read its values; click to keep one."


@runtime_checkable
class PointerTool(Protocol):
    """Something in the scene that the mouse moves."""

    def holds(self, name: str) -> bool:
        """Whether a sheet is part of it."""
        ...

    def turn(self, notches: Number) -> None:
        """The wheel was turned over it."""
        ...

    def drag_to(self, name: str) -> None:
        """It was dragged to a sheet."""
        ...


class NetworkPage:
    """Joins a `NetworkScene` to a panel: the picture and its switches; `details` shows one tensor in full."""

    def __init__(self, panel: Panel, scene: NetworkScene, *, details: Panel | None = None) -> None:
        self.panel, self.details = panel, details
        self.view = NetworkView(scene)
        self.pinned: Hit | None = None
        """The value that a person has clicked."""
        self.notice = ""
        """What went wrong last, in one line."""
        self.helps = False
        self.tool: PointerTool | None = None
        """What wheel and left button move where it is, instead of the camera."""
        self.values: Mapping[str, Tensor] = {name: ref.tensor for name, ref in scene.refs.items()}
        """What is shown, by name; picking reads it."""
        self._keys: dict[str, Callable[[], object]] = {
            "r": self.view.home,
            "f": self.fly,
            "l": self._toggle_labels,
            "w": lambda: self._set_filled(False),
            "s": lambda: self._set_filled(True),
            "a": self._next_aggregate,
            "n": self._toggle_shared,
            "h": self._toggle_help,
        }
        self.footers: list[Callable[[], object]] = []
        """What else is drawn below the picture."""
        self.notes: list[Callable[[], object]] = []
        """What else is told of the tensor in full."""
        self._below = 0.0
        self._range = scene.ranges
        self._histogram = Histogram()
        self._found = 0
        panel.on_frame(self.draw)
        if details is not None:
            self._heat = details.canvas("heat map", filter="nearest")
            self._values = Canvas("values")
            """The numbers behind the heat map, for their histogram."""
            self._heat_of: tuple[object, ...] = ()
            details.on_frame(self.draw_details)

    @property
    def scene(self) -> NetworkScene:
        return self.view.scene

    @property
    def hit(self) -> Hit | None:
        """What the read-out is about: what the mouse is on, else what is pinned."""
        return self.view.under_pointer() or self.pinned

    def change_scene(self, scene: NetworkScene) -> None:
        """Show another network, or another pass of it, with the same switches and from the same place."""
        for name in ("labels", "outlines", "filled", "aggregate", "ranges"):
            setattr(scene, name, getattr(self.scene, name))
        moved = scene.arrangement.bounds != self.scene.arrangement.bounds
        self.scene.close()
        self.view.scene = scene
        self.values = {name: ref.tensor for name, ref in scene.refs.items()}
        if self.pinned is not None and self.pinned.name not in scene.refs:
            self.pinned = None
        if moved:
            self.view.home()

    def show(self, values: Mapping[str, Tensor]) -> list[str]:
        """Show new values under known names; returns the names of what may have changed."""
        self.values = {**self.values, **values}
        return self.scene.update(values)

    @property
    def keys(self) -> tuple[str, ...]:
        """Those that do something."""
        return tuple(self._keys)

    def on_key(self, key: str, action: Callable[[], object]) -> None:
        """Do `action` when `key` goes down, in place of what it did before."""
        self._keys[key] = action

    def press(self, event: KeyChanged) -> None:
        """Do what a key is for."""
        if event.down and event.key in self._keys:
            self._keys[event.key]()

    def fly(self) -> None:
        """Look at the tensor under the mouse from near."""
        hit = self.hit
        if hit is not None:
            self.view.look_at(hit.name)

    def pin(self, name: str, index: tuple[int, ...]) -> None:
        """Keep a value in the read-out, as a click does."""
        sheet = self.scene.sheet(name)
        assert sheet is not None, "only what is shown can be pinned"
        row, column = sheet.map.cell(index)
        self.pinned = Hit(sheet.ref.name, sheet.box.origin, (row, column), index, value_at(sheet.tensor, index))
        self.scene.selected = sheet.ref.name

    # The panel

    def draw(self) -> None:
        self._draw_switches()
        view, under = self.view, self.view.under_pointer()
        over = self.tool is not None and under is not None and self.tool.holds(under.name)
        view.wheel_taken = over
        if view.dragged is None:
            view.drag_taken = over
        top = 0.0
        if self.panel.visible:
            # What stood below the picture in the last frame keeps its room.
            free = imgui.get_content_region_avail().y
            self.view.render(0, max(free - self._below, 1))
            top = imgui.get_cursor_pos_y()
        self._use_tool()
        self._follow()
        self._draw_readout()
        for draw in self.footers:
            draw()
        if self.panel.visible:
            self._below = imgui.get_cursor_pos_y() - top + imgui.get_style().item_spacing.y

    def _use_tool(self) -> None:
        """Hand the tool what wheel and drag did over it."""
        view = self.view
        if self.tool is None:
            return
        if view.wheel_taken and view.notches:
            self.tool.turn(view.notches)
        if view.drag_taken and view.dragged is not None and view.size is not None:
            under = self.scene.pick(view.camera, view.size, *view.dragged)
            if under is not None:
                self.tool.drag_to(under.name)

    def _draw_switches(self) -> None:
        panel, scene = self.panel, self.scene
        with panel.row():
            asked = panel.input_text("Find", help="Part of a name, or a pattern with * and ?; Enter flies to the next.")
            if panel.button("Next") and asked:
                self._find(asked)
            aggregate = panel.combo(
                "Far", AGGREGATES, default=AGGREGATES.index(scene.aggregate), help="What a pixel shows of many cells."
            )
            ranges = panel.combo(
                "Range",
                list(RANGE_NAMES.values()),
                default=RANGES.index(scene.ranges),
                help="Where colours end: at 99.5 % of a tensor's magnitudes, at its largest, or at one limit for all.",
            )
            scene.aggregate, scene.ranges = AGGREGATES[aggregate], RANGES[ranges]
            scene.labels = panel.checkbox("Labels", default=scene.labels)
            if panel.button("Whole"):
                self.view.home()
        if asked and imgui is not None and panel.visible and imgui.is_key_pressed(imgui.Key.enter):
            self._find(asked)

    def _find(self, asked: str) -> None:
        """Fly to the next tensor of that name."""
        names = [name for name in self.scene.find(asked) if self.scene.sheet(name) is not None]
        if not names:
            self.notice = f"No tensor is called {asked!r}."
            return
        name = names[self._found % len(names)]
        self._found += 1
        self.notice = ""
        self.scene.selected = name
        self.view.look_at(name)

    def _follow(self) -> None:
        """Mark what the pointer is on, and keep what was clicked."""
        under = self.view.under_pointer()
        self.scene.hover = under or self.pinned
        if self.view.clicked is not None:
            self.pinned = self.view.clicked
            self.scene.selected = self.pinned.name

    def _draw_readout(self) -> None:
        panel, hit = self.panel, self.hit
        panel.text(NONE if hit is None else self.told(hit))
        if self.helps:
            panel.text(HELP)
        if self.notice:
            panel.text_wrapped(self.notice, color=ALARM)

    def told(self, hit: Hit) -> str:
        """A value, where it is and of what."""
        ref = self.scene.refs[hit.name]
        dtype = str(ref.tensor.dtype).removeprefix("torch.")
        return f"{hit}    {' x '.join(map(str, ref.shape)) or 'scalar'} {dtype}  {ref.note}".rstrip()

    # Keys

    def _toggle_labels(self) -> None:
        self.panel.set("Labels", not self.scene.labels)

    def _set_filled(self, filled: bool) -> None:
        self.scene.filled = filled

    def _next_aggregate(self) -> None:
        self.panel.set("Far", (AGGREGATES.index(self.scene.aggregate) + 1) % len(AGGREGATES))

    def _toggle_shared(self) -> None:
        if self.scene.ranges != "shared":
            self._range = self.scene.ranges
        self.panel.set("Range", RANGES.index(self._range if self.scene.ranges == "shared" else "shared"))

    def _toggle_help(self) -> None:
        self.helps = not self.helps

    # One tensor

    def draw_details(self) -> None:
        details = self.details
        assert details is not None
        if not self.scene.sheets:
            details.text_wrapped("This network has no tensor with values.")
            return
        # Before anything is chosen, the largest; a single row or column is no heat map.
        name = self.scene.selected or max(self.scene.sheets, key=_extent).ref.name
        sheet = self.scene.sheet(name)
        assert sheet is not None, "only what is shown can be chosen"
        whole = details.combo(
            "Show", ["Tensor", "Kernel"], help="All of it, or the kernel of the value that is pinned."
        )
        index = self.pinned.index if self.pinned is not None and self.pinned.name == name else None
        self._bind_heat(sheet, index if whole else None, index)
        details.text_wrapped(self._describe(sheet))
        if index is not None:
            details.text_wrapped(f"[{', '.join(map(str, index))}] = {written(value_at(sheet.tensor, index))}")
        details.ask("Histogram", HistogramPlot(self._values, self._histogram))
        for note in self.notes:
            note()

    def _bind_heat(self, sheet: Sheet, kernel: tuple[int, ...] | None, index: tuple[int, ...] | None) -> None:
        of = (sheet.ref.name, sheet.version, kernel, index and tuple(at // PART for at in sheet.map.cell(index)))
        if of == self._heat_of:
            return
        self._heat_of = of
        values, pyramid = heat_map(sheet, kernel, index), sheet.pyramid(self.scene.aggregate)
        colors = value_colors(values.numpy() / pyramid.limit, sequential=sheet.is_sequential(self.scene.aggregate))
        self._heat.bind(colors.astype(np.float32), live=False)
        # Without the gutters and unused cells of the sheet, which would count as zeros.
        counted = values if kernel is not None else sampled(sheet.tensor)
        self._values.bind(counted, live=False).set_display(vmin=-pyramid.peak or None, vmax=pyramid.peak or None)

    def _describe(self, sheet: Sheet) -> str:
        pyramid, ref = sheet.pyramid(self.scene.aggregate), sheet.ref
        lines = [ref.name, f"{' x '.join(map(str, ref.shape))} {str(ref.tensor.dtype).removeprefix('torch.')}"]
        lines.append(f"{pyramid.low:.4g} to {pyramid.high:.4g}")
        if pyramid.bad:
            lines.append(f"{pyramid.bad:,} values are NaN or infinite")
        if ref.aliases:
            lines.append(f"also called {', '.join(ref.aliases)}")
        return "\n".join(lines)


def _extent(sheet: Sheet) -> tuple[bool, int]:
    return min(sheet.map.grid) > 1, sheet.tensor.numel()


def sampled(tensor: Tensor) -> Tensor:
    """Values (1, n) of a tensor, evenly many where it has more than `COUNTED`, in float32."""
    values = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    flat = values.detach().reshape(1, -1)
    return flat[:, :: max(flat.shape[1] // COUNTED, 1)].cpu().float()


def heat_map(sheet: Sheet, kernel: tuple[int, ...] | None, index: tuple[int, ...] | None) -> Tensor:
    """The values (rows, columns) of a tensor near `index`, or of the kernel that `kernel` is in, in float32."""
    values = sheet.tensor.detach()
    if values.is_complex():
        values = torch.view_as_real(values)
    if kernel is not None and values.ndim > 2:
        plane = values[kernel[:2]].cpu().float()
        return plane.reshape(-1, plane.shape[-1]) if plane.ndim else plane.reshape(1, 1)
    spread = sheet.map.spread(values.cpu())
    row, column = sheet.map.cell(index) if index is not None else (0, 0)
    top, left = row // PART * PART, column // PART * PART
    return spread[top : top + PART, left : left + PART].float()
