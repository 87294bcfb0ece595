"""The backend without OpenGL: widgets are real where Dear ImGui loads, and a capture is drawn with Pillow."""

from jaxtyping import Float
from torch import Tensor

from easel.viewer.backends.base import Backend, Frame, enlarged
from easel.viewer.backends.contact_sheet import contact_sheet
from easel.viewer.imgui import toolkit
from easel.viewer.imgui.context import UI
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui


class NoneBackend(Backend):
    """Shows nothing, and works everywhere."""

    name = "none"

    def open(self, title: str, width: int, height: int, scale: Number | None = None) -> None:
        self.scale = float(scale or 1.0)
        self.size = enlarged(width, height, self.scale)
        if toolkit.MISSING:
            return
        self.ui = UI(self.scale)
        # Dear ImGui lays text out only for a renderer that makes glyph textures; none ever runs.
        imgui.get_io().backend_flags |= imgui.BackendFlags_.renderer_has_textures

    def capture(self, frame: Frame) -> Float[Tensor, "h w 3"]:
        return contact_sheet(frame, self.size)

    def close(self) -> None:
        if self.ui is not None:
            self.ui.close()
            self.ui = None
