import dataclasses
import itertools
import math
import time

import pytest
import skimage.data
import torch
from PIL import Image

from easel.fields import Architecture, FieldConfig, Knobs, LossWeights, as_target, build, build_field, fit, render
from easel.fields.fitting.run import averaging, cosine, patches, psnr_of, spread


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
    return -10 * math.log10((render(field, tuple(picture.shape[:-1])) - picture).square().mean().item())


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_average_starts_at_the_weights_and_never_freezes():
    assert averaging(0) == 1.0
    assert all(0 < averaging(n + 1) <= averaging(n) for n in range(100_000))


# What else can be fitted, and how


def test_a_mask_leaves_pixels_out_and_the_field_fills_them_in():
    picture, hole = scene(), torch.zeros(48, 64, dtype=torch.bool)
    hole[20:28, 5:13] = True
    spoiled = picture.clone()
    spoiled[hole] = torch.tensor([0.0, 1.0, 0.0])
    config = FieldConfig(grid_levels=4, grid_parameters=600)
    filled, run = begin(spoiled, Knobs(batch=500), config=config, steps=300, mask=~hole)
    list(run)
    copied, run = begin(spoiled, Knobs(batch=500), config=config, steps=300)
    list(run)
    filled, copied = (render(field, (48, 64))[hole] for field in (filled, copied))
    assert (filled - picture[hole]).abs().mean() < 0.05 < 0.3 < (copied - picture[hole]).abs().mean()


@pytest.mark.parametrize("mask", [torch.ones(3, 4, dtype=torch.bool), torch.zeros(48, 64, dtype=torch.bool), scene()])
def test_a_mask_that_fits_nothing_is_refused(mask):
    with pytest.raises(ValueError, match=r"a mask is a bool tensor of shape \(48, 64\)"):
        begin(mask=mask)


def test_a_small_field_takes_noise_out():
    clean = scene((64, 96))
    noisy = (clean + 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(5))).clamp(0, 1)
    config = FieldConfig(grid_levels=4, grid_parameters=1500)
    field, run = begin(noisy, Knobs(batch=1000), config=config, steps=400)
    list(run)
    before = -10 * math.log10((noisy - clean).square().mean().item())
    assert quality(field, clean) > before + 5


@pytest.mark.parametrize("fused", [True, False])
def test_of_rgba_the_colour_is_fitted_where_it_is_seen(fused):
    picture = torch.cat([scene(), (scene()[..., 1:2] > 0.5).float()], dim=-1)
    unseen = picture[..., 3] == 0
    picture[unseen] = torch.tensor([1.0, 0.0, 1.0, 0.0])  # a colour that nobody sees
    field, run = begin(picture, Knobs(batch=1000), steps=150, fused=fused)
    steps = list(run)
    found = render(field, (48, 64))
    assert -10 * math.log10((found - picture)[~unseen].square().mean().item()) > 28
    assert (found - picture)[..., 3].abs().mean() < 0.05 < (found - picture)[unseen][:, :3].abs().mean()
    assert steps[-1].loss < 5e-3


def test_volumes_and_signals_are_fitted_too():
    axes = torch.meshgrid(*[torch.linspace(0, 1, n) for n in (12, 10, 14)], indexing="ij")
    volume = torch.stack([axes[0] * axes[1], axes[2].square()], dim=-1)[..., [0, 1, 1]]
    for target in (volume, volume[..., 0, :, :], volume[0, 0]):
        size = tuple(target.shape[:-1])
        generator = torch.Generator().manual_seed(0)
        field = build_field(FieldConfig(grid_levels=3), size, 3, generator=generator)
        list(fit(field, target, Knobs(batch=500), steps=120, generator=generator))
        assert quality(field, target) > 30


def test_a_latent_that_is_a_parameter_is_fitted_and_kept_small_on_demand():
    picture, norms = scene((16, 16)), []
    for embedding in (0.0, 10.0):
        field = build(Architecture(latent_dim=4, topology="conv"), seed=0)
        field.latent = torch.nn.Parameter(torch.ones(4))
        losses = LossWeights(l2=1, embedding=embedding)
        generator = torch.Generator().manual_seed(0)
        list(fit(field, picture, Knobs(lr=5e-3, batch=256), steps=60, losses=losses, generator=generator))
        assert not torch.equal(field.latent.detach(), torch.ones(4))
        norms.append(field.latent.norm().item())
    assert norms[1] < norms[0] - 0.3


@pytest.mark.slow
def test_a_loss_that_sees_patches_trains_on_patches():
    mask = torch.ones(48, 64, dtype=torch.bool)
    mask[:10] = False
    _, run = begin(knobs=Knobs(batch=2048), steps=60, losses=LossWeights(l1=1, ssim=0.2), mask=mask)
    steps = list(run)
    assert {step.samples for step in steps} == {2 * 32 * 32}
    assert steps[-1].loss < 0.4 * steps[0].loss


def test_patches_are_whole_and_inside():
    index = patches((40, 50), 32, 7, torch.Generator().manual_seed(0))
    rows, columns = (part.view(7, 32, 32) for part in torch.unravel_index(index, (40, 50)))
    assert (rows.diff(dim=1) == 1).all() and (columns.diff(dim=2) == 1).all()
    assert (rows[:, :, :1] == rows).all() and rows.max() < 40 and columns.max() < 50


@pytest.mark.parametrize(
    ("losses", "says"),
    [
        (LossWeights(l1=1, embedding=1), "trainable latent"),
        (LossWeights(ms_ssim=1), "needs 176 pixels"),
    ],
)
def test_losses_that_the_field_or_the_picture_cannot_take_are_refused(losses, says):
    with pytest.raises(ValueError, match=says):
        begin(losses=losses)


def test_a_single_plain_loss_is_the_knobs_loss():
    plain, run = begin(knobs=Knobs(batch=500, loss="l1"), steps=10)
    list(run)
    named, run = begin(knobs=Knobs(batch=500), losses=LossWeights(l1=1), steps=10)
    list(run)
    assert torch.equal(plain.encoding.table, named.encoding.table)


def test_the_cosine_schedule_follows_the_nearer_end():
    knobs = Knobs(lr=1e-2, schedule="cosine", batch=100)
    rates = [step.lr for step in begin(knobs=knobs, steps=5, seconds=1e6)[1]]
    assert rates == pytest.approx([1e-2 * cosine(n / 5) for n in range(5)], rel=1e-3)
    assert [cosine(0.0), cosine(0.5), cosine(1.0)] == pytest.approx([1, 0.5, 0])
    *_, last = begin(knobs=knobs, seconds=0.1)[1]
    assert last.lr < 3e-3
    endless = itertools.islice(begin(knobs=knobs)[1], 5)
    assert {step.lr for step in endless} == {1e-2}


def test_only_the_last_step_says_what_stopped_the_run():
    *others, last = begin(steps=4)[1]
    assert {step.stopped_by for step in others} == {None} and last.stopped_by == "steps"


def test_small_batches_depend_on_no_number_of_threads():
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        field, run = begin(config=FieldConfig("identity", "siren"), knobs=Knobs(lr=1e-3, batch=3000), steps=20)
        list(run)
        assert torch.get_num_threads() == threads
        found.append(torch.cat([parameter.detach().flatten() for parameter in field.parameters()]))
    assert torch.equal(*found)


def test_a_fit_rendered_larger_interpolates_and_invents_nothing():
    """What `benchmarks/super_resolution.py` measures: more than repeated pixels, less than Lanczos."""
    photograph = Image.fromarray(skimage.data.astronaut()[20:148, 150:278])
    half, original = photograph.resize((64, 64), Image.Resampling.BOX), as_target(photograph)
    field, run = begin(as_target(half), Knobs(batch=2048), steps=400)
    list(run)
    repeated, lanczos = (
        psnr_of(as_target(half.resize((128, 128), way)), original)
        for way in (Image.Resampling.NEAREST, Image.Resampling.LANCZOS)
    )
    assert repeated < quality(field, original) < lanczos
