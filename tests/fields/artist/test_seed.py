"""The README that Easel's fields were made from, neural-canvas in May 2023: every block of its code runs.

Only import lines differ, and block 1 takes the three values that block 2 needs. Blocks share one namespace, in order.
"""

import numpy as np
import pytest
import torch
from skimage import data
from skimage.transform import resize

from easel.fields import INRF2D, INRF3D, LatentInputs
from easel.graphics.image import imwrite
from easel.graphics.metrics import psnr

BLOCKS = [
    """
from easel.fields import INRF2D

# Create a 2D implicit neural representation model
model = INRF2D()
# Generate the image given by the random INRF
size = (256, 256)
model.generate(output_shape=size)
""",
    """
size = (1024, 1024)
latents, fields, meta_latents = model.init_latent_inputs(output_shape=size)

model.generate(output_shape=size)
""",
    """
zoom_xy = (10, 10) # xy zoom range is (0, inf)
pan_xy = (5, -5) # pan range is (-inf inf)

_, fields, _ = model.init_latent_inputs(reuse_latents=meta_latents, zoom=zoom_xy, pan=pan_xy)
model.generate(size=size, zoom=zoom_xy, pan=pan_xy)
""",
    """
model = INRF2D(graph_topology='WS') # init Watts-Strogatz graph
# is equivalent to
model.init_map_fn(mlp_layer_width=32,
                  activations='random',
                  final_activation=None,
                  weight_init='normal',
                  num_graph_nodes=10,
                  graph_topology='WS',
                  weight_init_mean=0,
                  weight_init_std=3,)

model.init_map_weights()  # resample weights to get different outputs
""",
    """
from easel.fields import INRF2D
from easel.fields import load_image_as_tensor
import numpy as np

img = load_image_as_tensor('neural_canvas/assets/logo.jpg')
model = INRF2D(device='cpu') # or 'cuda'
model.init_map_fn(activations='GELU', weight_init='dip', graph_topology='conv', final_activation='tanh') # better params for fitting
model.fit(img)  # returns a implicit neural representation of the image

print (model.size)  # return size of neural representation
# >> 8547
print (np.prod(img.shape))
# >> 196608

# get original data
img_original = model.generate()
print (img_original.shape)
# >> (256, 256, 3)

img_super_res = model.generate(output_shape=(1024,1024))
print (img_super_res.shape)
# >> (1024, 1024, 3)
""",  # noqa: E501 - a line of the README
    """
from easel.fields import INRF3D

# Create a 2D implicit neural representation model
model = INRF3D()
# Generate the image given by the random INRF
size = (256, 256, 256)
model.generate(output_shape=size)

# We can do all the same transformations as with 2D INRFs
# Warning: 3D generation consumes large amounts of memory. With 64GB of RAM, 1500**3 is the max size
# `splits` generates the volume in parts to consume less memory
size = (1000, 1000)
latents, fields, meta_latents = model.init_latent_inputs(output_shape=size, splits=100)

model.generate(output_shape=size)
""",
    """
import numpy as np
import easel.fields as utils

size = (256, 256, 256)
vol = model.generate(output_shape=size)
rgb = utils.unnormalize_and_numpy(vol, bounds=(0, 1)).reshape(-1, 3)
rgba = np.concatenate((rgb, np.ones((rgb.shape[0], 1), dtype=np.uint8)), 1)
""",
]

SMALL = {"INRF3D()": "INRF3D(output_shape=(32, 32, 32, 3))", "256, 256, 256": "32, 32, 32", "1000, 1000": "125, 125"}
"""What makes block 5 eight times smaller along every side."""


def run(number, names, replaced=None):
    text = BLOCKS[number]
    for before, after in (replaced or {}).items():
        assert before in text
        text = text.replace(before, after)
    exec(text, names)
    return names


@pytest.fixture(scope="module")
def names():
    """What blocks 0, 1 and 2 leave behind."""
    shared: dict = {}
    for number in range(3):
        run(number, shared)
    return shared


@pytest.mark.slow
def test_block_0_generates_a_picture(names):
    picture = names["model"].generate(output_shape=(256, 256))
    assert picture.shape == (256, 256, 3) and picture.dtype == torch.float32
    assert picture.min() >= 0 and picture.max() <= 1
    assert torch.equal(picture, names["model"].generate(output_shape=(256, 256)))


@pytest.mark.slow
def test_block_1_makes_the_same_picture_larger(names):
    large = names["model"].generate(output_shape=(1024, 1024))
    means = large.view(256, 4, 256, 4, 3).mean(dim=(1, 3))
    assert torch.allclose(means, names["model"].generate(output_shape=(256, 256), supersample=4), atol=1e-5)
    assert psnr(means, names["model"].generate(output_shape=(256, 256))) > 15
    with pytest.raises(ValueError, match="too many values"):
        _latents, _fields = names["model"].init_latent_inputs(output_shape=(1024, 1024))


@pytest.mark.slow
def test_block_2_gives_the_window_in_two_ways(names):
    model = names["model"]
    given = model.generate(size=(1024, 1024), zoom=(10, 10), pan=(5, -5))
    assert torch.equal(model.generate(fields=names["fields"]), given)
    assert names["fields"].shape == (1024, 1024)
    # Rows 0.4 … 0.6 and columns -0.6 … -0.4 of the unit view: rows 7/10 and columns 2/10 along the whole picture.
    whole = model.generate(size=(1000, 1000))
    assert torch.equal(whole[700:800, 200:300], model.generate(size=(100, 100), zoom=(10, 10), pan=(5, -5)))


def test_block_3_is_equivalent_as_it_says():
    names = {"INRF2D": lambda **options: INRF2D(seed=11, **options)}
    before = INRF2D(seed=11, graph_topology="WS")
    run(3, names, {"model.init_map_weights()": "picture = model.generate(size=(32, 32)); model.init_map_weights()"})
    assert torch.equal(names["picture"], before.generate(size=(32, 32)))
    assert not torch.equal(names["model"].generate(size=(32, 32)), names["picture"])
    assert names["model"].size == before.size


def fitted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("secrets.randbelow", lambda _: 7)
    picture = resize(data.astronaut(), (256, 256), anti_aliasing=True).astype(np.float32)
    imwrite(tmp_path / "neural_canvas/assets/logo.jpg", picture)
    return run(4, {})


@pytest.mark.slow
def test_block_4_fits_a_picture(tmp_path, monkeypatch, capsys):
    # Few and small steps; the next test takes them all.
    fit = INRF2D.fit
    monkeypatch.setattr(INRF2D, "fit", lambda self, target: fit(self, target, steps=100, batch=1024))
    names = fitted(tmp_path, monkeypatch)
    printed = capsys.readouterr().out.split("\n")
    assert printed[:2] == ["8547", "196608"]
    assert printed[2:4] == ["torch.Size([256, 256, 3])", "torch.Size([1024, 1024, 3])"]
    assert psnr(names["img_original"], names["img"]) > 12
    assert [file.name for file in tmp_path.iterdir()] == ["neural_canvas"]


@pytest.mark.slow
def test_block_4_fits_it_well(tmp_path, monkeypatch):
    names = fitted(tmp_path, monkeypatch)
    assert psnr(names["img_original"], names["img"]) > 22
    assert psnr(names["img_super_res"].view(256, 4, 256, 4, 3).mean(dim=(1, 3)), names["img_original"]) > 30


@pytest.fixture(scope="module")
def volume_names():
    return run(5, {}, SMALL)


def test_block_5_generates_volumes(volume_names):
    model, inputs = volume_names["model"], volume_names["model"].init_latent_inputs(output_shape=(125, 125), splits=100)
    assert isinstance(inputs, LatentInputs) and inputs.fields.shape == (125, 125, 32) and inputs.fields.splits == 100
    assert model.generate(output_shape=(32, 32, 32)).shape == (32, 32, 32, 3)


@pytest.mark.slow
def test_block_5_in_full():
    model = INRF3D()
    assert model.generate(output_shape=(256, 256, 256)).shape == (256, 256, 256, 3)
    assert model.init_latent_inputs(output_shape=(1000, 1000), splits=100).fields.shape == (1000, 1000, 256)


def test_block_6_hands_a_volume_over(volume_names):
    names = run(6, volume_names, {"256, 256, 256": "32, 32, 32"})
    assert names["rgb"].shape == (32**3, 3) and names["rgb"].dtype == np.uint8
    assert names["rgba"].shape == (32**3, 4)
    volume = names["vol"].reshape(-1, 3).numpy()
    assert np.abs(names["rgb"] / 255 - volume).max() <= 0.5 / 255 + 1e-6


def test_block_6_goes_on_in_pyvista(volume_names):
    pyvista = pytest.importorskip("pyvista", reason="needs PyVista: pip install 'torch-easel[volume]'")
    names = run(6, volume_names, {"256, 256, 256": "32, 32, 32"})
    grid = pyvista.ImageData(dimensions=names["size"])  # PyVista's own name for what was UniformGrid
    grid.point_data["rgba"] = names["rgba"]
    assert grid.point_data["rgba"].shape == (32**3, 4)
