"""ArtStudio: what the Art page explores, apart from its widgets: a specimen, its litter, its past, and its files."""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

from torch import Tensor

from easel.fields.artist.inrf import INRF, INRF2D
from easel.fields.artist.recipe import Recipe
from easel.fields.artist.storage import read_metadata
from easel.fields.films.film import latent_film, latent_keys, write_film
from easel.fields.films.schedules import schedule
from easel.fields.model.latents import Fields
from easel.graphics.files import FileError
from easel.workstation.art.genome import Specimen, Way, first, seedling
from easel.workstation.art.variations import PARENT, Litter
from easel.workstation.art.viewport import Place, Size

SUFFIXES = (".png", ".tif", ".tiff", ".safetensors")
"""Files that may hold a recipe."""
MOST_STEPS = 200
"""Back."""
KEYS = 4
"""Latents that a walk passes before it comes back to the first."""
FLIGHT = 8.0
"""How far a zoom goes where nothing is magnified yet."""
FILMS = ("zoom", "latent walk")
Report = Callable[[float], object]


@dataclass(eq=False)
class Moment:
    """A step of the exploration."""

    specimen: Specimen
    place: Place
    thumbnail: Tensor | None = None


Note = Callable[[str, Callable[[], object], Callable[[], object]], bool]
"""Takes what a person changed, how to take it back, and how to repeat it; True where that goes on with the last."""


class GivenUp(Exception):  # noqa: N818 - a person's wish
    """Nobody wants the file any more."""


class Job:
    """A file that is being written beside the loop."""

    def __init__(self, path: Path, executor: ThreadPoolExecutor, write: Callable[[Path, Report], object]) -> None:
        self.path, self.share = path, 0.0
        self._given_up = False
        self._future: Future[object] = executor.submit(write, path, self._report)

    @property
    def done(self) -> bool:
        return self._future.done()

    def give_up(self) -> None:
        self._given_up = True

    def outcome(self) -> str:
        """Why there is no file; "" when there is."""
        try:
            self._future.result()
        except GivenUp:
            return f"Gave up {self.path.name}."
        except (FileError, OSError, ValueError, ImportError, MemoryError) as error:
            return " ".join(str(error).split()) or type(error).__name__
        return ""

    def _report(self, share: float) -> None:
        self.share = share
        if self._given_up:
            raise GivenUp


class ArtStudio:
    """One exploration."""

    def __init__(self, specimen: Specimen | None = None, note: Note = lambda what, undo, redo: False) -> None:
        self._note = note
        self.moments = [Moment(specimen or first(), Place())]
        self.now = 0
        """Which of the moments is seen."""
        self.way: Way = "latent"
        self.strength = 0.15
        self.generation = 0
        self.job: Job | None = None
        self._breeder = ThreadPoolExecutor(1, "easel-breeder")
        self._writer = ThreadPoolExecutor(1, "easel-writer")
        self._litter: Litter | None = None

    @property
    def moment(self) -> Moment:
        return self.moments[self.now]

    @property
    def specimen(self) -> Specimen:
        return self.moment.specimen

    @property
    def place(self) -> Place:
        return self.moment.place

    @place.setter
    def place(self, place: Place) -> None:
        self.moment.place = place

    def close(self) -> None:
        """Give up whatever is under way."""
        if self._litter is not None:
            self._litter.given_up = True
        if self.job is not None:
            self.job.give_up()
        for executor in (self._breeder, self._writer):
            executor.shutdown(cancel_futures=True)

    # Exploring

    def change(self, specimen: Specimen, trait: str = "", *, place: Place | None = None) -> None:
        """Go on to another specimen; the moments after this one are forgotten.

        While a hand turns one `trait`, all of its turn is one moment.
        """
        if specimen is self.specimen:
            return
        before, after = self.moment, Moment(specimen, place or self.place)
        goes_on = self._note(trait, partial(self._stand_at, before), partial(self._stand_at, after))
        self._append(after, instead=goes_on)

    def go(self, to: int) -> None:
        """Back, or on again, to one of the moments."""
        before, after = self.moment, self.moments[min(max(to, 0), len(self.moments) - 1)]
        if after is not before:
            self._note("", partial(self._stand_at, before), partial(self._stand_at, after))
            self._stand_at(after)

    def breed_anew(self) -> None:
        """Other offspring of the same specimen."""
        before, after = self.generation, self.generation + 1
        self._note("", partial(setattr, self, "generation", before), partial(setattr, self, "generation", after))
        self.generation = after

    def _stand_at(self, moment: Moment) -> None:
        """See a moment again, also one that was forgotten."""
        if moment in self.moments:
            self.now = self.moments.index(moment)
        else:
            self._append(moment)

    def _append(self, moment: Moment, *, instead: bool = False) -> None:
        """Put a moment after the one that is seen, or in its place."""
        self.moments = [*self.moments[: self.now + (not instead)], moment][-MOST_STEPS:]
        self.now = len(self.moments) - 1

    def grow(self, seed: int) -> None:
        """A field of which the seed decides everything."""
        self.change(seedling(seed), place=Place())

    @property
    def litter(self) -> Litter:
        """The offspring of the specimen, as they are bred now."""
        wanted = (self.specimen, self.way, self.strength, self.generation)
        old = self._litter
        if old is None or (old.parent, old.way, old.strength, old.generation) != wanted:
            if old is not None:
                old.given_up = True
            self._litter = Litter(*wanted)
            self._litter.paint_in(self._breeder)
        assert self._litter is not None
        return self._litter

    def breed(self, number: int) -> bool:
        """Go on to one of the offspring; False where it is not painted yet."""
        litter = self.litter
        specimen = litter.specimens[number]
        if specimen is None or specimen is self.specimen:
            return False
        self.change(specimen, place=Place() if self.way == "everything" else None)
        self.moment.thumbnail = litter.thumbnails[number]
        return True

    def thumbnail(self, moment: Moment) -> Tensor | None:
        """Of a step, when there is one; asked for, it will be painted."""
        if moment.thumbnail is None and moment.specimen is self.specimen:
            moment.thumbnail = self.litter.thumbnails[PARENT]
        return moment.thumbnail

    # Files

    def open(self, path: Path) -> bool:
        """Explore the recipe of a file; False where it holds none, FileError where it cannot be used."""
        if path.suffix.lower() not in SUFFIXES:
            return False
        if path.suffix.lower() != ".safetensors":
            try:
                read_metadata(path)
            except FileError as error:
                if "holds no recipe" in str(error):  # a photograph, for another page
                    return False
                raise
        model = _model_of(path)
        self._go_on(Specimen.of(model), Place.of(model.recipe.window, model.recipe.size))
        return True

    def save(self, path: Path, size: Size, supersample: int = 2) -> None:
        """Begin to write the picture as it is seen, at any size; `job` tells how far it is."""
        specimen, fields = self.specimen, Fields(size, self.place.window)

        def write(path: Path, report: Report) -> None:
            specimen.model.generate(fields=fields, out=path, dtype="uint8", supersample=supersample, progress=report)

        self.job = Job(path, self._writer, write)

    def film(self, path: Path, kind: str, size: Size, frames: int, fps: int) -> None:
        """Begin to film a flight to where the picture is seen, or a walk of its latent around to where it began."""
        specimen, place = self.specimen, self.place

        def write(path: Path, report: Report) -> None:
            flight = _flight(specimen, place, size, frames) if kind == "zoom" else _walk(specimen, place, size, frames)
            write_film(path, _told(flight, frames, report), fps=fps)

        self.job = Job(path, self._writer, write)

    # Sessions

    def state(self) -> dict[str, object]:
        """What brings the exploration back, without its past, as plain data."""
        given = self.specimen.given
        return {
            "recipe": self.specimen.recipe.to_json() if given is None else given.metadata(),
            "from_file": given is not None,
            "place": self.place.to_json(),
            "way": self.way,
            "strength": self.strength,
            "generation": self.generation,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Come back to what `state` told; ValueError, KeyError or TypeError where that makes no sense."""
        place, way, strength = Place.from_json(state["place"]), state["way"], float(state["strength"])
        generation = state["generation"]
        if way not in get_args(Way):
            raise ValueError(f"unknown way {way!r}. Known: {', '.join(get_args(Way))}.")
        if not isinstance(generation, int) or generation < 0 or not 0 <= strength <= 4:
            raise ValueError(f"generations count from 0, and strength is 0 to 4; got {generation!r} and {strength}.")
        data = state["recipe"]
        if not isinstance(data, dict):
            raise TypeError(f"a recipe is an object; got {type(data).__name__}.")
        try:
            specimen = Specimen.of(INRF2D.from_metadata(data)) if state["from_file"] else _drawn(data)
            self._go_on(specimen, place)
        except FileError as error:
            raise ValueError(str(error)) from None
        self.way, self.strength, self.generation = way, strength, generation

    def _go_on(self, specimen: Specimen, place: Place) -> None:
        """Explore what was made elsewhere; FileError for what no canvas shows."""
        channels = specimen.recipe.output_shape[-1]
        if channels not in (1, 3, 4):
            raise FileError(f"the recipe has {channels} channels; pictures that can be shown have 1, 3 or 4.")
        self.change(specimen, place=place)


def _drawn(data: dict[str, Any]) -> Specimen:
    """The specimen of a recipe as it is bred, without weights or colours of its own."""
    specimen = Specimen(Recipe.from_json(data))
    if specimen.recipe.dimensions != 2 or not specimen.breeds:
        raise ValueError("the recipe is not of a picture that its seed draws.")
    return specimen


def _model_of(path: Path) -> INRF:
    try:
        return INRF2D.from_metadata(path)
    except ValueError as error:
        raise FileError(f"cannot use the recipe of {str(path)!r}: {error}") from None


def _flight(specimen: Specimen, place: Place, size: Size, frames: int) -> Iterator[Tensor]:
    """Towards what is in the middle, from the whole picture on."""
    zoom = math.sqrt(place.zoom[0] * place.zoom[1])
    begin, end = (1 / zoom, 1.0) if zoom > 1 else (1.0, FLIGHT)
    for factor in schedule("geometric", begin, end, frames):
        fields = Fields(size, Place(place.center, (place.zoom[0] * factor, place.zoom[1] * factor)).window)
        yield specimen.model.generate(fields=fields, supersample=2, dtype="uint8")


def _walk(specimen: Specimen, place: Place, size: Size, frames: int) -> Iterator[Tensor]:
    """Through the latents that come next, and back."""
    model = specimen.model
    keys, zoom = latent_keys(model, KEYS), place.stretched(size)
    return latent_film(model, keys, frames, zoom=zoom, center=place.center, size=size, supersample=2)


def _told(pictures: Iterable[Tensor], count: int, report: Report) -> Iterator[Tensor]:
    for number, picture in enumerate(pictures, 1):
        report((number - 1) / count)
        yield picture
