"""`easel materials preview`: four maps as a material, in a window or as a picture where nobody sits in front of one."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.console import BadInput, counted, prepare_folder, progress, require_folder
from easel.workstation.app import HostConfig, open_view

if TYPE_CHECKING:
    from easel.workstation.materials.material_view import MaterialView, Stage

KINDS = ("softbox", "studio", "sky", "room", "none")
"""Surroundings by name."""


@dataclass(frozen=True)
class PreviewConfig(HostConfig):
    """Look at a material: on a ball and on a plane, lit by a lamp that you move and by surroundings that you choose.

    Drag over a picture to move the lamp, with the right button to turn the material. Without a display, preview.png,
    ball.png and plane.png are written into --out.
    """

    maps_dir: Annotated[Positional[Path], tyro.conf.arg(metavar="MAPS_DIR")]
    """Folder with albedo.png, normal.png, roughness.png and metallic.png."""
    out: Path = Path("easel-out")
    """Folder for what is written."""
    light: Annotated[str, tyro.conf.arg(metavar="NAME|FILE")] = "studio"
    """Surroundings: softbox, studio, sky, room, none, or an .hdr or .exr file."""
    normal: Literal["opengl", "directx"] = "opengl"
    """Whether green is up (opengl) or down (directx) in normal.png."""
    repeats: float = 2.0
    """Tiles across the plane, 1 to 8."""
    exposure: float = 0.0
    """Stops, -4 to 4."""
    size: int = 512
    """Pixels across each picture of preview.png and of the film."""
    turntable: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Film the material as it turns: .gif, .mp4 or .webm."""
    frames: int = 72
    """Of that film."""


def preview(config: PreviewConfig) -> int:
    """Show the material, write what is asked for; returns 0."""
    for name, low, high in (("repeats", 1, 8), ("exposure", -4, 4), ("size", 16, 4096), ("frames", 1, 3600)):
        if not low <= getattr(config, name) <= high:
            raise BadInput(f"--{name} is {low} to {high}; got {getattr(config, name):g}.")
    require_folder(config.maps_dir, "MAPS_DIR")
    if config.turntable is not None:
        check_turntable(config.turntable)
    prepare_folder(config.out)
    material, stage = set_up(config)
    height, width = material.maps.size
    print(f"{config.maps_dir}: {width} x {height} texels")
    with open_view(f"Easel - {config.maps_dir.name}", config, (1400, 720)) as view:
        if not view.headless:
            from easel.workstation.materials.material_page import MaterialPage

            page = MaterialPage(view, material, stage, config.out)
            try:
                view.run()
            finally:
                page.close()
            stage = page.relit.stage
        else:
            write_pictures(material, stage, config)
    if config.turntable is not None:
        write_turntable(material, stage, config, config.turntable)
    return 0


def set_up(config: PreviewConfig) -> "tuple[MaterialView, Stage]":
    """The material, and the stage that the options ask for; FileError for what cannot be read."""
    from easel.materials.maps import MaterialMaps
    from easel.materials.rendering.environment import Environment
    from easel.workstation.materials.material_view import MaterialView, Stage, Surroundings

    environment, kind = None, config.light
    if kind not in KINDS:
        if Path(kind).suffix.lower() not in (".hdr", ".exr"):
            known = ", ".join(KINDS)
            near = difflib.get_close_matches(kind, KINDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise BadInput(f"unknown --light {kind!r}.{hint} Known: {known}, or an .hdr or .exr file.")
        environment, kind = Environment.load(config.light), "file"
    maps = MaterialMaps.load(config.maps_dir, normal=config.normal)
    stage = Stage(surroundings=Surroundings(kind), exposure=config.exposure, repeats=config.repeats)
    return MaterialView(maps, environment), stage


def write_pictures(material: "MaterialView", stage: "Stage", config: PreviewConfig) -> None:
    from easel.graphics.image import imwrite
    from easel.workstation.materials.material_film import poster

    ball, plane = material.ball(stage, config.size), material.plane(stage, config.size)
    for name, picture in (("preview", poster(ball, plane, material.maps)), ("ball", ball), ("plane", plane)):
        imwrite(config.out / f"{name}.png", picture)
        print(f"wrote {config.out / f'{name}.png'}")


def check_turntable(path: Path) -> None:
    from easel.graphics.video import check_film
    from easel.workstation.materials.material_film import FRAMES_PER_SECOND

    try:
        check_film(path, FRAMES_PER_SECOND)
    except ValueError as error:
        raise BadInput(str(error)) from None


def write_turntable(material: "MaterialView", stage: "Stage", config: PreviewConfig, path: Path) -> None:
    from easel.graphics.video import VideoWriter
    from easel.workstation.materials.material_film import FRAMES_PER_SECOND, turntable

    try:
        with VideoWriter(path, fps=FRAMES_PER_SECOND) as writer, progress("turning") as bar:
            for picture in counted(turntable(material, stage, config.frames, config.size), config.frames, bar):
                writer.append(picture)
    except ImportError as error:
        raise BadInput(str(error)) from None
    print(f"wrote {path}")
