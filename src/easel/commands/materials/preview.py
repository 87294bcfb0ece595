"""`easel materials preview`: four maps as a material, in a window, or as pictures that show the same."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.console import BadInput, counted, explained, prepare_folder, progress, require_folder, suggestion
from easel.graphics.checked_record import Range
from easel.workstation.app import open_view
from easel.workstation.options import HostConfig

if TYPE_CHECKING:
    from easel.workstation.materials.material_view import MaterialView, Stage

KINDS = ("softbox", "studio", "sky", "room", "none")
"""Names of surroundings."""


@dataclass(frozen=True)
class PreviewConfig(HostConfig):
    """Look at a material: on a ball and on a plane, lit by a lamp that you move and by surroundings that you choose.

    Drag over a picture to move the lamp, with the right button to turn the material. Without a display, preview.png,
    ball.png and plane.png are written into --out.
    """

    maps_dir: Annotated[Positional[Path], tyro.conf.arg(metavar="MAPS_DIR")]
    """Folder with albedo.png, normal.png, roughness.png and metallic.png."""
    out: Path = Path("easel-out")
    """Folder for the files."""
    light: Annotated[str, tyro.conf.arg(metavar="NAME|FILE")] = "studio"
    """Surroundings: softbox, studio, sky, room, none, or an .hdr or .exr file."""
    normal: Literal["opengl", "directx"] = "opengl"
    """Green is up (opengl) or down (directx) in normal.png."""
    repeats: Annotated[float, Range(1, 8)] = 2.0
    """Tiles across the plane, 1 to 8."""
    exposure: Annotated[float, Range(-4, 4)] = 0.0
    """Stops, -4 to 4."""
    size: Annotated[int, Range(16, 4096)] = 512
    """Pixels across each picture of preview.png and of the film."""
    turntable: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Film the material as it turns: .gif, .mp4 or .webm."""
    frames: Annotated[int, Range(1, 3600)] = 72
    """Frames of that film."""


def preview(config: PreviewConfig) -> int:
    """Show the material and write the files that are asked for; returns 0."""
    require_folder(config.maps_dir, "MAPS_DIR")
    if config.turntable is not None:
        check_turntable(config.turntable)
    prepare_folder(config.out)
    material, stage = set_up(config)
    height, width = material.maps.size
    print(f"{config.maps_dir}: {width} x {height} texels")
    with open_view(f"Easel - {config.maps_dir.name}", config, (1400, 720)) as view:
        if view.headless:
            write_pictures(material, stage, config)
        else:
            from easel.workstation.materials.material_page import MaterialPage

            with closing(MaterialPage(view, material, stage, config.out)) as page:
                view.run()
            # The film is of the material as it was left.
            stage = page.relighting.stage
    if config.turntable is not None:
        write_turntable(material, stage, config, config.turntable)
    return 0


def set_up(config: PreviewConfig) -> "tuple[MaterialView, Stage]":
    """Return the material, and the stage that the options describe; FileError for a file that cannot be read."""
    from easel.graphics.picture_formats import SCENE_LINEAR_SUFFIXES
    from easel.materials.maps import MaterialMaps
    from easel.materials.rendering.environment import Environment
    from easel.workstation.materials.material_view import MaterialView, Stage, Surroundings

    kind = config.light
    environment = None
    if kind not in KINDS:
        if Path(kind).suffix.lower() not in SCENE_LINEAR_SUFFIXES:
            known = ", ".join(KINDS)
            hint = suggestion(kind, KINDS)
            raise BadInput(f"unknown --light {kind!r}.{hint} Known: {known}, or an .hdr or .exr file.")
        environment = Environment.load(kind)
        kind = "file"
    # After the light: a misspelt name is found without reading four maps.
    maps = MaterialMaps.load(config.maps_dir, normal=config.normal)
    stage = Stage(surroundings=Surroundings(kind), exposure=config.exposure, repeats=config.repeats)
    return MaterialView(maps, environment), stage


def write_pictures(material: "MaterialView", stage: "Stage", config: PreviewConfig) -> None:
    """Write the ball, the plane, and both with the maps in one picture."""
    from easel.graphics.image import imwrite
    from easel.workstation.materials.material_view import poster

    ball, plane = material.ball(stage, config.size), material.plane(stage, config.size)
    for name, picture in (("preview", poster(ball, plane, material.maps)), ("ball", ball), ("plane", plane)):
        imwrite(config.out / f"{name}.png", picture)
        print(f"wrote {config.out / f'{name}.png'}")


def check_turntable(path: Path) -> None:
    """Raise BadInput for a file that cannot become a film, before anything is drawn."""
    from easel.graphics.video import check_film
    from easel.workstation.materials.material_view import FRAMES_PER_SECOND

    with explained():
        check_film(path, FRAMES_PER_SECOND)


def write_turntable(material: "MaterialView", stage: "Stage", config: PreviewConfig, path: Path) -> None:
    """Write the film, with a progress bar; BadInput without the package that its format needs."""
    from easel.graphics.video import VideoWriter
    from easel.workstation.materials.material_view import FRAMES_PER_SECOND, turntable

    # The package for MP4 and WebM is asked for when the film begins, not when its name is checked.
    told = explained(errors=ImportError)
    with told, VideoWriter(path, fps=FRAMES_PER_SECOND) as writer, progress("turning") as bar:
        for picture in counted(turntable(material, stage, config.frames, config.size), config.frames, bar):
            writer.append(picture)
    print(f"wrote {path}")
