import pytest
import torch

from easel.graphics.files import FileError
from easel.materials.config import TrainConfig
from easel.materials.dataset.batches import Batches
from easel.materials.dataset.sample import denormalize, normalize


@pytest.fixture
def config(write_dataset):
    folder = write_dataset(samples=7, materials=7, views=4, size=32)
    config = TrainConfig()
    config.data.update(
        {
            "input_dir": str(folder / "input"),
            "output_dir": str(folder / "output"),
            "image_size": 32,
            "output_size": 32,
            "crop_size": 16,
            "batch_size": 2,
            "num_workers": 0,
            "vertical_flip": True,
            "random_rotation": True,
        }
    )
    return config


def same(one, other):
    tensors = [(one.views, other.views), (one.valid, other.valid), (one.cameras, other.cameras)]
    tensors += [(one.maps[name], other.maps[name]) for name in one.maps]
    return one.ids == other.ids and all(torch.equal(*pair) for pair in tensors)


@pytest.mark.slow
def test_an_epoch_shows_every_sample_once_in_an_order_of_its_own(config):
    batches = Batches(config, "train")
    epochs = [[name for batch in batches.epoch(epoch) for name in batch.ids] for epoch in range(3)]
    assert len(batches) == 3 and all(len(epoch) == len(set(epoch)) == 6 for epoch in epochs)
    assert epochs[0] != epochs[1] or epochs[1] != epochs[2]
    assert set(epochs[0]) == {entry.name for entry in batches.dataset.entries}


@pytest.mark.slow
def test_a_batch_fits_together(config):
    for batch in Batches(config, "train").epoch(0):
        count, views = batch.views.shape[:2]
        assert batch.views.shape[2:] == (3, 16, 16) and batch.valid.shape == (count, views, 1, 16, 16)
        assert batch.cameras.shape == (count, views, 3) and batch.maps.normal.shape == (count, 3, 16, 16)
        assert 1 <= views <= 3 and len(batch.ids) == count
        # The photos show the albedo as it is.
        photos = denormalize(batch.views, config.transform.mean, config.transform.std)
        error = ((photos - batch.maps.albedo[:, None]).abs() * batch.valid).sum() / (3 * batch.valid.sum())
        assert error < 0.01


@pytest.mark.slow
def test_every_number_of_photos_comes_and_photos_change_places(config):
    batches = Batches(config, "train")
    seen = [batch for epoch in range(6) for batch in batches.epoch(epoch)]
    assert {batch.views.shape[1] for batch in seen} == {1, 2, 3}
    # Photo 0 was taken from straight above, the three others from aside; a crop takes half a tile.
    upright = [bool(height > 2.3) for batch in seen for height in batch.cameras[:, 0, 2]]
    assert 0.05 < sum(upright) / len(upright) < 0.6
    config.data.min_views = 3
    assert {batch.views.shape[1] for batch in Batches(config, "train").epoch(0)} == {3}


@pytest.mark.slow
def test_workers_change_nothing(config):
    alone = list(Batches(config, "train").epoch(1))
    config.data.num_workers = 2
    config.data.persistent_workers = True
    shared = Batches(config, "train")
    next(shared.epoch(0))  # and is given up
    together = list(shared.epoch(1))
    assert len(alone) == len(together) and all(same(*pair) for pair in zip(alone, together, strict=True))


def test_an_epoch_goes_on_where_it_was_left(config):
    whole = list(Batches(config, "train").epoch(2))
    rest = list(Batches(config, "train").epoch(2, start=1))
    assert len(rest) == len(whole) - 1 and all(same(*pair) for pair in zip(whole[1:], rest, strict=True))


@pytest.mark.slow
def test_processes_share_what_one_alone_would_see(config):
    config.data.batch_size = 4
    alone = list(Batches(config, "train").epoch(3))
    config.data.batch_size = 2
    shares = [list(Batches(config, "train", rank=rank, world=2).epoch(3)) for rank in range(2)]
    for whole, *parts in zip(alone, *shares, strict=True):
        assert whole.ids == parts[0].ids + parts[1].ids
        assert torch.equal(whole.views, torch.cat([part.views for part in parts]))
    # One sample for three processes: everyone has as many batches.
    lengths = [[len(batch.ids) for batch in Batches(config, "val", rank=rank, world=3).epoch(0)] for rank in range(3)]
    assert lengths == [[1]] * 3


def test_the_generator_of_torch_is_left_alone(config):
    before = torch.get_rng_state()
    next(Batches(config, "train").epoch(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_validation_is_whole_plain_and_always_the_same(config):
    batches = Batches(config, "val")
    first, again = list(batches.epoch(0)), list(batches.epoch(9))
    assert len(batches) == 1 and same(first[0], again[0])
    assert first[0].views.shape == (1, 3, 3, 32, 32)
    sample = batches.dataset.sample(0)
    expected = normalize(sample.photos[:3], sample.valid[:3], config.transform.mean, config.transform.std)
    assert torch.equal(first[0].views[0], expected)
    assert torch.equal(first[0].maps.to_tensor()[0], sample.maps.to_tensor())
    assert torch.equal(first[0].cameras[0], sample.cameras[:3])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_breaks_meanwhile_is_told_in_one_line(config, workers):
    config.data.num_workers = workers
    batches = Batches(config, "train")
    batches.dataset.entries[3].photos[0].write_bytes(b"\x89PNG\r\n")
    with pytest.raises(FileError, match=r"0\.png.*damaged") as caught:
        list(batches.epoch(0))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_another_seed_is_another_training(config):
    first = next(iter(Batches(config, "train").epoch(0)))
    config.training.seed = 43
    assert not same(first, next(iter(Batches(config, "train").epoch(0))))


@pytest.mark.slow
def test_a_batch_moves_with_all_it_holds(config):
    batch = next(iter(Batches(config, "train").epoch(0))).to("meta")
    tensors = [batch.views, batch.valid, batch.cameras, *batch.maps.values()]
    assert all(tensor.device.type == "meta" for tensor in tensors)
