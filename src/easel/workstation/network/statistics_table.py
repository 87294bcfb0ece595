"""StatisticsTable: every tensor of a network in numbers, sorted by a click on a column, warnings in red."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from easel.inspector.history.statistics import NetworkSummary, StatisticsRow
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
"""Heading → attribute of a row or of its summary."""


@dataclass(frozen=True, eq=False)
class StatisticsTable(Widget[str]):
    """A table as a widget: `panel.ask(label, StatisticsTable(summary))` returns the name of the chosen tensor."""

    summary: NetworkSummary
    default: str = ""

    def accept(self, value: object) -> str:
        return str(value)

    def draw(self, layout: ItemLayout, label: str, value: str) -> str:
        flags, column_flags = imgui.TableFlags_, imgui.TableColumnFlags_
        # Tristate: a third click on a heading brings the order of the network back.
        sorting = flags.sortable | flags.sort_tristate
        look = flags.row_bg | flags.borders_inner_v | flags.resizable | flags.sizing_fixed_fit | flags.scroll_y
        if not imgui.begin_table(f"##{label}", len(COLUMNS) + 1, sorting | look):
            return value
        # Names are sought from A on; of a number, the largest is of interest first.
        name_heading, *headings = COLUMNS
        imgui.table_setup_column(name_heading, column_flags.prefer_sort_ascending)
        for heading in headings:
            imgui.table_setup_column(heading, column_flags.prefer_sort_descending)
        imgui.table_setup_column("Warnings", column_flags.width_stretch | column_flags.no_sort)
        # Names and headings stay in sight.
        imgui.table_setup_scroll_freeze(1, 1)
        imgui.table_headers_row()
        for row in self._sorted():
            imgui.table_next_row()
            imgui.table_next_column()
            if imgui.selectable(row.name, row.name == value, imgui.SelectableFlags_.span_all_columns)[0]:
                value = row.name
            # Tests click a row by its name.
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

    def _sorted(self) -> Sequence[StatisticsRow]:
        """Return the rows in the order that the headings ask for."""
        specs = imgui.table_get_sort_specs()
        if specs is None or not specs.specs_count:
            return self.summary.rows
        spec = specs.get_specs(0)
        descending = spec.get_sort_direction() == imgui.SortDirection.descending
        column = list(COLUMNS.values())[spec.column_index]
        # Names are texts: the summary sorts numbers, those that are not known last.
        if column == "name":
            return sorted(self.summary.rows, key=lambda row: row.name, reverse=descending)
        return self.summary.sorted_by(column, descending=descending)


def numbers(row: StatisticsRow) -> list[str | Number | None]:
    """Return the values of a row's cells; None where one is not known."""
    return [getattr(row, name, getattr(row.summary, name, None)) for name in COLUMNS.values()]


def written(number: str | Number | None) -> str:
    """Return a cell's text; nothing for a number that is not known."""
    if number is None or isinstance(number, str):
        return number or ""
    return f"{number:.4g}" if math.isfinite(number) else "∞"
