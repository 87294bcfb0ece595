"""A colour ramp stands square in the middle of its window, with its own colours in its corners."""

import pytest
import torch

from easel.viewer.imgui.events import CloseAsked


def test_the_ramp_is_square_centred_and_exact(example_anywhere) -> None:
    program = example_anywhere("01_hello_tensor")
    canvas = program.module.view.panel("Viewer").canvas("gradient")
    shown = program.shown(canvas)
    left, _, width, height = canvas.rectangle
    assert width == height > 400
    assert left == pytest.approx(512 - left - width, abs=1)
    corners = torch.stack([shown[0, 0], shown[0, -1], shown[-1, 0], shown[-1, -1]])
    expected = torch.tensor([(0, 0, 0.3), (1, 0, 0.3), (0, 1, 0.3), (1, 1, 0.3)])
    torch.testing.assert_close(corners, expected, atol=1 / 255, rtol=0)
    assert (shown[:, 1:, 0] >= shown[:, :-1, 0]).all() and (shown[1:, :, 1] >= shown[:-1, :, 1]).all()


def test_closing_ends_the_loop(example_anywhere) -> None:
    view = example_anywhere("01_hello_tensor").module.view
    view.on_frame(lambda: view.post(CloseAsked()) if view.frame_count == 2 else None)
    view.run()
    assert view.frame_count == 3 and view.closed
