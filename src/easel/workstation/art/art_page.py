"""The Art page: a random field to fly through, sliders for its traits, and variations to go on from."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.files.sample_files import RECIPE_SUFFIXES
from easel.graphics.files import FileError
from easel.graphics.video import FILM_SUFFIXES
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.loupe import NOTCH
from easel.viewer.canvas.recording import free_path
from easel.viewer.imgui.theme import ALARM, QUIET
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.pages import Page
from easel.viewer.widgets.widgets import Combo, Slider, SliderInt
from easel.workstation.art.art_session import FILMS, ArtSession
from easel.workstation.art.genome import LATENT_REACH, MOST_SEED, Varied
from easel.workstation.art.painting import Painting
from easel.workstation.art.variations import COUNT, SIDE, framed_sheet, number_at
from easel.workstation.art.viewport import Size, Viewport
from easel.workstation.page import State, WorkstationPage

VARIED: dict[str, Varied] = {"Latent": "latent", "Weights": "weights", "Everything": "everything"}
SHAPES: dict[str, float | None] = {
    "As seen": None,
    "Square": 1.0,
    "16:9": 16 / 9,
    "3:2": 1.5,
    "2:3": 2 / 3,
    "9:16": 9 / 16,
}
"""Width / height of a saved picture or film."""
LENGTH = SliderInt(64, 32_768, 4096, log=True)
"""The longer side of a saved picture, in pixels."""
FILM_LENGTH = 512
FRAMES_PER_SECOND = 24
USUAL_SIZE = 512, 512
"""(rows, columns) of the picture as long as no panel has been laid out."""
LEAST_SIDE = 16
MOST_PIXELS = 4096 * 2160
STRIP = 9
"""Entries of the history that are shown."""
LEFT, MIDDLE = 0, 2  # buttons of the mouse
RECIPES = [("Pictures with a recipe", " ".join(f"*{suffix}" for suffix in RECIPE_SUFFIXES)), ("All files", "*.*")]
HELP = "Drag to move, turn the wheel to zoom, double-click for the whole picture."


class ArtPage(WorkstationPage):
    """Joins an `ArtSession` and its `Painting` to widgets and canvases."""

    name = "Art"

    def __init__(self, page: Page, out: Path) -> None:
        super().__init__(page, out)
        self.session = ArtSession(note=page.note_edit)
        self.painting = Painting()
        self.notice = ""
        self.failed = False
        self.size: Size = USUAL_SIZE
        """(rows, columns) of the picture on the screen."""
        self._bound: dict[str, object] = {}
        """Content of each canvas, by name."""
        self.controls = page.panel("Field", side="left", width=0.22)
        self.breeding = page.panel("Variations", side="right", width=0.31)
        self.past = page.panel("History", side="bottom", width=0.19)
        self.view = page.panel("Picture")
        self.picture = self.view.canvas("picture")
        self.variations = self.breeding.canvas("variations")
        self.history = self.past.canvas("history")
        for canvas in (self.picture, self.variations, self.history):
            # Wheel and drags move the viewport instead.
            canvas.zoomable = False
        self.controls.on_frame(self.draw_controls)
        self.breeding.on_frame(self.draw_breeding)
        self.past.on_frame(self.draw_history)
        self.view.on_frame(self.draw_picture)

    @property
    def settled(self) -> bool:
        """True once everything is painted and no file is being written."""
        return self.painting.settled and self.session.variations.count == COUNT and self.session.job is None

    def advance(self) -> None:
        """Request the picture in the viewport, and show everything that was painted since the last frame."""
        session = self.session
        variations = session.variations
        self.painting.show(session.genome, session.viewport, self.size)
        self._show(self.picture, self._picture, self.painting.version)
        self._show(self.variations, variations.sheet, (variations, variations.count))
        # The first thumbnail to be painted is the present entry's own.
        past = session.entry, len(session.history), variations.count > 0
        self._show(self.history, self._strip, past)
        self._end_job()

    def _show(self, canvas: Canvas, picture: Callable[[], Tensor], content: object) -> None:
        """Bind the tensor that `picture` makes, unless the canvas has this content already."""
        if canvas.name not in self._bound or self._bound[canvas.name] != content:
            # Compared by content, not by picture: making the picture is what is to be saved.
            self._bound[canvas.name] = content
            canvas.bind(picture(), live=False)

    def background(self) -> None:
        self._end_job()

    def close(self) -> None:
        self.painting.close()
        self.session.close()

    def open(self, path: Path) -> bool:
        """Explore the recipe of a picture or of a saved field; False for a file without one."""
        try:
            opened = self.session.open(path)
        except FileError as error:
            self._say(str(error), failed=True)
            return True
        if opened:
            self._say(f"Opened {path.name}.")
        return opened

    def state(self) -> State:
        return self.session.state()

    def restore(self, state: State) -> None:
        self.session.restore(state)

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
        """Draw the same kind of field anew."""
        genome = self.session.genome
        self.session.change(genome.with_traits(replace(genome.traits, seed=secrets.randbelow(MOST_SEED))))

    def surprise(self) -> None:
        """Draw any field at all."""
        self.session.grow(secrets.randbelow(MOST_SEED))

    def new_variations(self) -> None:
        """Draw other variations of the same picture."""
        self.session.vary_anew()

    def show_whole(self) -> None:
        """Show the whole picture again."""
        self.session.viewport = Viewport()

    def save(self) -> None:
        """Write the picture in the viewport, in the size that is chosen."""
        if self.session.job is None:
            name = f"art-{self.session.genome.recipe.seed}.png"
            # The palette may ask for this before the panel was ever drawn: the widget's own default then holds.
            longest = self.breeding.get("Longer side", LENGTH.default)
            self.session.save(free_path(self.out / name), self._saved_size(longest))

    def film(self) -> None:
        """Write the film that is chosen."""
        if self.session.job is None:
            kind = FILMS[self.breeding.get("Film", 0)]
            suffix = FILM_SUFFIXES[self.breeding.get("Format", 0)]
            path = free_path(self.out / f"{kind.replace(' ', '-')}{suffix}")
            # A film needs two frames to have a beginning and an end.
            frames = max(round(self.breeding.get("Seconds", 4.0) * FRAMES_PER_SECOND), 2)
            self.session.film(path, kind, self._saved_size(FILM_LENGTH), frames, FRAMES_PER_SECOND)

    # Controls

    def draw_controls(self) -> None:
        """Draw the sliders of the field's traits and latent."""
        controls = self.controls
        session = self.session
        with controls.row():
            with controls.enabled(session.genome.is_seeded):
                if controls.button("New seed", help="The same kind of field, drawn anew."):
                    self.new_seed()
            if controls.button("Surprise me", help="Any field at all."):
                self.surprise()
        path = controls.file_dialog("Open ...", title="Open a picture that Easel painted", filters=RECIPES)
        if path and not self.open(Path(path)):
            self._say(f"{Path(path).name} holds no recipe. PNG and TIFF files that Easel painted do.", failed=True)
        if self.notice:
            controls.text_wrapped(self.notice, color=ALARM if self.failed else QUIET)
        controls.section("Field")
        # A change of its traits would draw new weights in place of the learned ones.
        if not session.genome.is_seeded:
            controls.text_wrapped("Its weights were learned from a picture: zoom, save and film it, or breed others.")
            return
        # Not edits of the panel: undo takes back the genome, and the sliders follow it.
        with controls.unnoted():
            self._draw_traits()
            self._draw_latent()

    def _draw_traits(self) -> None:
        genome = self.session.genome
        wanted = self.controls.edit(genome.traits)
        if wanted == genome.traits:
            return
        changed = next(name for name in vars(wanted) if getattr(wanted, name) != getattr(genome.traits, name))
        try:
            self.session.change(genome.with_traits(wanted), changed)
        except ValueError as error:
            self._say(str(error), failed=True)

    def _draw_latent(self) -> None:
        genome = self.session.genome
        if not genome.latent:
            return
        self.controls.section("Latent")
        latent = list(genome.latent)
        for index, value in enumerate(genome.latent):
            slider = Slider(-LATENT_REACH, LATENT_REACH, 0.0)
            given = slider.accept(value)
            answer = self.controls.ask(f"z{index + 1}", slider, "A number of the latent.", given=given)
            # The slider may round: a number that nobody has moved keeps its bits.
            if answer != given:
                latent[index] = answer
        if tuple(latent) != genome.latent and genome is self.session.genome:
            self.session.change(genome.with_latent(tuple(latent)), "latent")

    # The picture

    def draw_picture(self) -> None:
        """Act on wheel and drags over the picture, and draw the line below it."""
        if self.picture.rectangle is not None:
            self._measure()
            self._follow_mouse()
        self.view.text(self._where(), color=QUIET)

    def _measure(self) -> None:
        """Set the size of the picture to the room that the panel has above the line of text."""
        spacing = imgui.get_style().item_spacing.y
        height = imgui.get_cursor_pos_y() - imgui.get_cursor_start_pos().y - spacing
        width = imgui.get_content_region_avail().x
        size = max(int(height), LEAST_SIDE), max(int(width), LEAST_SIDE)
        # A window that is dragged over several screens must not make the painter run out of memory.
        if size[0] * size[1] <= MOST_PIXELS:
            self.size = size

    def _follow_mouse(self) -> None:
        canvas = self.picture
        viewport = self.session.viewport
        size = canvas.size or self.size
        for stroke in canvas.strokes:
            if stroke.button in (LEFT, MIDDLE):
                by = stroke.end[0] - stroke.start[0], stroke.end[1] - stroke.start[1]
                # Each stroke is the part since the last frame: together they are the whole drag.
                viewport = viewport.dragged(by, size)
        # Else the wheel would zoom the picture while the pointer is over another panel.
        if canvas.mouse is not None:
            notches = imgui.get_io().mouse_wheel
            if notches:
                viewport = viewport.magnified(NOTCH**notches, canvas.mouse, size)
            if imgui.is_mouse_double_clicked(LEFT):
                viewport = Viewport()
        self.session.viewport = viewport

    def _where(self) -> str:
        if self.painting.failure:
            return self.painting.failure
        viewport, share = self.session.viewport, self.painting.progress
        row, column = viewport.center
        place = f"{viewport.zoom[1]:.4g} x   row {row:+.5g}  column {column:+.5g}"
        return f"{place}   painting {share:.0%}" if share < 1 else f"{place}   {HELP}"

    def _picture(self) -> Float[Tensor, "h w c"]:
        draft = self.painting.draft
        return torch.zeros(*self.size, 3) if draft is None else draft.picture

    # Variations

    def draw_breeding(self) -> None:
        """Draw the widgets of the variations and of the files, and go on to a variation that is clicked."""
        breeding = self.breeding
        session = self.session
        number = _clicked(self.variations, SIDE, COUNT)
        if number is not None:
            session.choose(number)
        names = list(VARIED)
        given = list(VARIED.values()).index(session.varied)
        help = "What sets them apart: the numbers of the latent, the weights, or everything."
        session.varied = VARIED[names[breeding.ask("Vary", Combo.of(names, 0), help, given=given)]]
        with breeding.enabled(session.varied == "latent"):
            strength = Slider(0.02, 2.0, 0.15, log=True, format="%.2f")
            help = "How far they are from the one in the middle."
            session.strength = breeding.ask("Strength", strength, help, given=session.strength)
        if breeding.button("New variations", width=-1, help="Click a picture to go on from there."):
            self.new_variations()
        self._draw_saving()

    def _draw_saving(self) -> None:
        breeding = self.breeding
        job = self.session.job
        breeding.section("Save")
        breeding.combo("Shape", list(SHAPES), help="Of what is saved; its middle is that of the screen.")
        breeding.ask("Longer side", LENGTH, "In pixels; Ctrl+click types any number.")
        breeding.combo("Film", FILMS, help="A flight to where you are, or a walk of the latent that closes.")
        breeding.combo("Format", FILM_SUFFIXES, help="MP4 and WebM need imageio-ffmpeg.")
        breeding.slider("Seconds", 1.0, 20.0, default=4.0, format="%.1f")
        with breeding.row(), breeding.enabled(job is None):
            if breeding.button("Save picture", help="As it is seen, with its recipe inside: drop it here to go on."):
                self.save()
            if breeding.button("Save film"):
                self.film()
        if job is not None:
            breeding.progress(job.progress, overlay=f"{job.path.name}  {job.progress:.0%}")
            if breeding.button("Give up"):
                job.give_up()

    def _end_job(self) -> None:
        job = self.session.job
        if job is None or not job.done:
            return
        self.session.job = None
        failure = job.failure()
        self._say(failure or f"Saved {job.path}", failed=bool(failure))
        if not failure:
            # In a browser the person's disk is another one than the program's.
            self.page.hand_out(job.path)

    # History

    def draw_history(self) -> None:
        """Go to an entry of the history that is clicked."""
        shown = self._shown_entries()
        number = _clicked(self.history, STRIP, len(shown))
        if number is not None:
            self.session.go(shown[number])

    def _shown_entries(self) -> range:
        """Return the indices of the entries that are shown: the last ones up to the entry after the present."""
        # One entry beyond the present one, so that there is something to click to go on again.
        last = min(max(self.session.position + 2, STRIP), len(self.session.history))
        return range(max(last - STRIP, 0), last)

    def _strip(self) -> Float[Tensor, "h w 3"]:
        shown = self._shown_entries()
        session = self.session
        pictures = [session.thumbnail(session.history[index]) for index in shown]
        pictures += [None] * (STRIP - len(pictures))
        return framed_sheet(pictures, STRIP, session.position - shown.start)

    # Files

    def _saved_size(self, longest: int) -> Size:
        """Return (rows, columns) of a file whose longer side has so many pixels."""
        aspect = list(SHAPES.values())[self.breeding.get("Shape", 0)] or self.size[1] / self.size[0]
        return max(round(longest / max(aspect, 1.0)), 1), max(round(longest * min(aspect, 1.0)), 1)

    def _say(self, notice: str, *, failed: bool = False) -> None:
        self.notice = notice
        self.failed = failed


def _clicked(canvas: Canvas, columns: int, count: int) -> int | None:
    """Return the number of the thumbnail on a canvas that was clicked in this frame."""
    for stroke in canvas.strokes:
        if stroke.begins and stroke.button == LEFT:
            return number_at(stroke.start, columns, count)
    return None
