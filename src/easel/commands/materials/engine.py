"""Options that say who does the work: --engine, --workers and --shard."""

import contextlib
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Literal

from easel.console import BadInput, Progress, explained, progress

if TYPE_CHECKING:
    from easel.materials.engines.processes import Engine

EngineName = Literal["local", "ray"]


@contextlib.contextmanager
def engine(
    name: EngineName, workers: int, units: int, title: str, *, least: int, device: str = "cpu"
) -> "Generator[tuple[Engine, Progress]]":
    """Open the engine for so many units, of which a process should have `least`, and a progress bar for their work.

    Processes share a `device` that is no CPU: 0 workers are one there. Each worker of Ray gets a GPU of its own.
    BadInput where Ray is not there.
    """
    from easel.materials.engines.cluster import ClusterError, ray_cluster
    from easel.materials.engines.processes import cores, in_processes, in_turn

    if name == "local":
        # For fewer units another process takes longer to start than it saves
        workers = min(workers or (cores() if device == "cpu" else 1), max(1, units // least))
        with progress(title) as bar:
            yield (in_turn if workers == 1 else partial(in_processes, workers)), bar
        return
    if ":" in device:
        # Ray numbers the GPUs of each worker from 0: an index would mean another one.
        raise BadInput(f"--device {device}: Ray gives each of its workers a GPU. Say --device {device.split(':')[0]}.")
    with explained(errors=ClusterError), ray_cluster(workers, gpus=device != "cpu") as cluster, progress(title) as bar:
        yield cluster, bar


def kept_note(count: int, what: str = "them") -> str:
    """Return the end of a summary of work of which `count` units were there already."""
    # Nothing where nothing was kept: most runs begin in an empty folder.
    return f"; {count} of {what} were there" if count else ""


def share_of(shard: str) -> tuple[int, int]:
    """Parse --shard into the share and the number of shares; BadInput for what names none."""
    share, slash, shares = shard.partition("/")
    if not (slash and share.isdecimal() and shares.isdecimal() and int(share) < int(shares)):
        raise BadInput(f"--shard is i/n with i from 0 to n - 1, such as 0/4; got {shard!r}.")
    return int(share), int(shares)
