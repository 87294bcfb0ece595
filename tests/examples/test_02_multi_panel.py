"""Six pictures: three in a column on the left, the same three in a panel that fills the right half."""

import pytest
import torch


def test_six_pictures_stand_where_they_should(example_anywhere) -> None:
    program = example_anywhere("02_multi_panel")
    view, names = program.module.view, ["Red", "Green", "Blue"]
    left = [view.panel(name).canvas(name) for name in names]
    right = list(view.panel("Combined").canvases.values())
    assert [canvas.name for canvas in right] == names
    copies = [[program.shown(canvas) for canvas in column] for column in (left, right)]
    for column in (left, right):
        heights, tops = zip(*[(canvas.rectangle.height, canvas.rectangle.y) for canvas in column], strict=True)
        assert max(heights) - min(heights) <= 2 and list(tops) == sorted(tops)
    for column, middle in ((left, 200), (right, 600)):  # each column is half of the window
        for x, _, width, _ in (canvas.rectangle for canvas in column):
            assert x + width / 2 == pytest.approx(middle, abs=3) and width > 250
    for picture, copy in zip(*copies, strict=True):
        points = torch.linspace(0.02, 0.98, 24)  # none on an edge of the checker
        samples = [shown[_at(points, shown.shape[0])][:, _at(points, shown.shape[1])] for shown in (picture, copy)]
        torch.testing.assert_close(*samples, atol=0.03, rtol=0)


def test_each_picture_has_a_colour_and_a_pattern_of_its_own(example_anywhere) -> None:
    program = example_anywhere("02_multi_panel")
    panel = program.module.view.panel
    red, green, blue = (program.shown(panel(name).canvas(name)) for name in ("Red", "Green", "Blue"))
    for channel, shown in enumerate((red, green, blue)):
        assert shown.amax(dim=(0, 1)).tolist() == pytest.approx([float(c == channel) for c in range(3)], abs=1 / 255)
    ramp = torch.linspace(0, 1, red.shape[1])
    torch.testing.assert_close(red[10, :, 0], ramp, atol=0.01, rtol=0)
    torch.testing.assert_close(green[:, 10, 1], torch.linspace(0, 1, green.shape[0]), atol=0.01, rtol=0)
    tiles = torch.tensor([1 / 8, 3 / 8, 5 / 8, 7 / 8])
    checker = blue[_at(tiles, blue.shape[0])][:, _at(tiles, blue.shape[1]), 2]
    assert torch.equal(checker, torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(2, 2))


def _at(shares: torch.Tensor, extent: int) -> torch.Tensor:
    return (shares * extent).long()
