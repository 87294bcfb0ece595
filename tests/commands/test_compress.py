import pytest
import skimage.data
from PIL import Image

from easel.cli import BAD_INPUT, DONE, main
from easel.graphics.image import imread
from easel.graphics.metrics import psnr


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.png"
    Image.fromarray(skimage.data.astronaut()[40:104, 160:240]).save(path)
    return path


def test_a_picture_is_compressed_measured_and_restored(photograph, tmp_path, capsys):
    out = tmp_path / "folder" / "small.easel"
    assert main(["fields", "compress", str(photograph), "--bpp", "1", "--preset", "quick", "--out", str(out)]) == DONE
    table = capsys.readouterr().out
    assert all(word in table for word in ("80 x 64", "field", "WebP", "PSNR", "SSIM"))
    assert out.stat().st_size <= 80 * 64 / 8
    assert main(["fields", "decompress", str(out)]) == DONE
    restored, true = imread(out.with_suffix(".png"), channels=0), imread(photograph, channels=0)
    assert restored.shape == true.shape and psnr(restored, true) > 24
    large = tmp_path / "large.png"
    assert main(["fields", "decompress", str(out), "--size", "128", "160", "--out", str(large)]) == DONE
    assert imread(large, channels=0).shape == (128, 160, 3)


@pytest.mark.slow
def test_a_fitted_field_is_compressed_and_restored(photograph, tmp_path, capsys):
    fit = ["fields", "fit", str(photograph), "--preset", "tiny", "--steps", "30", "--out", str(tmp_path)]
    assert main(fit) == DONE
    field = tmp_path / "field.safetensors"
    losses = []
    for bits in ("8", "4"):
        compress = ["fields", "compress", str(field), "--bits", bits, "--target", str(photograph)]
        assert main(compress) == DONE
        losses.append(float(capsys.readouterr().out.split("a loss of ")[1].split()[0]))
    assert losses[0] < 0.5 and losses[0] < losses[1]
    rounded, picture = tmp_path / "rounded.safetensors", tmp_path / "rounded.png"
    assert main(["fields", "decompress", str(field.with_suffix(".easel")), "--out", str(rounded)]) == DONE
    assert main(["fields", "render", str(rounded), "--out", str(picture)]) == DONE
    assert imread(picture, channels=0).shape == (64, 80, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bpp", "0"], "--bpp is above 0"),
        (["--bpp", "0.01"], "too few for this picture"),
        (["--quality", "101"], "--quality is 0 to 100"),
        (["--steps", "0"], "--steps is 1 or more"),
        (["--out", "a.jpg"], "does not end in .easel"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(photograph, arguments, words, capsys):
    assert main(["fields", "compress", str(photograph), "--preset", "quick", *arguments]) == BAD_INPUT
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1


def test_a_file_of_another_kind_is_told(photograph, capsys):
    assert main(["fields", "decompress", str(photograph)]) == BAD_INPUT
    assert "no compressed field" in capsys.readouterr().err
