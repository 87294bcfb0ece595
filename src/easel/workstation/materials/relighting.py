"""Relighting: a material on a ball and on a plane, in two canvases, lit anew while a person moves the lamp."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from easel.graphics.files import FileError
from easel.graphics.image import imwrite
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.strokes import Point
from easel.viewer.imgui.theme import ALARM
from easel.viewer.panels.panel import Panel
from easel.workstation.background import Background
from easel.workstation.materials.material_view import LOWEST_DEGREES, TILT_DEGREES, MaterialView, Stage, film, poster

BUDGET_SECONDS = 0.06
"""Time for both pictures together while something moves."""
REST_SECONDS = 0.2
"""Time after the last move at which the pictures are drawn in full."""
LEAST_SIDE, DRAFT_SIDE, USUAL_SIDE, MOST_SIDE = 96, 160, 320, 640
"""Sides of a picture, in pixels."""
FILM_SIDE = 320
LAMP_BUTTON, TURN_BUTTON = 0, 1
DEGREES_ACROSS = 180.0
"""Turn of the material by a drag across a whole picture."""
HELP = "Drag with the left button to move the lamp, with the right one to turn the material."
Pair = tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"]]
"""The ball and the plane."""
Scene = tuple[MaterialView, Stage, int]
"""Content of the pictures: a material, its stage, and their side in pixels."""


class DraftSize:
    """The size of pictures at which each takes about as long as it should."""

    def __init__(self, seconds: float, side: int) -> None:
        self.seconds = seconds
        self.side = side
        """Side of a square picture, in pixels."""

    def note(self, seconds: float) -> None:
        """Adapt the side to the time that a picture of it took."""
        # The root: time grows with the number of pixels. In small steps: a single slow picture, as when an environment
        # is filtered, should not be seen for long.
        factor = min(max(math.sqrt(self.seconds / max(seconds, 1e-6)), 0.7), 1.3)
        self.side = min(max(round(self.side * factor), LEAST_SIDE), MOST_SIDE)


class Relighting:
    """Shows a `MaterialView` on a stage that widgets and drags set.

    While something moves, the pictures are as large as there is time for; at rest they are drawn in full, in the
    background.
    """

    def __init__(self, ball: Canvas, plane: Canvas, material: MaterialView, stage: Stage, out: Path) -> None:
        self.ball = ball
        self.plane = plane
        self.material = material
        self.stage = stage
        self.out = out
        self.notice = ""
        self.failed = False
        self._draft = DraftSize(BUDGET_SECONDS, DRAFT_SIDE)
        self._painter = Background[tuple[Scene, Pair]]("material")
        self._filmer = Background[Path]("turntable")
        self._shown: Scene | None = None
        """Content of the pictures that are shown."""
        self._moved_at = -math.inf
        for canvas in (ball, plane):
            # Wheel and drags are the lamp's.
            canvas.zoomable = False

    @property
    def settled(self) -> bool:
        """True once the pictures are drawn in full, and nothing else is under way."""
        return self._shown == (self.material, self.stage, self._full_side) and not self._filmer.busy

    def close(self) -> None:
        """Stop drawing."""
        self._painter.close()
        self._filmer.close()

    def draw(self, controls: Panel) -> None:
        """Draw the stage's widgets in `controls`, and the pictures after what widgets and drags say."""
        # First the drags: the sliders then show where they have led.
        stage = controls.edit(self._follow_drags(self.stage))
        if stage != self.stage:
            self.stage = stage
            self._moved_at = time.perf_counter()
        controls.text_wrapped(HELP)
        with controls.row():
            if controls.button("Save pictures", help="As large as they are shown, and all in one."):
                self._attempt(self.save)
            with controls.enabled(not self._filmer.busy):
                if controls.button("Film a turn", help="A GIF of the ball and the plane, all the way around."):
                    self._filmer.start(film, self.material, stage, self.out / "turntable.gif", FILM_SIDE)
        if self._filmer.done:
            self._attempt(lambda: [self._filmer.result()])
        if self.notice:
            controls.text_wrapped(self.notice, color=ALARM if self.failed else None)
        self._bring_up_to_date()

    def save(self) -> list[Path]:
        """Write both pictures and the poster into the out folder; returns the files."""
        files = [self.out / name for name in ("ball.png", "plane.png", "preview.png")]
        _, (ball, plane) = _paint((self.material, self.stage, self._full_side), 2)
        # Drawn anew: those on the screen may be drafts.
        pictures = (ball, plane, poster(ball, plane, self.material.maps))
        for file, picture in zip(files, pictures, strict=True):
            imwrite(file, picture)
        return files

    # Drags

    def _follow_drags(self, stage: Stage) -> Stage:
        """Return the stage after the drags over the pictures in this frame."""
        for canvas in (self.ball, self.plane):
            for stroke in canvas.strokes:
                # By the end of the stroke alone: the lamp is where the pointer is.
                end = _in_disk(canvas, stroke.end)
                if stroke.button == LAMP_BUTTON:
                    stage = _lamp_at(stage, *end)
                elif stroke.button == TURN_BUTTON:
                    # By its way: where the drag begins must not matter.
                    start = _in_disk(canvas, stroke.start)
                    stage = _turned(stage, end[0] - start[0], end[1] - start[1], tilts=canvas is self.plane)
        return stage

    # The pictures

    @property
    def _full_side(self) -> int:
        """Pixels that the screen has for a side of the larger picture."""
        areas = [canvas.rectangle for canvas in (self.ball, self.plane) if canvas.rectangle is not None]
        side = max((int(min(area.width, area.height)) for area in areas), default=USUAL_SIDE)
        return min(max(side, LEAST_SIDE), MOST_SIDE)

    def _bring_up_to_date(self) -> None:
        wanted = self.material, self.stage, self._full_side
        if self._painter.done:
            painted, pair = self._painter.result()
            # Of another size it is still the best there is; of another stage it would be seen to jump back.
            if painted[:2] == wanted[:2]:
                self._show(pair, painted)
        if self._shown is None or self._shown[:2] != wanted[:2]:
            # One pixel less than in full, so that the draft is not taken for the picture in full.
            side = min(self._draft.side, self._full_side - 1)
            began = time.perf_counter()
            painted, pair = _paint((self.material, self.stage, side), 1)
            self._draft.note(time.perf_counter() - began)
            self._show(pair, painted)
        elif self._shown != wanted and not self._painter.busy and not self._filmer.busy:
            if time.perf_counter() - self._moved_at > REST_SECONDS:
                self._painter.start(_paint, wanted, 2)

    def _show(self, pair: Pair, scene: Scene) -> None:
        self._shown = scene
        for canvas, picture in zip((self.ball, self.plane), pair, strict=True):
            canvas.bind(picture, live=False)

    def _attempt(self, write: Callable[[], list[Path]]) -> None:
        try:
            self.notice, self.failed = "Saved " + ", ".join(map(str, write())), False
        except (FileError, OSError) as error:
            self.notice, self.failed = str(error), True


def _paint(scene: Scene, samples: int) -> tuple[Scene, Pair]:
    material, stage, side = scene
    return scene, (material.ball(stage, side, samples=samples), material.plane(stage, side, samples=samples))


def _in_disk(canvas: Canvas, point: Point) -> Point:
    """Convert a point of a picture to right and up from its middle; its edges are at ±1."""
    height, width = canvas.size or (1, 1)
    return 2 * point[0] / width - 1, 1 - 2 * point[1] / height


def _lamp_at(stage: Stage, right: float | int, up: float | int) -> Stage:
    """Put the lamp above that point of a dome over the picture."""
    # Beyond the dome's edge the lamp stays on it, in the direction of the pointer.
    out = min(math.hypot(right, up), 1.0)
    elevation = max(math.degrees(math.acos(out)), LOWEST_DEGREES)
    # At the very middle every direction is the same: the lamp keeps its own.
    azimuth = math.degrees(math.atan2(up, right)) if out > 0 else stage.lamp.azimuth
    return replace(stage, lamp=replace(stage.lamp, azimuth=round(azimuth, 1), elevation=round(elevation, 1)))


def _turned(stage: Stage, right: float | int, up: float | int, *, tilts: bool) -> Stage:
    """Turn, and with `tilts` tilt, the stage by a drag over so many half pictures."""
    turn = (stage.turn - right * DEGREES_ACROSS / 2 + 180) % 360 - 180
    tilt = stage.tilt - up * DEGREES_ACROSS / 2 * tilts
    return replace(stage, turn=round(turn, 1), tilt=round(min(max(tilt, 0.0), TILT_DEGREES), 1))
