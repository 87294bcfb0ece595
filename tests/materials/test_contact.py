"""A sheet of materials: its pictures are those that were given, where their labels say."""

import torch

from easel.graphics.contact_sheet import LETTER_PIXELS as LETTERS
from easel.graphics.contact_sheet import MARGIN_PIXELS as MARGIN
from easel.materials.contact import GAP, labelled_sheet, square


def test_every_picture_is_in_its_place():
    shades = torch.linspace(0.2, 0.9, 6)
    rows = [[torch.full((20, 20, 3), shade.item()) for shade in shades[:3]]]
    rows.append([torch.full((20, 20, 3), shade.item()) for shade in shades[3:]])
    sheet = labelled_sheet(rows, ["one", "two", "three"], ["first", "second\nof two"])
    assert sheet.shape == (2 * LETTERS + 2 * 20 + 3 * GAP, MARGIN + 3 * 20 + 4 * GAP, 3)
    for row in range(2):
        for column in range(3):
            top, left = 2 * LETTERS + GAP + row * (20 + GAP), MARGIN + GAP + column * (20 + GAP)
            seen = sheet[top : top + 20, left : left + 20]
            assert torch.allclose(seen, torch.full_like(seen, shades[3 * row + column].item()), atol=0.5 / 255)


def test_labels_are_written_in_the_margins():
    plain, named = (labelled_sheet([[torch.zeros(40, 40, 3)]], [name], [name]) for name in ("", "oak"))
    changed = (plain != named).any(-1)
    assert changed[: 2 * LETTERS].any() and changed[:, :MARGIN].any()
    assert not changed[2 * LETTERS :, MARGIN:].any()


def test_pictures_of_any_size_become_squares_in_range():
    assert square(torch.rand(10, 17, 3) * 2, 8).shape == (8, 8, 3) and square(torch.full((4, 4, 3), 2.0), 4).max() == 1
