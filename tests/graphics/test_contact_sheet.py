"""Contact sheets keep every picture whole, in reading order."""

import pytest
import torch

from easel.graphics.contact_sheet import HEADER_PIXELS, MARGIN_PIXELS, contact_sheet


def test_pictures_stand_in_reading_order_with_grey_around_them():
    pictures = [torch.full((3, 2, 3), value / 10) for value in range(5)]
    sheet = contact_sheet(pictures, columns=2, gap=1, background=1.0)
    assert sheet.shape == (1 + 3 * 4, 1 + 2 * 3, 3)
    for number, picture in enumerate(pictures):
        top, left = 1 + 4 * (number // 2), 1 + 3 * (number % 2)
        assert torch.equal(sheet[top : top + 3, left : left + 2], picture)
        sheet[top : top + 3, left : left + 2] = 1.0
    assert (sheet == 1.0).all()


@pytest.mark.parametrize(("shape", "count"), [((4, 4), 9), ((2, 8), 12), ((8, 2), 12)])
def test_it_is_about_as_wide_as_high(shape, count):
    height, width, _ = contact_sheet([torch.zeros(*shape, 1)] * count, gap=0).shape
    assert 0.4 < height / width < 2.5


def test_pictures_of_several_shapes_and_none_are_refused():
    for pictures in ([], [torch.zeros(2, 2, 3), torch.zeros(2, 3, 3)]):
        with pytest.raises(ValueError, match="one shape"):
            contact_sheet(pictures)


def test_labels_stand_in_strips_of_their_own_and_leave_the_pictures_alone():
    pictures = [torch.rand(40, 40, 3, generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    plain = contact_sheet(pictures, columns=2)
    named = contact_sheet(pictures, columns=2, column_labels=["one", "two"], row_labels=["first", "second\nof two"])
    assert named.shape == (HEADER_PIXELS + len(plain), MARGIN_PIXELS + plain.shape[1], 3)
    assert torch.equal(named[HEADER_PIXELS:, MARGIN_PIXELS:], plain)
    assert (named[:HEADER_PIXELS] != 0.08).any() and (named[:, :MARGIN_PIXELS] != 0.08).any()
    above = contact_sheet(pictures, columns=2, column_labels=["one", "two"])
    assert torch.equal(above[HEADER_PIXELS:], plain) and (above[:HEADER_PIXELS] != 0.08).any()
