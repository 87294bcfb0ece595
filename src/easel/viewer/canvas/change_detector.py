"""ChangeDetector: whether a canvas still shows what it showed, so that what has not changed is not converted and moved again.

torch counts the writes into a tensor that it makes itself. Those that go past it, through NumPy or a raw pointer, are
found by checksums: of all of it once it has come to rest, then of one strip after another for as long as it rests. A
tensor that was ever caught is not believed again.
"""

import zlib

import torch
from torch import Tensor

from easel.viewer.canvas.canvas import Canvas

STRIP_BYTES = 1 << 18
"""Of a resting tensor, read whenever somebody asks: a tenth of a millisecond, and whole pictures that are written anew
are noticed at once."""
Fingerprint = tuple[object, ...]


class ChangeDetector:
    """Watches what one canvas is bound to."""

    def __init__(self) -> None:
        self._tensor: Tensor | None = None
        """What was seen last. Held, its memory cannot become another tensor's, which would look the same."""
        self._fingerprint: Fingerprint | None = None
        self._sums: list[int] = []
        self._next = 0
        self._caught: int | None = None
        """Where in memory a tensor lives that was written past torch."""

    def unchanged(self, canvas: Canvas) -> bool:
        """Whether the canvas shows for certain what it showed when this was asked last."""
        tensor = canvas.only_tensor
        before, self._fingerprint = self._fingerprint, None if tensor is None else _fingerprint(tensor, canvas)
        changed = self._fingerprint is None or self._fingerprint != before
        self._tensor = tensor
        if changed or tensor is None or tensor.data_ptr() == self._caught:
            self._sums = []
            return False
        count = min(max(tensor.nbytes // STRIP_BYTES, 1), tensor.shape[0])
        if not self._sums:
            self._sums = [_checksum(tensor, number, count) for number in range(count)]
            return False  # written since it was last shown? Once more will tell, and from here on the sums do.
        self._next = (self._next + 1) % count
        if _checksum(tensor, self._next, count) == self._sums[self._next]:
            return True
        self._caught = tensor.data_ptr()
        return False


def _fingerprint(tensor: Tensor, canvas: Canvas) -> Fingerprint | None:
    """What changes with every write that torch makes, and with what is shown of the tensor; None: it cannot tell."""
    if tensor.device.type != "cpu" or tensor.is_inference():
        return None
    return tensor.data_ptr(), tensor._version, tensor.dtype, tuple(tensor.shape), tensor.stride(), canvas.display


def _checksum(tensor: Tensor, number: int, count: int) -> int:
    """Of one of the `count` strips that a tensor is cut into along its first axis."""
    rows = tensor.shape[0]
    strip = tensor[rows * number // count : rows * (number + 1) // count]
    return zlib.crc32(strip.contiguous().view(-1).view(torch.uint8).numpy().data)
