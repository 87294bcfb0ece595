"""A capture without OpenGL: everything is there, in its place."""

import math

import torch

from easel.viewer.imgui.layout import Rectangle


def test_the_sheet_shows_canvases_curves_bars_and_text(open_view) -> None:
    view = open_view("Sheet", 600, 400, backend="none")
    side = view.panel("Controls", side="left", width=0.4)
    left, right = view.panel("Left"), view.panel("Right", side="right", width=0.5)
    left.canvas("a").bind(torch.tensor([1.0, 0.0, 0.0]).expand(30, 60, 3))
    right.canvas("b", filter="nearest").bind(torch.eye(2))
    right.canvas("nothing")

    @side.on_frame
    def draw() -> None:
        side.section("Run")
        side.text("two\nlines")
        side.text("a very long line " * 20)
        side.slider("speed")
        side.plot([0, 1, math.nan, 2, 1.5], overlay="loss")
        side.plot([])
        side.progress(0.5)

    picture = view.capture()
    assert picture.shape == (400, 600, 3)
    red = (picture == torch.tensor([1.0, 0.0, 0.0])).all(-1)
    canvas = left.canvas("a").rectangle
    assert canvas is not None and abs(canvas.width - 2 * canvas.height) <= 1
    assert red.sum() == canvas.width * canvas.height
    x, y, width, height = map(int, canvas)
    assert red[y : y + height, x : x + width].all()
    blue = (picture[..., 2] > picture[..., 0] + 0.3)[:, :240]
    assert blue.sum() > 500, "the bar and the curve, in the accent colour, at the left"
    x, y, width, height = map(int, right.canvas("b").rectangle or Rectangle(0, 0, 0, 0))
    quarter = picture[y : y + height // 2 - 1, x : x + width // 2 - 1]
    assert quarter.min() == 1


def test_the_same_program_gives_the_same_sheet(open_view) -> None:
    def sheet() -> torch.Tensor:
        with open_view("Twice", 200, 100, backend="none") as view:
            view.panel("P").on_frame(lambda: view.panel("P").text("héllo ε 中"))
            return view.capture()

    assert torch.equal(sheet(), sheet())
