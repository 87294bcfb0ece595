"""Random numbers of a field's own: one seed, many independent streams.

No global generator is read or set. A stream is named, so that drawing more of one never changes another: a new latent
leaves the weights alone, a redraw of the weights leaves the graph alone.
"""

import hashlib

import torch


def stream(seed: int, name: str, draw: int = 0) -> torch.Generator:
    """A fresh CPU generator for the `draw`-th time that `name` is drawn for this seed; the same in every process."""
    return torch.Generator().manual_seed(stream_seed(seed, name, draw))


def stream_seed(seed: int, name: str, draw: int = 0) -> int:
    """The seed of that stream, in [0, 2^63)."""
    digest = hashlib.sha256(f"{seed}/{name}/{draw}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
