"""A network as one HTML file: its sheets, their values in 16 bits, and a page that turns, zooms and tells values."""

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
from easel.inspector.export.gltf import level_within
from easel.inspector.layout.arrangement import Arrangement
from easel.inspector.layout.layout import arrange
from easel.inspector.models.graph import TensorRef
from easel.inspector.scene.sheet import Sheet

MOST_BYTES = 32 * 2**20
"""Of values in a page, before they are written as text, which takes a third more."""
MOST_TEXELS = 4096
"""On a side of a texture: what every WebGL 2 of the last years draws."""
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

    Values keep 11 binary digits. Where all of them would take more than `limit_bytes`, the largest sheets are made
    coarser, a cell then being the peak of several; returns the names of those tensors. Raises ValueError where there is
    nothing to show, or too much even so.
    """
    known = {ref.name: ref for ref in refs}
    arrangement = arrangement or arrange(known.values())
    sheets = [Sheet(box, known[box.name], max(box.sheet.grid)) for box in arrangement.boxes if box.sheet is not None]
    if not sheets:
        raise ValueError("there is no tensor with values to export.")
    levels = _levels(sheets, limit_bytes)
    data, entries = bytearray(), []
    for sheet, level in zip(sheets, levels, strict=True):
        values = sheet.level(0, level, "peak").astype("<f2")
        entries.append(_entry(sheet, level, len(data) // 2, values.shape))
        data += values.tobytes()
    facts = {
        "sheets": entries,
        "bounds": arrangement.bounds,
        "routes": [{"points": route.points, "skips": route.skips} for route in arrangement.routes],
        "pads": [
            {"text": pad.text, "origin": pad.origin, "side": pad.side, "error": pad.error} for pad in arrangement.pads
        ],
        "plates": [
            {"title": plate.title, "origin": plate.origin, "width": plate.width, "height": plate.height}
            for plate in arrangement.plates
        ],
        "colors": {name.lower(): getattr(colors, name) for name in COLORS},
    }
    parts = {
        "title": html.escape(title),
        # A closing tag inside a string would end the script element that holds the JSON.
        "facts": json.dumps(facts, allow_nan=False).replace("</", "<\\/"),
        "values": base64.b64encode(bytes(data)).decode(),
    }
    page = resources.files("easel.inspector.export").joinpath("web_page.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        page = page.replace("{{" + name + "}}", part)
    with write_whole(path) as partial:
        partial.write_text(page, encoding="utf-8")
    return tuple(sheet.ref.name for sheet, level in zip(sheets, levels, strict=True) if level)


def _levels(sheets: list[Sheet], limit_bytes: int) -> list[int]:
    """The pyramid level at which each sheet is written: 0 for all if they fit, else coarser ones for the largest."""
    levels = [level_within(sheet, MOST_TEXELS) for sheet in sheets]

    def size_bytes(number: int) -> int:
        rows, columns = sheets[number].map.grid
        return 2 * max(rows >> levels[number], 1) * max(columns >> levels[number], 1)

    while sum(map(size_bytes, range(len(sheets)))) > limit_bytes:
        largest = max(range(len(sheets)), key=size_bytes)
        if max(sheets[largest].map.grid) >> levels[largest] <= LEAST_TEXELS:
            raise ValueError(
                f"the page would hold more than {limit_bytes / 2**20:g} MiB of values. Export fewer tensors."
            )
        levels[largest] += 1
    return levels


def _entry(sheet: Sheet, level: int, offset: int, size: tuple[int, ...]) -> dict[str, Any]:
    pyramid, cells, ref = sheet.pyramid("peak"), sheet.map, sheet.ref
    return {
        "name": ref.name,
        "kind": ref.kind,
        "shape": list(ref.shape),
        "dtype": str(ref.tensor.dtype).removeprefix("torch."),
        "origin": sheet.box.origin,
        "right": sheet.box.right,
        "down": sheet.box.down,
        "docked": bool(sheet.box.docked_to),
        "offset": offset,
        "size": list(size),
        "level": level,
        "grid": list(cells.grid),
        "map_shape": list(cells.shape),
        "row_axes": list(cells.row_axes),
        "column_axes": list(cells.column_axes),
        "plane": list(cells.plane),
        "block": list(cells.block),
        "across": cells.across,
        "gutter": cells.gutter,
        "wide": cells.is_wide,
        "kernel": [1, 1] if cells.gutter else list(cells.kernel),
        "exponent": pyramid.exponent,
        "limits": [max(limit, 1e-30) for limit in pyramid.limits[level:]],
        "sequential": sheet.is_sequential("peak"),
        "limit": math.ldexp(pyramid.limits[level], -pyramid.exponent),
        "low": pyramid.low,
        "high": pyramid.high,
        "bad": pyramid.bad,
    }
