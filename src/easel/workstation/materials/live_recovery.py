"""Maps from photos beside the loop: the newest request wins, and what it waits for is told."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from easel.checkpoint import MANIFEST
from easel.graphics.files import FileError
from easel.materials.maps import MaterialMaps
from easel.materials.recovery.photos import Photos, Rectify, read_pictures
from easel.materials.recovery.recovery import recover
from easel.materials.tiles import Window
from easel.materials.training.engine import DeviceError, pick_device
from easel.materials.training.run_files import Trained, load_generator, saved_runs

REFINEMENT_STEPS = 100
"""Of gradients, where maps are refined."""
SEEN_SIDE = 256
"""Of a photo as it is shown, in pixels."""


@dataclass(frozen=True)
class Options:
    """How maps are made of photos."""

    texels: Literal["as learned", "256", "512", "1024", "2048"] = "as learned"
    """Across the photos once they are in one frame; large ones go by tiles."""
    rectify: Rectify = "auto"
    """How photos come into one frame: by stored cameras, by matching, by corners, or not at all."""
    tileable: bool = False
    """Make maps that repeat without a seam."""
    refine: bool = False
    """Correct the maps until they look like the photos when they are lit as these were; takes a while."""


@dataclass(frozen=True)
class Request:
    """What maps are asked for."""

    photos: tuple[Path, ...]
    """Of one folder."""
    network: Path
    """A run's folder, a .pth or a .safetensors."""
    options: Options = Options()
    stamp: float = 0.0
    """When the network was saved: a training may save it anew under the same name."""


@dataclass(frozen=True, eq=False)
class Recovered:
    """Maps, and what they were made of."""

    request: Request
    maps: MaterialMaps
    seen: tuple[Float[Tensor, "side side 3"], ...]
    """The photos as the network saw them, in one frame."""
    names: tuple[str, ...]
    """Of the photos that were used."""
    how: Rectify
    """By what they came into one frame."""
    notes: tuple[str, ...]
    """What was left out and why."""
    step: int
    """Steps that the network was trained for."""
    seconds: float


class LiveRecovery:
    """A worker that makes maps of photos; what was asked for last is what it works on."""

    def __init__(self) -> None:
        self.found: Recovered | None = None
        self.problem = ""
        """Why the last request came to nothing, in one line."""
        self.progress = 0.0
        """Of what is being made, in [0, 1]."""
        self._asked: Request | None = None
        self._future: Future[Recovered] | None = None
        self._worker = ThreadPoolExecutor(1, "easel-recovery")
        self._photos: tuple[object, Photos] | None = None
        self._trained: tuple[object, Trained] | None = None

    @property
    def working(self) -> bool:
        return self._future is not None

    def ask(self, request: Request | None) -> None:
        """Make these maps, unless they were asked for last; None gives up what is being made."""
        if request == self._asked:
            return
        self._asked, self._future, self.progress, self.problem = request, None, 0.0, ""
        if request is not None:
            self._future = self._worker.submit(self._make, request)

    def poll(self) -> bool:
        """Take what is done; True where there are new maps."""
        if self._future is None or not self._future.done():
            return False
        future, self._future = self._future, None
        try:
            self.found = future.result()
        except (FileError, OSError, ValueError, DeviceError) as error:
            self.problem = str(error)
        except RuntimeError as error:
            self.problem = f"The network failed on these photos: {str(error).splitlines()[0]}"
        else:
            return True
        return False

    def forget(self) -> None:
        """As it was made."""
        self.ask(None)
        self.found = None

    def close(self) -> None:
        """Give up what is being made."""
        self.ask(None)
        self._worker.shutdown(cancel_futures=True)

    # In the worker

    def _make(self, request: Request) -> Recovered:
        began = time.perf_counter()
        self._tell(request, 0.0)
        key = request.photos, request.options.rectify
        if self._photos is None or self._photos[0] != key:
            self._photos = key, read_pictures(request.photos, request.options.rectify)
        self._tell(request, 0.0)
        if self._trained is None or self._trained[0] != (request.network, request.stamp):
            self._trained = (request.network, request.stamp), load_generator(request.network, pick_device("auto"))
        photos, trained = self._photos[1], self._trained[1]
        texels = request.options.texels
        maps, _ = recover(
            trained,
            photos,
            size=None if texels == "as learned" else int(texels),
            tileable=request.options.tileable,
            refinement=REFINEMENT_STEPS * request.options.refine,
            progress=lambda share: self._tell(request, share),
            refining=lambda step: self._tell(request, (step.index + 1) / REFINEMENT_STEPS),
        )
        pictures, valid = photos.cut(Window(0, 0, SEEN_SIDE, SEEN_SIDE), (SEEN_SIDE, SEEN_SIDE))
        return Recovered(
            request,
            maps,
            tuple((pictures * valid).permute(0, 2, 3, 1)),
            tuple(photo.path.name for photo in photos.photos),
            photos.how,
            photos.notes,
            trained.step,
            time.perf_counter() - began,
        )

    def _tell(self, request: Request, share: float | int) -> None:
        if request is not self._asked:
            raise SupersededError
        self.progress = float(share)


class SupersededError(Exception):
    """Something else was asked for meanwhile."""


def saved_at(network: Path) -> float:
    """When a network's file was written, or the newest of a run's; 0 where there is none."""
    files = [network / MANIFEST, *(run / MANIFEST for run in saved_runs(network))] if network.is_dir() else [network]
    return max((path.stat().st_mtime for path in files if path.exists()), default=0.0)


def strip(pictures: tuple[Float[Tensor, "side side 3"], ...], gap: int = 6) -> Float[Tensor, "h side 3"]:
    """Pictures below each other, on the colour of a panel."""
    paper = torch.tensor([0.098, 0.11, 0.133]).expand(gap, pictures[0].shape[1], 3)
    return torch.cat([part for picture in pictures for part in (paper, picture)][1:])
