"""The splats are Gaussians, they learn the photograph, and the dots that mark them are on the screen alone."""

import math

import pytest
import torch

import easel
from easel.graphics.image import resize


@pytest.fixture
def splatting(example):
    """The program on a picture of 64 x 64."""
    program = example("10_gaussian2d")
    module = program.module
    module.SIZE, module.gt = 64, resize(module.gt, (64, 64))
    module.rendering = module.canvas.alloc(64, 64, channels=3, device="cpu")
    return program


def test_a_splat_is_a_rotated_gaussian_in_front_of_the_next(splatting) -> None:
    splats = splatting.module.Splats(2)
    with torch.no_grad():
        splats.mean[:] = torch.tensor([[0.5, 0.25], [0.5, 0.25]])
        splats.log_scale[:] = torch.tensor([[0.2, 0.05], [0.1, 0.1]]).log()
        splats.rotation[:] = torch.tensor([math.pi / 6, 0.0])
        splats.color[:] = torch.tensor([[9.0, -9.0, -9.0], [-9.0, 9.0, -9.0]])
        splats.opacity[:] = torch.tensor([0.5, 9.0])
        picture = splats(32)
        color = splats.color.sigmoid()
    y, x = 11, 19
    alphas = []
    for splat in range(2):
        angle, (sx, sy) = splats.rotation[splat].item(), splats.log_scale[splat].exp().tolist()
        dx, dy = (x + 0.5) / 32 - 0.5, (y + 0.5) / 32 - 0.25
        # In the splat's own axes the Gaussian is upright.
        u, v = math.cos(angle) * dx + math.sin(angle) * dy, -math.sin(angle) * dx + math.cos(angle) * dy
        density = math.exp(-0.5 * ((u / sx) ** 2 + (v / sy) ** 2))
        alphas.append(min(0.99, splats.opacity[splat].sigmoid().item() * density))
    front, back = alphas
    assert 0.1 < front < 0.9 and 0.1 < back < 0.9
    expected = front * color[0] + (1 - front) * (back * color[1] + (1 - back))
    torch.testing.assert_close(picture[y, x], expected, atol=1e-5, rtol=0)


def test_it_rises_five_decibels_in_50_steps(splatting) -> None:
    module = splatting.module
    splatting.driver.frames(1)
    module.controls.set("Steps / Frame", 7)
    splatting.driver.frames(8)
    assert module.state["iteration"] == 51
    # Measured: 11.3 -> 18.4 dB.
    assert module.psnrs[-1] > module.psnrs[0] + 5
    mse = (module.canvas.look() - module.gt).square().mean()
    assert module.psnrs[-1] == pytest.approx(-10 * mse.log10().item(), abs=1e-3)


def test_the_dots_stand_at_the_centres_and_in_no_file(splatting, tmp_path) -> None:
    program, module = splatting, splatting.module
    module.optimizer.step = lambda: None
    with torch.no_grad():
        module.splats.mean[:] = torch.tensor([0.25, 0.75])
        module.splats.opacity[1:] = -9.0
    program.driver.frames(2)
    marked = program.shown(module.canvas)
    program.driver.click("Show Centers")
    plain = program.shown(module.canvas)
    rows, columns = ((marked - plain).abs().amax(dim=-1) > 0.1).nonzero().T
    height, width, _ = plain.shape
    assert 4 <= len(rows) <= 40
    assert rows.float().mean() / height == pytest.approx(0.75, abs=0.01)
    assert columns.float().mean() / width == pytest.approx(0.25, abs=0.01)
    program.driver.click("Show Centers")
    module.canvas.save(tmp_path / "saved.png")
    saved = easel.imread(tmp_path / "saved.png", channels=3)
    assert (saved - module.canvas.look().clamp(0, 1)).abs().max() <= 1 / 510 + 1e-6


def test_reset_makes_as_many_splats_as_asked_and_the_target_is_shown(splatting) -> None:
    program, module = splatting, splatting.module
    for count in (500, 200):
        program.driver.click(f"Reset {count}")
        assert len(module.splats.mean) == count and len(module.losses) == module.state["iteration"] < 6
        held = {id(p) for group in module.optimizer.param_groups for p in group["params"]}
        assert held == set(map(id, module.splats.parameters()))
    shown = program.shown(module.target_canvas)
    expected = resize(easel.graphics.image.as_picture(module.target_canvas.look()), tuple(shown.shape[:2]))
    assert (shown - expected).abs().mean() < 0.02
