"""A complete backend of no toolkit at all: what a Qt backend would have to say, in the terms of the contract alone."""

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.image import as_picture, resize
from easel.viewer.backends.base import Backend, Frame
from easel.viewer.imgui.sketch import Number


class StubBackend(Backend):
    """Fills the rectangle of every picture with it, on black."""

    name = "stub"

    def open(self, title: str, width: int, height: int, scale: Number | None = None) -> None:
        self.size = (width, height)
        self.titles: list[str] = []
        self.widgets = 0

    def due(self) -> bool:
        return True

    def present(self, frame: Frame) -> None:
        panes = frame.panes(self.size)
        self.titles = [pane.title for pane in panes]
        self.widgets = sum(len(pane.widgets) for pane in panes)

    def capture(self, frame: Frame) -> Float[Tensor, "h w 3"]:
        shown = torch.zeros(self.size[1], self.size[0], 3)
        for pane in frame.panes(self.size):
            for picture in pane.pictures:
                content = picture.look()
                if content is not None:
                    left, top, width, height = map(int, picture.stand(pane.rectangle).whole)
                    part = shown[top : top + height, left : left + width]
                    part[:] = resize(as_picture(content), (height, width))[: part.shape[0], : part.shape[1]]
        return shown

    def close(self) -> None:
        pass
