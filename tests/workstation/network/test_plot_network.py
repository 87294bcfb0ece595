"""PlotNetwork3D as the seed uses it: every block of it, and what a person does at the window."""

import copy
import logging
import os
import threading
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from easel.inspector.scene.pick import written
from easel.viewer.driver import Driver
from easel.viewer.view import View
from easel.workstation.network.plot_network import PlotNetwork3D

SMALL = {"render_res": (160, 120)}


class SimpleCNN(nn.Module):
    """As the seed has it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels=1, out_channels=32, kernel_size=3, stride=1, padding=1)
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.conv2 = nn.Conv2d(in_channels=32, out_channels=64, kernel_size=3, stride=1, padding=1)
        self.flatten_method = nn.Flatten()
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = self.flatten_method(x)
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        return x


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SimpleCNN()


@pytest.fixture
def stored(model, tmp_path):
    """A state dict without extension, as the seed saves it."""
    path = tmp_path / "example_nets" / "simplecnn"
    path.parent.mkdir()
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture
def test_data():
    return np.random.default_rng(0).random((5, 1, 28, 28), np.float32)


@pytest.fixture
def plot(gl, model, stored):
    """A plotter of the model; more arguments by name."""

    def make(**settings):
        return PlotNetwork3D(neural_network=model, stored_network_params_path=str(stored), **(SMALL | settings))

    return make


def test_parameters_need_no_test_data_and_all_eight_are_there(plot, model):
    plotter = plot(normalize=False, plot_type="param")
    assert plotter(headless=True) is True
    names = [name for name, _ in model.named_parameters()]
    assert sorted(sheet.ref.name for sheet in plotter._scene.sheets) == sorted(names) and len(names) == 8


def test_the_picture_has_colours_of_both_signs(plot):
    plotter = plot(normalize=False, plot_type="param", render_res=(640, 480))
    picture = plotter._scene.draw(plotter._camera, (480, 640))
    red, blue = picture[..., 0] - picture[..., 2] > 0.2, picture[..., 2] - picture[..., 0] > 0.2
    assert red.sum() > 500 and blue.sum() > 500


def test_outputs_of_every_step(plot, test_data):
    plotter = plot(normalize=False, plot_type="output", test_data=test_data)
    assert plotter(headless=True)
    kinds = [ref.module or ref.name for ref in plotter._scene.refs.values()]
    assert len(kinds) == 11
    wanted = [
        "input",
        "Conv2d",
        "relu",
        "MaxPool2d",
        "Conv2d",
        "relu",
        "MaxPool2d",
        "Flatten",
        "Linear",
        "relu",
        "Linear",
    ]
    assert kinds == wanted


@pytest.mark.parametrize("kind", ["array", "tensor", "list", "float64", "none"])
def test_test_data_of_any_kind_gives_the_models_own_answer(plot, model, test_data, kind):
    given = {
        "array": test_data,
        "tensor": torch.from_numpy(test_data),
        "list": list(torch.from_numpy(test_data)),
        "float64": test_data.astype(np.float64),
        "none": None,
    }[kind]
    plotter = plot(plot_type="output", test_data=given, input_image_dim=(1, 28, 28))
    shown = plotter._scene.refs["fc2"].tensor
    assert shown.shape == (1, 10)
    if given is not None:
        assert torch.allclose(shown, model(torch.from_numpy(test_data[:1])), atol=1e-6)


def test_the_model_comes_out_as_it_went_in(plot, model, test_data):
    model.conv1.eval()
    before, rng = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    flags = [module.training for module in model.modules()]
    for plot_type in ("param", "output"):
        plotter = plot(plot_type=plot_type, test_data=test_data)
        plotter(headless=True)
        plotter.update_plot()
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    assert [module.training for module in model.modules()] == flags
    assert torch.equal(torch.get_rng_state(), rng)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_an_unknown_plot_type_is_refused_before_any_work():
    with pytest.raises(ValueError, match="'param' and 'output'"):
        PlotNetwork3D(nn.Identity(), "", plot_type="weights")


def test_the_file_is_read_at_each_update_and_never_into_the_model(plot, model, stored):
    plotter = plot(plot_type="param")
    other = SimpleCNN()
    torch.save(other.state_dict(), stored)
    plotter.update_plot()
    assert torch.equal(plotter._scene.sheet("fc1.weight").tensor, other.fc1.weight)
    assert not torch.equal(model.fc1.weight, other.fc1.weight)


def test_outputs_are_those_of_the_file(plot, stored, test_data):
    plotter, other = plot(plot_type="output", test_data=test_data), SimpleCNN()
    torch.save(other.state_dict(), stored)
    plotter.update_plot()
    expected = other(torch.from_numpy(test_data[:1]))
    assert torch.allclose(plotter._scene.refs["fc2"].tensor, expected, atol=1e-6)


def test_a_random_string_as_path_gives_a_notice_and_the_weights_in_memory(gl, model, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "easel")
    plotter = PlotNetwork3D(model, str(tmp_path / "no such file"), plot_type="param", **SMALL)
    assert plotter(headless=True)
    assert "no such file" in plotter.notice and len(plotter.notice.splitlines()) == 1
    assert torch.equal(plotter._scene.sheet("fc2.weight").tensor, model.fc2.weight)


def test_weights_of_other_shapes_are_named_and_the_picture_stays(plot, stored, caplog):
    caplog.set_level(logging.ERROR, "easel")
    plotter = plot(plot_type="param")
    torch.save({"conv1.weight": torch.zeros(2, 2), "stranger": torch.zeros(1)}, stored)
    plotter.update_plot()
    assert "conv1.weight" in plotter.notice and "stranger" in plotter.notice and "missing" in plotter.notice


def test_a_timer_shows_what_a_training_writes_and_writes_frames(plot, stored, tmp_path):
    folder = tmp_path / "frames"
    plotter = plot(plot_type="param", output_anim_folder=folder)
    assert plotter(update_with_timer=True, timer_interval=1, make_animation=True, max_updates=2, headless=True)
    assert sorted(path.name for path in folder.iterdir()) == ["frame_000.tiff", "frame_001.tiff", "frame_002.tiff"]
    for path in folder.iterdir():
        with Image.open(path) as frame:
            assert frame.mode == "RGB" and frame.size == (160, 120)
            assert frame.tag_v2[259] == 32773  # PackBits


def test_no_folder_is_made_before_a_frame_is_written(plot, tmp_path):
    plotter = plot(output_anim_folder=tmp_path / "later")
    plotter(headless=True)
    assert not (tmp_path / "later").exists()


def test_a_failed_write_says_which_and_counts_nothing(plot, tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    plotter = plot(output_anim_folder=tmp_path / "taken")
    with pytest.raises(OSError, match="frame_000"):
        plotter.capture_frame()
    assert plotter.frame_counter == 0


def test_close_automatically_draws_once(plot, tmp_path):
    plotter = plot(output_anim_folder=tmp_path / "frames")
    arguments = {"update_with_timer": True, "close_automatically_window": True, "make_animation": True}
    assert plotter(headless=True, **arguments)
    assert plotter.frame_counter == 1


def test_the_box_is_as_given_and_takes_its_layers_apart(plot, test_data):
    given = [-100, 100, -100, 100, -5, 5]
    settings = {"plot_type": "output", "test_data": test_data, "add_box_widget": True, "box_step": 5}
    plotter = plot(box_render_range=given, **settings)
    assert given == plotter.box_render_range == [-100, 100, -100, 100, -5, 5]
    assert plotter.constrain_to_z_axis() == (-5, 5) and plotter.box.covered == ("input",)
    plotter.scroll_callback(1)
    assert plotter.constrain_to_z_axis() == (0, 10) and plotter.box.covered == ("input", "conv1")
    maps = [sheet.ref for sheet in plotter._scene.sheets if sheet.ref.name.startswith("conv1[0, ")]
    assert len(maps) == 32 and maps[7].shape == (28, 28)
    assert torch.equal(maps[7].tensor, plotter._scene.refs["conv1"].tensor[0, 7])
    for _ in range(100):
        plotter.scroll_callback(5)
    assert not [name for name in plotter._scene.refs if "[" in name and "conv1" in name], "expanded layers go again"
    assert plot(**settings).box_render_range == [-100, 100, -100, 100, -75, 75] == plot(**settings).box_render_range


def test_the_box_reaches_over_a_map_as_far_as_its_range(plot, test_data):
    plotter = plot(plot_type="output", test_data=test_data, add_box_widget=1, box_render_range=[-4, 5, -6, 7, -1, 1])
    assert plotter._scene.refs["input[0, 0]"].shape == (13, 9)


def test_the_box_is_ignored_for_parameters(plot):
    assert plot(add_box_widget=True).box is None


def test_dragging_the_box_leaves_it_there(plot, test_data):
    plotter = plot(plot_type="output", test_data=test_data, add_box_widget=True, box_render_range=[-9, 9, -9, 9, -1, 1])
    plotter.drag_to("conv2")
    assert plotter.box.covered == ("conv2",)
    plotter.update_plot()
    assert plotter.box.covered == ("conv2",)


@pytest.fixture
def window(plot, test_data):
    """A plotter with its window open, and a driver of that."""
    opened = []

    def open_window(**settings):
        plotter = plot(**({"render_res": (900, 600)} | settings))
        view = View("plot", 900, 600, backend="headless", strict=True)
        opened.append((plotter, view))
        plotter._open(view)
        driver = Driver(view)
        driver.frames(3)
        return plotter, driver

    yield open_window
    for plotter, view in opened:
        plotter._close()
        view.close()


def test_keys_switch_what_is_shown(window):
    plotter, driver = window()
    scene = plotter._scene
    driver.key("l")
    driver.frames(1)
    assert not scene.labels
    driver.key("a")
    driver.frames(1)
    assert scene.aggregate == "rms"
    driver.key("n")
    driver.frames(1)
    assert scene.ranges == "shared"
    driver.key("n")
    driver.frames(1)
    assert scene.ranges == "peak"


def test_w_leaves_outlines_and_s_fills_again(window):
    plotter, driver = window()

    def coloured():
        picture = plotter._scene.draw(plotter._page.view.camera, (300, 450))
        return int(((picture[..., 0] - picture[..., 2]).abs() > 0.2).sum())

    before = coloured()
    driver.key("w")
    assert 0 < coloured() < before / 5
    driver.key("s")
    assert coloured() == before


def test_hover_tells_the_very_number_and_a_click_keeps_it(window, model):
    plotter, driver = window()
    page = plotter._page
    page.view.look_at("fc2.weight")
    driver.frames(2)
    height, width = page.view.size
    driver.move(page.view, width / 2, height / 2)
    hit = page.view.under_pointer()
    assert hit.name == "fc2.weight" and hit.value == model.fc2.weight[hit.index].item()
    driver.stroke(page.view, [(width / 2, height / 2)])
    assert page.pinned.index == hit.index
    assert f"= {written(hit.value)}" in page.told(page.pinned)


def test_the_mouse_turns_moves_and_zooms(window):
    plotter, driver = window()
    camera = plotter._page.view.camera
    azimuth, target, distance = camera.azimuth, camera.target, camera.distance
    driver.stroke(plotter._page.view, [(100, 100), (140, 120)])
    assert camera.azimuth != azimuth and camera.target == target
    driver.stroke(plotter._page.view, [(100, 100), (140, 120)], button=2)
    assert camera.target != target and camera.distance == distance
    driver.wheel(plotter._page.view, 2)
    assert camera.distance < distance


def test_the_wheel_brings_nearer_what_is_under_the_pointer(window):
    plotter, driver = window()
    view = plotter._page.view
    view.camera.azimuth = view.camera.elevation = 0
    at = (view.size[1] * 0.4, view.size[0] * 0.4)
    driver.move(view, *at)
    before = view.under_pointer()
    driver.wheel(view, 3, at)
    driver.frames(1)
    after = view.under_pointer()
    if before is not None:
        assert after.name == before.name
    driver.key("r")
    assert view.camera.distance == pytest.approx(plotter._scene.home(view.size).distance)


def test_brackets_change_the_sample(window, test_data, model):
    plotter, driver = window(plot_type="output", test_data=test_data)
    driver.key("right_bracket")
    assert plotter.sample == 1
    assert torch.equal(plotter._scene.refs["input"].tensor[0], torch.from_numpy(test_data[1]))
    driver.key("left_bracket")
    driver.key("left_bracket")
    assert plotter.sample == 4


def test_updates_are_moments_to_go_back_to(window, stored, model):
    plotter, driver = window()
    other = SimpleCNN()
    torch.save(other.state_dict(), stored)
    plotter.update_plot()
    driver.frames(2)
    assert torch.equal(plotter._scene.sheet("fc2.weight").tensor, other.fc2.weight)
    driver.key("comma")
    driver.frames(2)
    assert torch.equal(plotter._scene.sheet("fc2.weight").tensor, model.fc2.weight)
    driver.key("period")
    driver.key("d")
    driver.frames(2)
    assert torch.equal(plotter._scene.sheet("fc2.weight").tensor, other.fc2.weight - model.fc2.weight)


def test_find_flies_to_a_tensor(window):
    plotter, driver = window()
    driver.type("Find", "fc2.w")
    driver.frames(1)
    assert plotter._scene.selected == "fc2.weight"


@pytest.mark.parametrize("update_with_timer", [None, False, True])
def test_the_keys_work_in_all_three_modes(xvfb, monkeypatch, model, tmp_path, update_with_timer):
    monkeypatch.setenv("DISPLAY", xvfb)
    plotter = PlotNetwork3D(model, str(tmp_path / "weights"), **SMALL)
    updates = []
    monkeypatch.setattr(plotter, "update_plot", lambda *_: updates.append(time.monotonic()))

    def person():
        while plotter._view is None or plotter._view.frame_count < 3:
            time.sleep(0.01)
        counted = len(updates)
        plotter.key_press_callback("u")
        while len(updates) == counted:
            time.sleep(0.01)
        plotter.key_press_callback("q")

    thread = threading.Thread(target=person)
    thread.start()
    assert plotter(update_with_timer, timer_interval=60_000) is True
    thread.join()
    assert len(updates) == (1 if update_with_timer is False else 2)


class Failing(nn.Module):
    """Its second layer does not fit its first."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 3), nn.Linear(9, 2)

    def forward(self, x):
        return self.second(self.first(x))


class Odd(nn.Module):
    """Tensors without values, of no axis, of no number, and of few bits."""

    def __init__(self):
        super().__init__()
        self.empty = nn.Parameter(torch.zeros(0, 3))
        self.strange = nn.Parameter(torch.tensor([[torch.nan, torch.inf], [1.0, -2.0]]))
        self.scalar = nn.Parameter(torch.tensor(3.0))
        self.narrow = nn.Parameter(torch.ones(3, 4, dtype=torch.bfloat16))
        self.lazy = nn.LazyLinear(3)


@pytest.mark.parametrize("plot_type", ["param", "output"])
@pytest.mark.parametrize("kind", [Failing, Odd, nn.Sequential])
def test_odd_models_keep_the_window(gl, tmp_path, caplog, kind, plot_type):
    caplog.set_level(logging.ERROR, "easel")
    plotter = PlotNetwork3D(kind(), str(tmp_path / "none"), plot_type=plot_type, input_image_dim=(4,), **SMALL)
    assert plotter(headless=True)
    if (kind, plot_type) == (Failing, "output"):
        assert "ended early" in plotter.notice and "first" in plotter._scene.refs


def test_two_plotters_share_nothing(plot, test_data):
    one, other = (plot(plot_type="output", test_data=test_data, add_box_widget=True) for _ in range(2))
    one.scroll_callback(3)
    assert other.constrain_to_z_axis() == (-75, 75)
    assert one.box_render_range is not other.box_render_range


def test_the_facade_has_the_name():
    import easel

    assert easel.PlotNetwork3D is PlotNetwork3D
    assert os.path.basename(easel.PlotNetwork3D.__module__.replace(".", "/")) == "plot_network"
