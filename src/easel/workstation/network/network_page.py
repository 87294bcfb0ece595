"""NetworkPage: a network in space in a panel: the view, its switches and keys, and the value under the mouse."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from torch import Tensor

from easel.graphics.camera import ZOOM_PER_NOTCH, Camera
from easel.inspector.drawing.renderer import NetworkRenderer
from easel.inspector.network_scene import NetworkScene
from easel.inspector.scene.pick import Hit, value_at
from easel.inspector.scene.pyramid import AGGREGATES
from easel.inspector.scene.sheet import RANGES
from easel.viewer.canvas.pointer_input import pointer
from easel.viewer.imgui.events import KeyChanged
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.theme import ALARM
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.panel import Panel
from easel.viewer.scene import SceneView
from easel.workstation.network.tensor_details import TensorDetails

if TYPE_CHECKING:
    import moderngl

CLICK_PIXELS = 4.0
"""Way of the pointer between press and release, up to which both are a click."""
PIXELS_PER_NOTCH = 40.0
LEAST_DISTANCE = 1e-3
UPLOAD_BYTES = 8 << 20
"""Of textures in a frame; finer ones follow in the next."""
RANGE_NAMES = ("99.5 %", "own peak", "shared")
"""Labels of the inspector's `RANGES`, in their order."""
KEY_NAMES = {"left": "left_arrow", "right": "right_arrow"}
"""Our names of keys → those of Dear ImGui, where they differ."""
FAR_HELP = "What a pixel shows of many cells."
RANGE_HELP = "Where colours end: at 99.5 % of a tensor's magnitudes, at its largest, or at one limit for all."
HELP = (
    "Left button turns, middle one moves, right one and wheel zoom; a click pins a value.\n"
    "u update   r whole network   f fly to what the mouse is on   l labels   w / s outlines only / filled\n"
    "a peak, RMS, mean   n shared range   d difference   space , . timeline   q close"
)
NONE = "Point at a tensor to read its values; click to keep one."


class NetworkView(SceneView):
    """A network that a person turns: left button orbits, middle one pans, right one and wheel zoom to the pointer."""

    def __init__(self, scene: NetworkScene) -> None:
        super().__init__("network")
        self.scene = scene
        self.camera: Camera = scene.home()
        self.is_home = True
        """Everything is in sight, whatever the size; a person who moves the camera ends that."""
        self.clicked: Hit | None = None
        """The value that was clicked in this frame."""
        self.wheel_taken = False
        """The program uses the wheel just now; the camera stays."""
        self.notches: Number = 0
        """Notches that the wheel was turned over the picture in this frame."""
        self.dragged: tuple[float, float] | None = None
        """The pointer in the picture, while the left button drags."""
        self.drag_taken = False
        """The program uses the drag of the left button; the camera stays."""
        self._travel: Number = 0
        """Way of the pointer since a button went down, in pixels."""
        self._room = (self.height, self.width)
        """(height, width) of the picture as it is laid out now."""

    def renderer(self, context: "moderngl.Context") -> "_SceneDrawer":
        """Make the object that draws the network in `context`."""
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
        """Return the value under the pointer."""
        if self.mouse is None or self.size is None:
            return None
        return self.scene.pick(self.camera, self.size, *self.mouse)

    def follow_mouse(self) -> None:
        io = imgui.get_io()
        dx, dy = io.mouse_delta.x, io.mouse_delta.y
        # Events of one frame: whoever reads them does so before the next.
        self.clicked = self.dragged = None
        self.notches = 0
        room = imgui.get_item_rect_size()
        before = self._room
        self._room = (round(room.y), round(room.x))
        # A panel that is resized keeps everything in sight, until a person has chosen a place of their own.
        if self.is_home and self._room != before:
            self.home()
        if imgui.is_item_activated():
            self._travel = 0
        if imgui.is_item_active():
            # A sum, not the distance from the press: a drag that returns to its start is no click.
            self._travel += abs(dx) + abs(dy)
            button = imgui.MouseButton_
            if imgui.is_mouse_down(button.left):
                self._drag(dx, dy)
            elif imgui.is_mouse_down(button.middle):
                self._pan(dx, dy)
            elif imgui.is_mouse_down(button.right):
                self._zoom(-dy / PIXELS_PER_NOTCH)
        if imgui.is_item_deactivated() and self._travel <= CLICK_PIXELS:
            self.clicked = self.scene.pick(self.camera, self._room, *self._at())
        # Else the panel scrolls as well.
        imgui.set_item_key_owner(imgui.Key.mouse_wheel_y)
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
        """Return the pointer in the pixels of the picture, which stands where the item is."""
        x, y = pointer()
        corner = imgui.get_item_rect_min()
        return x - corner.x, y - corner.y

    def _pan(self, dx: Number, dy: Number) -> None:
        """Move the camera so that what is under the pointer, at the camera's distance, stays under it."""
        self.is_home = False
        # Height of the view at the target's distance, over the pixels of the picture.
        step = 2 * math.tan(math.radians(self.camera.fov) / 2) * self.camera.distance / self._room[0]
        axes = zip(self.camera.target, self.camera.pose()[:3, :2].tolist(), strict=True)
        x, y, z = (at - step * dx * right + step * dy * up for at, (right, up) in axes)
        self.camera.target = x, y, z

    def _zoom(self, notches: Number) -> None:
        """Move the camera nearer; what is under the pointer stays under it."""
        # Exponential: as many notches back lead to the very place where the first began.
        factor = math.exp(-ZOOM_PER_NOTCH * notches)
        x, y = self._at()
        # The point under the pointer would move away from the middle by `factor - 1` of its distance: pan back as far.
        self._pan((factor - 1) * (x - self._room[1] / 2), (factor - 1) * (y - self._room[0] / 2))
        self.camera.distance = max(self.camera.distance * factor, LEAST_DISTANCE)


class _SceneDrawer:
    """Draws the scene of a view in one OpenGL context, anew only when something has changed."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._renderer = NetworkRenderer(context)
        self._drawn: tuple[object, ...] = ()
        self._texture: moderngl.Texture | None = None

    def draw(self, view: NetworkView, size: tuple[int, int]) -> "moderngl.Texture":
        # The scene's identity is part of its state: another one may have the same camera, switches and versions.
        state = (id(view.scene), *view.scene.state(view.camera, size))
        if self._texture is None or state != self._drawn or not self._renderer.is_complete:
            self._texture = self._renderer.draw(view.scene, view.camera, size, UPLOAD_BYTES)
            self._drawn = state
        return self._texture

    def release(self) -> None:
        self._renderer.release()


@runtime_checkable
class PointerTool(Protocol):
    """Something in the scene that the mouse moves."""

    def holds(self, name: str) -> bool:
        """Return True if a sheet is part of it."""
        ...

    def scroll(self, notches: Number) -> None:
        """Act on the wheel, which was turned over it."""

    def drag_to(self, name: str) -> None:
        """Act on a drag to a sheet."""


class NetworkPage:
    """Joins a `NetworkScene` to a panel: the picture and its switches; `details` shows one tensor in full."""

    def __init__(self, panel: Panel, scene: NetworkScene, *, details: Panel | None = None) -> None:
        self.panel = panel
        self.details = details
        self.view = NetworkView(scene)
        self.pinned: Hit | None = None
        """The value that a person has clicked."""
        self.notice = ""
        """The last failure, in one line."""
        self.helps = False
        self.tool: PointerTool | None = None
        """Moved by wheel and left button while it is under the mouse, instead of the camera."""
        self.values: Mapping[str, Tensor] = {name: ref.tensor for name, ref in scene.refs.items()}
        """The values that are shown, by name; picking reads them."""
        self.footers: list[Callable[[], object]] = []
        """Drawn below the picture, one after the other."""
        self.notes: list[Callable[[], object]] = []
        """Drawn below the details of the tensor."""
        self._keys: dict[str, Callable[[], object]] = {
            "r": self.view.home,
            "f": self.fly,
            "l": lambda: self.panel.set("Labels", not self.scene.labels),
            "w": lambda: self._set_filled(False),
            "s": lambda: self._set_filled(True),
            "a": self._next_aggregate,
            "n": self._toggle_shared,
            "h": self._toggle_help,
        }
        self._below = 0.0
        """Height of what stood below the picture in the last frame."""
        self._range = scene.ranges
        """The range to come back to from the shared one."""
        self._found = 0
        """Tensors that the search has flown to."""
        panel.on_frame(self.draw)
        if details is not None:
            self._tensor = TensorDetails(details)
            details.on_frame(self.draw_details)

    @property
    def scene(self) -> NetworkScene:
        return self.view.scene

    @property
    def hit(self) -> Hit | None:
        """The value that the read-out is about: the one under the mouse, else the pinned one."""
        return self.view.under_pointer() or self.pinned

    def change_scene(self, scene: NetworkScene) -> None:
        """Show another network, or another pass of it, with the same switches and from the same place."""
        for name in ("labels", "outlines", "filled", "aggregate", "ranges"):
            setattr(scene, name, getattr(self.scene, name))
        # Another pass of the same network has the same bounds: the camera stays where it is.
        moved = scene.arrangement.bounds != self.scene.arrangement.bounds
        # Its textures are of no use to the next one.
        self.scene.close()
        self.view.scene = scene
        self.values = {name: ref.tensor for name, ref in scene.refs.items()}
        # Its tensor is gone.
        if self.pinned is not None and self.pinned.name not in scene.refs:
            self.pinned = None
        if moved:
            self.view.home()

    def show(self, values: Mapping[str, Tensor]) -> list[str]:
        """Show new values under known names; returns the names of the tensors that may have changed."""
        # Both: a difference may know fewer tensors than the network has.
        self.values = {**self.values, **values}
        return self.scene.update(values)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that do something."""
        return tuple(self._keys)

    def on_key(self, key: str, action: Callable[[], object]) -> None:
        """Do `action` when `key` goes down, in place of what it did before."""
        self._keys[key] = action

    def press(self, event: KeyChanged) -> None:
        """Do the action of a key."""
        if event.down and event.key in self._keys:
            self._keys[event.key]()

    def fly(self) -> None:
        """Look from near at the tensor under the mouse."""
        if (hit := self.hit) is not None:
            self.view.look_at(hit.name)

    def pin(self, name: str, index: tuple[int, ...]) -> None:
        """Keep a value in the read-out, as a click does."""
        sheet = self.scene.sheet(name)
        assert sheet is not None, "only what is shown can be pinned"
        row, column = sheet.map.cell(index)
        self.pinned = Hit(sheet.ref.name, sheet.box.origin, (row, column), index, value_at(sheet.tensor, index))
        self.scene.selected = sheet.ref.name

    # The panel

    def draw(self) -> None:
        """Draw the switches, the picture, the read-out and the footers, and act on the mouse."""
        self._draw_switches()
        view = self.view
        under = view.under_pointer()
        over = view.wheel_taken = self.tool is not None and under is not None and self.tool.holds(under.name)
        # A drag that began beside the tool turns the camera to its end, wherever it leads, and the other way around.
        if view.dragged is None:
            view.drag_taken = over
        top = 0.0
        if self.panel.visible:
            # The height of the footers is known only when they are drawn: they get what they took in the last frame.
            free = imgui.get_content_region_avail().y
            self.view.render(0, max(free - self._below, 1))
            top = imgui.get_cursor_pos_y()
        self._use_tool()
        self._follow()
        self._draw_readout()
        for draw in self.footers:
            draw()
        if self.panel.visible:
            self._below = imgui.get_cursor_pos_y() - top + imgui.get_style().item_spacing.y

    def draw_details(self) -> None:
        """Draw the selected tensor in full, and the notes below it."""
        self._tensor.draw(self.scene, self.pinned)
        # The notes are about the selected tensor, and there is none.
        if self.scene.sheets:
            for note in self.notes:
                note()

    def _use_tool(self) -> None:
        """Hand the tool the wheel and the drag that were over it."""
        view = self.view
        if self.tool is None:
            return
        if view.wheel_taken and view.notches:
            self.tool.scroll(view.notches)
        if view.drag_taken and view.dragged is not None and view.size is not None:
            under = self.scene.pick(view.camera, view.size, *view.dragged)
            if under is not None:
                self.tool.drag_to(under.name)

    def _draw_switches(self) -> None:
        panel = self.panel
        scene = self.scene
        with panel.row():
            asked = panel.input_text("Find", help="Part of a name, or a pattern with * and ?; Enter flies to the next.")
            if panel.button("Next") and asked:
                self._find(asked)
            far = panel.combo("Far", AGGREGATES, default=AGGREGATES.index(scene.aggregate), help=FAR_HELP)
            scene.aggregate = AGGREGATES[far]
            ranges = panel.combo("Range", RANGE_NAMES, default=RANGES.index(scene.ranges), help=RANGE_HELP)
            scene.ranges = RANGES[ranges]
            scene.labels = panel.checkbox("Labels", default=scene.labels)
            if panel.button("Whole"):
                self.view.home()
        # Without the toolkit, in a window that is not drawn, there are no keys either.
        if asked and imgui is not None and panel.visible and imgui.is_key_pressed(imgui.Key.enter):
            self._find(asked)

    def _find(self, asked: str) -> None:
        """Fly to the next tensor of that name."""
        # A tensor without values has no sheet to fly to.
        names = [name for name in self.scene.find(asked) if self.scene.sheet(name) is not None]
        if not names:
            self.notice = f"No tensor is called {asked!r}."
            return
        name = names[self._found % len(names)]
        self._found += 1
        self.notice = ""
        self.scene.selected = name
        self.view.look_at(name)

    def _follow(self) -> None:
        """Mark the value under the pointer, and keep the one that was clicked."""
        # The pinned value stays marked while the pointer is elsewhere.
        self.scene.hover = self.hit
        if self.view.clicked is not None:
            self.pinned = self.view.clicked
            self.scene.selected = self.pinned.name

    def _draw_readout(self) -> None:
        panel = self.panel
        hit = self.hit
        # Always one line, so that the picture above does not change its height with the pointer.
        panel.text(NONE if hit is None else self.told(hit))
        if self.helps:
            panel.text(HELP)
        if self.notice:
            panel.text_wrapped(self.notice, color=ALARM)

    def told(self, hit: Hit) -> str:
        """Return the line of the read-out: a value, its index, and the shape and type of its tensor."""
        ref = self.scene.refs[hit.name]
        dtype = str(ref.tensor.dtype).removeprefix("torch.")
        return f"{hit}    {' x '.join(map(str, ref.shape)) or 'scalar'} {dtype}  {ref.note}".rstrip()

    # Keys

    def _set_filled(self, filled: bool) -> None:
        self.scene.filled = filled

    def _next_aggregate(self) -> None:
        self.panel.set("Far", (AGGREGATES.index(self.scene.aggregate) + 1) % len(AGGREGATES))

    def _toggle_shared(self) -> None:
        wanted = self._range
        if self.scene.ranges != "shared":
            self._range = self.scene.ranges
            wanted = "shared"
        self.panel.set("Range", RANGES.index(wanted))

    def _toggle_help(self) -> None:
        self.helps = not self.helps


def take_keys(page: NetworkPage) -> None:
    """Do, in the panel's frame, the actions of keys that go down while the pointer is on the panel."""
    if imgui is None or not page.panel.visible or not imgui.is_window_hovered() or imgui.get_io().want_text_input:
        return
    for key in page.keys:
        if imgui.is_key_pressed(getattr(imgui.Key, KEY_NAMES.get(key, key)), False):
            page.press(KeyChanged(key, True))
