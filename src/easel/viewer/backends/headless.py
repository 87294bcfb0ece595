"""The headless backend: the whole interface, drawn off screen through EGL when somebody captures it."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from easel.gl.context import GLUnavailable, open_headless
from easel.gl.cuda import interop_of
from easel.viewer.backends.base import Backend, BackendUnavailableError, Frame, enlarged
from easel.viewer.backends.frame_renderer import FrameRenderer
from easel.viewer.imgui import toolkit
from easel.viewer.imgui.context import UI
from easel.viewer.imgui.sketch import Number

if TYPE_CHECKING:
    import moderngl


class HeadlessBackend(Backend):
    """Draws nothing until a capture; nobody sits in front of it."""

    name = "headless"

    _context: "moderngl.Context | None" = None
    _renderer: FrameRenderer | None = None

    def open(self, title: str, width: int, height: int, scale: Number | None = None) -> None:
        # Without widgets the none backend shows more than an empty frame.
        if toolkit.MISSING:
            raise BackendUnavailableError(toolkit.MISSING)
        self.scale = float(scale or 1.0)
        self.size = enlarged(width, height, self.scale)
        try:
            self._context = open_headless()
        except GLUnavailable as error:
            raise BackendUnavailableError(str(error)) from error
        with self._context:
            self.ui = UI(self.scale)
            self._renderer = FrameRenderer(self._context)

    def capture(self, frame: Frame) -> Float[Tensor, "h w 3"]:
        assert self._context is not None and self._renderer is not None and self.ui is not None
        self.ui.activate()
        with self._context:
            return self._renderer.capture(frame, self.size)

    def share(self, height: int, width: int, channels: int, device: torch.device) -> Tensor | None:
        if self._context is None or self._renderer is None:
            return None  # closed
        with self._context:
            return interop_of(self._context).share(height, width, channels, device)

    def close(self) -> None:
        if self._context is None:
            return
        # Tensors that share memory with the context keep it: releasing it would pull the memory from under them.
        unused = True
        with self._context:
            if self.ui is not None:
                self.ui.activate()
                if self._renderer is not None:
                    unused = self._renderer.close()
                self.ui.close()
        if unused:
            self._context.release()
        self._context = self._renderer = None
