import dataclasses
import itertools
import math
import time

import pytest
import torch

from easel.fields import FieldConfig, Knobs, build_field, fit, render
from easel.fields.fitting import averaging, spread


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other make small steps slow on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def scene(size=(48, 64), channels=3):
    """A smooth picture with an edge."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, size[0]), torch.linspace(0, 1, size[1]), indexing="ij")
    layers = [rows, columns, (rows > columns).float(), 0.5 + 0.5 * torch.sin(9 * rows)]
    return torch.stack(layers[:channels], dim=-1)


def begin(picture=None, knobs=None, seed=0, config=None, **limits):
    picture = scene() if picture is None else picture
    generator = torch.Generator().manual_seed(seed)
    field = build_field(config or FieldConfig(), tuple(picture.shape[:2]), picture.shape[2], generator=generator)
    return field, fit(field, picture, knobs, generator=generator, **limits)


def quality(field, picture):
    return -10 * math.log10((render(field, picture.shape[:2]) - picture).square().mean().item())


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("config", "lr", "floor"), [(FieldConfig(), 1e-2, 28), (FieldConfig(encoding="fourier"), 5e-3, 20)]
)
def test_a_drained_run_has_learned_the_picture(config, lr, floor, fused):
    field, run = begin(knobs=Knobs(lr=lr, batch=500), config=config, steps=150, fused=fused)
    steps = list(run)
    assert [step.index for step in steps] == list(range(150))
    assert quality(field, scene()) > floor
    assert steps[-1].loss < 0.1 * steps[0].loss


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 3), (130, 2)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_size_and_channel_count_fits(size, channels):
    picture = scene(size, channels)
    field, run = begin(picture, Knobs(batch=500), steps=200)
    list(run)
    assert quality(field, picture) > 25


def test_nothing_happens_before_the_first_ask_and_while_nobody_asks():
    field, run = begin(steps=10)
    before = field.encoding.table.clone()
    assert torch.equal(field.encoding.table, before)
    next(run)
    first = next(run)
    time.sleep(0.5)
    second = next(run)
    assert second.seconds - first.seconds < 0.4
    assert not torch.equal(field.encoding.table, before)
    run.close()
    with pytest.raises(StopIteration):
        next(run)


def test_a_step_is_a_record():
    step = next(begin(knobs=Knobs(batch=100))[1])
    assert (step.index, step.samples, step.lr) == (0, 100, Knobs().lr)
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.loss = 0.0


def test_psnr_is_measured_on_every_sixteenth_step_and_is_near_the_pictures():
    field, run = begin(knobs=Knobs(batch=3072))
    steps = list(itertools.islice(run, 33))
    assert [step.index for step in steps if step.psnr is not None] == [0, 16, 32]
    assert steps[-1].psnr == pytest.approx(quality(field, scene()), abs=0.5)


def test_limits_end_a_run():
    assert len(list(begin(steps=0)[1])) == 0
    timed = list(begin(seconds=0.2)[1])
    assert timed[-2].seconds < 0.2 <= timed[-1].seconds
    field, run = begin(target_psnr=25.0, steps=2000)
    assert len(list(run)) < 2000 and quality(field, scene()) >= 25


def test_knobs_act_at_the_very_next_step():
    knobs = Knobs(batch=200)
    _, run = begin(knobs=knobs)
    for _ in range(5):
        next(run)
    knobs.lr, knobs.batch = 1e-5, 300
    step = next(run)
    assert (step.lr, step.samples) == (1e-5, 300)
    for loss, optimizer in itertools.product(("mse", "l1", "huber"), ("adam", "sgd", "adamw")):
        knobs.loss, knobs.optimizer = loss, optimizer
        assert math.isfinite(next(run).loss)


def test_at_rate_zero_the_field_comes_to_rest():
    knobs = Knobs()
    field, run = begin(knobs=knobs)
    for _ in range(30):
        next(run)
    knobs.lr = 0.0
    for _ in range(200):
        next(run)
    resting = render(field, (48, 64))
    next(run)
    assert torch.allclose(render(field, (48, 64)), resting, atol=1e-4)


@pytest.mark.parametrize("fused", [True, False])
def test_a_rate_that_explodes_does_no_lasting_harm(fused):
    knobs = Knobs(batch=500)
    field, run = begin(knobs=knobs, fused=fused)
    for _ in range(100):
        next(run)
    good = quality(field, scene())
    knobs.optimizer, knobs.lr = "sgd", 1e4
    reported = [next(run).loss for _ in range(50)]
    assert not all(loss < 1 for loss in reported)
    knobs.optimizer, knobs.lr = "adam", 1e-2
    for _ in range(200):
        next(run)
    assert quality(field, scene()) > good - 3


@pytest.mark.parametrize("config", [FieldConfig(), FieldConfig(encoding="fourier")])
def test_the_same_seed_gives_the_same_bits(config):
    def weights(seed):
        field, run = begin(knobs=Knobs(batch=500), seed=seed, config=config, steps=20)
        list(run)
        return torch.cat([parameter.detach().flatten() for parameter in field.parameters()])

    first, again, other = weights(3), weights(3), weights(4)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_global_generators_are_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    list(begin(steps=5)[1])
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (0, 8, 3)])
def test_a_picture_that_does_not_suit_the_field_is_refused_at_once(shape):
    field = build_field(FieldConfig(), (8, 8), 3, generator=torch.Generator())
    with pytest.raises(ValueError, match=r"\(height, width, 3\).*got"):
        fit(field, torch.zeros(shape), generator=torch.Generator())
    with pytest.raises(ValueError, match="uint8"):
        fit(field, torch.zeros((8, 8, 3), dtype=torch.uint8), generator=torch.Generator())


def test_a_picture_with_holes_is_refused_at_once():
    field = build_field(FieldConfig(), (8, 8), 3, generator=torch.Generator())
    with pytest.raises(ValueError, match="not finite"):
        fit(field, torch.full((8, 8, 3), math.nan), generator=torch.Generator())


@pytest.mark.parametrize(("pixels", "batch"), [(1, 1), (1, 5), (10, 3), (1000, 1000), (999, 1000), (393_216, 8192)])
def test_a_batch_holds_one_pixel_of_every_stretch(pixels, batch):
    index = spread(pixels, batch, torch.Generator().manual_seed(0))
    stretch = pixels / batch
    assert index.min() >= 0 and index.max() < pixels
    assert ((index - torch.arange(batch) * stretch).abs() <= stretch + 1).all()


def test_every_pixel_comes_up_equally_often():
    generator = torch.Generator().manual_seed(0)
    drawn = torch.cat([spread(50, 20, generator) for _ in range(1000)])
    assert torch.bincount(drawn, minlength=50).float().std() < 30  # 400 each; independent draws would scatter by 20


def test_the_average_starts_at_the_weights_and_never_freezes():
    assert averaging(0) == 1.0
    assert all(0 < averaging(n + 1) <= averaging(n) for n in range(100_000))
