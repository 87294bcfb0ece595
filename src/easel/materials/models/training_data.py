"""The dataset that a trained network learned from, opened again to evaluate it, to ask it or to teach from it."""

from pathlib import Path
from typing import Any

from easel.materials.dataset.dataset import PBRDataset
from easel.materials.models.network_files import Trained


def training_dataset(
    trained: Trained,
    input_dir: Path | None = None,
    output_dir: Path | None = None,
    metadata_path: Path | None = None,
    **options: Any,
) -> PBRDataset:
    """Open a network's dataset, or another one read as it learned to read; `options` are those of `PBRDataset`.

    The split is the network's own. ValueError where neither the network nor the caller knows the folder; otherwise the
    dataset's errors pass through.
    """
    data = trained.data
    # The metadata path belongs to the network's own folder, not to any other.
    own = input_dir is None or input_dir == Path(data.input_dir)
    if input_dir is None and not data.input_dir:
        raise ValueError("this network does not say where its dataset is: name it with --input-dir and --output-dir.")
    settings = {
        "image_size": data.image_size,
        "output_size": data.output_size,
        "curriculum_mode": data.render_curriculum,
        "val_ratio": data.val_ratio,
        "seed": trained.config.split_seed,
        "num_views": data.num_views,
        "rectify": data.rectify,
    }
    if metadata_path is None and own and data.metadata_path:
        metadata_path = Path(data.metadata_path)
    return PBRDataset(input_dir or data.input_dir, output_dir or data.output_dir, metadata_path, **settings | options)
