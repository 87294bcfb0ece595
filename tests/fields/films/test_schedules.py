import itertools
import math

import pytest

from easel.fields.films.schedules import SCHEDULES, schedule


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("start", "end"), [(1.0, 10.0), (0.7, 0.1), (3, 3)])
def test_both_ends_are_exact_and_the_way_is_monotonous(name, start, end):
    numbers = schedule(name, start, end, 17)
    assert len(numbers) == 17 and numbers[0] == start and numbers[-1] == end
    assert numbers == sorted(numbers, reverse=start > end)


@pytest.mark.parametrize(
    ("name", "middle"),
    [
        ("linear", 5.5),
        ("geometric", 10**0.5),
        ("cosine", 5.5),
        ("sigmoid", 5.5),
        ("exp", 1 + 9 * (math.exp(2.5) - 1) / (math.exp(5) - 1)),
        ("log", 1 + 9 * math.log(5.5) / math.log(10)),
        ("sqrt", 1 + 9 * 0.5**0.5),
        ("cbrt", 1 + 9 * 0.5 ** (1 / 3)),
    ],
)
def test_the_middle_is_the_curves_own(name, middle):
    assert schedule(name, 1, 10, 3)[1] == pytest.approx(middle)


def test_a_geometric_zoom_multiplies_by_the_same_factor():
    numbers = schedule("geometric", 0.5, 64, 30)
    factors = [b / a for a, b in itertools.pairwise(numbers)]
    assert max(factors) == pytest.approx(min(factors))


@pytest.mark.parametrize("name", SCHEDULES)
def test_one_step_is_the_start_and_two_are_the_ends(name):
    assert schedule(name, 2, 5, 1) == [2] and schedule(name, 2, 5, 2) == [2, 5]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("cubic", 1, 2, 3), "Known: linear, geometric"),
        (("linear", 1, 2, 0), "at least one step"),
        (("linear", 1, math.nan, 3), "number"),
        (("geometric", 0, 2, 3), "positive"),
    ],
)
def test_nonsense_is_told(arguments, says):
    with pytest.raises(ValueError, match=says):
        schedule(*arguments)
