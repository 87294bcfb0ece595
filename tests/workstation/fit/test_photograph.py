import pytest
import torch
from PIL import Image

from easel.graphics.image import imwrite
from easel.workstation.fit.photograph import load_photograph


def test_without_a_path_it_is_the_astronaut():
    photograph = load_photograph(None)
    assert photograph.name == "astronaut"
    assert photograph.picture.shape == (512, 512, 3)
    assert 0 <= photograph.picture.min() and photograph.picture.max() == 1


def test_transparency_is_laid_on_white_and_said(tmp_path):
    Image.new("RGBA", (4, 3), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    photograph = load_photograph(tmp_path / "clear.png")
    assert torch.equal(photograph.picture, torch.ones(3, 4, 3))
    assert any("white" in note for note in photograph.notes)


def test_an_opaque_alpha_channel_is_dropped_without_a_word(tmp_path):
    Image.new("RGBA", (4, 3), (51, 102, 153, 255)).save(tmp_path / "opaque.png")
    photograph = load_photograph(tmp_path / "opaque.png")
    assert torch.allclose(photograph.picture[0, 0], torch.tensor([0.2, 0.4, 0.6]))
    assert photograph.notes == ()


def test_grey_stays_one_channel(tmp_path):
    Image.new("L", (4, 3), 51).save(tmp_path / "grey.png")
    assert load_photograph(tmp_path / "grey.png").picture.shape == (3, 4, 1)


@pytest.mark.parametrize(("size", "expected"), [((300, 100), (17, 50)), ((100, 300), (50, 17)), ((40, 30), (30, 40))])
def test_long_sides_are_reduced_with_the_aspect_kept(size, expected, tmp_path):
    Image.new("RGB", size).save(tmp_path / "long.png")
    photograph = load_photograph(tmp_path / "long.png", max_size=50)
    assert photograph.picture.shape[:2] == expected
    assert bool(photograph.notes) == (max(size) > 50)


def test_light_from_an_hdr_file_becomes_a_picture(tmp_path):
    imwrite(tmp_path / "light.hdr", torch.tensor([[[0.0, 0.2140, 0.5]]]))
    photograph = load_photograph(tmp_path / "light.hdr")
    assert torch.allclose(photograph.picture, torch.tensor([[[0.0, 0.5, 0.735]]]), atol=0.01)
