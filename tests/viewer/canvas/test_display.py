"""What a tensor holds, the screen shows: exact pixels, in the right place, at the right cost."""

import pytest
import torch
from torch import Tensor

from easel.graphics.image import imread
from easel.viewer.backends.headless import HeadlessBackend
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.driver import Driver
from easel.viewer.view import View


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def on_screen(view: View, canvas: Canvas) -> Tensor:
    """What the view shows where the canvas says that it is."""
    picture = view.capture()
    assert canvas.rectangle is not None
    x, y, width, height = map(int, canvas.rectangle)
    return picture[y : y + height, x : x + width]


def show(view: View, tensor: Tensor, **settings) -> tuple[Tensor, Canvas]:
    canvas = view.panel("P").canvas("c", **settings).bind(tensor)
    view.run(max_frames=1)
    return on_screen(view, canvas), canvas


@pytest.mark.parametrize("filter", ["linear", "nearest"])
@pytest.mark.parametrize("shape", [(64, 64, 3), (33, 57, 3), (31, 1, 3), (1, 1), (40, 21), (20, 30, 1), (27, 35, 4)])
def test_at_one_to_one_every_pixel_is_the_tensor_s(open_headless, shape, filter) -> None:
    tensor = noise(*shape)
    shown, _ = show(open_headless(), tensor, fit=False, filter=filter)
    picture = tensor[..., None] if tensor.ndim == 2 else tensor
    expected = picture[..., :3].expand(*picture.shape[:2], 3)
    assert shown.shape == expected.shape
    assert (shown - expected).abs().max() <= 1 / 255
    assert ((shown * 255).round() == (expected * 255).round()).float().mean() > 0.998


def test_eight_bit_pictures_are_shown_exactly(open_headless) -> None:
    tensor = torch.randint(0, 256, (33, 57, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    shown, _ = show(open_headless(), tensor, fit=False)
    assert torch.equal((shown * 255).round().to(torch.uint8), tensor)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.bool, torch.uint16])
def test_other_types_are_shown_as_they_mean(open_headless, dtype) -> None:
    values = noise(20, 30, 3)
    tensor = (
        (values * 65535).to(dtype)
        if dtype == torch.uint16
        else (values > 0.5 if dtype == torch.bool else values).to(dtype)
    )
    expected = tensor.float() / (65535 if dtype == torch.uint16 else 1)
    shown, _ = show(open_headless(), tensor, fit=False)
    assert (shown - expected).abs().max() <= 1 / 255


def test_values_outside_the_range_are_clamped_for_display_only(open_headless) -> None:
    tensor = torch.tensor([[[-1.0, 0.5, 2.0]]]).repeat(4, 4, 1)
    shown, _ = show(open_headless(), tensor, fit=False)
    assert (shown - torch.tensor([0, 0.5, 1])).abs().max() <= 1 / 255
    assert tensor[0, 0].tolist() == [-1.0, 0.5, 2.0]


@pytest.mark.parametrize("size", [(640, 480), (300, 500), (501, 303)])
def test_a_fitted_picture_is_centred_in_its_own_aspect(open_headless, size) -> None:
    ramp = torch.linspace(0, 1, 64)
    tensor = torch.stack([ramp.expand(32, 64), ramp[:32, None].expand(32, 64) * 2, torch.full((32, 64), 0.3)], -1)
    view = open_headless("Fit", *size)
    shown, canvas = show(view, tensor)
    assert canvas.rectangle is not None
    assert canvas.rectangle.width == pytest.approx(2 * canvas.rectangle.height, abs=1.01)
    assert canvas.rectangle.x + canvas.rectangle.width / 2 == pytest.approx(size[0] / 2, abs=1)
    corners = {(0, 0): (0, 0), (0, -1): (1, 0), (-1, 0): (0, 1), (-1, -1): (1, 1)}
    for (row, column), (red, green) in corners.items():
        assert shown[row, column, 0] == pytest.approx(red, abs=2 / 255)
        assert shown[row, column, 2] == pytest.approx(0.3, abs=1 / 255)
        assert shown[row, column, 1] == pytest.approx(green * tensor[-1, 0, 1].item(), abs=0.02)


def test_pixels_are_squares_with_the_nearest_filter(open_headless) -> None:
    tensor = noise(6, 8, 3)
    shown, _ = show(open_headless(), tensor, filter="nearest")
    height, width = shown.shape[:2]
    rows = ((torch.arange(height) + 0.5) * 6 / height).long()
    columns = ((torch.arange(width) + 0.5) * 8 / width).long()
    assert (shown - tensor[rows][:, columns]).abs().max() <= 1 / 255


def test_a_picture_far_larger_than_its_place_is_averaged(open_headless) -> None:
    checker = (torch.arange(512)[:, None] + torch.arange(512)) % 2
    shown, _ = show(open_headless("Small", 160, 160), checker.float())
    assert (shown - 0.5).abs().max() < 0.1


def test_a_tensor_written_between_the_halves_is_in_this_frame(open_headless) -> None:
    view = open_headless()
    tensor = torch.zeros(16, 16, 3)
    canvas = view.panel("P").canvas("c", fit=False).bind(tensor)
    view.step()
    tensor.fill_(1.0)
    view.end_step()
    assert on_screen(view, canvas).min() == 1


@pytest.mark.parametrize("shape", [(40, 10, 3), (10, 40), (200, 100, 4)])
@pytest.mark.parametrize("fit", [True, False])
def test_another_shape_bound_between_the_halves_is_in_this_frame(open_headless, shape, fit) -> None:
    view = open_headless()
    canvas = view.panel("P").canvas("c", fit=fit).bind(torch.zeros(16, 16, 3))
    view.step()
    canvas.bind(torch.ones(shape))
    view.end_step()
    shown = on_screen(view, canvas)
    assert shown.min() == 1
    assert shown.shape[0] / shown.shape[1] == pytest.approx(shape[0] / shape[1], rel=0.02)
    assert view.capture().sum() == view.capture().sum()


def test_several_fitted_canvases_share_the_height_and_leave_room_for_widgets(open_headless) -> None:
    view = open_headless()
    panel = view.panel("P")
    canvases = [panel.canvas(f"c{n}").bind(noise(30, 30, 3)) for n in range(3)]
    panel.on_frame(lambda: [panel.button(f"button {n}") for n in range(3)])
    view.run(max_frames=3)
    heights = {canvas.rectangle.height for canvas in canvases}
    assert len(heights) == 1 and heights.pop() > 60
    spots = panel.item_layout.placed
    assert all(spots[f"button {n}"].visible for n in range(3))
    assert spots["button 2"].rectangle.y + spots["button 2"].rectangle.height <= 480
    assert spots["button 0"].rectangle.y >= canvases[-1].rectangle.y + canvases[-1].rectangle.height


def test_the_pointer_in_tensor_pixels(open_headless) -> None:
    for size in ((640, 480), (333, 517)):
        view = open_headless("Mouse", *size)
        canvas = view.panel("P").canvas("c").bind(noise(30, 40, 3))
        driver = Driver(view)
        driver.frames(2)
        assert canvas.mouse is None
        for point in ((0.5, 0.5), (39.5, 29.5), (20.25, 7.75)):
            driver.move(canvas, *point)
            # The pointer is on whole screen pixels; these are smaller than the tensor's.
            assert canvas.mouse == pytest.approx(point, abs=40 / canvas.rectangle.width)


def test_nobody_looking_a_function_is_called_once_for_its_size(open_headless) -> None:
    view = open_headless()
    calls = []
    canvas = view.panel("P").canvas("c").bind(lambda: calls.append(1) or noise(8, 12, 3))
    view.run(max_frames=10)
    assert len(calls) == 1 and canvas.size == (8, 12)
    Driver(view).move(canvas, 3.5, 2.5)
    assert canvas.mouse == pytest.approx((3.5, 2.5), abs=12 / canvas.rectangle.width)
    canvas.bind(lambda: calls.append(1) or noise(8, 12, 3))
    view.run(max_frames=10)
    assert len(calls) == 1, "the size of another function is expected to be the same"
    view.capture()
    assert len(calls) == 2


def test_a_still_canvas_is_taken_once_and_again_when_refreshed(open_headless, tmp_path) -> None:
    view = open_headless()
    calls = []
    canvas = view.panel("P").canvas("c").bind(lambda: calls.append(1) or torch.full((4, 4), len(calls) / 4), live=False)
    for _ in range(3):
        view.run(max_frames=2)
        assert on_screen(view, canvas).max() == pytest.approx(0.25, abs=1 / 255)
    canvas.save(tmp_path / "c.png")
    assert len(calls) == 1
    assert view._backend._renderer.uploads == 1
    canvas.refresh()
    view.run(max_frames=1)
    assert on_screen(view, canvas).max() == pytest.approx(0.5, abs=1 / 255)


def test_a_still_tensor_keeps_what_was_shown(open_headless, tmp_path) -> None:
    view = open_headless()
    tensor = torch.zeros(4, 4)
    canvas = view.panel("P").canvas("c").bind(tensor, live=False)
    view.capture()
    tensor.fill_(1.0)
    assert on_screen(view, canvas).max() == 0
    canvas.save(tmp_path / "c.png")
    assert imread(tmp_path / "c.png", device="cpu", channels=1).max() == 0


def test_canvases_of_one_name_in_two_panels_are_two(open_headless) -> None:
    view = open_headless()
    canvases = [
        view.panel(p).canvas("same", fit=False).bind(torch.full((5, 5), float(n))) for n, p in enumerate("AB", 1)
    ]
    canvases[0].bind(torch.zeros(5, 5))
    view.run(max_frames=1)
    assert [on_screen(view, canvas).mean().item() for canvas in canvases] == [0, 1]


def test_a_canvas_out_of_sight_is_not_uploaded(open_headless) -> None:
    view = open_headless()
    for n in range(12):
        view.panel("Long").canvas(f"{n}", fit=False).bind(noise(200, 20, seed=n))
    view.capture()
    assert view._backend._renderer.uploads == 3


def test_no_autograd_graph_is_kept(open_headless) -> None:
    view = open_headless()
    canvas = view.panel("P").canvas("c")
    weight = torch.ones(3, requires_grad=True)
    for _ in range(3):
        canvas.bind(torch.ones(4, 4, 3) * weight)
        view.run(max_frames=1)
        view.capture()
    assert canvas.look() is not None and not canvas.look().requires_grad and canvas.look().grad_fn is None


def test_bad_tensors_are_named_when_bound(open_headless) -> None:
    canvas = open_headless().panel("P").canvas("prediction")
    for tensor, words in (
        (torch.zeros(3, 8, 8), "channels"),
        (torch.zeros(8, 3, 16, 16), "2D or 3D"),
        (torch.zeros(4, 4, dtype=torch.int64), "dtype"),
        (torch.zeros(0, 4), "empty"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            canvas.bind(tensor)
        assert "canvas 'prediction'" in str(caught.value)
    with pytest.raises(RuntimeError, match="'prediction' has nothing to save"):
        canvas.save("never.png")


def test_an_unbound_canvas_says_so_and_none_unbinds(open_headless) -> None:
    view = open_headless()
    canvas = view.panel("P").canvas("c").bind(torch.ones(4, 4))
    assert (view.capture() == 1).all(-1).any()
    canvas.bind(None)
    view.run(max_frames=1)
    assert not (view.capture() == 1).all(-1).any() and canvas.rectangle is None


def test_at_scale_two_there_are_twice_the_pixels_and_they_close_twice(gl: None) -> None:
    backend = HeadlessBackend()
    backend.open("Scale", 200, 100, 2.0)
    assert backend.size == (400, 200)
    backend.close()
    backend.close()


def test_unbound_between_the_halves_there_is_nothing_to_see(open_headless) -> None:
    view = open_headless()
    canvas = view.panel("P").canvas("c", fit=False).bind(torch.ones(16, 16, 3))
    assert on_screen(view, canvas).min() == 1
    view.step()
    canvas.bind(None)
    view.end_step()
    assert on_screen(view, canvas).max() < 0.2
