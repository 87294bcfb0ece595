"""Where things stand: in order, apart, within the picture, each beside what it belongs to."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from easel.inspector.layout.arrangement import Arrangement, Box
from easel.inspector.layout.layout import arrange
from easel.inspector.models.graph import TensorRef
from easel.inspector.models.model_tensors import tensors
from easel.inspector.scene.view import Eye, facing
from easel.inspector.tracing.forward import capture


def edges(box: Box) -> tuple[float, float, float, float]:
    """Left, right, lower and upper edge of a box that faces the viewer."""
    x, y, _ = box.origin
    return x, x + box.right[0], y + box.down[1], y


def overlap(one: Box, other: Box) -> bool:
    (a, b, c, d), (e, f, g, h) = edges(one), edges(other)
    return a < f - 1e-9 and e < b - 1e-9 and c < h - 1e-9 and g < d - 1e-9


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.shortcut = nn.Sequential(nn.Conv2d(4, 8, 1), nn.BatchNorm2d(8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())) + self.shortcut(x)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), Residual(), Residual2(), nn.Flatten(), nn.Linear(8 * 36, 5)).eval()


class Residual2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x)


@pytest.mark.slow
@given(st.lists(st.lists(st.integers(1, 70), min_size=1, max_size=4), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_no_two_boxes_overlap(shapes):
    refs = [
        TensorRef(f"layer{number % 5}.{number}.weight", torch.zeros(shape), module_path=f"layer{number % 5}.{number}")
        for number, shape in enumerate(shapes)
    ]
    arrangement = arrange(refs)
    assert len(arrangement.boxes) == len(refs)
    assert not any(overlap(one, other) for one, other in itertools.combinations(arrangement.boxes, 2))


@pytest.fixture(scope="module")
def drawn() -> Arrangement:
    model = network()
    done = capture(model, torch.zeros(1, 3, 8, 8))
    assert not done.error
    return arrange(tensors(model).values(), done.graph, aspect=6)


def test_one_dimensional_tensors_dock_at_the_right_edge_of_their_layer(drawn: Arrangement):
    boxes = {box.name: box for box in drawn.boxes}
    for name in ("1.conv1.bias", "1.bn1.weight", "1.bn1.running_var"):
        box, host = boxes[name], boxes["1.conv1.weight"]
        assert box.docked_to == "1.conv1.weight" and box.origin[1] == host.origin[1] and box.down == host.down
        assert edges(box)[0] > edges(host)[1]


def test_what_flows_later_stands_later(drawn: Arrangement):
    boxes = {box.name: box for box in drawn.boxes}
    order = ["0.weight", "1.conv1.weight", "1.conv2.weight", "2.conv.weight", "4.weight"]

    def place(name: str) -> tuple[float, float]:
        left, _, lower, upper = edges(boxes[name])
        return -round((lower + upper) / 2, 3), left

    assert [place(name) for name in order] == sorted(place(name) for name in order)


def test_a_branch_is_lifted_and_set_back(drawn: Arrangement):
    boxes = {box.name: box for box in drawn.boxes}
    branch, spine = boxes["1.shortcut.0.weight"], boxes["1.conv2.weight"]
    assert branch.origin[2] < spine.origin[2] and edges(branch)[2] > edges(spine)[3]
    assert not any(overlap(one, other) for one, other in itertools.combinations(drawn.boxes, 2))


def test_what_is_skipped_has_an_arc_over_it_and_pads_tell_real_sizes(drawn: Arrangement):
    boxes = {box.name: box for box in drawn.boxes}
    arcs = [route for route in drawn.routes if route.skips and route.target.startswith("add")]
    assert any(max(y for _, y, _ in arc.points) > edges(boxes["2.conv.weight"])[3] for arc in arcs)
    assert {"input 3×8×8", "relu 8×6×6", "Flatten 288"} <= {pad.text for pad in drawn.pads}
    assert all(route.is_known for route in drawn.routes)


def test_larger_tensors_have_larger_sheets():
    refs = [TensorRef(str(side), torch.zeros(side, side), module_path=str(side)) for side in (4, 16, 64, 256)]
    widths = [box.right[0] for box in arrange(refs).boxes]
    assert widths == sorted(widths) and widths[-1] / widths[0] == pytest.approx(8.0)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 16 / 9, 3.0])
def test_rows_take_the_shape_of_the_picture(aspect):
    refs = [TensorRef(f"{n}", torch.zeros(32, 32), module_path=f"layer{n // 6}.{n}") for n in range(60)]
    low, high = arrange(refs, aspect=aspect).bounds
    assert 0.4 < (high[0] - low[0]) / (high[1] - low[1]) / aspect < 2.5


@pytest.mark.parametrize("style", ["rows", "stack"])
def test_a_camera_sees_all_of_it(style):
    arrangement = arrange(tensors(network()).values(), style=style)
    low, high = arrangement.bounds
    corners = torch.cartesian_prod(*(torch.tensor(pair) for pair in zip(low, high, strict=True))).double().numpy()
    camera = facing(corners, (360, 640), -0.4, 0.3)
    x, y, depth = Eye.of(camera, (360, 640), arrangement.bounds).project(corners).T
    assert (depth > 0).all() and x.min() > 0 and x.max() < 640 and y.min() > 0 and y.max() < 332
    assert x.max() - x.min() > 500 or y.max() - y.min() > 200


def test_unknown_styles_are_named():
    with pytest.raises(ValueError, match=r"'spiral'.*rows, stack"):
        arrange([], style="spiral")
