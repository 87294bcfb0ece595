import math

import numpy as np
import pytest
import torch
from PIL import Image

from easel.fields.fitting.losses import channel_weights
from easel.fields.fitting.targets import as_target, load_image_as_tensor
from easel.graphics.files import FileError
from easel.graphics.image import imwrite

PICTURE = torch.arange(5 * 7 * 3, dtype=torch.float32).view(5, 7, 3) / 105


def test_every_layout_of_a_picture_is_the_same_target():
    for layout in (PICTURE, PICTURE.permute(2, 0, 1), PICTURE.permute(2, 0, 1)[None], PICTURE.double().numpy()):
        assert torch.equal(as_target(layout), PICTURE)
    assert torch.equal(as_target(PICTURE[..., 0]), PICTURE[..., :1])
    assert as_target(torch.zeros(4, 5, 6)).shape == (5, 6, 4)


@pytest.mark.parametrize(("kind", "white"), [(torch.uint8, 255), (torch.uint16, 65_535), (torch.bool, 1)])
def test_integers_mean_what_their_type_says(kind, white):
    levels = torch.tensor([[0, 1], [white // 3, white]]).to(kind)
    assert torch.equal(as_target(levels)[..., 0], levels.float() / white)


def test_bounds_say_what_is_black_and_white():
    assert torch.allclose(as_target(PICTURE * 2 - 1, bounds=(-1, 1)), PICTURE, atol=1e-6)
    assert torch.equal(as_target(torch.tensor([[0, 4095]]), bounds=(0, 4095)).flatten(), torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "I;16"])
def test_pil_images_are_never_ambiguous(mode):
    image = Image.fromarray(np.full((3, 4), 200, np.uint16)) if mode == "I;16" else Image.new("L", (4, 3)).convert(mode)
    assert as_target(image).shape[:2] == (3, 4)


def test_a_path_is_read_with_the_channels_it_has(tmp_path):
    for channels in (1, 3, 4):
        picture = torch.linspace(0, 1, 3 * 8 * channels).view(3, 8, channels)
        imwrite(tmp_path / "a.png", picture)
        assert torch.equal(as_target(tmp_path / "a.png"), (picture * 255).round() / 255)
    with pytest.raises(FileError, match=r"b\.png"):
        as_target(str(tmp_path / "b.png"))


def test_volumes():
    assert as_target(torch.zeros(3, 4, 5), dimensions=3).shape == (3, 4, 5, 1)
    assert as_target(torch.zeros(3, 4, 5, 3), dimensions=3).shape == (3, 4, 5, 3)
    assert as_target(torch.zeros(1, 4, 6, 7, 8), dimensions=3).shape == (6, 7, 8, 4)
    with pytest.raises(ValueError, match="read the volume first"):
        as_target("brain.nii", dimensions=3)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (torch.zeros(3, 9, 3), r"\(3, 9, 3\) is ambiguous.*x\.permute"),
        (torch.zeros(2, 9, 5), r"\(H, W\), .*got \(2, 9, 5\)"),
        (torch.zeros(2, 3, 9, 5), r"got \(2, 3, 9, 5\)"),
        (torch.zeros(0, 9, 3), "empty"),
        (torch.full((4, 4), math.nan), "16 of the target's 16 values are NaN"),
        (PICTURE * 2 - 1, r"lie in \[-1, .*bounds=\(-1, 1\)"),
        (PICTURE * 255, r"bounds=\(black, white\)"),
        (torch.zeros(4, 4, dtype=torch.int64), "int64.*bounds"),
        (torch.zeros(4, 4, dtype=torch.complex64), "complex64"),
    ],
)
def test_what_is_no_target_is_refused_in_one_line(target, says):
    with pytest.raises(ValueError, match=says) as refused:
        as_target(target)
    assert "\n" not in str(refused.value)


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match=r"a target takes .*list"):
        as_target([[0.0, 1.0]])
    with pytest.raises(ValueError, match="bounds are two finite numbers"):
        as_target(PICTURE, bounds=(1, -1))


def test_load_image_as_tensor_gives_rgb_on_white(tmp_path, caplog):
    path = tmp_path / "a.png"
    imwrite(path, torch.tensor([[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]]))
    caplog.set_level("INFO", "easel")
    assert load_image_as_tensor(path).tolist() == [[[1, 1, 1], [0, 0, 1]]]
    assert "laid on white" in caplog.text
    imwrite(path, torch.tensor([[[0.2]]]), bits=16)
    assert load_image_as_tensor(str(path)).flatten().tolist() == pytest.approx([13107 / 65535] * 3)


def test_colour_counts_as_much_as_its_alpha():
    assert channel_weights(PICTURE) is None
    assert channel_weights(torch.tensor([[0.1, 0.2, 0.3, 0.4]])).tolist() == [pytest.approx([0.4, 0.4, 0.4, 1.0])]
