"""NetworkView: a network in space that a person turns with the mouse, in any window of the viewer."""

import math
from typing import TYPE_CHECKING

from easel.graphics.camera import Camera
from easel.inspector.drawing.renderer import NetworkRenderer
from easel.inspector.network_scene import NetworkScene
from easel.inspector.scene.pick import Hit
from easel.viewer.canvas.pointer_input import pointer
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.scene import LEFT, MIDDLE, RIGHT, SceneView

if TYPE_CHECKING:
    import moderngl

CLICK_PIXELS = 4.0
"""A hand may slip by so much between pressing and letting go."""
PIXELS_PER_NOTCH = 40.0
ZOOM_PER_NOTCH = 0.15
LEAST_DISTANCE = 1e-3
UPLOAD_BYTES = 8 << 20
"""Of textures in a frame; finer ones follow in the next."""


class NetworkView(SceneView):
    """The left button orbits, the middle one pans, the right one and the wheel zoom to where the pointer is."""

    def __init__(self, scene: NetworkScene) -> None:
        super().__init__("network")
        self.scene = scene
        self.camera: Camera = scene.home()
        self.is_home = True
        """Everything is in sight whatever the size; a hand on the camera ends that."""
        self.clicked: Hit | None = None
        """What a person has clicked in this frame."""
        self.wheel_taken = False
        """The program uses the wheel just now; the camera stays."""
        self.notches: Number = 0
        """By how many notches the wheel was turned over it in this frame."""
        self.dragged: tuple[float, float] | None = None
        """The pointer in the picture, while the left button drags."""
        self.drag_taken = False
        """The program uses what the left button drags; the camera stays."""
        self._travel: Number = 0
        self._room = (self.height, self.width)
        """(height, width) of the picture as it is laid out now."""

    def renderer(self, context: "moderngl.Context") -> "_SceneDrawer":
        """What draws the network in `context`."""
        return _SceneDrawer(context)

    def home(self) -> None:
        """Look at everything again."""
        self.is_home = True
        self.camera = self.scene.home(self._room)

    def look_at(self, name: str, index: tuple[int, ...] | None = None) -> None:
        """Fly to a tensor, or to one of its values."""
        self.is_home = False
        self.camera = self.scene.look_at(name, self._room, index)

    def under_pointer(self) -> Hit | None:
        """What the pointer is on."""
        if self.mouse is None or self.size is None:
            return None
        return self.scene.pick(self.camera, self.size, *self.mouse)

    def follow_mouse(self) -> None:
        io = imgui.get_io()
        dx, dy = io.mouse_delta.x, io.mouse_delta.y
        self.clicked = self.dragged = None
        self.notches = 0
        room = imgui.get_item_rect_size()
        before, self._room = self._room, (round(room.y), round(room.x))
        if self.is_home and self._room != before:
            self.home()
        if imgui.is_item_activated():
            self._travel = 0
        if imgui.is_item_active():
            self._travel += abs(dx) + abs(dy)
            if imgui.is_mouse_down(LEFT):
                self._drag(dx, dy)
            elif imgui.is_mouse_down(MIDDLE):
                self._pan(dx, dy)
            elif imgui.is_mouse_down(RIGHT):
                self._zoom(-dy / PIXELS_PER_NOTCH)
        if imgui.is_item_deactivated() and self._travel <= CLICK_PIXELS:
            self.clicked = self.scene.pick(self.camera, self._room, *self._at())
        imgui.set_item_key_owner(imgui.Key.mouse_wheel_y)  # else the panel scrolls, too
        if imgui.is_item_hovered() and io.mouse_wheel:
            self.notches = io.mouse_wheel
            if not self.wheel_taken:
                self._zoom(io.mouse_wheel)

    def _drag(self, dx: float, dy: float) -> None:
        self.dragged = self._at()
        if not self.drag_taken and (dx or dy):
            self.is_home = False
            self.camera.orbit(dx, dy)

    def _at(self) -> tuple[float, float]:
        """The pointer in the pixels of the picture, which stands where the item is."""
        x, y = pointer()
        corner = imgui.get_item_rect_min()
        return x - corner.x, y - corner.y

    def _pan(self, dx: Number, dy: Number) -> None:
        """What the pointer is on, at the camera's distance, stays under it."""
        self.is_home = False
        step = self._units_per_pixel()
        axes = self.camera.pose()[:3, :2].tolist()
        x, y, z = (
            t - step * dx * right + step * dy * up for t, (right, up) in zip(self.camera.target, axes, strict=True)
        )
        self.camera.target = x, y, z

    def _zoom(self, notches: Number) -> None:
        """Nearer to the place that the pointer is on, which stays under it."""
        factor = math.exp(-ZOOM_PER_NOTCH * notches)
        x, y = self._at()
        shift = factor - 1
        self._pan(shift * (x - self._room[1] / 2), shift * (y - self._room[0] / 2))
        self.camera.distance = max(self.camera.distance * factor, LEAST_DISTANCE)

    def _units_per_pixel(self) -> float:
        return 2 * math.tan(math.radians(self.camera.fov) / 2) * self.camera.distance / self._room[0]


class _SceneDrawer:
    """Draws the scene of a view in one OpenGL context."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._renderer = NetworkRenderer(context)
        self._drawn: tuple[object, ...] = ()
        self._texture: moderngl.Texture | None = None

    def draw(self, view: NetworkView, size: tuple[int, int]) -> "moderngl.Texture":
        state = (id(view.scene), *view.scene.state(view.camera, size))
        if self._texture is None or state != self._drawn or not self._renderer.is_complete:
            self._texture = self._renderer.draw(view.scene, view.camera, size, UPLOAD_BYTES)
            self._drawn = state
        return self._texture

    def release(self) -> None:
        self._renderer.release()
