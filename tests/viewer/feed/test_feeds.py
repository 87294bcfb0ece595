"""One published picture: copied only when it is wanted, and seldom enough."""

import pytest
import torch

from easel.viewer.feed.feeds import MOST_SHARE, Latest, PublishedCurve


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_picture_is_copied_once_and_again_when_it_was_taken() -> None:
    clock = Clock()
    latest, tensor = Latest(clock), torch.zeros(4, 4)
    assert latest.offer(tensor)
    tensor.fill_(1.0)
    clock.now = 10.0
    assert not latest.offer(tensor), "nobody has looked at the last one"
    assert latest.take().sum() == 0, "it is what it was when it was published"
    assert latest.offer(tensor) and latest.take().sum() == 16 and latest.version == 2


def test_copies_take_a_bounded_share_of_the_time() -> None:
    clock = Clock()
    latest = Latest(clock)
    copies = 0
    for _ in range(10_000):  # of a second each hundredth, with a copy that takes as long as a tenth of one
        clock.now += 0.01
        begun = clock.now
        latest.wanted = True
        if latest.offer(torch.zeros(1)):
            copies += 1
            latest._not_before = begun + 0.001 + 0.001 / MOST_SHARE
    assert copies * 0.001 <= MOST_SHARE * clock.now * 1.01


def test_the_way_to_another_process_counts_as_well() -> None:
    clock = Clock()
    latest = Latest(clock)
    latest.offer(torch.zeros(1))
    latest.charge(0.002)
    latest.take()
    clock.now = 0.99 * 0.002 / MOST_SHARE
    assert not latest.offer(torch.zeros(1))
    clock.now = 1.1 * 0.002 / MOST_SHARE
    assert latest.offer(torch.zeros(1))


def test_a_copy_takes_no_part_in_gradients() -> None:
    latest = Latest()
    weight = torch.ones(2, 2, requires_grad=True)
    latest.offer(weight * 2)
    assert not latest.take().requires_grad and latest.take().grad_fn is None


def test_there_is_nothing_to_take_before_the_first() -> None:
    with pytest.raises(AssertionError, match="before the first"):
        Latest().take()


def test_a_curve_keeps_its_newest_and_counts_all() -> None:
    curve = PublishedCurve()
    curve.offer(*map(float, range(10_500)))
    assert curve.count == 10_500 and len(curve.values) == 10_000 and curve.values[-1] == 10_499
    assert curve.last(3) == [10_497, 10_498, 10_499] and len(curve.last(20_000)) == 10_000
