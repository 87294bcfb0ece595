"""The Art page: a random field to fly through, sliders for what it is made of, and offspring to breed from."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.files import FileError
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.loupe import NOTCH
from easel.viewer.canvas.recording import free_path
from easel.viewer.imgui.theme import ALARM, QUIET
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.page import Page
from easel.viewer.widgets.widgets import Combo, Slider, SliderInt
from easel.workstation.art.art_session import FILMS, SUFFIXES, ArtStudio
from easel.workstation.art.genome import LATENT_REACH, MOST_SEED, Way
from easel.workstation.art.painting import Painting
from easel.workstation.art.variations import SIDE, framed_sheet, place_at
from easel.workstation.art.viewport import Place, Size
from easel.workstation.page import State, WorkstationPage

WAYS: dict[str, Way] = {"Latent": "latent", "Weights": "weights", "Everything": "everything"}
SHAPES: dict[str, float | None] = {
    "As seen": None,
    "Square": 1.0,
    "16:9": 16 / 9,
    "3:2": 1.5,
    "2:3": 2 / 3,
    "9:16": 9 / 16,
}
"""Width / height of what is saved."""
LENGTH = SliderInt(64, 32_768, 4096, log=True)
"""The longer side of a saved picture, in pixels."""
FILM_LENGTH = 512
FRAMES_PER_SECOND = 24
FORMATS = (".gif", ".mp4", ".webm")
USUAL_SIZE = 512, 512
"""Of the picture where no screen says how large it may be."""
LEAST_SIDE, MOST_PIXELS = 16, 4096 * 2160
STRIP = 9
"""Steps of the history that are seen."""
LEFT, MIDDLE = 0, 2
RECIPES = [("Pictures with a recipe", " ".join(f"*{suffix}" for suffix in SUFFIXES)), ("All files", "*.*")]
HELP = "Drag to move, turn the wheel to zoom, double-click for the whole picture."


class ArtPage(WorkstationPage):
    """Joins an `ArtStudio` and its `Painting` to widgets and canvases."""

    name = "Art"

    def __init__(self, page: Page, out: Path) -> None:
        super().__init__(page, out)
        self.studio, self.painting = ArtStudio(note=page.note_edit), Painting()
        self.notice, self.failed = "", False
        self.size: Size = USUAL_SIZE
        """Of the picture on the screen."""
        self._seen: dict[str, object] = {}
        """What the canvases show now, by name."""
        self.controls = page.panel("Field", side="left", width=0.22)
        self.breeding = page.panel("Variations", side="right", width=0.31)
        self.past = page.panel("History", side="bottom", width=0.19)
        self.view = page.panel("Picture")
        self.picture = self.view.canvas("picture")
        self.variations = self.breeding.canvas("variations")
        self.history = self.past.canvas("history")
        for canvas in (self.picture, self.variations, self.history):
            canvas.zoomable = False
        self.controls.on_frame(self.draw_controls)
        self.breeding.on_frame(self.draw_breeding)
        self.past.on_frame(self.draw_history)
        self.view.on_frame(self.draw_picture)

    @property
    def settled(self) -> bool:
        """Everything is painted, and no file is being written."""
        return self.painting.settled and self.studio.litter.count == SIDE * SIDE and self.studio.job is None

    def advance(self) -> None:
        """Have painted what is to be seen, and take in what was."""
        self.painting.show(self.studio.specimen, self.studio.place, self.size)
        litter = self.studio.litter
        self._show(self.picture, self._picture, self.painting.version)
        self._show(self.variations, litter.sheet, (litter, litter.count))
        past = self.studio.moment, len(self.studio.moments), litter.count > 0
        self._show(self.history, self._strip, past)
        self._end_job()

    def _show(self, canvas: Canvas, picture: Callable[[], Tensor], content: object) -> None:
        """Bind what `picture` makes, unless the canvas has this content already."""
        if canvas.name not in self._seen or self._seen[canvas.name] != content:
            self._seen[canvas.name] = content
            canvas.bind(picture(), live=False)

    def background(self) -> None:
        self._end_job()

    def close(self) -> None:
        self.painting.close()
        self.studio.close()

    def open(self, path: Path) -> bool:
        """Take in the recipe of a picture or of a saved field."""
        try:
            opened = self.studio.open(path)
        except FileError as error:
            self._say(str(error), failed=True)
            return True
        if opened:
            self._say(f"Opened {path.name}.")
        return opened

    def state(self) -> State:
        return self.studio.state()

    def restore(self, state: State) -> None:
        self.studio.restore(state)

    def actions(self) -> dict[str, Callable[[], object]]:
        return {
            "New seed": self.new_seed,
            "New variations": self.new_variations,
            "Surprise me": self.surprise,
            "Whole picture": self.show_whole,
            "Save picture": self.save,
            "Film": self.film,
        }

    # Actions

    def new_seed(self) -> None:
        """The same kind of field, drawn anew."""
        specimen = self.studio.specimen
        self.studio.change(specimen.with_traits(replace(specimen.traits, seed=secrets.randbelow(MOST_SEED))))

    def surprise(self) -> None:
        """Any field at all."""
        self.studio.grow(secrets.randbelow(MOST_SEED))

    def new_variations(self) -> None:
        """Other offspring of the same picture."""
        self.studio.breed_anew()

    def show_whole(self) -> None:
        self.studio.place = Place()

    def save(self) -> None:
        """Write the picture as it is seen, in the size that is chosen."""
        if self.studio.job is None:
            name = f"art-{self.studio.specimen.recipe.seed}.png"
            self.studio.save(
                free_path(self.out / name), self._saved_size(self.breeding.get("Longer side", LENGTH.default))
            )

    def film(self) -> None:
        """Write the film that is chosen."""
        if self.studio.job is None:
            kind, suffix = FILMS[self.breeding.get("Film", 0)], FORMATS[self.breeding.get("Format", 0)]
            path = free_path(self.out / f"{kind.replace(' ', '-')}{suffix}")
            frames = max(round(self.breeding.get("Seconds", 4.0) * FRAMES_PER_SECOND), 2)
            self.studio.film(path, kind, self._saved_size(FILM_LENGTH), frames, FRAMES_PER_SECOND)

    # Controls

    def draw_controls(self) -> None:
        controls, studio = self.controls, self.studio
        with controls.row():
            with controls.enabled(studio.specimen.breeds):
                if controls.button("New seed", help="The same kind of field, drawn anew."):
                    self.new_seed()
            if controls.button("Surprise me", help="Any field at all."):
                self.surprise()
        if path := controls.file_dialog("Open ...", title="Open a picture that Easel painted", filters=RECIPES):
            self._open_asked(Path(path))
        if self.notice:
            controls.text_wrapped(self.notice, color=ALARM if self.failed else QUIET)
        controls.section("Field")
        if not studio.specimen.breeds:
            controls.text_wrapped("Its weights were learned from a picture: zoom, save and film it, or breed others.")
            return
        with controls.unnoted():
            self._draw_traits()
            self._draw_latent()

    def _draw_traits(self) -> None:
        specimen = self.studio.specimen
        wanted = self.controls.edit(specimen.traits)
        if wanted == specimen.traits:
            return
        turned = next(name for name in vars(wanted) if getattr(wanted, name) != getattr(specimen.traits, name))
        try:
            self.studio.change(specimen.with_traits(wanted), turned)
        except ValueError as error:
            self._say(str(error), failed=True)

    def _draw_latent(self) -> None:
        specimen = self.studio.specimen
        if not specimen.latent:
            return
        self.controls.section("Latent")
        turned = list(specimen.latent)
        for index, value in enumerate(specimen.latent):
            slider = Slider(-LATENT_REACH, LATENT_REACH, 0.0)
            given = slider.accept(value)
            answer = self.controls.ask(f"z{index + 1}", slider, "A number of the latent.", given=given)
            if answer != given:
                turned[index] = answer
        if tuple(turned) != specimen.latent and specimen is self.studio.specimen:
            self.studio.change(specimen.with_latent(tuple(turned)), "latent")

    # The picture

    def draw_picture(self) -> None:
        if self.picture.rectangle is not None:
            self._measure()
            self._follow_hand()
        self.view.text(self._where(), color=QUIET)

    def _measure(self) -> None:
        """As many pixels as the panel has room for above the line of text."""
        spacing = imgui.get_style().item_spacing.y
        height = imgui.get_cursor_pos_y() - imgui.get_cursor_start_pos().y - spacing
        width = imgui.get_content_region_avail().x
        size = max(int(height), LEAST_SIDE), max(int(width), LEAST_SIDE)
        if size[0] * size[1] <= MOST_PIXELS:
            self.size = size

    def _follow_hand(self) -> None:
        canvas, place, size = self.picture, self.studio.place, self.picture.size or self.size
        for stroke in canvas.strokes:
            if stroke.button in (LEFT, MIDDLE):
                place = place.dragged((stroke.end[0] - stroke.start[0], stroke.end[1] - stroke.start[1]), size)
        if canvas.mouse is not None:
            if notches := imgui.get_io().mouse_wheel:
                place = place.magnified(NOTCH**notches, canvas.mouse, size)
            if imgui.is_mouse_double_clicked(LEFT):
                place = Place()
        self.studio.place = place

    def _where(self) -> str:
        place = self.studio.place
        words = f"{place.zoom[1]:.4g} x   row {place.center[0]:+.5g}  column {place.center[1]:+.5g}"
        if self.painting.failure:
            return self.painting.failure
        share = self.painting.progress
        return f"{words}   painting {share:.0%}" if share < 1 else f"{words}   {HELP}"

    def _picture(self) -> Float[Tensor, "h w c"]:
        draft = self.painting.draft
        return torch.zeros(*self.size, 3) if draft is None else draft.picture

    # Breeding

    def draw_breeding(self) -> None:
        breeding, studio = self.breeding, self.studio
        for stroke in self.variations.strokes:
            if stroke.begins and stroke.button == LEFT:
                number = place_at(stroke.start, SIDE, SIDE * SIDE)
                if number is not None:
                    studio.breed(number)
        names = list(WAYS)
        given = list(WAYS.values()).index(studio.way)
        help = "What sets them apart: the numbers of the latent, the weights, or everything."
        studio.way = WAYS[names[breeding.ask("Vary", Combo.of(names, 0), help, given=given)]]
        with breeding.enabled(studio.way == "latent"):
            strength = Slider(0.02, 2.0, 0.15, log=True, format="%.2f")
            help = "How far they are from the one in the middle."
            studio.strength = breeding.ask("Strength", strength, help, given=studio.strength)
        if breeding.button("New variations", width=-1, help="Click a picture to go on from there."):
            self.new_variations()
        self._draw_saving()

    def _draw_saving(self) -> None:
        breeding, job = self.breeding, self.studio.job
        breeding.section("Save")
        breeding.combo("Shape", list(SHAPES), help="Of what is saved; its middle is that of the screen.")
        breeding.ask("Longer side", LENGTH, "In pixels; Ctrl+click types any number.")
        breeding.combo("Film", FILMS, help="A flight to where you are, or a walk of the latent that closes.")
        breeding.combo("Format", FORMATS, help="MP4 and WebM need imageio-ffmpeg.")
        breeding.slider("Seconds", 1.0, 20.0, default=4.0, format="%.1f")
        with breeding.row(), breeding.enabled(job is None):
            if breeding.button("Save picture", help="As it is seen, with its recipe inside: drop it here to go on."):
                self.save()
            if breeding.button("Save film"):
                self.film()
        if job is not None:
            breeding.progress(job.share, overlay=f"{job.path.name}  {job.share:.0%}")
            if breeding.button("Give up"):
                job.give_up()

    def _end_job(self) -> None:
        job = self.studio.job
        if job is None or not job.done:
            return
        self.studio.job, failure = None, job.outcome()
        self._say(failure or f"Saved {job.path}", failed=bool(failure))
        if not failure:
            self.page.hand_out(job.path)

    # History

    def draw_history(self) -> None:
        for stroke in self.history.strokes:
            if stroke.begins and stroke.button == LEFT:
                number = place_at(stroke.start, STRIP, len(self._shown_moments()))
                if number is not None:
                    self.studio.go(self._shown_moments()[number])

    def _shown_moments(self) -> range:
        """The numbers of the steps that are seen."""
        last = min(max(self.studio.now + 2, STRIP), len(self.studio.moments))
        return range(max(last - STRIP, 0), last)

    def _strip(self) -> Float[Tensor, "h w 3"]:
        shown, studio = self._shown_moments(), self.studio
        pictures = [studio.thumbnail(studio.moments[number]) for number in shown]
        blank: list[Tensor | None] = [None] * (STRIP - len(pictures))
        return framed_sheet([*pictures, *blank], STRIP, studio.now - shown.start)

    # What the widgets hold

    def _saved_size(self, longest: int) -> Size:
        """(rows, columns) of a file whose longer side has so many pixels."""
        aspect = list(SHAPES.values())[self.breeding.get("Shape", 0)] or self.size[1] / self.size[0]
        height, width = (longest / aspect, longest) if aspect >= 1 else (longest, longest * aspect)
        return max(round(height), 1), max(round(width), 1)

    def _open_asked(self, path: Path) -> None:
        if not self.open(path):
            self._say(f"{path.name} holds no recipe. PNG and TIFF files that Easel painted do.", failed=True)

    def _say(self, notice: str, *, failed: bool = False) -> None:
        self.notice, self.failed = notice, failed
