"""Loading of compiled kernels, and the threads that run them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from typing import Any

# Not numba's own threads: they spin while they wait, and on a busy machine (a window is drawing, say) that was
# measured to cost several times the work itself.
_HELPERS = ThreadPoolExecutor(thread_name_prefix="easel-fields")


@cache
def kernel(name: str) -> Any:
    """Import a kernel's module; None without a numba that fits this Python and numpy."""
    try:
        return import_module(f"easel.fields.kernels.{name}")
    except ImportError:
        return None


def in_threads(work: Callable[[int], Any], threads: int) -> Any:
    """Call work(0) here and work(1) to work(threads - 1) in helper threads; return the result of work(0).

    All calls have ended on return.
    """
    helpers = [_HELPERS.submit(work, number) for number in range(1, threads)]
    result = work(0)
    for number, helper in enumerate(helpers, start=1):
        # A helper that never came to start is on a busy machine: waiting for it takes longer than its work.
        if helper.cancel():
            work(number)
        else:
            helper.result()
    return result


def padded(rows: int, group: int = 4) -> int:
    """Round up to whole groups of rows: four, as the kernels' matrix products take them, or a block of points."""
    return -(-rows // group) * group
