"""The network page in any panel, and a training that it is watched through: slider, differences, table."""

import pytest
import torch
from torch import nn

import easel
from easel.inspector.drawing.renderer import NetworkRenderer
from easel.inspector.history.statistics import summarize_network
from easel.inspector.history.timeline import Timeline
from easel.inspector.history.watcher import watch
from easel.inspector.models.graph import TensorRef
from easel.inspector.models.model_tensors import tensors
from easel.inspector.network_scene import NetworkScene
from easel.viewer.driver import Driver
from easel.viewer.view import View
from easel.workstation.network.network_page import NetworkPage
from easel.workstation.network.network_panel import network_panel
from easel.workstation.network.network_time import NetworkTime
from easel.workstation.network.statistics_table import COLUMNS, numbers
from easel.workstation.network.tensor_details import COUNTED, heat_map, sampled


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))


@pytest.fixture
def view(gl):
    with View("network", 1000, 700, backend="headless", strict=True) as view:
        yield view


@pytest.fixture
def training(model, view):
    """(page, time, driver, weights at each of five steps) of a training that was watched."""
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    watched = watch(model, optimizer, seconds=0, gradients=True, optimizer_state=True)
    weights = []
    for step in range(5):
        loss = model(torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(step))).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        watched._due = 0.0  # its thrift would leave out steps of microseconds
        watched.record(step)
        weights.append({name: ref.tensor.clone() for name, ref in tensors(model).items()})
    page = NetworkPage(view.panel("Network"), NetworkScene(tensors(model)), details=view.panel("Tensor", side="right"))
    time = NetworkTime(page, watched, table=view.panel("Statistics", side="bottom", width=0.3))
    view.on_key(page.press)
    driver = Driver(view)
    driver.frames(3)
    yield page, time, driver, weights
    time.close()


def shown(page, name):
    return page.scene.sheet(name).tensor


def test_a_panel_of_any_window_shows_a_model(view, model):
    other = view.panel("Other", side="left").canvas("picture").bind(torch.rand(8, 8))
    page = easel.network_panel(view.panel("Network"), model)
    driver = Driver(view)
    driver.frames(3)
    picture = view.capture()
    area = page.view.rectangle
    inside = picture[round(area.y) :, round(area.x) :]
    assert (inside[..., 0] - inside[..., 2] > 0.2).sum() > 500 and other.rectangle is not None
    driver.move(page.view, *(side / 2 for side in page.view.size[::-1]))
    driver.key("a")
    driver.frames(1)
    assert page.scene.aggregate == "rms"


def test_the_panel_is_the_picture_that_the_scene_draws(view, model):
    page = network_panel(view.panel("Network"), model)
    Driver(view).frames(3)
    area = page.view.rectangle
    seen = view.capture()[round(area.y) :, round(area.x) :][: page.view.size[0], : page.view.size[1]]
    drawn = page.scene.draw(page.view.camera, page.view.size)
    assert (seen - drawn).abs().max() <= 1 / 255


def test_without_opengl_the_page_keeps_its_widgets(model):
    with View("none", 600, 400, backend="none", strict=True) as view:
        page = network_panel(view.panel("Network"), model)
        driver = Driver(view)
        driver.frames(2)
        assert "Find" in driver.labels() and page.hit is None


def test_an_empty_model_keeps_the_window(view):
    page = network_panel(view.panel("Network"), nn.Sequential())
    Driver(view).frames(3)
    assert page.scene.sheets == [] and view.capture().shape == (700, 1000, 3)


def test_values_written_in_place_are_seen(view, model):
    page = network_panel(view.panel("Network"), model)
    Driver(view).frames(2)
    before = page.scene.sheet("3.weight").version
    with torch.no_grad():
        model[3].weight.mul_(2)
    assert page.show(page.values) == ["3.weight"]
    assert page.scene.sheet("3.weight").version > before


def test_a_watched_training_brings_its_values_to_a_panel(view, model):
    watched = watch(model, seconds=0)
    page = network_panel(view.panel("Network"), watched)
    driver = Driver(view)
    for step in range(3):
        with torch.no_grad():
            model[3].weight.add_(step)
        watched._due = 0.0
        watched.record(step)
        driver.frames(2)
        assert torch.equal(shown(page, "3.weight"), model[3].weight)
    driver.move(page.view, *(side / 2 for side in page.view.size[::-1]))
    driver.key("left")
    driver.frames(2)
    assert torch.allclose(shown(page, "3.weight"), model[3].weight - 2, atol=1e-6)


def test_the_newest_moment_is_shown_and_the_keys_go_back(training):
    page, _, driver, weights = training
    assert torch.equal(shown(page, "3.weight"), weights[4]["3.weight"])
    driver.key("comma")
    driver.frames(2)
    assert torch.equal(shown(page, "3.weight"), weights[3]["3.weight"])
    driver.key("period")
    driver.frames(2)
    assert torch.equal(shown(page, "3.weight"), weights[4]["3.weight"])


def test_the_slider_stands_at_a_step_and_a_pick_reads_its_numbers(training):
    page, time, driver, weights = training
    driver.drag("Moment", 1)
    driver.frames(2)
    assert time.shown.step == 1
    page.pin("0.weight", (2, 0, 1, 1))
    assert page.pinned.value == weights[1]["0.weight"][2, 0, 1, 1].item()


def test_differences_are_from_the_reference_to_this_moment(training):
    page, _, driver, weights = training
    driver.key("d")
    driver.frames(2)
    assert torch.equal(shown(page, "3.weight"), weights[4]["3.weight"] - weights[0]["3.weight"])
    driver.click("A = this")
    driver.frames(2)
    assert not shown(page, "3.weight").any()
    driver.key("d")
    driver.frames(2)
    assert torch.equal(shown(page, "3.weight"), weights[4]["3.weight"])


def test_gradients_and_the_optimizers_memory_take_the_sheets_of_their_weights(training):
    page, time, driver, _ = training
    driver.select("Of", "exp_avg_sq")
    driver.frames(2)
    expected = time.timeline.last.tensors["3.weight.exp_avg_sq"]
    assert torch.equal(shown(page, "3.weight"), expected)
    driver.select("Of", "grad")
    driver.frames(2)
    assert torch.equal(shown(page, "3.weight"), time.timeline.last.tensors["3.weight.grad"])


def test_playing_goes_through_the_moments_and_around(training, monkeypatch):
    _, time, driver, _ = training
    monkeypatch.setattr("easel.workstation.network.network_time.PLAY_SECONDS", 0.0)
    driver.key("space")
    steps = set()
    for _ in range(12):
        driver.frames(1)
        steps.add(time.shown.step)
    assert steps == {0, 1, 2, 3, 4}
    driver.key("space")
    assert not time.playing


def test_the_table_tells_every_tensor_and_a_click_flies_there(training, view):
    page, time, driver, _ = training
    while time._summary is None:  # counted in another thread
        driver.frames(1)
    summary = summarize_network(time.timeline.last, time.timeline.first)
    told = [numbers(row) for row in time._summary.rows]
    place = list(COLUMNS).index("From start")
    assert [row[place] for row in told] == [row.distance for row in summary.rows]
    driver.click("Statistics/3.weight", panel="Statistics")
    driver.frames(1)
    assert page.scene.selected == "3.weight"


def test_statistics_read_no_snapshots_but_those_they_compare(training, monkeypatch):
    _, time, _, _ = training
    last, read = time.timeline.last, []
    # Of a long run most snapshots lie on the disk.
    at = Timeline.at
    monkeypatch.setattr(Timeline, "at", lambda timeline, step: read.append(step) or at(timeline, step))
    summary = time._summarize(last)
    assert sorted(read) == [0, 3] and all(row.update_ratio for row in summary.rows)


def test_a_complex_value_is_pinned_like_any_other(view):
    values = torch.randn(3, 4, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    details = view.panel("Tensor", side="right")
    page = network_panel(view.panel("Network"), {"w": TensorRef("w", values)}, details=details)
    page.pin("w", (1, 2))
    Driver(view).frames(2)
    assert page.pinned.value == values[1, 2].item() and page.pinned.cell == (1, 2)
    assert page.scene.look_at("w", index=(1, 2)).target != page.scene.look_at("w").target


def test_a_heat_map_is_the_part_or_the_kernel_of_a_value(model):
    scene = NetworkScene(tensors(model))
    weight = model[0].weight.detach()
    assert torch.equal(heat_map(scene.sheet("0.weight"), (2, 0, 1, 1), None), weight[2, 0])
    sheet = scene.sheet("3.weight")
    assert torch.equal(heat_map(sheet, None, None), sheet.map.spread(model[3].weight.detach()))


def test_a_histogram_counts_values_and_no_gutters():
    activation = torch.rand(1, 3, 5, 5) + 1
    assert torch.equal(sampled(activation), activation.reshape(1, -1))
    assert sampled(torch.zeros(COUNTED * 5 // 2)).shape[1] == COUNTED * 5 // 4


def test_what_did_not_change_is_not_drawn_again(view, model, monkeypatch):
    page = network_panel(view.panel("Network"), model)
    driver = Driver(view)
    driver.frames(3)
    view.capture()
    drawn = []
    draw = NetworkRenderer.draw
    monkeypatch.setattr(NetworkRenderer, "draw", lambda *arguments: drawn.append(1) or draw(*arguments))
    first = view.capture()
    assert torch.equal(view.capture(), first) and drawn == []
    page.view.camera.azimuth += 0.1
    assert not torch.equal(view.capture(), first) and drawn == [1]
