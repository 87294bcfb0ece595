import pytest
import torch
from PIL import Image

from easel.fields.artist.inrf import INRF2D, INRF3D
from easel.fields.films.film import latent_film, latent_keys, pan_film, rotation_film, write_film, zoom_film
from easel.fields.volumes.views import render_volume

SIZE = (24, 32)


@pytest.fixture(scope="module")
def model():
    return INRF2D(seed=3, graph_topology="WS")  # without a final activation: its colours are stretched


def test_a_zoom_is_made_of_stills(model):
    frames = list(zoom_film(model, 1, 8, 4, center=(0.3, -0.2), size=SIZE))
    for zoom, frame in zip((1, 2, 4, 8), frames, strict=True):
        assert frame.shape == (*SIZE, 3) and frame.dtype == torch.uint8
        assert torch.equal(frame, model.generate(size=SIZE, zoom=zoom, center=(0.3, -0.2), dtype="uint8"))


def test_a_zoom_holds_its_centre(model):
    """The middle pixel of odd sizes is the same point, hence the same colour, in every frame: nothing flickers."""
    middles = {tuple(frame[7, 9].tolist()) for frame in zoom_film(model, 1, 50, 6, center=(0.5, 0.1), size=(15, 19))}
    assert len(middles) == 1


def test_a_pan_is_made_of_stills(model):
    frames = list(pan_film(model, 0, (1, -1), 3, zoom=2, size=SIZE))
    still = model.generate(size=SIZE, zoom=2, pan=(0.5, -0.5), dtype="uint8")
    assert torch.equal(frames[1], still) and len(frames) == 3


def test_a_pan_by_half_of_what_is_seen_moves_by_half_the_frame(model):
    first, second = pan_film(model, 0, (0, 1), 2, size=SIZE)
    assert torch.equal(first[:, 16:], second[:, :16])


def test_a_walk_meets_its_keys_and_closes(model):
    keys = latent_keys(model, 3)
    frames = list(latent_film(model, keys, 6, size=SIZE))
    colours = model.calibration(keys)
    pictures = model.generate(keys, size=SIZE, dtype="uint8", calibration=colours)
    assert all(torch.equal(frames[2 * k], pictures[k]) for k in range(3))
    # The one that would be next is the first, and the last is not yet that.
    again = list(latent_film(model, latent_keys(model, 3), 6, size=SIZE))
    assert all(torch.equal(a, b) for a, b in zip(frames, again, strict=True))
    assert not torch.equal(frames[-1], frames[0])


@pytest.mark.slow
def test_frames_wait_until_they_are_asked_for(model, monkeypatch):
    made = []
    generate = model.generate
    monkeypatch.setattr(model, "generate", lambda *a, **k: made.append(1) or generate(*a, **k))
    frames = zoom_film(model, 1, 2, 10**5, size=(2, 2))
    assert not made
    next(frames)
    assert len(made) == 1


def test_volumes_zoom_as_pictures():
    model = INRF3D(seed=1)
    frames = [render_volume(v, (8, 8)) for v in zoom_film(model, 1, 2, 2, size=(6, 6, 6))]
    assert len(frames) == 2 and not torch.equal(*frames)


def test_films_are_files(model, tmp_path):
    assert write_film(tmp_path / "a.gif", zoom_film(model, 1, 2, 3, size=SIZE), fps=10) == tmp_path / "a.gif"
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 3 and film.size == (32, 24) and film.info["duration"] == 100
    folder = write_film(tmp_path / "b.png", zoom_film(model, 1, 2, 3, size=SIZE))
    stills = sorted(folder.iterdir())
    with Image.open(stills[0]) as still:
        wanted = model.generate(size=SIZE, zoom=1.0, center=0.0, dtype="uint8")
        assert len(stills) == 3 and still.tobytes() == wanted.numpy().tobytes()


def test_a_film_that_fails_leaves_nothing(model, tmp_path):
    def broken():
        yield next(zoom_film(model, 1, 2, 1, size=SIZE))
        raise KeyError("gone")

    with pytest.raises(KeyError):
        write_film(tmp_path / "a.gif", broken())
    assert not list(tmp_path.iterdir())


def test_nonsense_is_told_before_the_first_frame(model):
    with pytest.raises(ValueError, match="positive"):
        zoom_film(model, 0, 2, 3)
    with pytest.raises(ValueError, match="pan has 3"):
        pan_film(model, (1, 2, 3), 0, 3)
    with pytest.raises(ValueError, match="latent_dim"):
        latent_film(INRF2D(latent_dim=0, seed=0), latent_keys(INRF2D(latent_dim=0, seed=0), 2), 3)


def test_a_turning_film_starts_with_the_still_and_closes():
    model = INRF2D(seed=2, output_shape=(12, 12, 3))
    frames = list(rotation_film(model, 4, zoom=2.0, center=0.25, supersample=2))
    still = model.generate(zoom=2.0, center=0.25, supersample=2, dtype="uint8")
    assert (frames[0].int() - still.int()).abs().max() <= 1
    assert (frames[0].int() - frames[1].int()).abs().max() > 20
    halves = list(rotation_film(model, 8, zoom=2.0, center=0.25, supersample=2))
    assert all(torch.equal(whole, half) for whole, half in zip(frames, halves[::2], strict=True))


def test_a_quarter_turn_is_the_picture_turned():
    # About the middle of the field itself, where nothing but the picture's orientation changes.
    model = INRF2D(seed=2, output_shape=(16, 16, 3))
    first, quarter, *_ = rotation_film(model, 4)
    assert (quarter.int() - first.rot90(-1, (0, 1)).int()).abs().float().mean() < 1


def test_volumes_are_turned_elsewhere():
    with pytest.raises(ValueError, match="turntable"):
        rotation_film(INRF3D(seed=1, output_shape=(4, 4, 4, 3)), 3)
