"""Units of work handed to a pool."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice

from easel.materials.engines.processes import in_order


def test_results_come_in_the_order_of_the_units():
    with ThreadPoolExecutor(3) as pool:
        assert list(in_order(pool, lambda unit: -unit, range(20), 5)) == [-unit for unit in range(20)]
        assert list(in_order(pool, lambda unit: unit, (), 5)) == []


def test_of_units_without_end_only_a_window_is_taken():
    taken = []

    def units():
        for unit in count():
            taken.append(unit)
            yield unit

    with ThreadPoolExecutor(2) as pool:
        assert list(islice(in_order(pool, lambda unit: unit, units(), 4), 3)) == [0, 1, 2]
    # Four ahead, and one more for each result but the last, after which nobody asked.
    assert taken == list(range(6))
