"""Random numbers by name: every draw has a generator of its own, keyed by what it is for.

A draw depends on its key alone, never on how many were made before, in which process or in which order. A run that is
resumed at a step, or read by another number of workers, therefore draws what the uninterrupted one does.
"""

import hashlib
import json

import torch


def key_seed(seed: int, *parts: int | str) -> int:
    """64 bits of `seed` and of what a draw is for, such as (epoch, index, "crop"); the same on every machine."""
    # JSON tells 1 from "1" and ("a", "b") from ("ab",); Python's own hash of a string differs between processes.
    name = json.dumps([seed, *parts]).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")


def key(seed: int, *parts: int | str) -> torch.Generator:
    """A fresh CPU generator for the draw of that name."""
    # manual_seed takes what a signed 64-bit number holds.
    return torch.Generator().manual_seed(key_seed(seed, *parts) >> 1)
