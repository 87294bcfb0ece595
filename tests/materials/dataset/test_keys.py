import torch

from easel.materials.dataset.keys import key, key_seed


def test_a_key_means_the_same_on_every_machine_and_in_every_version():
    assert key_seed(42, 3, 7, "crop") == 12955396198059607395
    assert torch.equal(torch.rand(4, generator=key(1, "a")), torch.rand(4, generator=key(1, "a")))


def test_different_keys_draw_independently():
    names = [(0,), (1,), (0, 1), (1, 0), (0, "1"), (0, "a", "b"), (0, "ab"), (0, 0, 1), (-1,)]
    assert len({key_seed(*name) for name in names}) == len(names)
    draws = torch.stack([torch.rand(256, generator=key(5, number, "x")) for number in range(64)])
    assert (draws.mean(0) - 0.5).abs().max() < 0.2
    assert torch.corrcoef(draws).triu(1).abs().max() < 0.35
