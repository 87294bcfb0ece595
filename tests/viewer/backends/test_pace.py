"""The budget of drawing, on a clock that the test turns."""

import pytest

from easel.viewer.backends.pace import BUSY_SECONDS, BUSY_SHARE, CREDIT_SECONDS, LOOKS_PER_SECOND, Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def share_of_drawing(clock: Clock, pace: Pace, cost: float, seconds: float, step: float = 0.001) -> float:
    """Of `seconds` of a busy loop, what pictures of `cost` seconds take."""
    start, drawing = clock.now, 0.0
    while clock.now - start < seconds:
        if pace.seconds_left() == 0:
            clock.now += cost
            drawing += cost
            pace.drawn(cost)
        clock.now += step
    return drawing / (clock.now - start)


def test_the_first_picture_is_due_at_once() -> None:
    assert Pace(Clock()).seconds_left() == 0


@pytest.mark.parametrize("cost", [0.005, 0.04, 0.2])
def test_an_idle_view_takes_a_tenth(cost: float) -> None:
    clock = Clock()
    share = share_of_drawing(clock, Pace(clock), cost, 30)
    assert 0.08 < share < 0.11


def test_what_somebody_does_is_answered_at_once() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(4):
        pace.drawn(0.04)
        assert pace.seconds_left() > 0
        clock.now += 0.001
        pace.touched()
        assert pace.seconds_left() == 0
        clock.now += 2 * BUSY_SECONDS


@pytest.mark.parametrize("cost", [0.005, 0.04, 0.2])
@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_however_much_somebody_does_drawing_takes_half_and_what_it_had_saved(cost: float, seconds: float) -> None:
    clock, drawing = Clock(), 0.0
    pace = Pace(clock)
    while clock.now < 100 + seconds:
        pace.touched()  # as fast as messages come
        if pace.seconds_left() == 0:
            clock.now += cost
            drawing += cost
            pace.drawn(cost)
        clock.now += 0.001
    assert drawing <= BUSY_SHARE * (clock.now - 100) + CREDIT_SECONDS + cost
    assert seconds < 1 or drawing > 0.4 * seconds


def test_an_act_changes_nothing_for_long() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.touched()
    clock.now += BUSY_SECONDS
    assert share_of_drawing(clock, pace, 0.04, 20) < 0.11


def test_cheap_pictures_come_sixty_times_a_second() -> None:
    clock = Clock()
    pace = Pace(clock)
    share = share_of_drawing(clock, pace, 0.0001, 10, step=0.0001)
    assert share / 0.0001 == pytest.approx(60, rel=0.05)


def test_where_nothing_is_new_it_looks_less_often_until_somebody_acts_or_something_is() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.looked(0.0)
    assert pace.seconds_left() == pytest.approx(1 / LOOKS_PER_SECOND)
    pace.touched()
    assert pace.seconds_left() == pytest.approx(1 / 60)
    clock.now += 1
    pace.drawn(0.0)
    assert pace.seconds_left() == pytest.approx(1 / 60)
