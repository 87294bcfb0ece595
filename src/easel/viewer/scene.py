"""SceneView: a tensor on a lit surface that a person turns with the mouse, and what stands around it."""

from typing import TYPE_CHECKING, TypeVar

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
from easel.viewer.canvas.drawing import Renderer
from easel.viewer.canvas.placement import LEAST_PIXELS
from easel.viewer.canvas.pointer_input import pointer
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
"""Along the longer side of a heightfield."""
AnyItem = TypeVar("AnyItem", PointCloud, Lines, Frustum)
LEFT, RIGHT, MIDDLE = 0, 1, 2


class SceneView:
    """Shows a tensor on a plane, sphere, cube or heightfield; any number of them, each with its own camera and light.

    Call `render` in a panel's `on_frame`, or inside a window of `easel.ui`. Dragging with the left button orbits, with
    the right one pans; the wheel and the middle button zoom. A mouse turns the same `camera` that a program sets.
    """

    def __init__(
        self, name: str = "SceneView", width: int = 800, height: int = 600, msaa: int = 4, *, geometry: str = "plane"
    ) -> None:
        self.name = name
        self.width, self.height = width, height
        """In pixels, where the room for it is not known."""
        self.camera = Camera()
        self.light = Light()
        self.relief: Number = 0.3
        """Height of white above black in a heightfield, in world units."""
        self.rectangle: Rectangle | None = None
        """Where the picture stands in the window, in pixels; None while it is not shown."""
        self.mouse: tuple[float, float] | None = None
        """The pointer in the picture's pixels, (0, 0) at its upper left corner; None while it is elsewhere."""
        self.scenery: list[Item] = []
        """What stands around the surface."""
        self.msaa = msaa
        self.geometry = geometry
        self.background = (0.12, 0.12, 0.14)
        self.most_samples = max(SAMPLES)
        """The most that the driver has per pixel; known when something was drawn."""
        self._tensor: Shaped[Tensor, "h w c"] | None = None

    def __repr__(self) -> str:
        return f"SceneView({self.name!r}, geometry={self.geometry!r})"

    @property
    def msaa(self) -> int:
        """Samples per pixel that are asked for, against jagged edges: 1, 2, 4, 8, 16, 32 or 64."""
        return self._msaa

    @msaa.setter
    def msaa(self, value: int) -> None:
        if value not in SAMPLES:
            raise ValueError(f"msaa is one of {', '.join(map(str, SAMPLES))}; got {value!r} for scene {self.name!r}.")
        self._msaa = value

    @property
    def samples(self) -> int:
        """Samples per pixel that the driver gives; what is asked for as long as nothing was drawn."""
        return min(self._msaa, self.most_samples)

    @property
    def geometry(self) -> str:
        """What the tensor is shown on: "plane", "sphere", "cube" or "heightfield"."""
        return self._geometry

    @geometry.setter
    def geometry(self, value: str) -> None:
        if value not in GEOMETRIES:
            raise ValueError(f"unknown geometry {value!r} for scene {self.name!r}. Known: {', '.join(GEOMETRIES)}.")
        self._geometry = value

    @property
    def background(self) -> tuple[float, float, float]:
        """Display-referred, in [0, 1]."""
        return self._background

    @background.setter
    def background(self, value: Numbers) -> None:
        try:
            red, green, blue = map(float, value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"background of scene {self.name!r} is red, green and blue; got {value!r}.") from error
        self._background = red, green, blue

    def set_tensor(self, tensor: Tensor | np.ndarray | Image.Image | None) -> None:
        """Show `tensor`, as a canvas would, from now on: writing into it is enough to see it change. None shows none.

        RuntimeError without a window.
        """
        window_in_use(None)
        self._tensor = None if tensor is None else check_tensor(tensor, f"scene {self.name!r}")

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) in pixels as it is shown; None while it is not."""
        return None if self.rectangle is None else (round(self.rectangle.height), round(self.rectangle.width))

    def add_points(self, positions: Numbers, colors: Numbers = AMBER, *, size: Number = 6.0) -> PointCloud:
        """Round points at (N, 3), `size` pixels across; `colors` is one for all or (N, 3)."""
        return self._add(PointCloud(positions, colors, size))

    def add_lines(self, segments: Numbers, colors: Numbers = AMBER, *, width: Number = 2.0) -> Lines:
        """Lines from [:, 0] to [:, 1] of (N, 2, 3), `width` pixels wide; `colors` is one for all or (N, 3)."""
        return self._add(Lines(segments, colors, width))

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
        """What a camera at `pose` (4, 4), camera to world, sees: a pyramid that is `depth` deep.

        The camera looks along its own -Z with +Y up; `fov_degrees` is vertical, `aspect` its width / height.
        """
        return self._add(Frustum(pose, fov_degrees, aspect, depth, color, width))

    def remove(self, item: Item) -> None:
        """Take points, lines or a frustum out of the scene."""
        self.scenery.remove(item)

    def pick(self, points: PointCloud) -> int | None:
        """The index of the point that the pointer is on, of several the one in front; None while it is on none.

        What else may hide it is not looked at.
        """
        if self.mouse is None or self.size is None or not points.visible:
            return None
        camera, positions = self.camera, points.positions.cpu().float()
        x, y, depth = project(positions, camera.pose(), camera.fov, self.size).unbind(-1)
        hit = (torch.hypot(x - self.mouse[0], y - self.mouse[1]) <= points.size / 2) & (depth > 0)
        return int(depth.where(hit, torch.inf).argmin()) if hit.any() else None

    def render(self, width: Number = 0, height: Number = 0) -> None:
        """Show the scene as the next item, as large as the free region or as `width` and `height` in pixels say.

        Without an open window of the interface around the call, nothing happens.
        """
        self.rectangle = self.mouse = None
        window = Window._current
        if window is None or not window.is_inside:
            return
        at, free = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail()
        # Next to nothing is free below other widgets, or in a window that takes its size from its content.
        width = width if width > 0 else free.x if free.x >= LEAST_PIXELS else self.width
        height = height if height > 0 else free.y if free.y >= LEAST_PIXELS else self.height
        # Whole pixels: drawn between two of them, the picture would be blurred.
        room = Rectangle(round(at.x), round(at.y), max(int(width), 1), max(int(height), 1))
        imgui.set_cursor_screen_pos((room.x, room.y))
        flags = imgui.ButtonFlags_
        buttons = flags.mouse_button_left | flags.mouse_button_right | flags.mouse_button_middle
        imgui.invisible_button(f"##scene {id(self)}", (room.width, room.height), buttons)
        self.follow_mouse()
        if not imgui.is_item_visible():
            return
        self.rectangle = room
        if imgui.is_item_hovered():
            x, y = pointer()
            self.mouse = x - room.x, y - room.y
        number = window.pictures.draw(self, (int(room.height), int(room.width)))
        low, high = (room.x, room.y), (room.x + room.width, room.y + room.height)
        # OpenGL has drawn its first row at the bottom.
        imgui.get_window_draw_list().add_image(imgui.ImTextureRef(number), low, high, (0, 1), (1, 0))

    def renderer(self, context: "moderngl.Context") -> Renderer:
        """What draws this scene in `context`."""
        return SceneRenderer(context)

    def picture(self) -> Shaped[Tensor, "h w c"] | None:
        """The tensor that is shown."""
        return self._tensor

    def _add(self, item: AnyItem) -> AnyItem:
        self.scenery.append(item)
        return item

    def follow_mouse(self) -> None:
        """Turn the camera by what the mouse did to the item just drawn; a drag goes on outside until it is let go."""
        io, camera = imgui.get_io(), self.camera
        dx, dy = io.mouse_delta.x, io.mouse_delta.y
        if imgui.is_item_active():
            if imgui.is_mouse_down(LEFT):
                camera.orbit(dx, dy)
            elif imgui.is_mouse_down(RIGHT):
                camera.pan(dx, dy)
            elif imgui.is_mouse_down(MIDDLE):
                camera.zoom(-dy / PIXELS_PER_NOTCH)
        imgui.set_item_key_owner(imgui.Key.mouse_wheel_y)  # else the panel scrolls, too
        if imgui.is_item_hovered() and io.mouse_wheel:
            camera.zoom(io.mouse_wheel)


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
        scene.most_samples = self._context.max_samples
        self._target.begin(size, scene.samples, scene.background)
        clip_from_world = scene.camera.clip_from_world(size[1] / size[0])
        picture = scene.picture()
        if picture is not None:
            self._load_surface(scene, picture)
            texture = self._texture.upload(picture)
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
            self._surface.load(mesh.heightfield(scene.relief * _brightness(picture), width / height))
        elif wanted != self._loaded:
            self._surface.load(mesh.plane(width / height) if scene.geometry == "plane" else SOLIDS[scene.geometry]())
        self._loaded = wanted

    def release(self) -> None:
        for part in (self._target, self._texture, self._surface, self._brushes):
            part.release()


def _brightness(picture: Shaped[Tensor, "h w c"]) -> Float[Tensor, "rows columns"]:
    """Mean of the colours in [0, 1], few enough for the corners of a heightfield."""
    colors = as_picture(picture)[..., :3]
    # A product: the mean over an axis of three takes five times as long.
    grey = colors @ colors.new_full((colors.shape[-1], 1), 1 / colors.shape[-1])
    scale = min(HEIGHTFIELD_CORNERS / max(grey.shape[:2]), 1.0)
    size = max(round(grey.shape[0] * scale), 2), max(round(grey.shape[1] * scale), 2)
    return resize(grey, size)[..., 0].nan_to_num(nan=0.0).clamp(0, 1)
