"""SceneView: a tensor on a lit surface that a person turns with the mouse, with points, lines and frusta around it."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Shaped
from PIL import Image
from torch import Tensor

from easel.gl.draw import MeshBrush
from easel.gl.target import Target
from easel.gl.texture import PictureTexture
from easel.graphics import mesh
from easel.graphics.camera import PIXELS_PER_NOTCH, Camera, project
from easel.graphics.image import as_picture, check_tensor, resize
from easel.graphics.light import Light
from easel.viewer.canvas.placement import LEAST_PIXELS, Renderer
from easel.viewer.canvas.pointer_input import pointer
from easel.viewer.imgui.arguments import checked_attribute
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.scenery import AMBER, Brushes, Frustum, Item, Lines, Numbers, PointCloud
from easel.viewer.window import Window, window_in_use

if TYPE_CHECKING:
    import moderngl

SOLIDS = {"sphere": mesh.sphere, "cube": mesh.cube}
GEOMETRIES = ("plane", *SOLIDS, "heightfield")
SAMPLES = (1, 2, 4, 8, 16, 32, 64)
HEIGHTFIELD_CORNERS = 128
"""Corners along the longer side of a heightfield."""


class SceneView:
    """Shows a tensor on a plane, sphere, cube or heightfield; any number of them, each with its own camera and light.

        scene = easel.SceneView(geometry="sphere")
        scene.set_tensor(picture)
        panel.on_frame(scene.render)

    Call `render` in a panel's `on_frame`, or inside a window of `easel.ui`. Dragging with the left button orbits, with
    the right one pans; the wheel and the middle button zoom. A mouse turns the same `camera` that a program sets.
    """

    def __init__(
        self, name: str = "SceneView", width: int = 800, height: int = 600, msaa: int = 4, *, geometry: str = "plane"
    ) -> None:
        self.name = name
        self.width, self.height = width, height
        """Size in pixels, where the room for it is not known."""
        self.camera = Camera()
        self.light = Light()
        self.relief: Number = 0.3
        """Height of white above black in a heightfield, in world units."""
        self.rectangle: Rectangle | None = None
        """The picture's rectangle in the window, in pixels; None while it is not shown."""
        self.mouse: tuple[float, float] | None = None
        """The pointer in the picture's pixels, (0, 0) at its upper left corner; None while it is elsewhere."""
        self.scenery: list[Item] = []
        """Points, lines and frusta around the surface."""
        self.msaa = msaa
        self.geometry = geometry
        self.background = (0.12, 0.12, 0.14)
        self.most_samples = max(SAMPLES)
        """The driver's maximum per pixel; known once something was drawn."""
        self._tensor: Shaped[Tensor, "h w c"] | None = None

    def __repr__(self) -> str:
        return f"SceneView({self.name!r}, geometry={self.geometry!r})"

    @checked_attribute
    def msaa(self, value: int) -> int:
        """Requested samples per pixel, against jagged edges: 1, 2, 4, 8, 16, 32 or 64."""
        if value not in SAMPLES:
            raise ValueError(f"msaa is one of {', '.join(map(str, SAMPLES))}; got {value!r} for scene {self.name!r}.")
        return value

    @property
    def samples(self) -> int:
        """Samples per pixel that the driver gives; those requested as long as nothing was drawn."""
        return min(self.msaa, self.most_samples)

    @checked_attribute
    def geometry(self, value: str) -> str:
        """The surface of the tensor: "plane", "sphere", "cube" or "heightfield"."""
        if value not in GEOMETRIES:
            raise ValueError(f"unknown geometry {value!r} for scene {self.name!r}. Known: {', '.join(GEOMETRIES)}.")
        return value

    @checked_attribute
    def background(self, value: Numbers) -> tuple[float, float, float]:
        """Red, green and blue behind the scene, display-referred, in [0, 1]."""
        try:
            # Also refuses a number, and more or fewer than three of them.
            red, green, blue = map(float, value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"background of scene {self.name!r} is red, green and blue; got {value!r}.") from error
        return red, green, blue

    def set_tensor(self, tensor: Tensor | np.ndarray | Image.Image | None) -> None:
        """Show `tensor`, as a canvas would, from now on: writing into it is enough to see it change. None shows none.

        RuntimeError without a window.
        """
        # Only to complain early: without a window nothing will ever show the scene.
        window_in_use(None)
        self._tensor = None if tensor is None else check_tensor(tensor, f"scene {self.name!r}")

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) in pixels on screen; None while it is not shown."""
        return None if self.rectangle is None else (round(self.rectangle.height), round(self.rectangle.width))

    def add_points(self, positions: Numbers, colors: Numbers = AMBER, *, size: Number = 6.0) -> PointCloud:
        """Add round points at (N, 3), `size` pixels across; `colors` is one for all or (N, 3)."""
        self.scenery.append(points := PointCloud(positions, colors, size))
        return points

    def add_lines(self, segments: Numbers, colors: Numbers = AMBER, *, width: Number = 2.0) -> Lines:
        """Add lines from [:, 0] to [:, 1] of (N, 2, 3), `width` pixels wide; `colors` is one for all or (N, 3)."""
        self.scenery.append(lines := Lines(segments, colors, width))
        return lines

    def add_frustum(
        self,
        pose: Numbers,
        fov_degrees: Number = 45.0,
        aspect: Number = 4 / 3,
        *,
        depth: Number = 0.3,
        color: Numbers = AMBER,
        width: Number = 2.0,
    ) -> Frustum:
        """Add the field of view of a camera at `pose` (4, 4), camera to world: a pyramid that is `depth` deep.

        The camera looks along its own -Z with +Y up; `fov_degrees` is vertical, `aspect` its width / height.
        """
        self.scenery.append(frustum := Frustum(pose, fov_degrees, aspect, depth, color, width))
        return frustum

    def remove(self, item: Item) -> None:
        """Remove points, lines or a frustum from the scene."""
        self.scenery.remove(item)

    def pick(self, points: PointCloud) -> int | None:
        """Return the index of the point under the pointer, of several the one in front; None if there is none.

        The surface hides no point here.
        """
        if self.mouse is None or self.size is None or not points.visible:
            return None
        positions = points.positions.cpu().float()
        x, y, depth = project(positions, self.camera.pose(), self.camera.fov, self.size).unbind(-1)
        # In front of the camera only: points behind it project into the picture as well.
        hit = (torch.hypot(x - self.mouse[0], y - self.mouse[1]) <= points.size / 2) & (depth > 0)
        # The nearest of those that are hit: all others are infinitely far away.
        return int(depth.where(hit, torch.inf).argmin()) if hit.any() else None

    def render(self, width: Number = 0, height: Number = 0) -> None:
        """Show the scene as the next item, as large as the free region or as `width` and `height` in pixels say.

        Without an open window of the interface around the call, nothing happens.
        """
        # Out of sight until the end of this call proves otherwise.
        self.rectangle = self.mouse = None
        window = Window._current
        if window is None or not window.is_inside:
            return
        at = imgui.get_cursor_screen_pos()
        free = imgui.get_content_region_avail()
        # Next to nothing is free below other widgets, or in a window that takes its size from its content: there the
        # scene's own size holds.
        width = _extent(width, free.x, self.width)
        height = _extent(height, free.y, self.height)
        # Whole pixels: drawn between two of them, the picture would be blurred.
        room = Rectangle(round(at.x), round(at.y), max(int(width), 1), max(int(height), 1))
        imgui.set_cursor_screen_pos((room.x, room.y))
        flags = imgui.ButtonFlags_
        buttons = flags.mouse_button_left | flags.mouse_button_right | flags.mouse_button_middle
        # An item of its own: it catches drags that would move the window, and tells hovering.
        imgui.invisible_button(f"##scene {id(self)}", (room.width, room.height), buttons)
        self.follow_mouse()
        # Scrolled away: the mouse may still hold it, but nothing needs drawing.
        if not imgui.is_item_visible():
            return
        self.rectangle = room
        if imgui.is_item_hovered():
            # From window pixels to the picture's.
            x, y = pointer()
            self.mouse = x - room.x, y - room.y
        number = window.pictures.draw(self, (int(room.height), int(room.width)))
        corner = room.x + room.width, room.y + room.height
        # OpenGL has drawn its first row at the bottom.
        imgui.get_window_draw_list().add_image(imgui.ImTextureRef(number), room[:2], corner, (0, 1), (1, 0))

    def renderer(self, context: "moderngl.Context") -> Renderer:
        """Return the renderer of this scene in `context`."""
        return SceneRenderer(context)

    def picture(self) -> Shaped[Tensor, "h w c"] | None:
        """Return the tensor that is shown."""
        return self._tensor

    def follow_mouse(self) -> None:
        """Move the camera by the mouse over the item just drawn; a drag goes on outside until it is released."""
        io = imgui.get_io()
        moved = io.mouse_delta
        if imgui.is_item_active():
            if imgui.is_mouse_down(imgui.MouseButton_.left):
                self.camera.orbit(moved.x, moved.y)
            elif imgui.is_mouse_down(imgui.MouseButton_.right):
                self.camera.pan(moved.x, moved.y)
            elif imgui.is_mouse_down(imgui.MouseButton_.middle):
                self.camera.zoom(-moved.y / PIXELS_PER_NOTCH)
        imgui.set_item_key_owner(imgui.Key.mouse_wheel_y)  # else the panel scrolls, too
        if imgui.is_item_hovered() and io.mouse_wheel:
            self.camera.zoom(io.mouse_wheel)


class SceneRenderer:
    """Draws a scene in one OpenGL context."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._target = Target(context)
        self._texture = PictureTexture(context)
        self._surface = MeshBrush(context)
        self._brushes = Brushes(context)
        self._loaded: tuple[str, Number] | None = None

    def draw(self, scene: SceneView, size: tuple[int, int]) -> "moderngl.Texture":
        """Return a texture of `size` = (height, width) with the scene; its first row is at the bottom."""
        # Told to the scene here: only a context knows the driver's limit.
        scene.most_samples = self._context.max_samples
        self._target.begin(size, scene.samples, scene.background)
        clip_from_world = scene.camera.clip_from_world(size[1] / size[0])
        if (picture := scene.picture()) is not None:
            self._load_surface(scene, picture)
            texture = self._texture.upload(picture)
            # A surface seen from the side shows many texels in one pixel.
            texture.build_mipmaps()
            self._surface.draw(clip_from_world, scene.camera.pose()[:3, 3], texture, scene.light)
        for item in scene.scenery:
            if item.visible:
                item.draw(self._brushes, clip_from_world)
        return self._target.finish()

    def _load_surface(self, scene: SceneView, picture: Shaped[Tensor, "h w c"]) -> None:
        height, width = picture.shape[:2]
        wanted = scene.geometry, width / height
        if scene.geometry == "heightfield":
            # In every frame: writing into the tensor moves its corners.
            self._surface.load(mesh.heightfield(scene.relief * _brightness(picture), width / height))
        # The other solids change with the picture's aspect at most.
        elif wanted != self._loaded:
            self._surface.load(mesh.plane(width / height) if scene.geometry == "plane" else SOLIDS[scene.geometry]())
        self._loaded = wanted

    def release(self) -> None:
        """Give everything back to the driver."""
        for part in (self._target, self._texture, self._surface, self._brushes):
            part.release()


def _extent(asked: Number, free: Number, own: Number) -> Number:
    """Return the side that was asked for, else what is free, unless that is next to nothing."""
    usual = free if free >= LEAST_PIXELS else own
    return asked if asked > 0 else usual


def _brightness(picture: Shaped[Tensor, "h w c"]) -> Float[Tensor, "rows columns"]:
    """Return the mean of the colours in [0, 1], at the resolution of a heightfield's corners."""
    # As it is shown: white in the picture is high, whatever the tensor's type.
    colors = as_picture(picture)[..., :3]
    # A product: the mean over an axis of three takes five times as long.
    grey = colors @ colors.new_full((colors.shape[-1], 1), 1 / colors.shape[-1])
    scale = min(HEIGHTFIELD_CORNERS / max(grey.shape[:2]), 1.0)
    size = max(round(grey.shape[0] * scale), 2), max(round(grey.shape[1] * scale), 2)
    # NaN and infinity would tear the surface out of the scene.
    return resize(grey, size)[..., 0].nan_to_num(nan=0.0).clamp(0, 1)
