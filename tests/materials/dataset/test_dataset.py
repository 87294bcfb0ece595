from easel.materials.dataset.dataset import PBRDataset


def opened(folder, **options):
    return PBRDataset(folder / "input", folder / "output", **{"image_size": (32, 32), **options})


def test_samples_are_rectified(write_dataset):
    folder = write_dataset()
    dataset = opened(folder)
    assert len(dataset) == 4
    inputs, targets = dataset[1]
    assert inputs.shape == (3, 3, 32, 32) and targets.shape == (4, 3, 32, 32)
    sample = dataset.sample(1)
    error = ((sample.photos - sample.maps.albedo) * sample.valid).abs().sum() / (3 * sample.valid.sum())
    print(error, sample.valid.mean((1, 2, 3)), sample.cameras)
    assert error < 0.02
