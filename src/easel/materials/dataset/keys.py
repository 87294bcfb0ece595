"""Random numbers by name: every draw has a generator of its own, keyed by its purpose.

A draw depends on its key alone, never on how many were made before, in which process or in which order. A run that is
resumed at a step, or read by another number of workers, therefore draws the same as the uninterrupted one. The idea is
that of counter-based generators: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

import hashlib
import json

import torch


def key_seed(seed: int, *parts: int | str) -> int:
    """Hash `seed` and the name of a draw, such as (epoch, index, "crop"), to 64 bits; the same on every machine."""
    # JSON tells 1 from "1" and ("a", "b") from ("ab",); Python's own hash of a string differs between processes.
    name = json.dumps([seed, *parts]).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")


def key(seed: int, *parts: int | str) -> torch.Generator:
    """Return a fresh CPU generator for the draw of that name.

    >>> torch.rand((), generator=key(42, 3, "crop"))
    """
    # One bit less: manual_seed takes what a signed 64-bit number holds.
    return torch.Generator().manual_seed(key_seed(seed, *parts) >> 1)
