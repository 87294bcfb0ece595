"""Units of work on Ray, on this machine or many; the room's owner of ray (extra `ray`).

Ray's processes work in the folder that the program was started in, which all machines must see under the same name,
with the same version of Easel. A unit whose process dies is given to another.
"""

import contextlib
import os
import pickle
import socket
from collections.abc import Generator, Iterable
from functools import lru_cache, partial
from importlib import import_module
from itertools import islice
from typing import Any

from easel.materials.engines.processes import Engine, Make, OpenMaker, WorkerError, cores, one_thread

ADDRESS = "RAY_ADDRESS"
"""Ray's own variable: auto, HOST:PORT or ray://HOST:PORT."""
RETRIES = 3
"""Times that a unit is given to another process because the last one died."""
STORE_BYTES = 80 * 2**20
"""Of memory that processes share, where Ray is started here: all data goes by files. Ray takes no less."""
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "."}
"""Nothing is told to Ray's makers, and nothing by Ray to who runs a command. It reads this when it is imported."""
CONNECT_SECONDS = 10


class ClusterError(RuntimeError):
    """Ray is not there or cannot be reached; the message is one line."""


@contextlib.contextmanager
def ray_cluster(workers: int = 0, *, gpus: bool = False) -> Generator[Engine]:
    """Open an engine that gives units to the cluster that RAY_ADDRESS names, or else to one of this machine alone.

    The latter ends with the block. `workers` units are made at once; 0 is one for each core or, with `gpus`, for each
    GPU where the cluster has any. More workers than GPUs share them. ClusterError when it is not there.
    """
    ray = _ray()
    # Who connected before stays connected after.
    starts = not ray.is_initialized()
    if starts:
        _connect(ray, workers)
    try:
        yield partial(_shared, ray, workers, gpus)
    finally:
        if starts:
            ray.shutdown()


def _ray() -> Any:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if not os.environ.get(ADDRESS):
        # Despite its name this is what makes Ray listen on the loopback interface alone
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        return import_module("ray")
    except ImportError:
        raise ClusterError("--engine ray needs Ray: pip install 'torch-easel[ray]'.") from None


def _connect(ray: Any, workers: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    address = os.environ.get(ADDRESS)
    try:
        if address:
            _knock(address)
            ray.init(address=address, **quiet)
        else:
            here = {"num_cpus": workers or cores(), "object_store_memory": STORE_BYTES, "include_dashboard": False}
            ray.init(address="local", **here, **quiet)
    except Exception as error:  # an address of another kind, nobody there, another version, no room in /dev/shm ...
        reason = " ".join(str(error).split())[:160]
        if not address:
            raise ClusterError(f"Ray does not start on this machine: {reason}") from None
        raise ClusterError(
            f"no Ray cluster is reached at {ADDRESS}={address} ({reason}). Start it, set RAY_AUTH_MODE=token where it "
            "wants a token, or unset the address to start Ray on this machine."
        ) from None


def _knock(address: str) -> None:
    """Raise OSError where nobody listens, which Ray itself would take minutes to find out."""
    host, colon, port = address.partition("://")[2].partition(":") if "://" in address else address.partition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()


def _shared(ray: Any, workers: int, gpus: bool, open_maker: OpenMaker, units: Iterable[Any]) -> Generator[Any]:
    resources = ray.cluster_resources()
    there = gpus and int(resources.get("GPU", 0))
    at_once = workers or there or int(resources.get("CPU", 1))
    # A share of a GPU is one in a whole number, so that no worker waits for the rests of several
    share = 1 / -(-at_once // there) if there else 0
    make = ray.remote(num_cpus=1, num_gpus=share, max_retries=RETRIES)(_make_one)
    # Once for each machine: what makes units may be a list of a hundred thousand folders
    packed = ray.put(pickle.dumps(open_maker))
    home = os.getcwd()
    coming = iter(units)
    waiting = []
    try:
        # Only as many tasks as workers are in flight, so that results of a million units do not pile up.
        while True:
            waiting.extend(make.remote(home, packed, unit) for unit in islice(coming, at_once - len(waiting)))
            if not waiting:
                return
            (done,), waiting = ray.wait(waiting, num_returns=1)
            yield _result(ray, done)
    finally:
        # The caller stopped early: nobody will take their results.
        for task in waiting:
            ray.cancel(task)


def _result(ray: Any, task: Any) -> Any:
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        # What the unit itself raised.
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise WorkerError(
            f"Ray lost a unit of work {RETRIES + 1} times ({type(error).__name__}), perhaps for want of memory. Run it "
            "again with fewer --workers; nothing is lost."
        ) from None


def _make_one(home: str, packed: bytes, unit: Any) -> Any:
    with one_thread():
        return _opened(home, packed)(unit)


@lru_cache(maxsize=1)
def _opened(home: str, packed: bytes) -> Make:
    """Unpack the function that makes units, when the process gets its first one."""
    try:
        os.chdir(home)
    except OSError as error:
        raise WorkerError(
            f"{socket.gethostname()} has no folder {home} ({error.strerror}): Ray's machines must share it."
        ) from None
    # Bytes that this program itself has packed.
    return pickle.loads(packed)()
