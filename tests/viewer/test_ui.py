"""The raw layer: every name of the predecessor with its arguments, defaults and shapes; what moved is translated."""

import inspect
import re
import typing
from collections.abc import Callable, Iterator
from types import FunctionType

import pytest
import torch
from beartype.door import is_bearable

from easel import ui
from easel.viewer.imgui import style_names, toolkit
from easel.viewer.imgui.events import KeyChanged, PointerButton, PointerMoved, TextTyped, WheelTurned
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.window import Window

PREDECESSOR = """
begin(name, opened=True, flags=0) end() begin_child(id, width=0, height=0, child_flags=0, window_flags=0) end_child()
text(text) text_wrapped(text) text_colored(r, g, b, a, text) text_disabled(text) label_text(label, text)
bullet_text(text)
button(label, width=0, height=0) small_button(label) invisible_button(id, width, height) arrow_button(id, dir)
radio_button(label, active) checkbox(label, value)
slider_float(label, value, min=0, max=1, format='%.3f') slider_float2(label, v0, v1, min=0, max=1)
slider_float3(label, v0, v1, v2, min=0, max=1) slider_float4(label, v0, v1, v2, v3, min=0, max=1)
slider_int(label, value, min=0, max=100) slider_angle(label, value_rad, min_deg=-360, max_deg=360)
drag_float(label, value, speed=1, min=0, max=0) drag_float2(label, v0, v1, speed=1, min=0, max=0)
drag_float3(label, v0, v1, v2, speed=1, min=0, max=0) drag_int(label, value, speed=1, min=0, max=0)
input_float(label, value, step=0, step_fast=0) input_float2(label, v0, v1) input_float3(label, v0, v1, v2)
input_float4(label, v0, v1, v2, v3) input_int(label, value, step=1, step_fast=100)
input_text(label, text='', max_length=256, flags=0)
input_text_multiline(label, text='', max_length=1024, width=0, height=0, flags=0)
color_edit3(label, r=0, g=0, b=0, flags=0) color_edit4(label, r=0, g=0, b=0, a=1, flags=0)
color_picker3(label, r=0, g=0, b=0, flags=0) color_picker4(label, r=0, g=0, b=0, a=1, flags=0)
combo(label, current, items) listbox(label, current, items, height_items=-1)
tree_node(label) tree_pop() collapsing_header(label, flags=0)
selectable(label, selected=False, flags=0, width=0, height=0)
begin_tab_bar(id, flags=0) end_tab_bar() begin_tab_item(label) end_tab_item()
progress_bar(fraction, width=-1, height=0, overlay='')
image(texture_id, width, height, uv0x=0, uv0y=0, uv1x=1, uv1y=1) image_button(id, texture_id, width, height)
separator() same_line(offset=0, spacing=-1) new_line() spacing() dummy(width, height) indent(width=0) unindent(width=0)
begin_group() end_group() push_item_width(width) pop_item_width()
columns(count=1, id='', border=True) next_column()
begin_table(id, columns, flags=0, outer_width=0, outer_height=0, inner_width=0) end_table()
table_next_row(flags=0, min_row_height=0) table_next_column() table_set_column_index(index)
table_setup_column(label, flags=0, init_width=0) table_headers_row()
begin_main_menu_bar() end_main_menu_bar() begin_menu_bar() end_menu_bar() begin_menu(label, enabled=True) end_menu()
menu_item(label, shortcut='', selected=False, enabled=True)
open_popup(id) begin_popup(id, flags=0) begin_popup_modal(name, flags=0) end_popup() close_current_popup()
begin_tooltip() end_tooltip() set_tooltip(text)
push_id_str(id) push_id_int(id) pop_id() get_id(str_id)
push_style_color(idx, r, g, b, a) pop_style_color(count=1) push_style_var_float(idx, value)
push_style_var_vec2(idx, x, y) pop_style_var(count=1)
style_colors_dark() style_colors_light() style_colors_classic()
get_cursor_pos() set_cursor_pos(x, y) get_content_region_avail() get_window_size() get_window_pos()
set_next_window_pos(x, y, cond=0) set_next_window_size(width, height, cond=0)
dock_space_over_viewport(flags=0) dock_space(id, width=0, height=0, flags=0) set_next_window_dock_id(dock_id, cond=0)
dock_builder_remove_node(node_id) dock_builder_add_node(node_id=0, flags=0)
dock_builder_set_node_size(node_id, width, height) dock_builder_set_node_pos(node_id, x, y)
dock_builder_split_node(node_id, split_dir, size_ratio) dock_builder_dock_window(window_name, node_id)
dock_builder_finish(node_id) dock_builder_get_node(node_id)
draw_line(x1, y1, x2, y2, col=4294967295, thickness=1) draw_rect(x1, y1, x2, y2, col=4294967295, rounding=0, thickness=1)
draw_rect_filled(x1, y1, x2, y2, col=4294967295, rounding=0)
draw_circle(cx, cy, radius, col=4294967295, segments=0, thickness=1)
draw_circle_filled(cx, cy, radius, col=4294967295, segments=0) draw_text(x, y, col, text)
bg_draw_image(texture_id, x1, y1, x2, y2, uv0x=0, uv0y=0, uv1x=1, uv1y=1) get_display_size()
is_item_hovered() is_item_active() is_item_clicked(button=0) is_item_focused() is_item_edited()
is_item_deactivated_after_edit()
get_mouse_pos() is_mouse_clicked(button=0) is_mouse_double_clicked(button=0)
is_mouse_dragging(button=0, lock_threshold=-1) get_mouse_drag_delta(button=0, lock_threshold=-1)
is_key_pressed(key) is_key_down(key)
plot_lines(label, values, offset=0, overlay='', scale_min=3.4028234663852886e+38, scale_max=3.4028234663852886e+38, width=0, height=0)
plot_histogram(label, values, offset=0, overlay='', scale_min=3.4028234663852886e+38, scale_max=3.4028234663852886e+38, width=0, height=0)
get_io_framerate() get_io_delta_time() get_time() get_frame_count() col32(r, g, b, a=255)
show_demo_window() show_metrics_window()
"""  # noqa: E501  one name is one line at least
NEW = """
begin_disabled(disabled=True) end_disabled() get_item_rect_min() get_item_rect_max() get_mouse_wheel()
is_mouse_down(button=0) is_mouse_released(button=0) get_clipboard_text() set_clipboard_text(text)
begin_drag_drop_source(flags=0) set_drag_drop_payload(type, payload) end_drag_drop_source()
begin_drag_drop_target() accept_drag_drop_payload(type, flags=0) end_drag_drop_target()
"""
SIGNATURES = re.findall(r"\w+\([^)]*\)", PREDECESSOR + NEW)
FUNCTIONS = {name: thing for name in dir(ui) if isinstance(thing := getattr(ui, name), FunctionType)}


@pytest.fixture
def window() -> Iterator[Window]:
    with Window("Raw", 640, 480, backend="none") as window:
        yield window


def draw(window: Window, body: Callable[[], object], *events) -> typing.Any:
    """One frame with `body` in a Dear ImGui window at (0, 0), after `events`; what it returned."""
    assert window.poll() and window.backend.ui is not None
    window.activate()
    for event in events:
        window.backend.ui.feed(event)
    assert window.begin_frame()
    ui.set_next_window_pos(0, 0)
    ui.set_next_window_size(400, 400)
    ui.begin("W")
    try:
        return body()
    finally:
        ui.end()
        window.end_frame()


def middle() -> tuple[float, float]:
    """Of the last item."""
    (left, top), (right, bottom) = ui.get_item_rect_min(), ui.get_item_rect_max()
    return (left + right) / 2, (top + bottom) / 2


def drag(window: Window, body: Callable[[], object], *path: tuple[float, float]) -> list[typing.Any]:
    """What `body` returned while the pointer came, pressed, moved along the path and let go; a frame for each."""
    pointers = [PointerMoved(*at) for at in path]
    come, press = (pointers[0],), (pointers[0], PointerButton(0, True))
    release = (pointers[-1], PointerButton(0, False))
    steps = [come, press, *((pointer,) for pointer in pointers[1:]), release, (pointers[-1],)]
    return [draw(window, body, *events) for events in steps]


def click(window: Window, body: Callable[[], object]) -> list[typing.Any]:
    """What `body` returned while the pointer came to its last item, pressed, let go and stayed."""
    draw(window, body)
    return drag(window, body, draw(window, lambda: (body(), middle())[1]))


def test_there_are_145_names_of_the_predecessor_and_the_new_ones():
    names = re.findall(r"(\w+)\(", PREDECESSOR + NEW)
    assert PREDECESSOR.count("(") == 145
    assert sorted(names) == sorted(FUNCTIONS)
    assert set(dir(ui)) - set(names) == {"AUTO", *(name for name in dir(ui) if name.startswith("KEY_"))}


def test_arguments_and_defaults():
    for signature in SIGNATURES:
        name = signature.partition("(")[0]
        parameters = inspect.signature(getattr(ui, name)).parameters.values()
        shown = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters]
        assert f"{name}({', '.join(shown)})" == signature


def test_every_name_is_typed_and_explained():
    for name, function in FUNCTIONS.items():
        assert set(typing.get_type_hints(function)) == {*inspect.signature(function).parameters, "return"}, name
        assert (function.__doc__ or "").endswith("."), name
        assert function.__module__ == "easel.viewer.ui"


def test_outside_a_frame_every_call_says_so(window: Window):
    for name, function in FUNCTIONS.items():
        needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        if name != "col32":
            with pytest.raises(RuntimeError, match=rf"ui\.{name}: no frame is open"):
                function(*[1] * len(needed))
    assert ui.col32(1, 2, 3) == 0xFF030201


class Checked:
    """`ui`, noting which names were called and that their answers have the declared shape."""

    def __init__(self) -> None:
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> typing.Any:
        if name not in FUNCTIONS:
            return getattr(ui, name)

        def call(*args, **kwargs) -> object:
            answer = FUNCTIONS[name](*args, **kwargs)
            assert is_bearable(answer, typing.get_type_hints(FUNCTIONS[name])["return"]), (name, answer)
            self.called.add(name)
            return answer

        return call


def everything(ui: Checked, window: Window) -> None:
    """A program that uses every name of the predecessor, and hands back its own values."""
    if ui.begin_main_menu_bar():
        ui.open_popup("File")
        if ui.begin_menu("File", True):
            assert ui.menu_item("Save", "Ctrl+S", True) is True
            ui.end_menu()
        ui.end_main_menu_bar()
    space = ui.dock_space_over_viewport(8)
    ui.dock_builder_remove_node(space)
    assert ui.dock_builder_add_node(space, 1 << 10) == space
    ui.dock_builder_set_node_size(space, 640, 480)
    ui.dock_builder_set_node_pos(space, 0, 0)
    left, right = ui.dock_builder_split_node(space, 0, 0.3)
    ui.dock_builder_dock_window("Docked", left)
    ui.dock_builder_finish(space)
    assert [ui.dock_builder_get_node(node) for node in (left, right, 4711)] == [True, True, False]
    assert ui.set_next_window_dock_id(right, 1) is None
    ui.begin("Right")
    ui.end()
    ui.set_next_window_pos(10, 20)
    ui.set_next_window_size(500, 400)
    assert ui.begin("Everything", False, 1 << 10) == (True, False)
    assert ui.get_window_pos() == (10, 20) and ui.get_window_size() == (500, 400)
    if ui.begin_menu_bar():
        ui.end_menu_bar()
    ui.begin_child("child", 100, 50, 1, 0)
    ui.end_child()
    for words in (ui.text, ui.text_wrapped, ui.text_disabled, ui.bullet_text):
        words("100 % of %s and %n")
    ui.text_colored(1, 0, 0, 1, "%d")
    ui.label_text("label", "%s")
    assert not any([ui.button("b", 20, 20), ui.small_button("s"), ui.invisible_button("i", 9, 9)])
    assert not any([ui.arrow_button("a", 1), ui.radio_button("r", True)])
    assert ui.checkbox("c", True) is True and ui.checkbox("c2", False) is False
    assert ui.slider_float("f", 0.25, 0, 1, "%.1f") == 0.25 and ui.slider_int("n", 7) == 7
    assert ui.slider_float2("f2", 0.25, 0.5) == (0.25, 0.5)
    assert ui.slider_float3("f3", 0.25, 0.5, 1) == (0.25, 0.5, 1)
    assert ui.slider_float4("f4", 0.25, 0.5, 1, 0, max=2) == (0.25, 0.5, 1, 0)
    assert ui.slider_angle("angle", 0.5) == pytest.approx(0.5)
    assert ui.drag_float("d", 0.5) == 0.5 and ui.drag_int("di", 3, 0.2) == 3
    assert ui.drag_float2("d2", 1, 2) == (1, 2) and ui.drag_float3("d3", 1, 2, 3) == (1, 2, 3)
    assert ui.input_float("if", 1.5) == 1.5 and ui.input_int("ii", 5) == 5
    assert ui.input_float2("i2", 1, 2) == (1, 2) and ui.input_float3("i3", 1, 2, 3) == (1, 2, 3)
    assert ui.input_float4("i4", 1, 2, 3, 4) == (1, 2, 3, 4)
    assert ui.input_text("it", "grün", 3) == "grü" and ui.input_text_multiline("im", "a\nb") == "a\nb"
    assert ui.color_edit3("c3", 0.5, 0.25, 1) == ui.color_picker3("p3", 0.5, 0.25, 1) == (0.5, 0.25, 1)
    assert ui.color_edit4("c4", 0.5, 0.25, 0) == ui.color_picker4("p4", 0.5, 0.25, 0) == (0.5, 0.25, 0, 1)
    assert ui.combo("co", 1, ["a", "b"]) == 1 and ui.listbox("li", 1, ["a", "b"], 2) == 1
    imgui.set_next_item_open(True)
    assert ui.tree_node("tree")
    ui.tree_pop()
    assert ui.collapsing_header("header", 1 << 5) is True
    assert ui.selectable("line", True) is True
    if ui.begin_tab_bar("tabs"):
        if ui.begin_tab_item("first"):
            ui.end_tab_item()
        ui.end_tab_bar()
    ui.progress_bar(0.5)
    window.upload_tensor(torch.rand(4, 6))
    ui.image(window.tensor_texture_id, 6, 4)
    ui.image_button("ib", window.tensor_texture_id, 6, 4)
    ui.separator(), ui.same_line(), ui.new_line(), ui.spacing(), ui.dummy(3, 4)
    ui.indent(), ui.unindent(), ui.begin_group(), ui.end_group(), ui.push_item_width(50), ui.pop_item_width()
    ui.columns(2, "cols", False), ui.next_column(), ui.columns()
    if ui.begin_table("table", 2, 0, 100, 50):
        ui.table_setup_column("A"), ui.table_setup_column("B", 1 << 4, 3), ui.table_headers_row()
        ui.table_next_row(0, 20), ui.table_next_column(), ui.table_set_column_index(1)
        ui.end_table()
    ui.open_popup("popup")
    if ui.begin_popup("popup"):
        ui.close_current_popup()
        ui.end_popup()
    ui.open_popup("modal")
    if ui.begin_popup_modal("modal"):
        ui.end_popup()
    if ui.begin_tooltip():
        ui.end_tooltip()
    ui.set_tooltip("50 %")
    before = ui.get_id("x")
    ui.push_id_str("x"), ui.push_id_int(3)
    assert ui.get_id("x") != before
    ui.pop_id(), ui.pop_id()
    assert ui.get_id("x") == before
    ui.push_style_color(21, 1, 0, 0, 1), ui.pop_style_color()
    ui.push_style_var_float("alpha", 0.5), ui.push_style_var_vec2("item_spacing", 3, 4), ui.pop_style_var(2)
    ui.style_colors_light(), ui.style_colors_classic(), ui.style_colors_dark()
    x, y = ui.get_cursor_pos()
    ui.set_cursor_pos(x, y)
    width, _ = ui.get_content_region_avail()
    assert 0 < width < 500
    ui.dock_space(77, 50, 50)
    ui.draw_line(0, 0, 9, 9), ui.draw_rect(0, 0, 9, 9), ui.draw_rect_filled(0, 0, 9, 9, 0xFF00FF00, 2)
    ui.draw_circle(5, 5, 3), ui.draw_circle_filled(5, 5, 3, 0xFF00FF00, 12), ui.draw_text(0, 0, ui.col32(1, 2, 3), "%s")
    ui.bg_draw_image(window.tensor_texture_id, 0, 0, 6, 4)
    assert ui.get_display_size() == (640, 480)
    ui.button("last")
    item_states = (ui.is_item_hovered, ui.is_item_active, ui.is_item_clicked, ui.is_item_focused, ui.is_item_edited)
    assert not any(state() for state in (*item_states, ui.is_item_deactivated_after_edit))
    ui.get_mouse_pos()
    assert not any([ui.is_mouse_clicked(), ui.is_mouse_double_clicked(1), ui.is_mouse_dragging(0, 0.0)])
    assert ui.get_mouse_drag_delta() == (0, 0)
    assert not ui.is_key_pressed(ui.KEY_A) and not ui.is_key_down(512)
    ui.plot_lines("lines", [1, 2, 3], 1, "over", 0, 5, 100, 40), ui.plot_lines("empty", [])
    ui.plot_histogram("bars", torch.rand(5))
    assert ui.get_io_framerate() > 0 and ui.get_io_delta_time() > 0 and ui.get_time() > 0 and ui.get_frame_count() > 0
    ui.end()
    ui.show_demo_window(), ui.show_metrics_window()


def test_every_name_of_the_predecessor_works_in_a_frame(window: Window, caplog: pytest.LogCaptureFixture):
    checked = Checked()
    for _ in range(3):
        assert window.poll() and window.begin_frame()
        everything(checked, window)
        window.end_frame()
    assert not caplog.messages, "Dear ImGui has nothing to complain of"
    assert checked.called == set(re.findall(r"(\w+)\(", PREDECESSOR))


def test_in_a_panel_of_a_view_too(open_view):
    view = open_view(backend="none")
    panel = view.panel("P")
    panel.on_frame(lambda: panel.set("seen", str(ui.slider_float("raw", 0.5))))
    view.run(max_frames=2)
    assert panel.get("seen") == "0.5"


@pytest.mark.parametrize(
    ("widget", "answers"),
    [
        (lambda: ui.button("Go"), [False, False, True, False]),
        (lambda: ui.checkbox("On", False), [False, False, True, False]),
        (lambda: ui.checkbox("On", True), [True, True, False, True]),
        (lambda: ui.selectable("Line", False), [False, False, True, False]),
        (lambda: ui.radio_button("One", False), [False, False, True, False]),
        (lambda: (ui.button("Go"), ui.is_item_clicked())[1], [False, True, False, False]),
        (lambda: ui.is_mouse_down(), [False, True, False, False]),
        (lambda: ui.is_mouse_clicked(), [False, True, False, False]),
        (lambda: ui.is_mouse_released(), [False, False, True, False]),
        (lambda: (ui.begin_disabled(), ui.button("Go"), ui.end_disabled())[1], [False] * 4),
    ],
)
def test_a_click(window: Window, widget, answers):
    assert click(window, widget) == answers


def test_a_menu_item_is_switched_by_a_click(window: Window):
    def menu() -> tuple[bool, tuple[float, float]] | None:
        if not ui.begin_popup("menu"):
            return ui.open_popup("menu")
        answer = ui.menu_item("Grid", "G", True), middle()
        ui.end_popup()
        return answer

    spot = [draw(window, menu) for _ in range(3)][-1][1]
    assert [answer and answer[0] for answer in drag(window, menu, spot)] == [True, True, False, None]


def test_lists_hand_back_the_index_of_what_was_clicked(window: Window):
    answers = click(window, lambda: ui.listbox("##l", 0, ["zero", "one", "two"], 3))
    assert answers == [0, 0, 1, 0], "the middle of three is number one, for one frame: value in, value out"


def test_sliders_and_drags_follow_the_pointer(window: Window):
    # Pressed at different places: twice at the same one would be a double click.
    for start, widget in ((40, lambda: ui.slider_float("##s", 0, 0, 10)), (60, lambda: ui.drag_float("##d", 0, 0.5))):
        draw(window, widget)
        x, y = draw(window, lambda widget=widget: (widget(), middle())[1])
        assert max(drag(window, widget, (x - start, y), (x, y), (x + 40, y))) > 5


def test_typed_text_is_cut_by_characters(window: Window):
    text = ""

    def field() -> None:
        nonlocal text
        text = ui.input_text("##t", text, 4)

    click(window, field)
    draw(window, field, TextTyped("äöü"))
    draw(window, field, TextTyped("ßxy"))
    draw(window, field)
    assert text == "äöüß"


def test_keys_and_wheel(window: Window):
    assert draw(window, lambda: (ui.is_key_pressed(ui.KEY_A), ui.is_key_down(ui.KEY_A)), KeyChanged("a", True)) == (
        True,
        True,
    )
    assert draw(window, lambda: (ui.is_key_pressed(ui.KEY_A), ui.is_key_down(ui.KEY_LEFT_ARROW))) == (False, False)
    assert draw(window, ui.get_mouse_wheel, WheelTurned(0, -2)) == -2
    assert draw(window, ui.get_mouse_wheel) == 0


def test_key_names_are_dear_imgui_s():
    keys = {name.removeprefix("KEY_").lower(): getattr(ui, name) for name in dir(ui) if name.startswith("KEY_")}
    assert (keys["tab"], keys["a"], keys["0"]) == (512, 546, 536)
    for name, number in keys.items():
        assert imgui.Key[f"_{name}" if name.isdigit() else name] == number


def test_any_object_can_be_dragged_and_dropped(window: Window):
    dragged, spots, dropped = object(), [], []

    def body() -> None:
        ui.button("from", 60, 30)
        spots.append(middle())
        if ui.begin_drag_drop_source():
            ui.set_drag_drop_payload("thing", dragged)
            ui.end_drag_drop_source()
        ui.button("to", 60, 30)
        spots.append(middle())
        if ui.begin_drag_drop_target():
            assert ui.accept_drag_drop_payload("other") is None
            dropped.append(ui.accept_drag_drop_payload("thing"))
            ui.end_drag_drop_target()

    for _ in range(2):
        draw(window, body)
    source, target = spots[-2:]
    drag(window, body, source, (source[0] + 10, source[1] + 10), target, target)
    assert dropped[-1] is dragged and set(dropped) == {None, dragged}


def test_the_clipboard_is_kept(window: Window):
    assert draw(window, lambda: (ui.set_clipboard_text("ε"), ui.get_clipboard_text())[1]) == "ε"


@pytest.mark.parametrize("words", [ui.text, ui.text_disabled, lambda text: ui.text_colored(1, 0, 0, 1, text)])
def test_percent_signs_are_only_that(window: Window, words):
    def width(text: str) -> float:
        words(text)
        return ui.get_item_rect_max()[0] - ui.get_item_rect_min()[0]

    assert draw(window, lambda: width("%s%s%s")) == draw(window, lambda: imgui.calc_text_size("%s%s%s").x)


def test_the_predecessor_s_button_colours_are_still_the_buttons_(window: Window):
    def body() -> None:
        for index, name in [(21, "button"), (22, "button_hovered"), (23, "button_active"), (18, "check_mark")]:
            for color in (index, name):
                ui.push_style_color(color, 0.25, 0.5, 0.75, index / 32)
                pushed = imgui.get_style_color_vec4(imgui.Col_[name])
                assert (pushed.x, pushed.y, pushed.z, pushed.w) == (0.25, 0.5, 0.75, index / 32)
                ui.pop_style_color()
                assert imgui.get_style_color_vec4(imgui.Col_[name]).w != index / 32

    draw(window, body)


def test_every_colour_of_the_predecessor_is_known_and_one_came_in_between(window: Window):
    now = draw(window, lambda: [int(style_names.color_index(number)) for number in range(len(style_names.COLORS))])
    assert now == [number + (number > 18) for number in range(62)]


def test_every_variable_of_the_predecessor_is_known_and_can_be_pushed(window: Window):
    def body() -> None:
        for number, name in enumerate(style_names.VARIABLES):
            before = getattr(imgui.get_style(), name)
            if isinstance(before, float):
                ui.push_style_var_float(number, 0.25)
                assert getattr(imgui.get_style(), name) == 0.25
            else:
                ui.push_style_var_vec2(number, 0.25, 0.5)
                assert tuple(getattr(imgui.get_style(), name)) == (0.25, 0.5)
            ui.pop_style_var()
            after = getattr(imgui.get_style(), name)
            assert after == before if isinstance(before, float) else tuple(after) == tuple(before)

    draw(window, body)


def test_the_colour_models_of_the_predecessor_are_translated(window: Window, monkeypatch: pytest.MonkeyPatch):
    flags, now = [], imgui.ColorEditFlags_
    for name in ("color_edit3", "color_picker4"):
        drawn = getattr(imgui, name)
        monkeypatch.setattr(imgui, name, lambda *args, drawn=drawn: (flags.append(args[-1]), drawn(*args))[1])
    draw(window, lambda: (ui.color_edit3("a", flags=1 << 27 | now.no_label), ui.color_picker4("b", flags=1 << 28)))
    assert flags == [now.input_rgb | now.no_label, now.input_hsv]


def test_what_a_style_does_not_know_is_named(window: Window):
    bad = {
        r"unknown style colour 'buton'. Did you mean 'button'\?": lambda: ui.push_style_color("buton", 0, 0, 0, 1),
        r"colours have numbers from 0 to 61, or names; got 62": lambda: ui.push_style_color(62, 0, 0, 0, 1),
        r"unknown style variable 'rounding'": lambda: ui.push_style_var_float("rounding", 1),
        r"item_spacing takes push_style_var_vec2": lambda: ui.push_style_var_float("item_spacing", 1),
        r"alpha takes push_style_var_float": lambda: ui.push_style_var_vec2("alpha", 1, 2),
    }
    for message, call in bad.items():
        with pytest.raises(ValueError, match=message):
            draw(window, call)


def test_what_is_left_open_is_told_once_in_the_log(
    window: Window, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
):
    for _ in range(3):
        draw(window, lambda: (ui.begin_group(), ui.push_id_int(1)))
    assert sorted(caplog.messages) == [f"Dear ImGui: In window 'W': Missing {end}()" for end in ("EndGroup", "PopID")]
    assert not "".join(capfd.readouterr())


def test_arguments_that_do_not_fit_are_python_s_own_errors(window: Window):
    with pytest.raises(TypeError, match=r"button\(\) missing 1 required positional argument: 'label'"):
        draw(window, lambda: ui.button())
    with pytest.raises(TypeError, match="colour"):
        draw(window, lambda: ui.button("x", colour=3))
    with pytest.raises(TypeError):
        draw(window, lambda: ui.button(3))


def test_another_window_s_frame_is_not_this_one_s(window: Window):
    with Window("Other", 64, 64, backend="none") as other:
        assert window.begin_frame()
        other.activate()
        with pytest.raises(RuntimeError, match="no frame is open"):
            ui.text("x")
        window.activate()
        ui.text("x")
        window.end_frame()
    with pytest.raises(RuntimeError, match="no frame is open"):
        ui.text("x")


def test_without_dear_imgui_the_reason_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(toolkit, "MISSING", "imgui-bundle does not load (as if)")
    with pytest.raises(RuntimeError, match=r"ui\.button needs Dear ImGui: imgui-bundle does not load \(as if\)"):
        ui.button("x")
    with Window(backend="none") as window, pytest.raises(RuntimeError, match="frames of a Window need Dear ImGui"):
        window.begin_frame()


@pytest.mark.slow
def test_the_layer_comes_on_demand(packages_loaded_by):
    blocked = "import sys; sys.modules['imgui_bundle'] = None; import easel; assert easel.ui.KEY_A == 546"
    assert "moderngl" not in packages_loaded_by(blocked)


def test_drawings_are_seen(gl: None):
    red, green = ui.col32(255, 0, 0), ui.col32(0, 255, 0)
    quarters = torch.tensor([[[1.0, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 0]]]).repeat_interleave(8, 0)
    with Window("Drawn", 320, 240, backend="headless") as window:
        window.upload_tensor(quarters.repeat_interleave(8, 1), name="q")
        assert window.begin_frame()
        ui.bg_draw_image(window.get_texture_id("q"), 200, 100, 216, 116)
        ui.bg_draw_image(window.get_texture_id("q"), 240, 100, 248, 108, 0.5, 0, 1, 0.5)
        ui.set_next_window_pos(0, 0)
        ui.set_next_window_size(150, 150)
        ui.begin("W", False)
        ui.draw_rect_filled(20, 50, 40, 60, red)
        ui.draw_circle_filled(80, 80, 10, green)
        ui.set_cursor_pos(50, 110)
        ui.image(window.get_texture_id("q"), 16, 16)
        ui.end()
        window.end_frame()
        picture = window.capture()
    assert (picture[50:60, 20:40] - torch.tensor([1.0, 0, 0])).abs().max() == 0
    assert picture[80, 80].tolist() == [0, 1, 0]
    for x, y in ((200, 100), (50, 110)):
        assert (picture[y : y + 8, x : x + 7] - torch.tensor([1.0, 0, 0])).abs().max() <= 1 / 255
        assert (picture[y + 9 : y + 16, x + 9 : x + 16] - torch.tensor([1.0, 1, 0])).abs().max() <= 1 / 255
    assert (picture[100:107, 241:248] - torch.tensor([0, 1.0, 0])).abs().max() <= 1 / 255
