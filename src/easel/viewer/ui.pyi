"""The raw immediate-mode layer: Dear ImGui by name, values in, values out, every frame anew.

Vectors are tuples, flags and colours integers, sizes pixels, where 0 means "as the content needs". A call outside a
frame is a RuntimeError. `ui.py` makes its functions from this table: from its signatures, defaults and sentences.
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

AUTO: float = 3.4028234663852886e38
"""An end of a plot's scale that its values decide: the largest float32."""

# Windows

def begin(name: str, opened: bool = True, flags: int = 0) -> tuple[bool, bool]:
    """A window, until `end`: (something of it is seen, it is open). With `opened=False` it has no close box."""

def end() -> None:
    """End the window of the last `begin`; call it whatever `begin` returned."""

def begin_child(id: str, width: float = 0, height: float = 0, child_flags: int = 0, window_flags: int = 0) -> bool:
    """A region that scrolls by itself, until `end_child`. True if any of it is seen."""

def end_child() -> None:
    """End the region of the last `begin_child`; call it whatever that returned."""

# Text

def text(text: str) -> None:
    """Text as it is, `%` included."""

def text_wrapped(text: str) -> None:
    """Text that goes on in the next line where the window ends."""

def text_colored(r: float, g: float, b: float, a: float, text: str) -> None:
    """Text in a colour with components in [0, 1]."""

def text_disabled(text: str) -> None:
    """Text in the grey of what cannot be used."""

def label_text(label: str, text: str) -> None:
    """Text with a label, aligned as the value of a widget."""

def bullet_text(text: str) -> None:
    """Text with a bullet before it."""

# Buttons

def button(label: str, width: float = 0, height: float = 0) -> bool:
    """A button. True in the frame in which it is clicked."""

def small_button(label: str) -> bool:
    """A button that fits into a line of text."""

def invisible_button(id: str, width: float, height: float) -> bool:
    """A button that shows nothing: room for something drawn by hand."""

def arrow_button(id: str, dir: int) -> bool:
    """A square button with an arrow: 0 left, 1 right, 2 up, 3 down."""

def radio_button(label: str, active: bool) -> bool:
    """One of several choices, `active` when it is the chosen one; True in the frame in which it is clicked."""

def checkbox(label: str, value: bool) -> bool:
    """A box to tick: returns `value`, switched by a click."""

# Sliders

def slider_float(label: str, value: float, min: float = 0, max: float = 1, format: str = "%.3f") -> float:
    """A number set by a grab between `min` and `max`; Ctrl+click types any number."""

def slider_float2(label: str, v0: float, v1: float, min: float = 0, max: float = 1) -> tuple[float, float]:
    """Two sliders in one line."""

def slider_float3(
    label: str, v0: float, v1: float, v2: float, min: float = 0, max: float = 1
) -> tuple[float, float, float]:
    """Three sliders in one line."""

def slider_float4(
    label: str, v0: float, v1: float, v2: float, v3: float, min: float = 0, max: float = 1
) -> tuple[float, float, float, float]:
    """Four sliders in one line."""

def slider_int(label: str, value: int, min: int = 0, max: int = 100) -> int:
    """A whole number set by a grab between `min` and `max`; Ctrl+click types any."""

def slider_angle(label: str, value_rad: float, min_deg: float = -360, max_deg: float = 360) -> float:
    """An angle shown in degrees; it goes in and comes out in radians."""

# Drags

def drag_float(label: str, value: float, speed: float = 1, min: float = 0, max: float = 0) -> float:
    """A number changed by `speed` per pixel of dragging; without limits while `min` >= `max`."""

def drag_float2(
    label: str, v0: float, v1: float, speed: float = 1, min: float = 0, max: float = 0
) -> tuple[float, float]:
    """Two numbers in one line, changed by dragging."""

def drag_float3(
    label: str, v0: float, v1: float, v2: float, speed: float = 1, min: float = 0, max: float = 0
) -> tuple[float, float, float]:
    """Three numbers in one line, changed by dragging."""

def drag_int(label: str, value: int, speed: float = 1, min: int = 0, max: int = 0) -> int:
    """A whole number changed by dragging."""

# Inputs

def input_float(label: str, value: float, step: float = 0, step_fast: float = 0) -> float:
    """A typed number; buttons beside it change it by `step`, with Ctrl by `step_fast`."""

def input_float2(label: str, v0: float, v1: float) -> tuple[float, float]:
    """Two typed numbers."""

def input_float3(label: str, v0: float, v1: float, v2: float) -> tuple[float, float, float]:
    """Three typed numbers."""

def input_float4(label: str, v0: float, v1: float, v2: float, v3: float) -> tuple[float, float, float, float]:
    """Four typed numbers."""

def input_int(label: str, value: int, step: int = 1, step_fast: int = 100) -> int:
    """A typed whole number; buttons beside it change it by `step`, with Ctrl by `step_fast`."""

def input_text(label: str, text: str = "", max_length: int = 256, flags: int = 0) -> str:
    """A line of text, cut to `max_length` characters."""

def input_text_multiline(
    label: str, text: str = "", max_length: int = 1024, width: float = 0, height: float = 0, flags: int = 0
) -> str:
    """Lines of text, cut to `max_length` characters."""

# Colours

def color_edit3(label: str, r: float = 0, g: float = 0, b: float = 0, flags: int = 0) -> tuple[float, float, float]:
    """A colour in one line, components in [0, 1]; a click opens a picker."""

def color_edit4(
    label: str, r: float = 0, g: float = 0, b: float = 0, a: float = 1, flags: int = 0
) -> tuple[float, float, float, float]:
    """A colour with alpha in one line; a click opens a picker."""

def color_picker3(label: str, r: float = 0, g: float = 0, b: float = 0, flags: int = 0) -> tuple[float, float, float]:
    """A colour chosen from a field and a bar of hues."""

def color_picker4(
    label: str, r: float = 0, g: float = 0, b: float = 0, a: float = 1, flags: int = 0
) -> tuple[float, float, float, float]:
    """A colour with alpha chosen from a field and bars."""

# Lists, trees and tabs

def combo(label: str, current: int, items: Sequence[str]) -> int:
    """The index of the item chosen from a list that opens on a click."""

def listbox(label: str, current: int, items: Sequence[str], height_items: int = -1) -> int:
    """The index of the item chosen from a list of `height_items` lines."""

def selectable(label: str, selected: bool = False, flags: int = 0, width: float = 0, height: float = 0) -> bool:
    """A line that can be marked: `selected`, switched by a click."""

def tree_node(label: str) -> bool:
    """A branch that can be unfolded; when it is, its children follow, then `tree_pop`."""

def tree_pop() -> None:
    """End the children of an unfolded `tree_node`."""

def collapsing_header(label: str, flags: int = 0) -> bool:
    """A heading that folds what follows. True if that is to be drawn."""

def begin_tab_bar(id: str, flags: int = 0) -> bool:
    """A bar of tabs; when True, its tabs follow, then `end_tab_bar`."""

def end_tab_bar() -> None:
    """End a tab bar; only where `begin_tab_bar` returned True."""

def begin_tab_item(label: str) -> bool:
    """A tab; when it is the one in front, its content follows, then `end_tab_item`."""

def end_tab_item() -> None:
    """End a tab; only where `begin_tab_item` returned True."""

# Progress, pictures and curves

def progress_bar(fraction: float, width: float = -1, height: float = 0, overlay: str = "") -> None:
    """A bar filled to `fraction`, in [0, 1]; the percentage is written over it unless `overlay` is."""

def image(
    texture_id: int,
    width: float,
    height: float,
    uv0x: float = 0,
    uv0y: float = 0,
    uv1x: float = 1,
    uv1y: float = 1,
) -> None:
    """The part between two corners, in [0, 1], of a texture that `Window.get_texture_id` names."""

def image_button(id: str, texture_id: int, width: float, height: float) -> bool:
    """A button with a picture on it."""

def plot_lines(
    label: str,
    values: Sequence[float] | np.ndarray | Tensor,
    offset: int = 0,
    overlay: str = "",
    scale_min: float = AUTO,
    scale_max: float = AUTO,
    width: float = 0,
    height: float = 0,
) -> None:
    """Values as a line, beginning with number `offset`."""

def plot_histogram(
    label: str,
    values: Sequence[float] | np.ndarray | Tensor,
    offset: int = 0,
    overlay: str = "",
    scale_min: float = AUTO,
    scale_max: float = AUTO,
    width: float = 0,
    height: float = 0,
) -> None:
    """Values as bars, beginning with number `offset`."""

# Layout

def separator() -> None:
    """A line across the window."""

def same_line(offset: float = 0, spacing: float = -1) -> None:
    """Place the next item beside the last one, `offset` pixels from the left if that is not 0."""

def new_line() -> None:
    """End a line that `same_line` continued, or leave an empty one."""

def spacing() -> None:
    """A little room above the next item."""

def dummy(width: float, height: float) -> None:
    """Empty room."""

def indent(width: float = 0) -> None:
    """Move items to the right from here on."""

def unindent(width: float = 0) -> None:
    """Undo an `indent`."""

def begin_group() -> None:
    """Let items until `end_group` count as one, for `same_line` and for queries of the last item."""

def end_group() -> None:
    """End the group."""

def push_item_width(width: float) -> None:
    """Set the width of widgets until `pop_item_width`; a negative one leaves so much free at the right."""

def pop_item_width() -> None:
    """Undo the last `push_item_width`."""

def begin_disabled(disabled: bool = True) -> None:
    """Grey out items until `end_disabled`: they cannot be used."""

def end_disabled() -> None:
    """Undo the last `begin_disabled`."""

def columns(count: int = 1, id: str = "", border: bool = True) -> None:
    """Lay items out in `count` columns from here on, changed by `next_column`; 1 ends that. Prefer tables."""

def next_column() -> None:
    """Move on to the next column."""

# Tables

def begin_table(
    id: str, columns: int, flags: int = 0, outer_width: float = 0, outer_height: float = 0, inner_width: float = 0
) -> bool:
    """A table; when any of it is seen, its rows follow, then `end_table`."""

def end_table() -> None:
    """End a table; only where `begin_table` returned True."""

def table_next_row(flags: int = 0, min_row_height: float = 0) -> None:
    """Begin a row."""

def table_next_column() -> bool:
    """Move on to the next cell, after the last one to the next row. True if it is seen."""

def table_set_column_index(index: int) -> bool:
    """Move on to this row's cell number `index`. True if it is seen."""

def table_setup_column(label: str, flags: int = 0, init_width: float = 0) -> None:
    """Declare a column, before the first row."""

def table_headers_row() -> None:
    """A row with the labels of the declared columns."""

# Menus, popups and tooltips

def begin_main_menu_bar() -> bool:
    """The bar at the top of the screen; when True, its menus follow, then `end_main_menu_bar`."""

def end_main_menu_bar() -> None:
    """End the main menu bar; only where its beginning returned True."""

def begin_menu_bar() -> bool:
    """The bar of a window with the flag 1 << 10; when True, its menus follow, then `end_menu_bar`."""

def end_menu_bar() -> None:
    """End the menu bar; only where its beginning returned True."""

def begin_menu(label: str, enabled: bool = True) -> bool:
    """A menu; when it is open, its items follow, then `end_menu`."""

def end_menu() -> None:
    """End a menu; only where `begin_menu` returned True."""

def menu_item(label: str, shortcut: str = "", selected: bool = False, enabled: bool = True) -> bool:
    """An entry of a menu: `selected`, switched by a click. The shortcut is only written beside it."""

def open_popup(id: str) -> None:
    """Open a popup; call it once, where the reason occurs."""

def begin_popup(id: str, flags: int = 0) -> bool:
    """A popup; when it is open, its content follows, then `end_popup`."""

def begin_popup_modal(name: str, flags: int = 0) -> bool:
    """A popup that keeps everything else from being used; when it is open, its content follows, then `end_popup`."""

def end_popup() -> None:
    """End a popup; only where its beginning returned True."""

def close_current_popup() -> None:
    """Close the popup that is being drawn."""

def begin_tooltip() -> bool:
    """A window at the pointer; its content follows, then `end_tooltip`."""

def end_tooltip() -> None:
    """End a tooltip; only where `begin_tooltip` returned True."""

def set_tooltip(text: str) -> None:
    """Text in a window at the pointer."""

# Identities

def push_id_str(id: str) -> None:
    """Let labels until `pop_id` name other widgets than the same labels elsewhere."""

def push_id_int(id: int) -> None:
    """Do the same with a number, for loops."""

def pop_id() -> None:
    """Undo the last `push_id_str` or `push_id_int`."""

def get_id(str_id: str) -> int:
    """Return the number of a label here."""

# Style

def push_style_color(idx: int | str, r: float, g: float, b: float, a: float) -> None:
    """Set a colour of the style until it is popped, by name ("button_hovered") or by its number in ImGui 1.92."""

def pop_style_color(count: int = 1) -> None:
    """Undo the last pushed colours."""

def push_style_var_float(idx: int | str, value: float) -> None:
    """Set a number of the style until it is popped, by name ("frame_rounding") or by its number in ImGui 1.92."""

def push_style_var_vec2(idx: int | str, x: float, y: float) -> None:
    """Set a pair of numbers of the style ("item_spacing") likewise."""

def pop_style_var(count: int = 1) -> None:
    """Undo the last pushed numbers and pairs."""

def style_colors_dark() -> None:
    """Set Dear ImGui's own dark colours."""

def style_colors_light() -> None:
    """Set Dear ImGui's own light colours."""

def style_colors_classic() -> None:
    """Set Dear ImGui's oldest colours."""

# Positions and sizes

def get_cursor_pos() -> tuple[float, float]:
    """Position of the next item, from the window's corner."""

def set_cursor_pos(x: float, y: float) -> None:
    """Set the position of the next item, from the window's corner."""

def get_content_region_avail() -> tuple[float, float]:
    """(width, height) of the free space."""

def get_window_size() -> tuple[float, float]:
    """(width, height) of the window that is begun."""

def get_window_pos() -> tuple[float, float]:
    """The corner of the window that is begun, on the display."""

def set_next_window_pos(x: float, y: float, cond: int = 0) -> None:
    """Set the next window's corner; `cond` 0 always, 2 once, 4 first of all runs, 8 when it appears."""

def set_next_window_size(width: float, height: float, cond: int = 0) -> None:
    """Set the next window's size; `cond` as for its position."""

def get_display_size() -> tuple[float, float]:
    """(width, height) of the whole display area."""

# Docking

def dock_space_over_viewport(flags: int = 0) -> int:
    """A dock space over the whole display area. Returns its number."""

def dock_space(id: int, width: float = 0, height: float = 0, flags: int = 0) -> int:
    """A dock space in the window that is begun. Returns its number."""

def set_next_window_dock_id(dock_id: int, cond: int = 0) -> None:
    """Dock the next window in a node."""

def dock_builder_remove_node(node_id: int) -> None:
    """Remove a node with its children; its windows float."""

def dock_builder_add_node(node_id: int = 0, flags: int = 0) -> int:
    """Add a node and return its number, a free one for 0; flag 1 << 10 makes it a dock space."""

def dock_builder_set_node_size(node_id: int, width: float, height: float) -> None:
    """Set the size of a node."""

def dock_builder_set_node_pos(node_id: int, x: float, y: float) -> None:
    """Set the corner of a node."""

def dock_builder_split_node(node_id: int, split_dir: int, size_ratio: float) -> tuple[int, int]:
    """Cut a share off a node, at 0 left, 1 right, 2 up or 3 down: (the node cut off, the rest)."""

def dock_builder_dock_window(window_name: str, node_id: int) -> None:
    """Dock a window in a node."""

def dock_builder_finish(node_id: int) -> None:
    """Complete the arrangement of a node."""

def dock_builder_get_node(node_id: int) -> bool:
    """True if there is such a node."""

# Drawing, in display pixels; a colour is 0xAABBGGRR, see `col32`

def draw_line(x1: float, y1: float, x2: float, y2: float, col: int = 0xFFFFFFFF, thickness: float = 1) -> None:
    """A line on the window that is begun."""

def draw_rect(
    x1: float, y1: float, x2: float, y2: float, col: int = 0xFFFFFFFF, rounding: float = 0, thickness: float = 1
) -> None:
    """The outline of a rectangle."""

def draw_rect_filled(x1: float, y1: float, x2: float, y2: float, col: int = 0xFFFFFFFF, rounding: float = 0) -> None:
    """A rectangle."""

def draw_circle(
    cx: float, cy: float, radius: float, col: int = 0xFFFFFFFF, segments: int = 0, thickness: float = 1
) -> None:
    """The outline of a circle."""

def draw_circle_filled(cx: float, cy: float, radius: float, col: int = 0xFFFFFFFF, segments: int = 0) -> None:
    """A disk."""

def draw_text(x: float, y: float, col: int, text: str) -> None:
    """Text with its top left corner there."""

def bg_draw_image(
    texture_id: int,
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    uv0x: float = 0,
    uv0y: float = 0,
    uv1x: float = 1,
    uv1y: float = 1,
) -> None:
    """A picture behind all windows."""

def col32(r: int, g: int, b: int, a: int = 255) -> int:
    """Components from 0 to 255 as one number; needs no frame."""

# The last item

def is_item_hovered() -> bool:
    """True if the pointer is over it and could use it."""

def is_item_active() -> bool:
    """True while it is dragged, held or edited."""

def is_item_clicked(button: int = 0) -> bool:
    """True if it was just clicked: 0 left, 1 right, 2 middle."""

def is_item_focused() -> bool:
    """True while it has the keyboard's focus."""

def is_item_edited() -> bool:
    """True if its value changed in this frame."""

def is_item_deactivated_after_edit() -> bool:
    """True if an edit of it has just ended."""

def get_item_rect_min() -> tuple[float, float]:
    """Its top left corner on the display."""

def get_item_rect_max() -> tuple[float, float]:
    """Its bottom right corner on the display."""

# Mouse, keyboard and clipboard

def get_mouse_pos() -> tuple[float, float]:
    """The pointer on the display; about -3.4e38 while there is none."""

def get_mouse_wheel() -> float:
    """Notches that the wheel turned upwards in this frame."""

def is_mouse_clicked(button: int = 0) -> bool:
    """True if a button went down in this frame: 0 left, 1 right, 2 middle."""

def is_mouse_down(button: int = 0) -> bool:
    """True while a button is held."""

def is_mouse_released(button: int = 0) -> bool:
    """True if a button went up in this frame."""

def is_mouse_double_clicked(button: int = 0) -> bool:
    """True if a button was clicked twice in quick succession."""

def is_mouse_dragging(button: int = 0, lock_threshold: float = -1) -> bool:
    """True while a button is held and the pointer has moved by `lock_threshold` pixels, or the usual few."""

def get_mouse_drag_delta(button: int = 0, lock_threshold: float = -1) -> tuple[float, float]:
    """Distance of the drag since the button went down."""

def is_key_pressed(key: int) -> bool:
    """True if a key, one of KEY_*, went down in this frame or repeats itself."""

def is_key_down(key: int) -> bool:
    """True while a key, one of KEY_*, is held."""

def get_clipboard_text() -> str:
    """Text of the clipboard."""

def set_clipboard_text(text: str) -> None:
    """Copy text to the clipboard."""

# Drag and drop

def begin_drag_drop_source(flags: int = 0) -> bool:
    """Let the last item be dragged: when it is, payload and preview follow, then `end_drag_drop_source`."""

def set_drag_drop_payload(type: str, payload: object) -> bool:
    """Set the payload, any object, under the name of its kind. True if a target would take it."""

def end_drag_drop_source() -> None:
    """End the source; only where `begin_drag_drop_source` returned True."""

def begin_drag_drop_target() -> bool:
    """True while a payload is over the last item: it can be accepted, then `end_drag_drop_target`."""

def accept_drag_drop_payload(type: str, flags: int = 0) -> object | None:
    """The object, in the frame in which it is dropped here; None otherwise and for other kinds."""

def end_drag_drop_target() -> None:
    """End the target; only where `begin_drag_drop_target` returned True."""

# The frame

def get_io_framerate() -> float:
    """Frames per second, averaged over the last few dozen."""

def get_io_delta_time() -> float:
    """Seconds since the last frame."""

def get_time() -> float:
    """Seconds since the first frame."""

def get_frame_count() -> int:
    """Frames begun so far."""

def show_demo_window() -> None:
    """A window with everything that Dear ImGui can do."""

def show_metrics_window() -> None:
    """A window that shows Dear ImGui's own state."""

# Keys

KEY_TAB: int = 512
KEY_LEFT_ARROW: int = 513
KEY_RIGHT_ARROW: int = 514
KEY_UP_ARROW: int = 515
KEY_DOWN_ARROW: int = 516
KEY_PAGE_UP: int = 517
KEY_PAGE_DOWN: int = 518
KEY_HOME: int = 519
KEY_END: int = 520
KEY_INSERT: int = 521
KEY_DELETE: int = 522
KEY_BACKSPACE: int = 523
KEY_SPACE: int = 524
KEY_ENTER: int = 525
KEY_ESCAPE: int = 526
KEY_LEFT_CTRL: int = 527
KEY_LEFT_SHIFT: int = 528
KEY_LEFT_ALT: int = 529
KEY_LEFT_SUPER: int = 530
KEY_RIGHT_CTRL: int = 531
KEY_RIGHT_SHIFT: int = 532
KEY_RIGHT_ALT: int = 533
KEY_RIGHT_SUPER: int = 534
KEY_MENU: int = 535
KEY_0: int = 536
KEY_1: int = 537
KEY_2: int = 538
KEY_3: int = 539
KEY_4: int = 540
KEY_5: int = 541
KEY_6: int = 542
KEY_7: int = 543
KEY_8: int = 544
KEY_9: int = 545
KEY_A: int = 546
KEY_B: int = 547
KEY_C: int = 548
KEY_D: int = 549
KEY_E: int = 550
KEY_F: int = 551
KEY_G: int = 552
KEY_H: int = 553
KEY_I: int = 554
KEY_J: int = 555
KEY_K: int = 556
KEY_L: int = 557
KEY_M: int = 558
KEY_N: int = 559
KEY_O: int = 560
KEY_P: int = 561
KEY_Q: int = 562
KEY_R: int = 563
KEY_S: int = 564
KEY_T: int = 565
KEY_U: int = 566
KEY_V: int = 567
KEY_W: int = 568
KEY_X: int = 569
KEY_Y: int = 570
KEY_Z: int = 571
KEY_F1: int = 572
KEY_F2: int = 573
KEY_F3: int = 574
KEY_F4: int = 575
KEY_F5: int = 576
KEY_F6: int = 577
KEY_F7: int = 578
KEY_F8: int = 579
KEY_F9: int = 580
KEY_F10: int = 581
KEY_F11: int = 582
KEY_F12: int = 583
KEY_F13: int = 584
KEY_F14: int = 585
KEY_F15: int = 586
KEY_F16: int = 587
KEY_F17: int = 588
KEY_F18: int = 589
KEY_F19: int = 590
KEY_F20: int = 591
KEY_F21: int = 592
KEY_F22: int = 593
KEY_F23: int = 594
KEY_F24: int = 595
KEY_APOSTROPHE: int = 596
KEY_COMMA: int = 597
KEY_MINUS: int = 598
KEY_PERIOD: int = 599
KEY_SLASH: int = 600
KEY_SEMICOLON: int = 601
KEY_EQUAL: int = 602
KEY_LEFT_BRACKET: int = 603
KEY_BACKSLASH: int = 604
KEY_RIGHT_BRACKET: int = 605
KEY_GRAVE_ACCENT: int = 606
KEY_CAPS_LOCK: int = 607
KEY_SCROLL_LOCK: int = 608
KEY_NUM_LOCK: int = 609
KEY_PRINT_SCREEN: int = 610
KEY_PAUSE: int = 611
KEY_KEYPAD0: int = 612
KEY_KEYPAD1: int = 613
KEY_KEYPAD2: int = 614
KEY_KEYPAD3: int = 615
KEY_KEYPAD4: int = 616
KEY_KEYPAD5: int = 617
KEY_KEYPAD6: int = 618
KEY_KEYPAD7: int = 619
KEY_KEYPAD8: int = 620
KEY_KEYPAD9: int = 621
KEY_KEYPAD_DECIMAL: int = 622
KEY_KEYPAD_DIVIDE: int = 623
KEY_KEYPAD_MULTIPLY: int = 624
KEY_KEYPAD_SUBTRACT: int = 625
KEY_KEYPAD_ADD: int = 626
KEY_KEYPAD_ENTER: int = 627
KEY_KEYPAD_EQUAL: int = 628
