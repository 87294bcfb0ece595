"""TensorDetails: one tensor of a network in full: a heat map, its figures and the histogram of its values."""

import numpy as np
import torch
from torch import Tensor

from easel.inspector.drawing.colors import value_colors
from easel.inspector.network_scene import NetworkScene
from easel.inspector.scene.pick import Hit, value_at, written
from easel.inspector.scene.sheet import Sheet
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.histogram import Histogram
from easel.viewer.canvas.histogram_plot import HistogramPlot
from easel.viewer.panels.panel import Panel

PART = 512
"""Cells a side of a tensor, at most, that the heat map shows at a time."""
COUNTED = 1 << 20
"""Values at most, about, that a histogram counts."""


class TensorDetails:
    """Shows the selected tensor of a scene in a panel."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self._heat = panel.canvas("heat map", filter="nearest")
        self._values = Canvas("values")
        """The numbers behind the heat map, for their histogram; never drawn itself."""
        self._histogram = Histogram()
        self._bound: tuple[object, ...] = ()
        """Tensor, version and part that both canvases show."""

    def draw(self, scene: NetworkScene, pinned: Hit | None) -> None:
        """Draw the selected tensor; `pinned` chooses the part, the kernel and the value that are shown of it."""
        panel = self.panel
        if not scene.sheets:
            panel.text_wrapped("This network has no tensor with values.")
            return
        # Before anything is chosen, the largest; a single row or column is no heat map.
        name = scene.selected or max(scene.sheets, key=_extent).ref.name
        sheet = scene.sheet(name)
        assert sheet is not None, "only what is shown can be chosen"
        whole = panel.combo("Show", ["Tensor", "Kernel"], help="All of it, or the kernel of the value that is pinned.")
        index = pinned.index if pinned is not None and pinned.name == name else None
        self._bind(scene, sheet, index if whole else None, index)
        panel.text_wrapped(_describe(sheet, scene.aggregate))
        if index is not None:
            panel.text_wrapped(f"[{', '.join(map(str, index))}] = {written(value_at(sheet.tensor, index))}")
        panel.ask("Histogram", HistogramPlot(self._values, self._histogram))

    def _bind(
        self, scene: NetworkScene, sheet: Sheet, kernel: tuple[int, ...] | None, index: tuple[int, ...] | None
    ) -> None:
        """Bind both canvases, unless they show this already."""
        part = index and tuple(at // PART for at in sheet.map.cell(index))
        wanted = (sheet.ref.name, sheet.version, kernel, part)
        if wanted == self._bound:
            return
        self._bound = wanted
        values = heat_map(sheet, kernel, index)
        pyramid = sheet.pyramid(scene.aggregate)
        # The colours of the scene, so that a value looks the same in both.
        colors = value_colors(values.numpy() / pyramid.limit, sequential=sheet.is_sequential(scene.aggregate))
        self._heat.bind(colors.astype(np.float32), live=False)
        # Without the gutters and unused cells of the sheet, which would count as zeros.
        counted = values if kernel is not None else sampled(sheet.tensor)
        self._values.bind(counted, live=False).set_display(vmin=-pyramid.peak or None, vmax=pyramid.peak or None)


def heat_map(sheet: Sheet, kernel: tuple[int, ...] | None, index: tuple[int, ...] | None) -> Tensor:
    """Return the values (rows, columns) of a tensor near `index`, or of the kernel that `kernel` is in, in float32."""
    values = sheet.tensor
    if values.is_complex():
        # Real and imaginary parts beside each other, as on the sheet.
        values = torch.view_as_real(values)
    if kernel is not None and values.ndim > 2:
        plane = torch.atleast_1d(values[kernel[:2]].cpu().float())
        return plane.reshape(-1, plane.shape[-1])
    # Whole parts, so that the heat map stands still while the pinned value moves inside of one.
    top, left = (at // PART * PART for at in sheet.map.cell(index or (0,) * len(sheet.map.shape)))
    return sheet.values()[top : top + PART, left : left + PART].float()


def sampled(tensor: Tensor) -> Tensor:
    """Return the values (1, n) of a tensor in float32, every k-th where it has more than `COUNTED`."""
    values = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    # A stride keeps every part of the tensor; random samples would flicker.
    flat = values.detach().reshape(1, -1)
    return flat[:, :: max(flat.shape[1] // COUNTED, 1)].cpu().float()


def _describe(sheet: Sheet, aggregate: str) -> str:
    pyramid = sheet.pyramid(aggregate)
    ref = sheet.ref
    dtype = str(ref.tensor.dtype).removeprefix("torch.")
    lines = [ref.name, f"{' x '.join(map(str, ref.shape))} {dtype}", f"{pyramid.low:.4g} to {pyramid.high:.4g}"]
    if pyramid.bad:
        lines.append(f"{pyramid.bad:,} values are NaN or infinite")
    if ref.aliases:
        lines.append(f"also called {', '.join(ref.aliases)}")
    return "\n".join(lines)


def _extent(sheet: Sheet) -> tuple[bool, int]:
    return min(sheet.map.grid) > 1, sheet.tensor.numel()
