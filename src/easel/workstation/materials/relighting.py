"""Relit: a material on a ball and on a plane, in two canvases, lit anew while a hand moves the lamp."""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
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
from easel.workstation.materials.material_film import film, poster
from easel.workstation.materials.material_view import LOWEST_DEGREES, TILT_DEGREES, MaterialView, Stage

BUDGET_SECONDS = 0.06
"""For both pictures together while something moves."""
REST_SECONDS = 0.2
"""So long after the last move the pictures are drawn in full."""
LEAST_SIDE, DRAFT_SIDE, USUAL_SIDE, MOST_SIDE = 96, 160, 320, 640
"""Of a picture, in pixels."""
FILM_SIDE = 320
LAMP_BUTTON, TURN_BUTTON = 0, 1
DEGREES_ACROSS = 180.0
"""What a drag across a whole picture turns the material by."""
HELP = "Drag with the left button to move the lamp, with the right one to turn the material."
Pair = tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"]]
"""The ball and the plane."""
Scene = tuple[MaterialView, Stage, int]
"""What pictures show: a material, how it stands there, and their side in pixels."""


class Pace:
    """How large pictures may be so that each takes about as long as it should."""

    def __init__(self, seconds: float, side: int) -> None:
        self.seconds = seconds
        self.side = side
        """Of a square picture, in pixels."""

    def note(self, seconds: float) -> None:
        """A picture of that side took so long."""
        # In small steps: a single slow one, as when an environment is filtered, should not be seen for long.
        factor = min(max(math.sqrt(self.seconds / max(seconds, 1e-6)), 0.7), 1.3)
        self.side = min(max(round(self.side * factor), LEAST_SIDE), MOST_SIDE)


class Relit:
    """Shows a `MaterialView` on a stage that widgets and drags set.

    While something moves, the pictures are as large as there is time for; at rest they are drawn in full, beside the
    loop.
    """

    def __init__(self, ball: Canvas, plane: Canvas, material: MaterialView, stage: Stage, out: Path) -> None:
        self.ball, self.plane, self.material, self.stage, self.out = ball, plane, material, stage, out
        self.notice, self.failed = "", False
        self._pace = Pace(BUDGET_SECONDS, DRAFT_SIDE)
        self._painter = ThreadPoolExecutor(1, "easel-material")
        self._finer: tuple[Scene, Future[Pair]] | None = None
        """The pictures in full that are being drawn, and of what."""
        self._film: Future[Path] | None = None
        self._shown: Scene | None = None
        """What the pictures show now."""
        self._moved_at = -math.inf
        for canvas in (ball, plane):
            canvas.zoomable = False

    @property
    def settled(self) -> bool:
        """The pictures are drawn in full, and nothing else is under way."""
        return self._shown == (self.material, self.stage, self._full_side) and self._film is None

    def close(self) -> None:
        """Give up what is being drawn."""
        self._painter.shutdown(cancel_futures=True)

    def draw(self, controls: Panel) -> None:
        """A frame: the stage's widgets in `controls`, and the pictures after what they and the hand say."""
        stage = controls.edit(self._follow_hand(self.stage))
        if stage != self.stage:
            self.stage, self._moved_at = stage, time.perf_counter()
        controls.text_wrapped(HELP)
        with controls.row():
            if controls.button("Save pictures", help="As large as they are shown, and all in one."):
                self._attempt(self.save)
            with controls.enabled(self._film is None):
                if controls.button("Film a turn", help="A GIF of the ball and the plane, all the way around."):
                    self._film = self._painter.submit(film, self.material, stage, self.out / "turntable.gif", FILM_SIDE)
        if self._film is not None and self._film.done():
            done, self._film = self._film, None
            self._attempt(lambda: [done.result()])
        if self.notice:
            controls.text_wrapped(self.notice, color=ALARM if self.failed else None)
        self._bring_up_to_date()

    def save(self) -> list[Path]:
        """Write both pictures and the poster into the out folder; returns the files."""
        files = [self.out / name for name in ("ball.png", "plane.png", "preview.png")]
        ball, plane = _paint((self.material, self.stage, self._full_side), 2)
        pictures = (ball, plane, poster(ball, plane, self.material.maps))
        for file, picture in zip(files, pictures, strict=True):
            imwrite(file, picture)
        return files

    # The hand

    def _follow_hand(self, stage: Stage) -> Stage:
        """The stage after what was dragged over the pictures in this frame."""
        for canvas in (self.ball, self.plane):
            for stroke in canvas.strokes:
                end = _in_disk(canvas, stroke.end)
                if stroke.button == LAMP_BUTTON:
                    stage = _lamp_at(stage, *end)
                elif stroke.button == TURN_BUTTON:
                    start = _in_disk(canvas, stroke.start)
                    stage = _turned(stage, end[0] - start[0], end[1] - start[1], tilts=canvas is self.plane)
        return stage

    # The pictures

    @property
    def _full_side(self) -> int:
        """As many pixels as the screen has for the larger of both pictures."""
        sides = [int(min(area.width, area.height)) for c in (self.ball, self.plane) if (area := c.rectangle)]
        return min(max(*sides, LEAST_SIDE) if sides else USUAL_SIDE, MOST_SIDE)

    def _bring_up_to_date(self) -> None:
        wanted = self.material, self.stage, self._full_side
        if self._finer is not None and self._finer[1].done():
            (painted, future), self._finer = self._finer, None
            pair = future.result()
            if painted[:2] == wanted[:2]:
                self._show(pair, painted)
        if self._shown is None or self._shown[:2] != wanted[:2]:
            draft = self.material, self.stage, min(self._pace.side, self._full_side - 1)
            began = time.perf_counter()
            pair = _paint(draft, 1)
            self._pace.note(time.perf_counter() - began)
            self._show(pair, draft)
        elif self._shown != wanted and self._finer is None and self._film is None:
            if time.perf_counter() - self._moved_at > REST_SECONDS:
                self._finer = wanted, self._painter.submit(_paint, wanted, 2)

    def _show(self, pair: Pair, scene: Scene) -> None:
        self._shown = scene
        for canvas, picture in zip((self.ball, self.plane), pair, strict=True):
            canvas.bind(picture, live=False)

    def _attempt(self, write: Callable[[], list[Path]]) -> None:
        try:
            self.notice, self.failed = "Saved " + ", ".join(map(str, write())), False
        except (FileError, OSError) as error:
            self.notice, self.failed = str(error), True


def _paint(scene: Scene, samples: int) -> Pair:
    material, stage, side = scene
    return material.ball(stage, side, samples=samples), material.plane(stage, side, samples=samples)


def _in_disk(canvas: Canvas, point: Point) -> Point:
    """A point of a picture, right and up from its middle; its edges are at ±1."""
    height, width = canvas.size or (1, 1)
    return 2 * point[0] / width - 1, 1 - 2 * point[1] / height


def _lamp_at(stage: Stage, right: float | int, up: float | int) -> Stage:
    """The lamp above that point of a dome over the picture."""
    out = min(math.hypot(right, up), 1.0)
    elevation = max(math.degrees(math.acos(out)), LOWEST_DEGREES)
    azimuth = math.degrees(math.atan2(up, right)) if out > 0 else stage.lamp.azimuth
    return replace(stage, lamp=replace(stage.lamp, azimuth=round(azimuth, 1), elevation=round(elevation, 1)))


def _turned(stage: Stage, right: float | int, up: float | int, *, tilts: bool) -> Stage:
    """The stage after a drag by so many half pictures."""
    turn = (stage.turn - right * DEGREES_ACROSS / 2 + 180) % 360 - 180
    tilt = stage.tilt - up * DEGREES_ACROSS / 2 if tilts else stage.tilt
    return replace(stage, turn=round(turn, 1), tilt=round(min(max(tilt, 0.0), TILT_DEGREES), 1))
