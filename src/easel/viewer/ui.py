"""The raw immediate-mode layer (`easel.ui`): Dear ImGui by name, values in, values out.

The table of its names is `ui.pyi`. A type checker reads it, and so does this file: every signature, default and
sentence there becomes a function here. Written out below is only the conversion of calls: the function of Dear ImGui
behind a name, the parameters that are packed into one vector, and the part of an answer that is returned.
"""

import ast
import re
from collections.abc import Callable
from functools import partial, wraps
from importlib.resources import files
from types import FunctionType
from typing import Any

import numpy as np

from easel.viewer.imgui.context import require_frame
from easel.viewer.imgui.style_names import color_index, variable_index
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.widgets.readouts import as_curve

# In the signatures they stay apart: a person writes `x, y`, and a checker tells what is missing.
VECTORS = re.compile(
    r"\b(width, height|outer_width, outer_height|x, y|x1, y1|x2, y2|cx, cy|uv0x, uv0y|uv1x, uv1y"
    r"|r, g, b, a|r, g, b|v0, v1, v2, v3|v0, v1, v2|v0, v1)\b"
)
"""Parameters that Dear ImGui takes as one vector."""

FAMILIES = {"dock_builder_": "internal.dock_builder_", "draw_": "get_window_draw_list().add_", "get_io_": "get_io()."}
"""Beginning of names → beginning of their locations from Dear ImGui's module."""
LOCATIONS = {
    "get_display_size": "get_io().display_size",
    "get_mouse_wheel": "get_io().mouse_wheel",
    "listbox": "list_box",
    "push_id_int": "push_id",
    "push_id_str": "push_id",
    "text": "text_unformatted",
}
"""Name → location from Dear ImGui's module, where it has another name there."""


def _begin(name: str, opened: bool, flags: int) -> tuple[bool, bool]:
    # None asks for no close box; False would be a window that is closed already.
    visible, still_open = imgui.begin(name, opened or None, flags)
    return visible, bool(still_open)


def _open_popup(id: str) -> None:
    # Nothing is returned: what Dear ImGui answers is no value of the popup.
    imgui.open_popup(id)


def _split_node(node_id: int, split_dir: int, size_ratio: float) -> tuple[int, int]:
    split = imgui.internal.dock_builder_split_node(node_id, imgui.Dir(split_dir), size_ratio)
    return split.id_at_dir, split.id_at_opposite_dir


def _input_text(draw: str, label: str, text: str, max_length: int, *size_and_flags: Any) -> str:
    return getattr(imgui, draw)(label, text, *size_and_flags)[1][:max_length]


def _color(draw: str, label: str, color: Any, flags: int) -> tuple[float, ...]:
    # "Input as RGB" and "as HSV" were bits 27 and 28 in Dear ImGui 1.92, one lower than now.
    moved = flags & 3 << 27
    return tuple(getattr(imgui, draw)(label, color, flags ^ moved | moved << 1)[1])


def _plot(draw: str, label: str, values: Any, offset: int, overlay: str, *scale_and_size: Any) -> None:
    getattr(imgui, draw)(label, as_curve(values).astype(np.float32), offset, overlay or None, *scale_and_size)


def _picture(location: str, texture_id: int, *corners: Any) -> Any:
    return _resolve(location)(imgui.ImTextureRef(texture_id), *corners)


# Alive as long as the drag: Dear ImGui keeps no reference, and the caller may have dropped its own.
_dragged: object = None
"""The payload in flight; one is enough, as there is one pointer, and Dear ImGui can carry no Python object."""


def _set_payload(type: str, payload: object) -> bool:
    global _dragged
    _dragged = payload
    return imgui.set_drag_drop_payload_py_id(type, 0)


def _accept_payload(type: str, flags: int) -> object:
    return None if imgui.accept_drag_drop_payload_py_id(type, flags) is None else _dragged


# Their parameters are those of the table, so that what differs between two versions of Dear ImGui differs here.
ADAPTED: dict[str, Callable[..., Any]] = {
    "accept_drag_drop_payload": _accept_payload,
    "begin": _begin,
    "begin_popup_modal": lambda name, flags: imgui.begin_popup_modal(name, None, flags)[0],
    "begin_tab_item": lambda label: imgui.begin_tab_item(label)[0],
    **{name: partial(_color, name) for name in ("color_edit3", "color_edit4", "color_picker3", "color_picker4")},
    "bg_draw_image": partial(_picture, "get_background_draw_list().add_image"),
    "dock_builder_get_node": lambda node_id: imgui.internal.dock_builder_get_node(node_id) is not None,
    "dock_builder_split_node": _split_node,
    "dock_space_over_viewport": lambda flags: imgui.dock_space_over_viewport(flags=flags),
    "image": partial(_picture, "image"),
    "image_button": lambda id, texture_id, size: imgui.image_button(id, imgui.ImTextureRef(texture_id), size),
    **{name: partial(_input_text, name) for name in ("input_text", "input_text_multiline")},
    "open_popup": _open_popup,
    **{name: partial(_plot, name) for name in ("plot_histogram", "plot_lines")},
    "progress_bar": lambda fraction, size, overlay: imgui.progress_bar(fraction, size, overlay or None),
    "push_style_color": lambda idx, color: imgui.push_style_color(color_index(idx), color),
    "push_style_var_float": lambda idx, value: imgui.push_style_var(variable_index(idx, float), value),
    "push_style_var_vec2": lambda idx, pair: imgui.push_style_var(variable_index(idx, imgui.ImVec2), pair),
    "set_drag_drop_payload": _set_payload,
}
"""Names whose arguments or answers differ in Dear ImGui → adapters, called with packed vectors."""


def col32(r: int, g: int, b: int, a: int = 255) -> int:
    """Pack components from 0 to 255 into one number, 0xAABBGGRR; needs no frame."""
    return a << 24 | b << 16 | g << 8 | r


def _resolve(location: str) -> Any:
    """Return the object at a location such as `get_io().framerate`, from Dear ImGui's module."""
    thing: Any = imgui
    # Resolved at each call: a draw list is another one in every window and frame.
    for step in location.split("."):
        thing = getattr(thing, step.removesuffix("()"))
        if step.endswith("()"):
            thing = thing()
    return thing


def _plain(answer: Any) -> Any:
    """Convert an answer: (changed, value) to the value, a vector to a tuple."""
    if isinstance(answer, tuple):
        _, answer = answer
    return tuple(answer) if isinstance(answer, list | imgui.ImVec2) else answer


def _bound(declared: Callable[..., list[Any]]) -> Callable[..., Any]:
    """Return the function that a row of the table declares; `declared` returns its arguments with vectors packed."""
    name = declared.__name__
    adapted = ADAPTED.get(name)
    family = next((beginning for beginning in FAMILIES if name.startswith(beginning)), "")
    location = LOCATIONS.get(name) or FAMILIES.get(family, "") + name.removeprefix(family)

    @wraps(declared)
    def call(*args: Any, **kwargs: Any) -> Any:
        # First the arguments: a wrong call is told as such, also outside of a frame.
        packed = declared(*args, **kwargs)
        require_frame(f"ui.{name}")
        if adapted is not None:
            return adapted(*packed)
        found = _resolve(location)
        return _plain(found(*packed) if callable(found) else found)

    return call


def _table() -> dict[str, Any]:
    """Return the names that the rows of `ui.pyi` declare: functions, and the numbers of keys."""
    stub = files("easel.viewer") / "ui.pyi"
    rows = ast.parse(stub.read_text(encoding="utf-8"))
    for row in rows.body:
        if isinstance(row, ast.FunctionDef):
            # The row's body: Python itself then binds arguments, fills in defaults and refuses what does not fit.
            packed = VECTORS.sub(r"(\1)", ", ".join(parameter.arg for parameter in row.args.args))
            row.body.append(ast.Return(ast.parse(f"[{packed}]", mode="eval").body))
    # Run as the module that it describes: an error in a default is then told with its file and line.
    space: dict[str, Any] = {"__name__": __name__}
    exec(compile(ast.fix_missing_locations(rows), str(stub), "exec"), space)
    functions = {name: _bound(row) for name, row in space.items() if isinstance(row, FunctionType)}
    return {name: row for name, row in space.items() if name.isupper()} | functions | {"col32": col32}


# At import: `from easel.ui import button` has to find them.
_names = _table()
globals().update(_names)
__all__ = list(_names)  # pyright: ignore[reportUnsupportedDunderAll]  they are read at run time


def __dir__() -> list[str]:
    return sorted(__all__)
