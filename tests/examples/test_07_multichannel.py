"""Four views of one sphere agree, and the geometry is that of a sphere."""

import math

import pytest
import torch

BACKGROUND = (0.12, 0.12, 0.14)


def test_four_views_agree_on_where_the_sphere_is(example) -> None:
    module = example("07_multichannel").module
    buffers = module.trace(0.6, module.light_direction(0.5, 0.8), 0.1, (0.0, 0.0, 1.0))
    hit = buffers.alpha == 1
    assert torch.equal(hit, buffers.depth.isfinite())
    assert torch.equal(~hit, (buffers.rgb == torch.tensor([0.0, 0.0, 1.0])).all(dim=-1))
    lengths = buffers.normal.norm(dim=-1)
    torch.testing.assert_close(lengths, hit.float(), atol=1e-5, rtol=0)
    assert torch.equal(hit, hit.flip(0)) and torch.equal(hit, hit.flip(1))
    row, column = divmod(int(buffers.depth.argmin()), 256)
    assert {row, column} <= {127, 128} and buffers.depth.min() == pytest.approx(1.4, abs=1e-3)
    # The silhouette of a sphere at distance 2: a cone of half angle asin(r / 2), cut by the plane z = 1.
    expected = math.pi * math.tan(math.asin(0.3)) ** 2 / 4
    assert hit.float().mean() == pytest.approx(expected, rel=0.01)


def test_the_sides_are_where_the_world_has_them(example) -> None:
    module = example("07_multichannel").module
    buffers = module.trace(0.6, torch.tensor([0.0, 1.0, 0.0]), 0.0, BACKGROUND)
    rows, columns = buffers.alpha.nonzero().T
    top, left = rows.min(), columns.min()
    assert buffers.normal[top, 128, 1] > 0.8 and buffers.normal[128, left, 0] < -0.8
    assert buffers.normal[128, 128, 2] == pytest.approx(-1, abs=1e-3)
    assert buffers.rgb[top, 128].sum() > 1 > 0.1 > buffers.rgb[150, 128].sum()


def test_sliders_act_in_the_next_frame_and_pixels_show_it(example) -> None:
    program = example("07_multichannel")
    driver, canvases = program.driver, program.module.canvases
    shares = []
    for radius in (0.4, 1.1):
        driver.type("Radius", str(radius))
        masks = {
            "RGB": (program.shown(canvases["RGB"]) - torch.tensor(BACKGROUND)).abs().amax(dim=-1) > 0.02,
            "Depth": (program.shown(canvases["Depth"]) - torch.tensor(BACKGROUND)).abs().amax(dim=-1) > 0.02,
            "Normal": (program.shown(canvases["Normal"]) - 0.5).abs().amax(dim=-1) > 0.02,
            "Alpha": program.shown(canvases["Alpha"])[..., 0] > 0.5,
        }
        found = [mask.float().mean().item() for mask in masks.values()]
        assert found == pytest.approx([found[0]] * 4, abs=0.02)
        shares.append(found[0])
    assert shares[1] > 5 * shares[0] > 0
    before = canvases["RGB"].look()
    driver.drag("Ambient", 1.0)
    assert not torch.equal(canvases["RGB"].look(), before)


@pytest.mark.parametrize("radius", [0.0, 1e-6, 2.0, 2.5, 100.0])
def test_no_hit_and_an_eye_within_the_sphere_are_fine(example, radius) -> None:
    module = example("07_multichannel").module
    buffers = module.trace(radius, module.light_direction(0.5, 0.8), 0.1, BACKGROUND)
    assert (buffers.alpha == float(radius >= 2)).all() or radius == 2.0
    assert not any(part.isnan().any() for part in buffers)
    colors = module.depth_colors(buffers.depth, BACKGROUND)
    assert colors.shape == (256, 256, 3) and not colors.isnan().any()
