"""A dataset of four materials and a network that has learned nothing, both of a few pixels."""

from collections.abc import Generator
from pathlib import Path

import pytest
import torch

from easel.graphics.image import imwrite
from easel.materials.collection.procedural import procedural
from easel.materials.config import TrainConfig
from easel.materials.dataset.views import Shot, ShotList, write_views_json
from easel.materials.models.build import build_model
from easel.materials.models.network_files import Trained, save_generator
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import PlaneCamera

SIDE = 32


@pytest.fixture(autouse=True)
def one_thread() -> Generator[None]:
    """These tensors are too small for two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> Path:
    """Folder with input/ and output/: four materials, three photos each, with their cameras."""
    root = tmp_path_factory.mktemp("dataset")
    lines = []
    for number in range(4):
        sample, material = f"sample_{number:04d}", f"material_{number}"
        lines.append(f'"{sample}": "{material}"')
        maps = procedural(number, SIDE)
        maps.save(root / "output" / material)
        folder, shots = root / "input" / "clean" / sample, []
        for view, tilt in enumerate((0, 20, 30)):
            camera = PlaneCamera.orbit(100 * view, tilt, width=SIDE, height=SIDE)
            with torch.inference_mode():
                photo = render_plane(maps, camera, [PointLight(camera.position, (1.5, 1.5, 1.5))], samples=1)
            imwrite(folder / f"{view}.png", photo.permute(1, 2, 0))
            shots.append(Shot(f"{view}.png", camera))
        write_views_json(folder / "views.json", ShotList(0, tuple(shots)))
    (root / "input" / "render_metadata.json").write_text("{" + ", ".join(lines) + "}")
    return root


@pytest.fixture(scope="session")
def network(tmp_path_factory, dataset) -> Path:
    """A .safetensors file."""
    config = TrainConfig()
    config.data.input_dir, config.data.output_dir = str(dataset / "input"), str(dataset / "output")
    config.data.image_size = config.data.output_size = (SIDE, SIDE)
    config.data.val_ratio = 0.5
    config.model.encoder_type, config.model.encoder_channels = "unet", [8, 16]
    config.model.use_transformer = config.model.use_gan = False
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = build_model(config)
    path = tmp_path_factory.mktemp("network") / "small.safetensors"
    save_generator(path, Trained(model, config, 7, ""))
    return path
