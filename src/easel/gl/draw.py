"""Meshes, points and lines in space, drawn with depth into the framebuffer in use: a `target.Target`, say.

Matrices are clip-from-world as `graphics.camera` makes them. Colours are display-referred, and so is the picture; only
the light on a mesh is computed in linear light. A brush loads what it draws, and draws it as often as wanted; its
context must be current in every call.
"""

import math
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from easel.gl.programs import Number, TableProgram
from easel.graphics.color import srgb_to_linear
from easel.graphics.light import Light
from easel.graphics.mesh import Mesh

if TYPE_CHECKING:
    import moderngl

ALPHA_TO_COVERAGE = 0x809E
"""GL_SAMPLE_ALPHA_TO_COVERAGE, which moderngl has no name for."""


class MeshBrush:
    """Draws textured meshes under a light, both sides of them."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._table = TableProgram(context, "easel.gl", "mesh", "3f 3f 2f", ("position", "normal", "uv"))
        self._reach = math.inf
        """Largest distance of a closed mesh from the origin."""

    def load(self, mesh: Mesh) -> None:
        """Load the mesh to draw."""
        self._table.load(mesh.positions, mesh.normals, mesh.uv, triangles=mesh.triangles)
        # An open mesh, such as a plane, is looked at from both sides: nothing of it is ever culled.
        self._reach = mesh.positions.norm(dim=-1).max().item() if mesh.closed else math.inf

    def draw(
        self, clip_from_world: Float[Tensor, "4 4"], eye: Float[Tensor, "3"], texture: "moderngl.Texture", light: Light
    ) -> None:
        """Draw the loaded mesh with `texture` on it, seen from `eye`."""
        # `direction` is the way that light travels.
        to_light = -torch.nn.functional.normalize(torch.tensor(light.direction, dtype=torch.float32), dim=0)
        # A light's colour is chosen as it looks; the shader computes with light.
        color = srgb_to_linear(torch.tensor(light.color, dtype=torch.float32).clamp(min=0))
        diffuse, specular = (light.intensity, light.specular) if light.enabled else (0.0, 0.0)
        self._table.set(clip_from_world=clip_from_world, eye=eye, to_light=to_light, light=color, ambient=light.ambient)
        self._table.set(diffuse=diffuse, specular=specular, shininess=light.shininess)
        texture.use(0)
        # Dear ImGui's renderer binds samplers of its own, which would override the texture's filter.
        self._context.clear_samplers()
        # From outside a closed mesh, its far side would gleam through the edges of the near one.
        if eye.norm().item() > self._reach:
            self._context.enable(self._context.CULL_FACE)
        self._table.render(self._context.TRIANGLES)
        self._context.disable(self._context.CULL_FACE)

    def release(self) -> None:
        self._table.release()


class LineBrush(TableProgram):
    """Draws straight lines of any width; OpenGL's own are a single pixel wide.

    `load` takes their ends, (n, 2, 3), and their colours, (n, 3).
    """

    def __init__(self, context: "moderngl.Context") -> None:
        super().__init__(context, "easel.gl", "line", "3f 3f 3f/i", ("start", "end", "tint"))

    def draw(self, clip_from_world: Float[Tensor, "4 4"], width_pixels: Number) -> None:
        """Draw the loaded lines; they are as wide near as far."""
        self.set(clip_from_world=clip_from_world, size=self._context.fbo.size, width=width_pixels)
        # Four corners that the vertex shader moves apart by the width.
        self.render(self._context.TRIANGLE_STRIP, each=4)


class PointBrush(TableProgram):
    """Draws points as round discs. `load` takes (n, 3) positions and (n, 3) colours."""

    def __init__(self, context: "moderngl.Context") -> None:
        super().__init__(context, "easel.gl", "point", "3f 3f", ("position", "tint"))

    def draw(self, clip_from_world: Float[Tensor, "4 4"], diameter_pixels: Number) -> None:
        """Draw the loaded points; they are as large near as far."""
        context = self._context
        # A pixel without samples is taken or left; with them, the driver takes as many as the disc covers.
        least = 0.01 if context.fbo.samples else 0.5
        self.set(clip_from_world=clip_from_world, size=context.fbo.size)
        self.set(diameter=diameter_pixels, least_coverage=least)
        # By default OpenGL takes one size for all points, and ignores the shader's.
        context.enable(context.PROGRAM_POINT_SIZE)
        context.enable_direct(ALPHA_TO_COVERAGE)
        self.render(context.POINTS)
        # Other brushes' alpha is no coverage: left on, translucent things would be dithered.
        context.disable_direct(ALPHA_TO_COVERAGE)
        context.disable(context.PROGRAM_POINT_SIZE)
