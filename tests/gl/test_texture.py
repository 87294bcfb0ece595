"""What goes up as a picture comes back as the same numbers."""

from collections.abc import Iterator

import moderngl
import pytest
import torch
from torch import Tensor

from easel.gl.context import open_headless
from easel.gl.programs import NearestEnlarger
from easel.gl.target import read_back
from easel.gl.texture import PictureTexture, shrink
from easel.graphics.image import as_values


@pytest.fixture
def context(gl: None) -> Iterator[moderngl.Context]:
    context = open_headless()
    with context:
        yield context
    context.release()


def shown(context: moderngl.Context, texture: moderngl.Texture, size: tuple[int, int]) -> Tensor:
    """`texture` as (H, W, 3), drawn at `size` = (height, width), every pixel a square."""
    enlarger = NearestEnlarger(context)
    target = enlarger.enlarge(texture, size)
    framebuffer = context.framebuffer([target])
    picture = read_back(framebuffer).flip(0)  # drawn into a texture, row 0 is at the bottom
    for thing in (framebuffer, target, enlarger):
        thing.release()
    return picture


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    if dtype == torch.uint8:
        return torch.randint(0, 256, shape, generator=generator, dtype=dtype)
    return torch.rand(shape, generator=generator).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.uint8, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (16, 9)])
def test_a_picture_reads_back_as_it_went_up(context, dtype, channels, size) -> None:
    picture = noise(*size, channels, dtype=dtype)
    texture = PictureTexture(context)
    back = shown(context, texture.upload(picture), size)
    values = picture.float() / (255 if dtype == torch.uint8 else 1)
    expected = values[..., :3].expand(*size, 3)
    torch.testing.assert_close(back, expected, rtol=0, atol=1.01 / 255)
    texture.release()


def test_strided_and_permuted_pictures_go_up_right(context) -> None:
    picture = noise(3, 10, 14).permute(1, 2, 0)[::2, 1::2]
    texture = PictureTexture(context)
    back = shown(context, texture.upload(picture), (5, 7))
    torch.testing.assert_close(back, picture, rtol=0, atol=1.01 / 255)
    texture.release()


def test_the_texture_is_kept_while_nothing_about_it_changes(context) -> None:
    texture = PictureTexture(context)
    first = texture.upload(noise(8, 8, 3))
    assert texture.upload(noise(8, 8, 3)) is first
    assert texture.upload(noise(8, 9, 3)) is not first
    texture.release()


def test_far_smaller_on_screen_only_the_reduced_picture_goes_up(context) -> None:
    texture = PictureTexture(context)
    assert texture.upload(noise(64, 96, 3), (16, 24)).size == (24, 16)
    assert texture.upload(noise(64, 96, 3), (40, 60)).size == (96, 64)
    texture.release()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.uint8, torch.bool])
def test_a_reduced_pixel_is_the_mean_of_what_it_covers(dtype) -> None:
    picture = noise(700, 301, 3, dtype=dtype) if dtype != torch.bool else noise(700, 301, 3) > 0.5
    values = as_values(picture)[:, :300].reshape(350, 2, 100, 3, 3).mean(dim=(1, 3))
    torch.testing.assert_close(shrink(picture, (2, 3)), values)


def test_a_reduced_picture_stays_in_place() -> None:
    ramp = torch.arange(103.0)[:, None, None].expand(103, 103, 1)
    centres = shrink(ramp, (10, 10))[:, 0, 0]
    wanted = (torch.arange(10) + 0.5) * 10.3 - 0.5  # where a tenth of the whole has its middle
    assert (centres - wanted).abs().max() < 10 / 2


def test_what_is_moved_is_counted_and_how(context) -> None:
    texture = PictureTexture(context)
    assert (texture.path, texture.moved_bytes) == ("none", 0)
    for picture in (noise(8, 9, 3), noise(8, 9, 1, dtype=torch.uint8)):
        texture.upload(picture)
        assert (texture.path, texture.moved_bytes) == ("host", picture.nbytes)
    texture.upload(noise(64, 64, 3), (16, 16))
    assert texture.moved_bytes == 16 * 16 * 3 * 4
    texture.release()


def test_enlarged_pixels_are_squares(context) -> None:
    picture = noise(3, 4, 3)
    texture = PictureTexture(context)
    back = shown(context, texture.upload(picture), (9, 12))
    expected = picture.repeat_interleave(3, 0).repeat_interleave(3, 1)
    torch.testing.assert_close(back, expected, rtol=0, atol=1.01 / 255)
    texture.release()


def test_reading_back_puts_the_top_row_first(context) -> None:
    framebuffer = context.framebuffer([context.texture((4, 2), 4)])
    framebuffer.scissor = (0, 1, 4, 1)  # OpenGL counts from the bottom: the upper row
    framebuffer.clear(1, 0, 0, 1)
    top, bottom = read_back(framebuffer)
    assert top.tolist() == [[1, 0, 0]] * 4 and bottom.tolist() == [[0, 0, 0]] * 4
