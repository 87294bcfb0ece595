"""LiveRecovery: maps from photos beside the loop; the newest request wins."""

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from easel.graphics.contact_sheet import contact_sheet
from easel.graphics.files import FileError
from easel.materials.maps import MaterialMaps
from easel.materials.models.network_files import Trained, load_generator
from easel.materials.recovery.photos import Photos, Rectify, read_pictures
from easel.materials.recovery.recovery import recover
from easel.materials.tiles import Crop
from easel.materials.training.engine import DeviceError, pick_device
from easel.workstation.background import Background

REFINEMENT_STEPS = 100
"""Steps of gradient descent, where maps are refined."""
SEEN_SIDE = 256
"""Side of a photo as it is shown, in pixels."""


@dataclass(frozen=True)
class Options:
    """The settings that turn photos into maps."""

    texels: Literal["as learned", "256", "512", "1024", "2048"] = "as learned"
    """Across the photos once they are in one frame; large ones go by tiles."""
    rectify: Rectify = "auto"
    """Photos come into one frame by stored cameras, by matching, by corners, or not at all."""
    tileable: bool = False
    """Make maps that repeat without a seam."""
    refine: bool = False
    """Correct the maps until they look like the photos when they are lit as these were; takes a while."""


@dataclass(frozen=True)
class Request:
    """Photos, network and options from which maps are to be made."""

    photos: tuple[Path, ...]
    """Files of one folder."""
    network: Path
    """A run's folder, a .pth or a .safetensors."""
    options: Options = Options()
    stamp: float = 0.0
    """Time at which the network was saved: a training may save it anew under the same name."""


@dataclass(frozen=True, eq=False)
class RecoveredMaterial:
    """Maps, and the facts of their making."""

    request: Request
    maps: MaterialMaps
    seen: tuple[Float[Tensor, "side side 3"], ...]
    """The photos as the network saw them, in one frame."""
    names: tuple[str, ...]
    """Names of the photos that were used."""
    how: Rectify
    """The method that brought them into one frame."""
    notes: tuple[str, ...]
    """Photos that were left out, and why."""
    step: int
    """Steps that the network was trained for."""
    seconds: float

    @cached_property
    def picture(self) -> Float[Tensor, "h w 3"]:
        """The photos below each other, on about the colour of a panel."""
        return contact_sheet(self.seen, columns=1, gap=6, background=0.11)


class LiveRecovery:
    """Makes maps of photos in a thread, for the request that came last."""

    def __init__(self) -> None:
        self.found: RecoveredMaterial | None = None
        self.problem = ""
        """The error of the last request, in one line."""
        self._asked: Request | None = None
        self._worker = Background[RecoveredMaterial]("recovery")
        self._photos: tuple[object, Photos] | None = None
        self._trained: tuple[object, Trained] | None = None

    @property
    def working(self) -> bool:
        return self._worker.busy

    @property
    def progress(self) -> float:
        """Share of the present request that is done, in [0, 1]."""
        return self._worker.progress

    def ask(self, request: Request | None) -> None:
        """Make these maps, unless they were asked for last; None drops the request."""
        # Asked in every frame: only a change is a request.
        if request == self._asked:
            return
        self._asked = request
        self.problem = ""
        self._worker.drop()
        if request is not None:
            self._worker.start(self._make, request)

    def poll(self) -> bool:
        """Take the result of the request; True if there are new maps."""
        if not self._worker.done:
            return False
        try:
            self.found = self._worker.result()
            return True
        except (FileError, OSError, ValueError, DeviceError) as error:
            self.problem = str(error)
        # torch says on several lines where in its code it failed; the first one says what.
        except RuntimeError as error:
            self.problem = f"The network failed on these photos: {str(error).splitlines()[0]}"
        return False

    def forget(self) -> None:
        """Drop the request and the maps."""
        self.ask(None)
        self.found = None

    def close(self) -> None:
        """Drop the request, and end the thread."""
        self._worker.close()

    def _make(self, request: Request) -> RecoveredMaterial:
        """Make the maps, in the thread. Photos and network are kept: mostly the next request has them as well."""
        began = time.perf_counter()
        options = request.options
        report = self._worker.report
        report(0.0)
        key = request.photos, options.rectify
        if self._photos is None or self._photos[0] != key:
            self._photos = key, read_pictures(request.photos, options.rectify)
        # Between the two slow parts, so that a newer request has not to wait for both.
        report(0.0)
        saved = request.network, request.stamp
        if self._trained is None or self._trained[0] != saved:
            self._trained = saved, load_generator(request.network, pick_device("auto"))
        photos, trained = self._photos[1], self._trained[1]
        maps, _ = recover(
            trained,
            photos,
            size=None if options.texels == "as learned" else int(options.texels),
            tileable=options.tileable,
            refinement=REFINEMENT_STEPS * options.refine,
            progress=report,
            # The second bar over the same work: refinement takes most of the time, and begins anew at 0.
            refining=lambda step: report((step.index + 1) / REFINEMENT_STEPS),
        )
        # Where a photo does not reach the common frame it is black.
        pictures, valid = photos.cut(Crop(0, 0, SEEN_SIDE, SEEN_SIDE), (SEEN_SIDE, SEEN_SIDE))
        return RecoveredMaterial(
            request,
            maps,
            tuple((pictures * valid).permute(0, 2, 3, 1)),
            tuple(photo.path.name for photo in photos.photos),
            photos.how,
            photos.notes,
            trained.step,
            time.perf_counter() - began,
        )
