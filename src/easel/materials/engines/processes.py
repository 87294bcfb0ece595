"""Units of work on this machine, one after another or shared by processes.

An engine is called with `open_maker`, which gives what makes a unit and is called once in each process, and with the
units; it yields what became of each, in any order. A unit that was begun by a process that died is made again, so it
must be all there or not at all; closing the generator stops. Every unit has one thread, because sums that several
threads share are rounded differently: the same unit is the same bytes, whoever makes it.
"""

import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any, TypeVar

import torch

Make = Callable[[Any], Any]
OpenMaker = Callable[[], Make]
"""Both can be pickled, unless the engine is `in_turn`."""
Engine = Callable[[OpenMaker, Iterable[Any]], Generator[Any]]
Unit = TypeVar("Unit")
Result = TypeVar("Result")


class WorkerError(RuntimeError):
    """Processes ended before their work did; what they finished is there. The message is one line."""


def in_turn(open_maker: OpenMaker, units: Iterable[Any]) -> Generator[Any]:
    """Make all units in this process."""
    make = open_maker()
    for unit in units:
        with one_thread():
            made = make(unit)
        yield made


def in_processes(workers: int, open_maker: OpenMaker, units: Iterable[Any]) -> Generator[Any]:
    """Share units among `workers` processes of this machine; results come in order. WorkerError when one dies."""
    # Not forked: torch's threads do not survive that.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(open_maker,)) as pool:
        try:
            yield from in_order(pool, _make_one, units, 4 * workers)
        except BrokenProcessPool:
            raise WorkerError(
                "a process was lost, perhaps for want of memory. Run it again with fewer --workers; nothing is lost."
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def in_order(pool: Executor, make: Callable[[Unit], Result], units: Iterable[Unit], ahead: int) -> Generator[Result]:
    """Yield what `make` returns for each unit, in their order, with up to `ahead` of them in the pool's queue."""
    # Not pool.map, which submits everything at once: there may be a million units.
    coming = iter(units)
    waiting = deque(pool.submit(make, unit) for unit in itertools.islice(coming, ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(make, unit) for unit in itertools.islice(coming, 1))


def cores() -> int:
    """Return the number of cores that this process may use, in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one thread within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_opened: OpenMaker
"""In a process of the pool: what makes units there, opened once."""


def _start(open_maker: OpenMaker) -> None:
    # Ctrl+C reaches every process of a terminal; who stops what is the first one's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    # A worker whose parent was killed would wait for work for ever.
    threading.Thread(target=lambda: (parent and parent.join(), os._exit(1)), daemon=True).start()
    # Opened by the first unit and not here: what goes wrong is then told as it is
    global _opened
    _opened = cache(open_maker)


def _make_one(unit: Any) -> Any:
    with one_thread():
        return _opened()(unit)
