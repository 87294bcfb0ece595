"""Named random streams: one seed, many independent generators.

No global generator is read or set. A stream is named, so that drawing more of one never changes another: a new latent
leaves the weights alone, a redraw of the weights leaves the graph alone.
"""

import hashlib

import torch


def stream(seed: int, name: str, draw: int = 0) -> torch.Generator:
    """Return a fresh CPU generator for the `draw`-th draw of `name` from this seed; the same in every process."""
    return torch.Generator().manual_seed(stream_seed(seed, name, draw))


def stream_seed(seed: int, name: str, draw: int = 0) -> int:
    """Hash seed, name and draw to the stream's own seed, in [0, 2^63)."""
    # SHA-256: Python's own hash() of a text differs from process to process. The shift keeps the seed within a signed
    # 64-bit integer, which recipes and other generators take too.
    digest = hashlib.sha256(f"{seed}/{name}/{draw}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
