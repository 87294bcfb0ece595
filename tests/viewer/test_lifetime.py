"""Views come and go: nothing leaks, nothing is left behind, and a machine that lacks things still runs."""

import ctypes
import gc
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import ImageGrab

from easel.viewer import ui
from easel.viewer.backends.base import BackendUnavailableError
from easel.viewer.backends.window import WindowBackend
from easel.viewer.driver import Driver
from easel.viewer.panels.layout_file import layout_file
from easel.viewer.view import View
from easel.viewer.window import close_dropped

PROGRAM = """
import torch, easel.viewer as viewer
view = viewer.View("Fallback", 200, 150{arguments})
panel = view.panel("P")
canvas = panel.canvas("c").bind(torch.full((4, 4, 3), 0.5))
panel.on_frame(lambda: panel.slider("s", 0.0, 1.0, default=0.25))
view.run(max_frames=2)
canvas.save("c.png")
assert view.capture().shape == (150, 200, 3)
print(view.backend_name, "|", view.backend_reason, "|", panel.get("s"))
"""
NORMAL, ICONIC = 1, 3
"""Of WM_STATE, ICCCM 4.1.3.1."""
DARK = {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent", "LIBGL_DRIVERS_PATH": "/nonexistent"}
BLOCK_IMGUI = "import sys; sys.modules['imgui_bundle'] = None\n"


def run(code: str, folder: Path, **environment: str) -> str:
    """Standard output of `code` in a fresh interpreter in an empty folder; nothing may go to standard error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.strip()


def program(arguments: str = "") -> str:
    return PROGRAM.format(arguments=arguments)


def test_without_a_display_the_view_is_headless(gl: None, tmp_path: Path) -> None:
    said = run(program(), tmp_path)
    assert said == "headless | no window: no display (neither DISPLAY nor WAYLAND_DISPLAY is set) | 0.25"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.png"]


def test_a_display_that_is_not_there_is_named(gl: None, tmp_path: Path) -> None:
    assert "headless | no window: GLFW finds no display (X11: Failed to open" in run(
        program(), tmp_path, DISPLAY=":4095"
    )


@pytest.mark.slow
def test_without_a_driver_the_program_still_runs(tmp_path: Path) -> None:
    said = run(program(), tmp_path, **DARK)
    assert said.startswith("none | no window: ") and "; no headless: EGL gives no OpenGL" in said
    assert said.endswith("| 0.25")


@pytest.mark.slow
def test_without_the_widget_library_the_program_still_runs(tmp_path: Path) -> None:
    said = run(BLOCK_IMGUI + program(), tmp_path)
    assert said.startswith("none | no window: imgui-bundle does not load") and said.endswith("| 0.25")


@pytest.mark.slow
def test_without_moderngl_or_glfw_the_program_still_runs(tmp_path: Path) -> None:
    block = "import sys; sys.modules['moderngl'] = sys.modules['glfw'] = None\n"
    said = run(block + program(), tmp_path, DISPLAY=":4095")
    assert "glfw does not load" in said and "moderngl does not load" in said


@pytest.mark.parametrize("arguments", [', backend="none"', ", headless=True"])
def test_what_is_asked_for_is_taken(gl: None, tmp_path: Path, arguments: str) -> None:
    name = "none" if "none" in arguments else "headless"
    assert run(program(arguments), tmp_path, EASEL_BACKEND="" if name == "headless" else "headless").startswith(name)


@pytest.mark.slow
def test_the_environment_chooses(tmp_path: Path) -> None:
    assert run(program(), tmp_path, EASEL_BACKEND="none") == "none | EASEL_BACKEND asks for it | 0.25"


def test_an_unknown_backend_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown backend 'opengl'. Known: browser, window, headless, none"):
        View(backend="opengl")


def test_importing_the_product_loads_nothing_heavy(packages_loaded_by) -> None:
    assert packages_loaded_by("import easel.viewer") == set()


@pytest.mark.slow
def test_none_never_loads_opengl(packages_loaded_by) -> None:
    loaded = packages_loaded_by("import easel.viewer as v; v.View(backend='none').run(max_frames=2)")
    assert "moderngl" not in loaded


@pytest.mark.parametrize("backend", ["headless", "none"])
def test_fifty_views_leave_no_memory_behind(gl: None, open_view, backend: str) -> None:
    def once() -> None:
        with open_view("Leak", 320, 240, backend=backend) as view:
            view.panel("P").canvas("c", filter="nearest").bind(torch.zeros(64, 64, 3))
            view.panel("P").on_frame(lambda: view.panel("P").plot([1, 2, 3]))
            view.run(max_frames=2)
            view.capture()

    def resident_mib() -> float:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    for _ in range(10):
        once()
    before, files = resident_mib(), len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        once()
    assert resident_mib() - before < 25
    assert len(os.listdir("/proc/self/fd")) <= files + 1


def test_a_dropped_view_is_closed(gl: None) -> None:
    view = View(backend="headless")
    backend, panel = view._backend, view.panel("P")
    panel.canvas("c").bind(torch.zeros(4, 4))
    panel.on_frame(lambda view=view: view.fps)
    view.capture()
    del panel
    del view
    gc.collect()
    close_dropped()
    assert backend._context is None


def drawn_view() -> View:
    """Draw a view that its own callback keeps alive, as a notebook's cell does."""
    view = View("Before", 300, 200, backend="headless")
    panel = view.panel("P")
    panel.canvas("c").bind(torch.zeros(4, 4))
    panel.on_frame(lambda: panel.text(str(view.time)))
    view.run(max_frames=2)
    view.capture()
    return view


@pytest.mark.parametrize("closed", [False, True], ids=["dropped", "closed"])
def test_a_view_that_ends_within_anothers_frame_leaves_it_alone(gl: None, open_view, closed: bool) -> None:
    before = [drawn_view()]
    view = open_view("Going on", 300, 200, backend="headless")
    panel = view.panel("P")

    @panel.on_frame
    def controls() -> None:
        if closed and before:
            before[0].close()
        before.clear()
        # Stands for the collector, which runs whenever it likes
        gc.collect()
        ui.text("hello")
        panel.text("hello")

    view.run(max_frames=3)
    assert view.frame_count == 3 and view.capture().std() > 0


@pytest.mark.slow
def test_dropped_views_of_one_name(gl: None) -> None:
    generator = random.Random(0)

    def collecting() -> None:
        if generator.random() < 0.3:
            gc.collect()

    def once() -> None:
        view = View("Cell", 200, 100, backend="headless")
        panel = view.panel("P")
        canvas = panel.canvas("c").bind(torch.rand(8, 8, 3))

        @panel.on_frame
        def controls() -> None:
            collecting()
            panel.text(f"{view.time}")
            ui.text(f"{canvas.name}")

        view.run(max_frames=2)
        collecting()

    def descriptors() -> int:
        gc.collect()
        close_dropped()
        return len(os.listdir("/proc/self/fd"))

    once()
    before = descriptors()
    for _ in range(8):
        once()
    assert descriptors() <= before + 1


def test_windows_end_glfw_and_start_it_again(xvfb: str, open_view, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    for _ in range(3):
        pair = [open_view(backend="window") for _ in range(2)]
        for view in pair:
            view.run(max_frames=2)
            view.close()
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(BackendUnavailableError, match="no display"):
        WindowBackend().open("x", 10, 10)


def test_a_window_remembers_how_it_was_arranged(xvfb: str, open_view, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.chdir(tmp_path)

    def left_edge_of_b(*, drag_to: int | None = None, reset: bool = False) -> float:
        with open_view("Kept", 600, 300, backend="window") as view:
            view.panel("A", side="left", width=0.5)
            panel = view.panel("B")
            panel.on_frame(lambda: panel.button("b"))
            driver = Driver(view)
            driver.frames(2)
            if drag_to is not None:
                driver._drag([(300, 150), (drag_to, 150), (drag_to, 150)], 0)
            if reset:
                view.reset_layout()
            driver.frames(2)
            return panel.item_layout.placed["b"].rectangle.x

    first = left_edge_of_b()
    moved = left_edge_of_b(drag_to=400)
    assert moved == pytest.approx(first + 100, abs=4)
    assert left_edge_of_b() == moved
    assert left_edge_of_b(reset=True) == first
    assert left_edge_of_b() == first
    file = layout_file("Kept", ["A", "B"])
    assert file.is_file() and tmp_path in file.parents
    assert not list(tmp_path.glob("*.ini"))


def test_headless_views_keep_no_layout_unless_asked(open_headless, tmp_path: Path) -> None:
    with open_headless() as view:
        view.panel("A")
        view.run(max_frames=1)
    assert not list(tmp_path.rglob("*.ini"))
    with open_headless(layout_file=tmp_path / "mine.ini") as view:
        view.panel("A")
        view.run(max_frames=1)
    assert "[Docking]" in (tmp_path / "mine.ini").read_text()


def test_a_screenshot_of_the_screen_shows_the_canvas(xvfb: str, open_view, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    view = open_view("Seen", 400, 300, backend="window")
    quarters = torch.tensor([[[1.0, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 0]]])
    canvas = view.panel("P").canvas("c", filter="nearest").bind(quarters)
    for _ in range(3):
        view.run(max_frames=1)
        view._backend.present(view._complete)
    glfw = view._backend._glfw
    left, top = glfw.get_window_pos(view._backend._window)
    screen = ImageGrab.grab(xdisplay=xvfb).convert("RGB")
    x, y, width, height = canvas.rectangle
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        at = (left + round(x + (column + 0.5) * width / 2), top + round(y + (row + 0.5) * height / 2))
        assert screen.getpixel(at) == tuple(int(255 * v) for v in quarters[row, column])


def set_window_state(display: str, window: int, *, minimised: bool) -> None:
    """What a window manager does when a person minimises a window; Xvfb has none, and no window does it by itself."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype, x11.XInternAtom.restype = ctypes.c_void_p, ctypes.c_ulong
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    atom = ctypes.c_ulong(x11.XInternAtom(connection, b"WM_STATE", False))
    state = (ctypes.c_long * 2)(ICONIC if minimised else NORMAL, 0)
    x11.XChangeProperty(connection, ctypes.c_ulong(window), atom, atom, 32, 0, state, 2)
    (x11.XUnmapWindow if minimised else x11.XMapWindow)(connection, ctypes.c_ulong(window))
    x11.XSync(connection, False)
    x11.XCloseDisplay(connection)


def turn(view: View, loop: str, calls: list[int]) -> None:
    """A frame or two, as the program's own loop has them."""
    if loop == "View.run":
        view.run(max_frames=2)
    elif view.window.poll() and view.window.begin_frame():
        calls.append(1)
        view.window.end_frame()


@pytest.mark.skipif(sys.platform != "linux", reason="acts as an X11 window manager")
@pytest.mark.parametrize("loop", ["View.run", "Window"])
def test_a_minimised_window_goes_on_without_drawing_or_spinning(xvfb: str, open_view, monkeypatch, loop: str) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    view = open_view("Small", 200, 150, backend="window")
    drawn, calls, backend = [], [], view.window.backend
    view.panel("P").on_frame(lambda: calls.append(1))
    view.run(max_frames=2)
    set_window_state(xvfb, backend._glfw.get_x11_window(backend._window), minimised=True)
    monkeypatch.setattr(backend, "present", lambda frame, present=backend.present: (drawn.append(1), present(frame)))
    calls.clear()
    view.window.vsync = True
    cpu, end = time.process_time(), time.perf_counter() + 0.5
    while time.perf_counter() < end:
        turn(view, loop, calls)
    assert not drawn and 5 < len(calls) < 70
    assert time.process_time() - cpu < 0.4
    set_window_state(xvfb, backend._glfw.get_x11_window(backend._window), minimised=False)
    time.sleep(0.2)  # a picture may be due
    turn(view, loop, calls)
    assert drawn, "back on the screen, it is drawn again"


def test_a_window_draws_within_its_budget(xvfb: str, open_view, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    view = open_view("Paced", 640, 480, backend="window")
    drawn = []
    present = view._backend.present
    monkeypatch.setattr(view._backend, "present", lambda frame: (drawn.append(1), present(frame)))
    view.panel("P").canvas("c").bind(torch.rand(64, 64, 3))
    frames, end = 0, time.perf_counter() + 1.0
    while time.perf_counter() < end:
        view.run(max_frames=1)
        frames += 1
    assert 1 <= len(drawn) <= 62
    # Far more on a quiet machine; without the budget every frame would be drawn.
    assert frames > 2 * len(drawn)
