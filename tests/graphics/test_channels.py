"""Any tensor as something to look at: no value is lost or moved, and what means the same looks the same."""

import pytest
import torch

from easel.graphics.channels import LAYOUTS, flow_colors, hwc, label_colors, principal


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_every_layout_of_one_picture_is_the_same_picture():
    picture = noise(5, 7, 3)
    first = picture.permute(2, 0, 1)
    for layout, tensor in {"hwc": picture, "chw": first, "bhwc": picture[None], "bchw": first[None]}.items():
        assert torch.equal(hwc(tensor, layout), picture)
    assert torch.equal(hwc(picture[..., 0], "hwc"), picture[..., :1])
    assert torch.equal(hwc(picture[None, ..., 0], "bhw"), picture[..., :1])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16])
def test_a_batch_is_a_grid_in_reading_order(count):
    batch = noise(count, 3, 4, 5) + 1
    grid = hwc(batch, "bchw")
    columns = grid.shape[1] // 5
    for number, picture in enumerate(batch):
        row, column = divmod(number, columns)
        assert torch.equal(grid[4 * row : 4 * row + 4, 5 * column : 5 * column + 5], picture.permute(1, 2, 0))
    assert (grid > 0).sum() == batch.numel()
    assert max(grid.shape[:2]) <= 3 * min(grid.shape[:2]) or count < 4


def test_a_layout_that_does_not_fit_names_those_that_do():
    with pytest.raises(ValueError, match=r"\(2, 3, 4, 5\).*bhwc or bchw"):
        hwc(noise(2, 3, 4, 5), "chw")
    with pytest.raises(ValueError, match=r"unknown layout 'wch'.*chw"):
        hwc(noise(2, 3, 4), "wch")
    assert set(LAYOUTS) == {"hwc", "chw", "bhw", "bhwc", "bchw"}


def test_principal_components_find_the_plane_that_the_channels_lie_in():
    hidden = torch.randn(40, 50, 3, generator=torch.Generator().manual_seed(1)) * torch.tensor([5.0, 2.0, 1.0])
    mixing = torch.linalg.qr(torch.randn(12, 3, generator=torch.Generator().manual_seed(2))).Q
    shown = principal(hidden @ mixing.T + 7).project(hidden @ mixing.T + 7)
    for channel in range(3):
        pair = torch.stack([shown[..., channel].flatten(), hidden[..., channel].flatten()])
        assert torch.corrcoef(pair)[0, 1].abs() > 0.99
    assert ((shown > 0) & (shown < 1)).float().mean() > 0.95


def test_principal_components_of_poor_data_are_finite():
    for values in (torch.zeros(4, 4, 8), torch.full((4, 4, 8), torch.nan), noise(4, 4, 2), noise(1, 1, 5)):
        basis = principal(values)
        assert basis.axes.isfinite().all() and basis.mean.isfinite().all()
    with pytest.raises(ValueError, match="of 5 channels, the tensor has 4"):
        principal(noise(4, 4, 5)).project(noise(4, 4, 4))


def test_flow_at_rest_is_white_and_opposite_directions_are_complements():
    still, right, left = (torch.tensor([[[x, 0.0]]]) for x in (0.0, 1.0, -1.0))
    assert torch.equal(flow_colors(still), torch.ones(1, 1, 3))
    assert flow_colors(right).flatten().tolist() == pytest.approx([1, 0, 0], abs=1e-6)
    assert flow_colors(left).flatten().tolist() == pytest.approx([0, 1, 1], abs=1e-6)
    assert flow_colors(right / 2).flatten().tolist() == pytest.approx([1, 0.5, 0.5], abs=1e-6)


def test_labels_are_told_apart_and_keep_their_colour():
    labels = torch.arange(40)[None, :, None]
    colors = label_colors(labels)
    assert torch.pdist(colors[0]).min() > 0.05
    assert torch.equal(label_colors(labels[:, 7:8]), colors[:, 7:8])
    assert torch.equal(label_colors(torch.tensor([[[0], [-1]]]))[0], torch.tensor([[0.0] * 3, [0.35] * 3]))
    assert torch.equal(label_colors(labels.float()), colors)
