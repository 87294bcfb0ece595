"""One suite for every backend: the same program, the same clicks, the same values."""

import math
import time

import pytest
import torch

from easel.graphics.image import imread
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import CloseAsked, KeyChanged
from easel.viewer.panels.panel_region import TAB


@pytest.mark.slow
def test_every_widget_through_the_driver(open_any) -> None:
    view = open_any()
    panel = view.panel("Widgets")
    values: dict[str, object] = {"clicks": 0}

    @panel.on_frame
    def draw() -> None:
        values["clicks"] += panel.button("Go")
        values["slider"] = panel.slider("speed", 0.0, 10.0, default=2.5)
        values["log"] = panel.slider("rate", 1e-4, 1.0, default=1e-2, log=True, format="%.5f")
        values["int"] = panel.slider_int("steps", 1, 32, default=6)
        values["check"] = panel.checkbox("pause")
        values["combo"] = panel.combo("loss", ["MSE", "L1", "Huber"])
        values["text"] = panel.input_text("path", default="a.png")
        values["color"] = panel.color_picker("alive", default=(0, 1, 0.4))

    driver = Driver(view)
    driver.frames(2)
    assert values == {"clicks": 0, "slider": 2.5, "log": 1e-2, "int": 6, "check": False, "combo": 0, "text": "a.png",
                      "color": (0, 1, 0.4)}  # fmt: skip
    driver.click("Go")
    driver.click("Go")
    driver.click("pause")
    driver.drag("speed", 7.5)
    driver.drag("rate", 0.1)
    driver.drag("steps", 17)
    driver.select("loss", "Huber")
    driver.type("path", "grün.png")
    assert values["clicks"] == 2
    assert values["slider"] == pytest.approx(7.5, abs=0.05)
    assert math.log10(values["log"]) == pytest.approx(-1, abs=0.05)
    assert (values["int"], values["check"], values["combo"], values["text"]) == (17, True, 2, "grün.png")
    driver.type("speed", "123")
    assert values["slider"] == driver.read("speed") == 10.0
    driver.frames(3)
    assert values["slider"] == 10.0, "values persist"
    assert driver.labels() == ["Go", "speed", "rate", "steps", "pause", "loss", "path", "alive"]


def test_a_click_counts_once(open_any) -> None:
    view = open_any()
    panel = view.panel("P")
    clicks = []
    panel.on_frame(lambda: clicks.append(panel.button("Play" if len(clicks) % 2 else "Pause ##toggle")))
    view.panel("P").press("Play")
    Driver(view).frames(6)
    assert sum(clicks) == 1


@pytest.mark.slow
def test_what_is_below_the_fold_can_be_clicked(open_any) -> None:
    view = open_any(height=200)
    panel = view.panel("Long")
    clicked = []
    panel.on_frame(lambda: clicked.extend(n for n in range(40) if panel.button(f"button {n}")))
    driver = Driver(view)
    driver.click("button 39")
    driver.click("button 0")
    assert clicked == [39, 0]


def test_frames_run_in_order(open_any) -> None:
    view = open_any()
    order = []
    view.panel("A").on_frame(lambda: order.append("A"))
    view.panel("B").on_frame(lambda: order.append("B"))
    view.on_frame(lambda: order.append("view"))
    assert view.step()
    order.append("user")
    view.end_step()
    assert order == ["view", "A", "B", "user"]


def test_a_panel_behind_another_keeps_its_logic(open_any) -> None:
    view = open_any()
    calls = []
    view.panel("A").on_frame(lambda: calls.append(view.panel("A").slider("s", default=0.5)))
    view.run(max_frames=4)
    assert calls == [0.5] * 4


def test_run_can_be_called_again(open_any) -> None:
    view = open_any()
    view.run(max_frames=3)
    view.run(max_frames=2)
    assert view.frame_count == 5 and not view.closed


@pytest.mark.parametrize("loop", ["run", "step"])
def test_the_environment_bounds_every_loop(open_any, monkeypatch: pytest.MonkeyPatch, loop: str) -> None:
    monkeypatch.setenv("EASEL_MAX_FRAMES", "4")
    view = open_any()
    if loop == "run":
        view.run()
    else:
        while view.step():
            view.end_step()
    assert view.frame_count == 4 and not view.closed
    monkeypatch.setenv("EASEL_MAX_FRAMES", "many")
    with pytest.raises(ValueError, match="EASEL_MAX_FRAMES is a number"):
        open_any()


def test_closing_ends_the_loop(open_any) -> None:
    view = open_any()
    said = []
    view.on_close(lambda event: said.append(event))
    view.on_frame(lambda: view.post(CloseAsked()) if view.frame_count == 3 else None)
    view.run()
    assert view.closed and view.frame_count == 4 and said == [CloseAsked()]
    assert not view.step()
    view.end_step()
    view.close()
    view.close()
    with pytest.raises(RuntimeError, match="closed"):
        view.capture()


def test_closing_by_the_person_leaves_time_for_a_last_picture(open_any) -> None:
    with open_any() as view:
        view.panel("P").text("hello")
        view.run(max_frames=1)
        view.post(CloseAsked())
        assert not view.step()
        assert view.capture().shape[2] == 3


def test_a_capture_has_the_view_s_size_and_something_on_it(open_any) -> None:
    view = open_any("Capture", 320, 240)
    view.panel("P").canvas("c").bind(torch.tensor([1.0, 0.0, 0.0]).expand(8, 8, 3))
    picture = view.capture()
    assert picture.shape == (240, 320, 3) and picture.dtype == torch.float32
    assert (picture == torch.tensor([1.0, 0.0, 0.0])).all(-1).float().mean() > 0.2


def test_a_capture_inside_a_frame_is_refused(open_any) -> None:
    view = open_any()
    view.step()
    with pytest.raises(RuntimeError, match="after end_step"):
        view.capture()
    view.end_step()


def test_save_equals_the_tensor(open_any, tmp_path) -> None:
    canvas = open_any().panel("P").canvas("c")
    picture = torch.randint(0, 256, (9, 13, 3), generator=torch.Generator().manual_seed(0)).float() / 255
    canvas.bind(picture).save(tmp_path / "folder" / "c.png")
    assert torch.equal(imread(tmp_path / "folder" / "c.png", channels=0, device="cpu"), picture)


def test_a_failing_callback_is_paused_and_can_be_retried(open_any, caplog: pytest.LogCaptureFixture) -> None:
    view = open_any(strict=False)
    calls, ticks = [], []
    panel = view.panel("Bad")

    @panel.on_frame
    def fail() -> None:
        calls.append(1)
        with panel.row():
            panel.button("one")
            raise OSError("the disk is gone")

    view.panel("Good").on_frame(lambda: ticks.append(view.panel("Good").button("fine")))
    view.on_frame(lambda: calls.append(0) or 1 / 0)
    view.run(max_frames=20)
    assert calls == [0, 1], "a callback that failed is not called again by itself"
    assert len(ticks) == 20
    assert [record.levelname for record in caplog.records if record.name == "easel"] == ["ERROR", "ERROR"]
    assert all(record.exc_info for record in caplog.records if record.name == "easel")
    driver = Driver(view)
    driver.click("Retry", "Bad")
    assert calls == [0, 1, 1]
    assert panel.guard.failures[next(iter(panel.guard.failures))].count == 2
    driver.click("Retry", "Problem")
    assert calls == [0, 1, 1, 0]
    assert len(caplog.records) == 2, "the same failure is printed once"


def test_a_failing_canvas_stays_in_its_panel(open_any) -> None:
    view = open_any(strict=False)
    panel = view.panel("P")
    canvas = panel.canvas("c").bind(lambda: torch.zeros(2, 2, 5))
    view.run(max_frames=2)
    view.capture()
    view.run(max_frames=1)
    assert "Expected 1, 3, or 4 channels" in next(iter(panel.guard.failures.values())).message
    canvas.bind(torch.ones(4, 4))
    view.run(max_frames=2)
    assert (view.capture() == 1).all(-1).any()


def test_strict_lets_exceptions_through_and_the_view_goes_on(open_any) -> None:
    view = open_any(strict=True)
    panel = view.panel("P")
    panel.on_frame(lambda: 1 / 0 if view.frame_count == 1 else None)
    view.run(max_frames=1)
    with pytest.raises(ZeroDivisionError):
        view.run(max_frames=1)
    view.frame_count = 2
    view.run(max_frames=3)


def test_an_interrupt_passes_and_leaves_the_frame_closed(open_any) -> None:
    view = open_any(strict=False)
    panel = view.panel("P")
    interrupt = [True]

    @panel.on_frame
    def draw() -> None:
        with panel.row():
            panel.button("one")
            if interrupt.pop() if interrupt else False:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        view.run(max_frames=3)
    view.run(max_frames=3)
    assert Driver(view).labels() == ["one"]


def test_a_loop_may_leave_out_end_step(open_any) -> None:
    view = open_any()
    view.panel("P").on_frame(lambda: view.panel("P").button("b"))
    assert all(view.step() for _ in range(3))
    view.end_step()
    view.end_step()


def test_widgets_between_the_halves_belong_to_their_panel(open_any) -> None:
    view = open_any()
    panel = view.panel("Loop")
    clicks, speeds = [], []

    def turn() -> None:
        view.step()
        with panel.row():
            clicks.append(panel.button("Step"))
            speeds.append(panel.slider("speed", 0, 4, default=1))
        view.end_step()

    driver = Driver(view, turn)
    driver.frames(2)
    driver.click("Step")
    driver.drag("speed", 3)
    assert sum(clicks) == 1 and speeds[-1] == pytest.approx(3, abs=0.1)


def test_before_any_frame_widgets_return_what_they_hold(open_any) -> None:
    panel = open_any().panel("P")
    assert panel.slider("s", 1, 5, default=9) == 5
    assert panel.button("b") is False
    assert panel.get("missing", 7) == 7


def test_a_label_stands_for_one_widget(open_any) -> None:
    view = open_any()
    panel = view.panel("P")
    view.step()
    panel.slider("lr")
    with pytest.raises(ValueError, match=r"already has a widget 'lr'.*'lr##2'"):
        panel.checkbox("lr")
    assert panel.slider("lr##2", default=0.5) == 0.5
    view.panel("Q").slider("lr")
    view.end_step()


def test_set_before_the_first_draw_wins(open_any) -> None:
    view = open_any()
    panel = view.panel("P")
    wanted = {"f": 3, "i": 2.6, "combo": "L1", "color": [0, 2, 0.5], "text": 12, "check": 1}
    for label, value in wanted.items():
        panel.set(label, value)
    assert panel.get("f") == 3
    view.step()
    assert panel.slider("f", 0, 5, default=1) == 3.0
    assert panel.slider_int("i", 0, 5) == 3
    assert panel.combo("combo", ["MSE", "L1"]) == 1
    assert panel.color_picker("color") == (0, 1, 0.5)
    assert panel.input_text("text") == "12"
    assert panel.checkbox("check") is True
    view.end_step()


def test_what_cannot_be_set_is_told_in_the_panel(open_any) -> None:
    view = open_any()
    panel = view.panel("P")
    panel.on_frame(lambda: panel.combo("loss", ["MSE", "L1"], default=1))
    panel.set("loss", "Hinge")
    view.run(max_frames=2)
    assert panel.get("loss") == 1
    assert any("unknown item 'Hinge'" in getattr(sketch, "text", "") for sketch in panel.sketch())


def test_values_follow_a_range_that_changes(open_any) -> None:
    view = open_any()
    panel = view.panel("P")
    seen = []
    panel.on_frame(lambda: seen.append(panel.slider("s", 0, 10 if view.frame_count < 2 else 3, default=8)))
    view.run(max_frames=4)
    assert seen == [8, 8, 3, 3]


def test_disabled_buttons_cannot_be_pressed(open_any) -> None:
    view = open_any()
    panel = view.panel("P")
    clicks = []

    @panel.on_frame
    def draw() -> None:
        with panel.enabled(False):
            clicks.append(panel.button("off"))

    driver = Driver(view)
    driver.click("off")
    panel.press("off")
    driver.frames(3)
    assert not any(clicks)


def test_a_file_dialog_never_waits_and_answers_once(open_any, tmp_path) -> None:
    view = open_any()
    panel = view.panel("P")
    answers: list[str | None] = []
    saved: list[str | None] = []

    @panel.on_frame
    def draw() -> None:
        answers.append(panel.file_dialog("Open ..."))
        saved.append(panel.save_file_dialog("Save ...", default_extension=".png"))

    driver = Driver(view)
    driver.answer_dialog(tmp_path / "photo.jpg")
    driver.click("Open ...")
    driver.frames(3)
    assert [a for a in answers if a is not None] == [str(tmp_path / "photo.jpg")]
    driver.click("Save ...")
    driver.frames(2)
    driver.answer_dialog(tmp_path / "picture")
    driver.frames(2)
    assert [s for s in saved if s is not None] == [str(tmp_path / "picture.png")]
    driver.click("Open ...")
    driver.answer_dialog("")
    driver.frames(3)
    assert len([a for a in answers if a is not None]) == 1


def test_rows_nest(open_any) -> None:
    view = open_any()
    panel = view.panel("P")
    clicked = []

    @panel.on_frame
    def draw() -> None:
        with panel.row():
            clicked.append(panel.button("a"))
            with panel.row():
                clicked.append(panel.button("b"))
                panel.slider("c")
            panel.text("100% literal %s")

    driver = Driver(view)
    driver.click("a")
    driver.click("b")
    assert sum(clicked) == 2


@pytest.mark.slow
def test_readouts_take_anything(open_any) -> None:
    view = open_any()
    panel = view.panel("P")

    @panel.on_frame
    def draw() -> None:
        panel.text(3.5)
        panel.text_colored(1, 0, 0, 1, None)
        panel.text_wrapped("a " * 300)
        panel.hint("Open something.\n\n" + "a " * 300)
        panel.section("Head")
        panel.separator()
        panel.plot([], overlay="empty")
        panel.plot([1.0], label="##one")
        panel.plot([1, math.nan, 3, math.inf, 2, -math.inf], label="##gaps", height=40)
        panel.plot(torch.rand(5, requires_grad=True), label="##tensor", width=100)
        panel.plot([math.nan] * 3, label="##nothing")
        panel.progress(math.nan)
        panel.progress(7, overlay="done")

    view.run(max_frames=3)
    assert torch.isfinite(view.capture()).all()


def test_time_can_be_counted_in_frames(open_any) -> None:
    view = open_any(clock="frames", dt=0.25)
    view.run(max_frames=6)
    assert view.time == 1.5


@pytest.mark.slow
def test_fps_is_measured(open_any) -> None:
    view = open_any()
    assert view.fps == 0.0
    end = time.perf_counter() + 0.7
    while time.perf_counter() < end:
        view.run(max_frames=1)
        time.sleep(0.02)
    assert 10 < view.fps < 55


def test_keys_reach_the_program_but_not_while_typing(open_any) -> None:
    view = open_any()
    panel = view.panel("P")
    panel.on_frame(lambda: panel.input_text("name"))
    keys = []
    view.on_key(lambda event: keys.append(event))
    driver = Driver(view)
    driver.frames(2)
    driver.key("a")
    assert keys == [KeyChanged("a", True), KeyChanged("a", False)]
    if view.drawn:
        driver.type("name", "b")
        assert not [event for event in keys[2:] if event.key == "a"]


def test_the_keys_that_are_down_are_known_by_name(open_any) -> None:
    view = open_any()
    held, driver = [], Driver(view)
    view.on_frame(lambda: held.append(set(view.keys)))
    view.post(KeyChanged("left", True), KeyChanged("shift", True))
    driver.frames(2)
    view.post(KeyChanged("left", False))
    driver.frames(1)
    assert held == [{"left", "shift"}] * 2 + [{"shift"}]


@pytest.mark.slow
def test_a_closed_panel_goes_on_unseen_until_it_is_opened(open_any) -> None:
    view = open_any()
    panel, other = view.panel("P"), view.panel("Q", side="left")
    panel.closable = True
    values = []
    panel.canvas("c").bind(torch.tensor([1.0, 0.0, 0.0]).expand(8, 8, 3))
    panel.on_frame(lambda: values.append(panel.slider("s", default=0.5)))

    def red() -> bool:
        return bool((view.capture() == torch.tensor([1.0, 0.0, 0.0])).all(-1).any())

    driver = Driver(view)
    driver.frames(3)  # a tab takes its final width in the third
    assert panel.open and red()
    if view.drawn:
        driver.click(f"{TAB}/close", "P")
    else:
        panel.open = False
    before = len(values)
    driver.frames(2)
    assert not panel.open and not panel.visible and not red()
    assert values[before:] == [0.5, 0.5]
    view.reset_layout()
    driver.frames(3)
    assert panel.open and red() and other.open


def test_at_another_scale_everything_but_the_picture_is_larger(open_any, monkeypatch: pytest.MonkeyPatch) -> None:
    def button_height(**settings) -> float:
        view = open_any("Scale", 200, 150, **settings)
        panel = view.panel("P")
        panel.on_frame(lambda: panel.button("b"))
        canvas = panel.canvas("c", fit=False).bind(torch.ones(10, 10))
        view.run(max_frames=3)
        scale = settings.get("scale", 1.5)
        assert view.capture().shape == (150 * scale, 200 * scale, 3)
        if view.drawn:
            assert canvas.rectangle is not None and canvas.rectangle.width == 10
        return panel.item_layout.placed["b"].rectangle.height if view.drawn else 10 * scale

    single = button_height(scale=1)
    assert button_height(scale=2) == pytest.approx(2 * single, abs=2)
    monkeypatch.setenv("EASEL_SCALE", "1.5")
    assert button_height() == pytest.approx(1.5 * single, abs=2)
    for wrong in ("0", "big"):
        monkeypatch.setenv("EASEL_SCALE", wrong)
        with pytest.raises(ValueError, match=f"from 0.5 to 8; got EASEL_SCALE={wrong}"):
            open_any()


def test_the_window_is_never_none(open_any) -> None:
    view = open_any()
    tensor = view.panel("P").canvas("c").alloc(4, 6, 3)
    assert view.window is not None and (view.window.width, view.window.height) == (640, 480)
    assert tensor.shape == (4, 6, 3) and not tensor.any()


def test_bad_arguments_say_what_fits(open_any) -> None:
    view = open_any()
    with pytest.raises(ValueError, match=r"unknown side 'middle'.*left, right, top, bottom"):
        view.panel("P", side="middle")
    with pytest.raises(ValueError, match="unknown filter 'cubic'"):
        view.panel("P").canvas("c", filter="cubic")
    assert view.panel("P") is view.panel("P", side="left")
    assert view.panel("P").canvas("c") is view.panel("P").canvas("c", fit=False)


def test_two_views_take_turns_and_close_in_any_order(open_any) -> None:
    views = [open_any(f"View {n}", 200, 150) for n in range(3)]
    for n, view in enumerate(views):
        view.panel("P").canvas("c").bind(torch.full((4, 4, 3), n / 2))
    for view in views:
        view.step()
    for view in reversed(views):
        view.end_step()
    levels = [view.capture()[75, 100, 0].item() for view in views]
    assert levels == pytest.approx([0, 0.5, 1], abs=0.01)
    views[1].close()
    views[0].run(max_frames=2)
    views[0].close()
    views[2].run(max_frames=2)
    assert views[2].capture()[75, 100, 0] == 1


def test_the_layout_is_reset_from_a_tab_s_menu(open_view, gl: None) -> None:
    view = open_view(backend="headless")
    view.panel("A", side="left", width=0.5)
    panel = view.panel("B")
    panel.on_frame(lambda: panel.button("b"))
    driver = Driver(view)
    driver.frames(2)
    x = panel.item_layout.placed["b"].rectangle.x
    driver._drag([(320, 200), (420, 200), (420, 200)], 0)
    assert panel.item_layout.placed["b"].rectangle.x > x + 90
    tab = panel.item_layout.placed[TAB].rectangle
    driver._drag([(tab.x + 5, tab.y + 5)], 1)
    driver.click(f"{TAB}/Reset layout", "B")
    driver.frames(2)
    assert panel.item_layout.placed["b"].rectangle.x == x


def test_a_panel_made_later_takes_half_of_the_last_one_without_a_side(open_view, gl: None) -> None:
    view = open_view(backend="headless")
    panels = [view.panel("A", side="left", width=0.5), view.panel("B")]
    view.run(max_frames=2)
    panels.append(view.panel("C"))
    for panel in panels:
        panel.on_frame(lambda panel=panel: panel.button("b"))
    view.run(max_frames=3)
    a, b, c = (panel.item_layout.placed["b"].rectangle for panel in panels)
    assert a.y == b.y and a.x < b.x == c.x
    assert c.y == pytest.approx(b.y + 240, abs=4)
