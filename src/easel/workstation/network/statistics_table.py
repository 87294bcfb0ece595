"""StatisticsTable: every tensor of a network in numbers, sorted by a click on a column, warnings in red."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from easel.inspector.history.statistics import NetworkSummary, Row
from easel.viewer.imgui.item_layout import ItemLayout
from easel.viewer.imgui.sketch import Number, Sketch, Words
from easel.viewer.imgui.theme import ALARM
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.widgets.widgets import Widget

COLUMNS = {
    "Tensor": "name",
    "Norm": "l2",
    "RMS": "rms",
    "Min": "min",
    "Max": "max",
    "Zeros": "zero_share",
    "Gradient": "gradient_norm",
    "From start": "distance",
    "Step / norm": "update_ratio",
}
"""Heading → what of a row or its summary."""


@dataclass(frozen=True, eq=False)
class StatisticsTable(Widget[str]):
    """`Panel.ask(label, StatisticsTable(summary))` gives the name of the tensor that was chosen."""

    summary: NetworkSummary
    default: str = ""

    def accept(self, value: object) -> str:
        return str(value)

    def draw(self, layout: ItemLayout, label: str, value: str) -> str:
        flags = imgui.TableFlags_
        look = (
            flags.sortable
            | flags.sort_tristate
            | flags.row_bg
            | flags.resizable
            | flags.scroll_y
            | flags.borders_inner_v
        )
        if not imgui.begin_table(f"##{label}", len(COLUMNS) + 1, look | flags.sizing_fixed_fit):
            return value
        for heading in COLUMNS:
            plain = imgui.TableColumnFlags_
            falling = plain.prefer_sort_ascending if heading == "Tensor" else plain.prefer_sort_descending
            imgui.table_setup_column(heading, falling)
        imgui.table_setup_column("Warnings", imgui.TableColumnFlags_.width_stretch | imgui.TableColumnFlags_.no_sort)
        imgui.table_setup_scroll_freeze(1, 1)
        imgui.table_headers_row()
        for row in self._sorted():
            imgui.table_next_row()
            imgui.table_next_column()
            if imgui.selectable(row.name, row.name == value, imgui.SelectableFlags_.span_all_columns)[0]:
                value = row.name
            layout.record(f"{label}/{row.name}")
            for number in numbers(row)[1:]:
                imgui.table_next_column()
                imgui.text_unformatted(written(number))
            imgui.table_next_column()
            layout.text("; ".join(row.warnings), ALARM)
        imgui.end_table()
        return value

    def sketch(self, label: str, value: str) -> Sketch:
        return Words("\n".join("  ".join(map(written, numbers(row))) for row in self.summary.rows))

    def _sorted(self) -> Sequence[Row]:
        """The rows as the person has asked for them."""
        specs = imgui.table_get_sort_specs()
        if specs is None or not specs.specs_count:
            return self.summary.rows
        spec = specs.get_specs(0)
        descending = spec.get_sort_direction() == imgui.SortDirection.descending
        column = list(COLUMNS.values())[spec.column_index]
        if column == "name":
            return sorted(self.summary.rows, key=lambda row: row.name, reverse=descending)
        return self.summary.sorted_by(column, descending=descending)


def numbers(row: Row) -> list[str | Number | None]:
    """A row's cells."""
    return [getattr(row, name) if hasattr(row, name) else getattr(row.summary, name) for name in COLUMNS.values()]


def written(number: str | Number | None) -> str:
    """A cell's text; nothing where it is not known."""
    if number is None or isinstance(number, str):
        return number or ""
    return f"{number:.4g}" if math.isfinite(number) else "∞"
