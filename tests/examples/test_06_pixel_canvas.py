"""Paint goes where the pointer is, stays there, and the grid is never part of it."""

import pytest
import torch
from skimage.measure import label

from easel.viewer.imgui.events import PointerButton, PointerMoved

BRUSH = torch.tensor([1.0, 0.3, 0.1])


def painted_pixels(module) -> list:
    """(row, column) of what was painted."""
    return module.painted[..., 0].nonzero().tolist()


def click_at(view, x: int, y: int) -> None:
    """Click at a pixel of the window."""
    here = PointerMoved(x + 0.5, y + 0.5)  # every time: in a window the real pointer would move back in between
    for events in ((here,), (here, PointerButton(0, True)), (here, PointerButton(0, False))):
        view.post(*events)
        view.step()
        view.end_step()


@pytest.mark.parametrize(
    ("size", "scale"), [((900, 700), 1), ((500, 400), 1), ((1303, 907), 1), ((500, 900), 1), ((500, 400), 2)]
)
def test_the_pixel_under_the_pointer_is_painted(example_anywhere, monkeypatch, size, scale) -> None:
    monkeypatch.setenv("EASEL_SCALE", str(scale))
    program = example_anywhere("06_pixel_canvas", size)
    module, view, canvas = program.module, program.module.view, program.module.canvas
    module.controls.set("Brush Size", 1)
    program.driver.click("Clear")
    left, top, width, height = map(int, canvas.rectangle)
    assert width == height and view.capture().shape[:2] == (size[1] * scale, size[0] * scale)
    for across, down in ((0, 0), (width - 1, height - 1), (width // 3, height // 2), (width // 2, 7)):
        module.painted.zero_()
        x, y = left + across, top + down
        click_at(view, x, y)
        assert painted_pixels(module) == [[int((down + 0.5) * 128 / height), int((across + 0.5) * 128 / width)]]
        capture = view.capture()
        torch.testing.assert_close(capture[y, x], BRUSH, atol=1 / 255, rtol=0)
        spots = (capture[top : top + height, left : left + width] - BRUSH).abs().amax(dim=-1) < 1 / 100
        assert spots.sum() <= (width // 128 + 1) ** 2


def test_a_fast_stroke_has_no_gaps(example_anywhere) -> None:
    program = example_anywhere("06_pixel_canvas")
    module = program.module
    module.controls.set("Brush Size", 1)
    program.driver.click("Clear")
    program.driver.stroke(module.canvas, [(5.5, 3.5), (120.5, 90.5), (100.5, 120.5)])
    cells = painted_pixels(module)
    assert [3, 5] in cells and [90, 120] in cells and [120, 100] in cells
    assert label(module.painted[..., 0].numpy(), connectivity=2, return_num=True)[1] == 1
    assert 116 <= len(cells) <= 150


def test_the_right_button_erases_and_the_brush_has_its_size(example) -> None:
    program = example("06_pixel_canvas")
    module, driver, canvas = program.module, program.driver, program.module.canvas
    driver.click("Clear")
    for size in (1, 2, 5, 16):
        driver.type("Brush Size", str(size))
        driver.stroke(canvas, [(40.5, 60.5)])
        assert module.painted.sum() == size * size and module.painted[60, 40]
        driver.stroke(canvas, [(40.5, 60.5)], button=1)
        assert not module.painted.any()
    driver.stroke(canvas, [(0.5, 0.5)])  # beyond the edge there is nothing to paint
    assert module.painted.sum() == 8 * 8
    driver.stroke(canvas, [(100.5, 100.5), (190, 100.5)])  # nor where the hand goes on
    assert module.painted[100, 127] and not module.painted[:90, 100:].any()
    driver.click("Clear")
    assert not module.painted.any()


def test_the_grid_is_laid_over_once(example) -> None:
    program = example("06_pixel_canvas")
    module, driver, canvas = program.module, program.driver, program.module.canvas
    driver.click("Clear")
    driver.stroke(canvas, [(40.5, 60.5)])
    plain = canvas.look().clone()
    assert plain[0, 0].tolist() == pytest.approx([0.1] * 3)
    driver.click("Show Grid (8px)")
    driver.frames(20)
    grid = canvas.look().clone()
    torch.testing.assert_close(grid[::8], plain[::8].clamp(0, 0.85) + 0.15)
    torch.testing.assert_close(grid[:, ::8], plain[:, ::8].clamp(0, 0.85) + 0.15)
    inner = torch.arange(128) % 8 != 0
    assert torch.equal(grid[inner][:, inner], plain[inner][:, inner])
    driver.click("Show Grid (8px)")
    assert torch.equal(canvas.look(), plain)
    module.controls.set("Background", (0.0, 0.0, 1.0))
    driver.frames(1)
    assert canvas.look()[0, 0].tolist() == [0, 0, 1]
    torch.testing.assert_close(canvas.look()[60, 40], BRUSH)
