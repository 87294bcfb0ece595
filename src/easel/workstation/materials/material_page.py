"""The page of `easel materials preview`: maps on a ball and on a plane, and the maps themselves."""

from pathlib import Path

from easel.materials.maps import MAP_NAMES
from easel.viewer.view import View
from easel.workstation.materials.material_view import MaterialView, Stage
from easel.workstation.materials.relighting import Relighting


class MaterialPage:
    """Joins a `MaterialView` to the panels and canvases of a `View`."""

    def __init__(self, view: View, material: MaterialView, stage: Stage, out: Path) -> None:
        self.view = view
        self.controls = view.panel("Stage", side="left", width=0.22)
        maps = view.panel("Maps", side="right", width=0.17)
        self.maps = [maps.canvas(name).bind(material.maps.picture(name), live=False) for name in MAP_NAMES]
        self.maps[0].link(*self.maps[1:])
        self.plane = view.panel("Plane", side="right", width=0.5).canvas("plane")
        self.ball = view.panel("Ball").canvas("ball")
        self.relighting = Relighting(self.ball, self.plane, material, stage, out)
        self.controls.on_frame(lambda: self.relighting.draw(self.controls))

    def close(self) -> None:
        """Stop drawing."""
        self.relighting.close()
