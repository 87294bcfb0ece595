"""Content: the tensors of a scene in their places, and the switches that decide how they are shown."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from easel.inspector.layout.arrangement import Arrangement, Box, corners_of
from easel.inspector.models.graph import TensorRef
from easel.inspector.scene.pick import Hit
from easel.inspector.scene.pyramid import AGGREGATES
from easel.inspector.scene.sheet import RANGES, Sheet


class Content:
    """The content of a scene, for everything that draws it."""

    def __init__(self, refs: dict[str, TensorRef], arrangement: Arrangement) -> None:
        self.refs, self.arrangement = refs, arrangement
        boxes = arrangement.boxes
        self.boxes: dict[str, Box] = {box.name: box for box in boxes}
        self.sheets = [Sheet(box, refs[box.name]) for box in boxes if box.sheet is not None]
        # Arrays once, not per frame: captions project the corners of all boxes together.
        self.corners = np.array([corners_of(box.origin, box.right, box.down) for box in boxes]).reshape(-1, 4, 3)
        """Corners of all boxes, the upper left one first."""
        self.docked = np.array([bool(box.docked_to) for box in boxes], bool)
        # Every value once: a tied weight has one box, whatever its names.
        self._stage_values = Counter[str]()
        for box in boxes:
            self._stage_values[box.stage] += refs[box.name].tensor.numel()
        self.labels = True
        self.outlines = True
        self.filled = True
        """False leaves nothing of a sheet but its outline."""
        self.legend = True
        self.hover: Hit | None = None
        """The value whose cell is marked."""
        self.selected = ""
        """Name of the tensor that is framed and explained by the legend."""
        self._aggregate, self._ranges = AGGREGATES[0], RANGES[0]
        self._by_name = {sheet.box.name: sheet for sheet in self.sheets}
        self._aliases = {alias: ref.name for ref in self.refs.values() for alias in ref.aliases}

    @property
    def aggregate(self) -> str:
        """Value of a pixel that covers many cells: "peak", "rms" or "mean" of them."""
        return self._aggregate

    @aggregate.setter
    def aggregate(self, value: str) -> None:
        if value not in AGGREGATES:
            raise ValueError(f"unknown aggregate {value!r}. Known: {', '.join(AGGREGATES)}.")
        self._aggregate = value

    @property
    def ranges(self) -> str:
        """Limit of the colours: "own", 99.5 % of a tensor's magnitudes, "peak", or "shared" by all tensors."""
        return self._ranges

    @ranges.setter
    def ranges(self, value: str) -> None:
        if value not in RANGES:
            raise ValueError(f"unknown ranges {value!r}. Known: {', '.join(RANGES)}.")
        self._ranges = value

    def update(self, values: Mapping[str, Tensor]) -> list[str]:
        """Show new values under known names. Returns the names of what may have changed; unknown ones are left out.

        A tensor that is shown already counts as changed when torch has counted a write into it. Writes through `.data`
        are not counted: hand over a copy. Raises ValueError for another shape.
        """
        changed = []
        # Only the tensors that come: a snapshot may hold less than the scene shows.
        for name, tensor in values.items():
            sheet = self.sheet(name)
            if sheet is not None and sheet.update(tensor):
                changed.append(sheet.box.name)
        return changed

    def limits(self, sheet: Sheet) -> list[float]:
        """Return the limit of every level of a sheet's colours, of scaled values."""
        return sheet.limits(self._aggregate, self._ranges, self.shared_limit)

    @property
    def shared_limit(self) -> float:
        """Limit of the colours of all tensors, if they share their range; else 0."""
        # The pyramids of all sheets are needed for it, so it is asked for only if it counts.
        if self._ranges != "shared":
            return 0.0
        return max((sheet.pyramid(self._aggregate).limit for sheet in self.sheets), default=1.0)

    def stage_values(self, stage: str) -> int:
        """Return the number of values in a stage."""
        return self._stage_values[stage]

    def sheet(self, name: str) -> Sheet | None:
        """Return the sheet of a tensor under any of its names; None if there is nothing to show."""
        return self._by_name.get(self._aliases.get(name, name))
