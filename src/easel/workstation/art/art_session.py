"""ArtSession: the exploration behind the Art page: a genome, its variations, the way that led to it, and its files."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

from torch import Tensor

from easel.fields.artist.inrf import INRF2D
from easel.fields.artist.recipe import Recipe
from easel.fields.artist.storage import read_metadata
from easel.fields.files.sample_files import RECIPE_SUFFIXES
from easel.fields.films.film import latent_film, latent_keys, write_film
from easel.fields.films.schedules import schedule
from easel.fields.model.latents import Fields
from easel.graphics.files import FileError
from easel.workstation.art.genome import Genome, Varied, initial_genome, random_genome
from easel.workstation.art.variations import PARENT, Variations
from easel.workstation.art.viewport import Size, Viewport
from easel.workstation.background import Background, Dropped

MOST_STEPS = 200
"""Entries of the history, at most."""
KEYS = 4
"""Latents that a walk passes before it comes back to the first."""
FLIGHT = 8.0
"""Magnification that a zoom ends with where nothing is magnified yet."""
FILMS = ("zoom", "latent walk")
Report = Callable[[float], object]


@dataclass(eq=False)
class HistoryEntry:
    """A genome of the exploration, and the part of it that was looked at."""

    genome: Genome
    viewport: Viewport
    thumbnail: Tensor | None = None


Note = Callable[[str, Callable[[], object], Callable[[], object]], bool]
"""Records an edit: its name, its undo and its redo; True if it continues the last edit of that name."""


class FileJob:
    """A file that is being written in the background."""

    def __init__(self, path: Path, writer: Background[object], write: Callable[[Path, Report], object]) -> None:
        self.path = path
        self._writer = writer
        self._given_up = False
        writer.start(write, path, self._report)

    @property
    def progress(self) -> float:
        """Share that is written, in [0, 1]."""
        return self._writer.progress

    @property
    def done(self) -> bool:
        return self._writer.done

    def give_up(self) -> None:
        """Stop at the next report, and leave no file."""
        self._given_up = True

    def failure(self) -> str:
        """Return the reason, in one line, why there is no file; empty if there is one."""
        try:
            self._writer.result()
        except Dropped:
            return f"Gave up {self.path.name}."
        except (FileError, OSError, ValueError, ImportError, MemoryError) as error:
            return " ".join(str(error).split()) or type(error).__name__
        return ""

    def _report(self, share: float) -> None:
        # Not by `Background.drop`: the job stays until its half-written file is gone.
        if self._given_up:
            raise Dropped
        self._writer.report(share)


class ArtSession:
    """One exploration; `note` records its edits for undo and redo."""

    def __init__(self, genome: Genome | None = None, note: Note = lambda what, undo, redo: False) -> None:
        self._note = note
        self.history = [HistoryEntry(genome or initial_genome(), Viewport())]
        self.position = 0
        """Index of the entry that is shown."""
        self.varied: Varied = "latent"
        self.strength = 0.15
        self.generation = 0
        self.job: FileJob | None = None
        self._painter = Background[None]("variations")
        self._writer = Background[object]("art-writer")
        self._variations: Variations | None = None

    @property
    def entry(self) -> HistoryEntry:
        """The entry of the history that is shown."""
        return self.history[self.position]

    @property
    def genome(self) -> Genome:
        return self.entry.genome

    @property
    def viewport(self) -> Viewport:
        return self.entry.viewport

    @viewport.setter
    def viewport(self, viewport: Viewport) -> None:
        self.entry.viewport = viewport

    def close(self) -> None:
        """Stop painting and writing."""
        if self.job is not None:
            self.job.give_up()
        self._painter.close()
        self._writer.close()

    # Exploring

    def change(self, genome: Genome, trait: str = "", *, viewport: Viewport | None = None) -> None:
        """Go on to another genome; the entries after the present one are forgotten.

        All changes of one `trait`, as long as a person holds its slider, are one entry.
        """
        if genome is self.genome:
            return
        before = self.entry
        after = HistoryEntry(genome, viewport or self.viewport)
        continues = self._note(trait, partial(self._return_to, before), partial(self._return_to, after))
        self._append(after, instead=continues)

    def go(self, to: int) -> None:
        """Go back, or on again, to one of the entries."""
        before = self.entry
        after = self.history[min(max(to, 0), len(self.history) - 1)]
        if after is not before:
            self._note("", partial(self._return_to, before), partial(self._return_to, after))
            self._return_to(after)

    def vary_anew(self) -> None:
        """Draw other variations of the same genome."""
        before, after = self.generation, self.generation + 1
        self._note("", partial(setattr, self, "generation", before), partial(setattr, self, "generation", after))
        self.generation = after

    def _return_to(self, entry: HistoryEntry) -> None:
        """Show an entry again, also one that was forgotten."""
        if entry in self.history:
            self.position = self.history.index(entry)
        else:
            self._append(entry)

    def _append(self, entry: HistoryEntry, *, instead: bool = False) -> None:
        """Put an entry after the present one, or in its place."""
        # A new list: entries after the present one live on in the edits that may redo them.
        self.history = [*self.history[: self.position + (not instead)], entry][-MOST_STEPS:]
        self.position = len(self.history) - 1

    def grow(self, seed: int) -> None:
        """Go on to a field of which the seed decides everything."""
        self.change(random_genome(seed), viewport=Viewport())

    @property
    def variations(self) -> Variations:
        """The variations of the present genome; they are painted from the first call on."""
        wanted = (self.genome, self.varied, self.strength, self.generation)
        old = self._variations
        if old is not None and (old.parent, old.varied, old.strength, old.generation) == wanted:
            return old
        # Its painting takes the place of the one before, which ends after its present thumbnail.
        self._variations = Variations(*wanted)
        self._painter.start(self._variations.paint, self._painter)
        return self._variations

    def choose(self, number: int) -> bool:
        """Go on to one of the variations; False if it is not painted yet."""
        variations = self.variations
        genome = variations.genomes[number]
        # The one in the middle is where one is already.
        if genome is None or genome is self.genome:
            return False
        # A field that has nothing in common with this one has nothing to see at the same place.
        self.change(genome, viewport=Viewport() if self.varied == "everything" else None)
        self.entry.thumbnail = variations.thumbnails[number]
        return True

    def thumbnail(self, entry: HistoryEntry) -> Tensor | None:
        """Return the thumbnail of an entry; None until its variations are painted."""
        if entry.thumbnail is None and entry.genome is self.genome:
            entry.thumbnail = self.variations.thumbnails[PARENT]
        return entry.thumbnail

    # Files

    def open(self, path: Path) -> bool:
        """Explore the recipe of a file; False if it holds none, FileError if it cannot be used."""
        suffix = path.suffix.lower()
        if suffix not in RECIPE_SUFFIXES:
            return False
        # Any PNG may be dropped: whether there is a recipe in it decides if this page is meant.
        if suffix != ".safetensors":
            try:
                read_metadata(path)
            except FileError as error:
                if "holds no recipe" in str(error):  # a photograph, for another page
                    return False
                raise
        try:
            model = INRF2D.from_metadata(path)
        except ValueError as error:
            raise FileError(f"cannot use the recipe of {str(path)!r}: {error}") from None
        self._go_on(Genome.of(model), Viewport.of(model.recipe.window, model.recipe.size))
        return True

    def save(self, path: Path, size: Size, supersample: int = 2) -> None:
        """Begin to write the picture in the viewport, at any size; `job` is its progress."""
        genome = self.genome
        fields = Fields(size, self.viewport.extent)

        def write(path: Path, report: Report) -> None:
            genome.model.generate(fields=fields, out=path, dtype="uint8", supersample=supersample, progress=report)

        self.job = FileJob(path, self._writer, write)

    def film(self, path: Path, kind: str, size: Size, frames: int, fps: int) -> None:
        """Begin to film a flight into the viewport, or a walk of its latent around to where it began."""
        # Taken now: the person goes on exploring while the film is painted.
        make = {"zoom": _flight, "latent walk": _walk}[kind]
        genome = self.genome
        viewport = self.viewport

        def write(path: Path, report: Report) -> None:
            write_film(path, _reported(make(genome, viewport, size, frames), frames, report), fps=fps)

        self.job = FileJob(path, self._writer, write)

    # Sessions

    def state(self) -> dict[str, object]:
        """Return the exploration, without its history, as plain data."""
        given = self.genome.given
        return {
            "recipe": self.genome.recipe.to_json() if given is None else given.metadata(),
            "from_file": given is not None,
            "place": self.viewport.to_json(),
            "way": self.varied,
            "strength": self.strength,
            "generation": self.generation,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Return to what `state` gave; ValueError, KeyError or TypeError for data that it never gives."""
        viewport = Viewport.from_json(state["place"])
        varied = state["way"]
        strength = float(state["strength"])
        generation = state["generation"]
        if varied not in get_args(Varied):
            raise ValueError(f"unknown way {varied!r}. Known: {', '.join(get_args(Varied))}.")
        if not isinstance(generation, int) or generation < 0 or not 0 <= strength <= 4:
            raise ValueError(f"generations count from 0, and strength is 0 to 4; got {generation!r} and {strength}.")
        data = state["recipe"]
        if not isinstance(data, dict):
            raise TypeError(f"a recipe is an object; got {type(data).__name__}.")
        try:
            genome = Genome.of(INRF2D.from_metadata(data)) if state["from_file"] else _seeded(data)
            self._go_on(genome, viewport)
        except FileError as error:
            raise ValueError(str(error)) from None
        # Last, so that a session that is refused has changed nothing.
        self.varied = varied
        self.strength = strength
        self.generation = generation

    def _go_on(self, genome: Genome, viewport: Viewport) -> None:
        """Explore a genome that was made elsewhere; FileError for one that no canvas shows."""
        # A field may have any number of channels; a canvas cannot say which of them are colours.
        channels = genome.recipe.output_shape[-1]
        if channels not in (1, 3, 4):
            raise FileError(f"the recipe has {channels} channels; pictures that can be shown have 1, 3 or 4.")
        self.change(genome, viewport=viewport)


def _seeded(data: dict[str, Any]) -> Genome:
    """Return the genome of a recipe that has no weights or colours of its own."""
    genome = Genome(Recipe.from_json(data))
    if genome.recipe.dimensions != 2 or not genome.is_seeded:
        raise ValueError("the recipe is not of a picture that its seed draws.")
    return genome


def _flight(genome: Genome, viewport: Viewport, size: Size, frames: int) -> Iterator[Tensor]:
    """Fly towards the middle of the viewport, from the whole picture on."""
    zoom = math.sqrt(viewport.zoom[0] * viewport.zoom[1])
    begin, end = (1 / zoom, 1.0) if zoom > 1 else (1.0, FLIGHT)
    # Geometric: equal factors from frame to frame are seen as an even speed.
    for factor in schedule("geometric", begin, end, frames):
        zooms = viewport.zoom[0] * factor, viewport.zoom[1] * factor
        fields = Fields(size, Viewport(viewport.center, zooms).extent)
        yield genome.model.generate(fields=fields, supersample=2, dtype="uint8")


def _walk(genome: Genome, viewport: Viewport, size: Size, frames: int) -> Iterator[Tensor]:
    """Walk through the latents that come next, and back to the first."""
    model = genome.model
    # The extent of a film has one aspect for all sizes; the viewport's is that of the screen.
    keys, zoom = latent_keys(model, KEYS), viewport.stretched(size)
    return latent_film(model, keys, frames, zoom=zoom, center=viewport.center, size=size, supersample=2)


def _reported(pictures: Iterable[Tensor], count: int, report: Report) -> Iterator[Tensor]:
    """Yield the pictures, and report before each the share that is done."""
    for number, picture in enumerate(pictures):
        report(number / count)
        yield picture
