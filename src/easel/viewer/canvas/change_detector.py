"""Change detector: tells a canvas that is certainly unchanged, so that it is not converted and moved again.

torch counts the writes into a tensor that it makes itself. Writes that it does not see are found in three ways:

- memory shared with NumPy is compared, whole and at every call, with a copy of what was shown;
- other memory, which only raw pointers and DLPack can reach, by checksums of one strip per call;
- a tensor that was caught once is taken to change in every frame.
"""

import zlib

import numpy as np
import torch
from torch import Tensor

from easel.viewer.canvas.canvas import Canvas

STRIP_BYTES = 1 << 18
"""Size of the strip that one call reads of memory that nobody is known to share; its sum takes a tenth of a
millisecond, and a whole picture that is written anew is noticed at once."""
COMPARED_BYTES = 1 << 20
"""Bytes compared at a time: the intermediate result of more would leave the processor's cache."""
Fingerprint = tuple[object, ...]


class ChangeDetector:
    """Watches the tensor that one canvas is bound to."""

    def __init__(self) -> None:
        self._tensor: Tensor | None = None
        """The tensor seen last. Held, its memory cannot become another tensor's, which would look the same."""
        self._fingerprint: Fingerprint | None = None
        self._copy: np.ndarray | None = None
        """Bytes that were shown of memory shared with NumPy."""
        self._sums: list[int] = []
        """Checksums of the strips of other memory."""
        self._next = 0
        self._caught: int | None = None
        """Address of a tensor that was written past torch."""

    def unchanged(self, canvas: Canvas) -> bool:
        """Return True only if the canvas certainly shows what it showed at the last call."""
        tensor = canvas.only_tensor
        before = self._fingerprint
        self._fingerprint = _fingerprint(tensor, canvas)
        self._tensor = tensor
        changed = self._fingerprint is None or self._fingerprint != before
        # What was written past torch once will be again: looking for it would only cost, and come late.
        if changed or tensor is None or tensor.data_ptr() == self._caught:
            self._copy = None
            self._sums = []
            return False
        same = self._matches_copy(tensor) if _shared_with_numpy(tensor) else self._matches_sum(tensor)
        if same is False:
            self._caught = tensor.data_ptr()
            self._copy = None
        # None: it may have been written between the last drawing and the copy or the sums, which were taken just now.
        return same is True

    def _matches_copy(self, tensor: Tensor) -> bool | None:
        """Return True if the tensor equals the copy, bit for bit; None while there is none, and take one."""
        now = _bytes(tensor)
        if self._copy is None:
            self._copy = now.copy()
            return None
        # Part by part, a write near the beginning ends it at once.
        parts = range(0, len(now), COMPARED_BYTES)
        return all(np.array_equal(now[i : i + COMPARED_BYTES], self._copy[i : i + COMPARED_BYTES]) for i in parts)

    def _matches_sum(self, tensor: Tensor) -> bool | None:
        """Return True if the next strip has the checksum that it had; None while there are none, and take them."""
        count = min(max(tensor.nbytes // STRIP_BYTES, 1), tensor.shape[0])
        if not self._sums:
            self._sums = [_checksum(tensor, number, count) for number in range(count)]
            return None
        self._next = (self._next + 1) % count
        return _checksum(tensor, self._next, count) == self._sums[self._next]


def _fingerprint(tensor: Tensor | None, canvas: Canvas) -> Fingerprint | None:
    """Return values of which one changes with every write that torch makes, with the settings, and with `refresh`.

    None if there are no such values: CUDA kernels write without a count, and so does torch in inference mode.
    """
    if tensor is None or tensor.device.type != "cpu" or tensor.is_inference():
        return None
    place = tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride(), _shared_with_numpy(tensor)
    return *place, tensor._version, canvas.display, canvas.refreshes


def _shared_with_numpy(tensor: Tensor) -> bool:
    """Return True if an array may have the tensor's memory, or another object that is not torch's own."""
    # torch forbids itself to resize storage that it has handed to NumPy, or has taken from there or from a buffer.
    return not tensor.untyped_storage().resizable()


def _bytes(tensor: Tensor) -> np.ndarray:
    """Return the memory of a CPU tensor as one row of bytes; a copy where the tensor has gaps."""
    # In the order of memory, (C, H, W) shown as (H, W, C) needs no copy.
    flat = tensor.permute(sorted(range(tensor.dim()), key=tensor.stride, reverse=True)).contiguous().view(-1)
    # Not by `numpy()`, which would make torch take the memory for shared from now on.
    return np.from_dlpack(flat.view(torch.uint8))


def _checksum(tensor: Tensor, number: int, count: int) -> int:
    """Return the checksum of one of the `count` strips that a tensor is cut into along its first axis."""
    # Whole rows: a cut within one would leave pieces that are not a slice, and would have to be copied.
    rows = tensor.shape[0]
    strip = tensor[rows * number // count : rows * (number + 1) // count]
    return zlib.crc32(_bytes(strip).data)
