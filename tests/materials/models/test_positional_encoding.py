"""Position and view codes: what they mean, and that no photo's number enters."""

import math

import torch

from easel.materials.models.positional_encoding import TokenCodes, camera_directions, position_code, texel_positions

CPU = torch.device("cpu")


def test_the_picture_spans_half_a_unit_each_way_and_y_is_up():
    positions = texel_positions(2, 4, CPU)
    torch.testing.assert_close(positions[0, 0], torch.tensor([-0.375, 0.25]))
    torch.testing.assert_close(positions[1, 3], torch.tensor([0.375, -0.25]))


def test_a_place_has_the_same_code_at_every_size():
    coarse, fine = position_code(3, 3, CPU), position_code(9, 9, CPU)
    torch.testing.assert_close(coarse, fine[1::3, 1::3], rtol=0, atol=1e-4)
    # No two of nine places look alike.
    apart = torch.cdist(coarse.flatten(0, 1), coarse.flatten(0, 1)) + 10 * torch.eye(9)
    assert apart.min() > 0.5


def test_directions_point_from_the_texel_to_the_camera():
    cameras = torch.tensor([[[0.0, 0.0, 2.0], [0.25, 0.25, 1.0]]])
    found = camera_directions(cameras, 2, 2)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(1, 2, 2, 2))
    torch.testing.assert_close(found[0, 1, 0, 1], torch.tensor([0.0, 0.0, 1.0]))
    assert found[0, 0, 0, 0, 0] > 0 and found[0, 0, 0, 0, 1] < 0
    torch.testing.assert_close(found[0, 0, 0, 0, 2], torch.tensor(2 / math.sqrt(4 + 2 / 16)))


def test_an_unknown_camera_has_a_vector_of_its_own_and_clean_gradients():
    torch.manual_seed(0)
    codes = TokenCodes(8, position=False, view=True)
    with torch.no_grad():
        codes.unknown_view.fill_(7.0)
    tokens = torch.zeros(1, 2, 2, 2, 8)
    cameras = torch.tensor([[[0.0, 0.0, 2.0], [math.nan, 0.0, 0.0]]])
    found = codes(tokens, cameras)
    assert (found[:, 1] == 7).all() and not (found[:, 0] == 7).any()
    assert torch.equal(codes(tokens, None), torch.full_like(tokens, 7.0))
    found.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in codes.parameters())
