"""A `.pth` for inference is what the guide shows: config and weights that torch's safe default opens."""

import torch

from easel.materials import MultiViewPBRGenerator
from easel.materials.export.inference_file import save_inference
from easel.materials.training.run_files import load_generator


def test_the_guides_lines_open_it(trained, tmp_path):
    network = trained(fusion="pool")
    save_inference(tmp_path / "model_inference.pth", network)
    found = torch.load(tmp_path / "model_inference.pth")
    model = MultiViewPBRGenerator(found["config"]).eval()
    model.load_state_dict(found["model_state_dict"])
    views = torch.randn(1, 3, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(model(views)["albedo"], network.model(views)["albedo"])
    assert load_generator(tmp_path / "model_inference.pth").digest == network.digest
