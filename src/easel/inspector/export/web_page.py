"""HTML export of a network: one file with its sheets, their values in 16 bits, and a viewer that tells values."""

import base64
import html
import json
import math
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from easel.graphics.files import write_whole
from easel.inspector.drawing import colors
from easel.inspector.export.gltf import level_within, sheets_of, tensor_facts
from easel.inspector.layout.arrangement import Arrangement
from easel.inspector.models.graph import TensorRef
from easel.inspector.scene.sheet import Sheet

MOST_BYTES = 32 * 2**20
"""Budget of values in a page, before they are written as text, which takes a third more."""
MOST_TEXELS = 4096
"""Most texels on a side of a texture: every WebGL 2 of the last years draws so many."""
COLORS = ("ZERO", "NEGATIVE", "POSITIVE", "SEQUENTIAL", "LOUD", "AMBER", "BACKGROUND", "PLATE", "PAD", "FLOW", "SKIP",
          "FAULT", "GAMMA")  # fmt: skip
LEAST_TEXELS = 64
"""Sheets are not made coarser than this to save bytes."""


def save_html(
    path: str | Path,
    refs: Iterable[TensorRef],
    arrangement: Arrangement | None = None,
    *,
    title: str = "A network",
    limit_bytes: int = MOST_BYTES,
) -> tuple[str, ...]:
    """Write the page: self-contained, nothing is fetched; any browser with WebGL 2 draws it.

    Values keep 11 binary digits. If all of them would take more than `limit_bytes`, the largest sheets are made
    coarser, a cell then being the peak of several. Returns the names of those tensors. Raises ValueError if there is
    nothing to show, or too much even so.

        save_html("network.html", tensors(model).values(), title="LeNet")
    """
    arrangement, sheets = sheets_of(refs, arrangement)
    levels = _levels(sheets, limit_bytes)
    data = bytearray()
    entries = []
    for sheet, level in zip(sheets, levels, strict=True):
        # Little-endian on every machine, as the page's typed arrays are.
        values = sheet.level(0, level, "peak").astype("<f2")
        entries.append(_entry(sheet, level, len(data) // 2, values.shape))
        data += values.tobytes()
    facts = {
        "sheets": entries,
        "bounds": arrangement.bounds,
        "routes": [_fields(route, "points", "skips") for route in arrangement.routes],
        "pads": [_fields(pad, "text", "origin", "side", "error") for pad in arrangement.pads],
        "plates": [_fields(plate, "title", "origin", "width", "height") for plate in arrangement.plates],
        "colors": {name.lower(): getattr(colors, name) for name in COLORS},
    }
    parts = {
        "title": html.escape(title),
        # A closing tag inside a string would end the script element that holds the JSON.
        "facts": json.dumps(facts, allow_nan=False).replace("</", "<\\/"),
        "values": base64.b64encode(bytes(data)).decode(),
    }
    # The viewer is a file of its own, so that an editor knows its HTML, script and shaders.
    page = resources.files("easel.inspector.export").joinpath("web_page.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        page = page.replace("{{" + name + "}}", part)
    with write_whole(path) as partial:
        partial.write_text(page, encoding="utf-8")
    return tuple(sheet.ref.name for sheet, level in zip(sheets, levels, strict=True) if level)


def _levels(sheets: list[Sheet], limit_bytes: int) -> list[int]:
    """Return the pyramid level at which each sheet is written: 0 for all if they fit, else coarser for the largest."""
    # Before the budget: what no graphics card takes must not stay at level 0 because it fits.
    levels = [level_within(sheet, MOST_TEXELS) for sheet in sheets]

    def size_bytes(number: int) -> int:
        rows, columns = sheets[number].map.grid
        return 2 * max(rows >> levels[number], 1) * max(columns >> levels[number], 1)

    # The largest one each time: a small sheet loses more by being halved than the page gains.
    while sum(map(size_bytes, range(len(sheets)))) > limit_bytes:
        largest = max(range(len(sheets)), key=size_bytes)
        if max(sheets[largest].map.grid) >> levels[largest] <= LEAST_TEXELS:
            most = f"{limit_bytes / 2**20:g} MiB"
            raise ValueError(f"the page would hold more than {most} of values. Export fewer tensors.")
        levels[largest] += 1
    return levels


def _fields(record: object, *names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def _entry(sheet: Sheet, level: int, offset: int, size: tuple[int, ...]) -> dict[str, Any]:
    """Return the facts of one sheet, whose values begin at the half numbered `offset`."""
    pyramid, cells = sheet.pyramid("peak"), sheet.map
    return {
        **tensor_facts(sheet.ref),
        **_fields(sheet.box, "origin", "right", "down"),
        **_fields(cells, "grid", "row_axes", "column_axes", "plane", "block", "kernel", "across", "gutter"),
        **_fields(pyramid, "exponent", "low", "high", "bad"),
        "docked": bool(sheet.box.docked_to),
        "offset": offset,
        "size": list(size),
        "level": level,
        "map_shape": list(cells.shape),
        "wide": cells.is_wide,
        # The page divides by them.
        "limits": [max(limit, 1e-30) for limit in pyramid.limits[level:]],
        "sequential": sheet.is_sequential("peak"),
        "limit": math.ldexp(pyramid.limits[level], -pyramid.exponent),
    }
