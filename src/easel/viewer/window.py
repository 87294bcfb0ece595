"""The window of a view as an object, and tensors made for it."""

import logging
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

log = logging.getLogger("easel")


class Window:
    """What a view is shown in: a window on the display, an off-screen target, or nothing but its size."""

    _current: ClassVar["Window | None"] = None

    def __init__(self, title: str, width: int, height: int) -> None:
        self.title = title
        self.width, self.height = width, height
        self.closed = False
        Window._current = self

    def destroy(self) -> None:
        """The view has closed; from now on this window is no longer the current one. Idempotent."""
        self.closed = True
        if Window._current is self:
            Window._current = None


def create_tensor(
    height: int,
    width: int,
    channels: int = 4,
    device: str | torch.device = "cuda:0",
    *,
    name: str = "tensor",
    window: Window | None = None,
) -> Float[Tensor, "height width channels"]:
    """A zero-filled float32 picture tensor to bind and write into; its memory does not depend on the window's life.

    A CUDA `device` on a machine without CUDA gives a CPU tensor and one warning. `name` only labels. RuntimeError
    without a `window` when none is open.
    """
    if (window or Window._current) is None:
        raise RuntimeError("No active easel.Window - create one first (a View has one, too).")
    if channels not in (1, 3, 4):
        raise ValueError(f"Expected 1, 3, or 4 channels, got {channels}.")
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        _warn_once(f"no CUDA device here: tensor {name!r} lives on the CPU instead of {device}")
        device = torch.device("cpu")
    return torch.zeros(height, width, channels, device=device)


_warned: set[str] = set()


def _warn_once(sentence: str) -> None:
    if sentence not in _warned:
        _warned.add(sentence)
        log.warning(sentence)
