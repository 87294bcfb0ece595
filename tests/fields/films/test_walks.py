import pytest
import torch

from easel.fields.films.walks import lerp, slerp, walk

A, B, C = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1.0]), torch.tensor([-1.0, 0.5])


@pytest.mark.parametrize("path", [lerp, slerp])
@pytest.mark.parametrize("n", [0, 1, 5])
def test_n_states_between_two_ends(path, n):
    states = path(A, B, n)
    assert states.shape == (n + 2, 2) and torch.equal(states[0], A) and torch.equal(states[-1], B)


def test_lerp_is_straight():
    assert torch.allclose(lerp(A, B, 2), torch.tensor([[3, 0], [2, 1 / 3], [1, 2 / 3], [0, 1]]))


def test_slerp_turns_evenly_and_lengthens_evenly():
    states = slerp(A, B, 8)
    angles = torch.atan2(states[:, 1], states[:, 0])
    assert torch.allclose(angles, torch.linspace(0, torch.pi / 2, 10), atol=1e-6)
    assert torch.allclose(states.norm(dim=1), torch.linspace(3, 1, 10), atol=1e-6)


@pytest.mark.parametrize("other", [A, 2 * A, -A, 0 * A, A + torch.tensor([0, 1e-7])])
def test_slerp_without_an_angle_is_lerp(other):
    assert torch.allclose(slerp(A, other, 3), lerp(A, other, 3), atol=1e-5)
    assert slerp(A, other, 3).isfinite().all()


@pytest.mark.parametrize("path", ["lerp", "slerp"])
def test_a_loop_goes_through_all_keys_and_closes(path):
    frames = walk([A, B, C], 12, path=path)
    assert frames.shape == (12, 2)
    assert all(torch.equal(frames[k], key) for k, key in ((0, A), (4, B), (8, C)))
    # The state that would be next on the last leg is the first frame.
    leg = {"lerp": lerp, "slerp": slerp}[path](C, A, 3)
    assert torch.allclose(frames[8:], leg[:-1], atol=1e-6) and not torch.equal(frames[-1], frames[0])
    twice = walk([A, B, C, A, B, C], 24, path=path)
    assert torch.allclose(twice[12:], frames, atol=1e-6)


def test_an_open_walk_ends_at_the_last_key():
    frames = walk([A, B, C], 9, loop=False)
    assert torch.equal(frames[0], A) and torch.equal(frames[4], B) and torch.equal(frames[-1], C)
    assert torch.equal(walk([A, B], 1, loop=False), A[None])


def test_nonsense_is_told():
    with pytest.raises(ValueError, match="two keys"):
        walk([A], 3)
    with pytest.raises(ValueError, match="at least one frame"):
        walk([A, B], 0)
    with pytest.raises(ValueError, match="lerp, slerp"):
        walk([A, B], 3, path="spline")
    with pytest.raises(ValueError, match="n=-1"):
        lerp(A, B, -1)
