"""PlotNetwork3D: the network page as one object, in a window of its own."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from easel.graphics.files import FileError, write_whole
from easel.graphics.image import as_bytes
from easel.inspector.history.comparison import difference
from easel.inspector.history.snapshot import Snapshot, copied
from easel.inspector.history.timeline import Timeline
from easel.inspector.models.model_tensors import tensors
from easel.inspector.models.weights_file import clean_names, read_weights
from easel.inspector.network_scene import NetworkScene
from easel.inspector.tracing.forward import capture
from easel.viewer.imgui.events import CloseAsked, KeyChanged
from easel.viewer.view import View
from easel.workstation.network.channel_box import BOX_RANGE, ChannelBox
from easel.workstation.network.network_page import NetworkPage
from easel.workstation.network.network_time import NetworkTime

Number = float | int
log = logging.getLogger("easel")
PLOT_TYPES = ("param", "output")
DETAILS_SHARE = 0.24
"""Share of the window beside the picture."""
FRAME_SECONDS = 1 / 60
"""Time between two looks at the window."""


class PlotNetwork3D:
    """A network in space: its parameters, or the output of every step of its forward pass.

    Calling it opens the window and returns when that closes. The model is only read: its weights, flags, gradients,
    hooks and random numbers are the same afterwards. The file of weights is read anew at every update and shown in
    place of the model's own; while it is missing or does not fit, a line says so and the model's own are shown.

        plot = PlotNetwork3D(model, "weights.pt", plot_type="output", test_data=images)
        plot(update_with_timer=True, timer_interval=2000)
    """

    def __init__(
        self,
        neural_network: nn.Module,
        stored_network_params_path: str | Path,
        normalize: bool = True,
        plot_type: str = "param",
        test_data: "np.ndarray | Tensor | Sequence[Tensor | np.ndarray] | None" = None,
        render_res: tuple[int, int] = (1024, 1024),
        output_anim_folder: str | Path = "./output_frames/",
        make_animation: bool = False,
        input_image_dim: tuple[int, ...] = (1, 126, 126),
        add_box_widget: object = None,
        box_render_range: Sequence[Number] = BOX_RANGE,
        box_step: Number = 10,
    ) -> None:
        if plot_type not in PLOT_TYPES:
            raise ValueError(f"unknown plot_type {plot_type!r}. Known: 'param' and 'output'.")
        self.neural_network = neural_network
        self.stored_network_params_path = Path(stored_network_params_path)
        self.normalize, self.plot_type, self.test_data = normalize, plot_type, test_data
        self.render_res = (int(render_res[0]), int(render_res[1]))
        """(width, height) of the window and of frames, in pixels."""
        self.output_anim_folder = Path(output_anim_folder)
        self.make_animation = make_animation
        self.input_image_dim = tuple(input_image_dim)
        self.box_render_range = list(box_render_range)
        self.box_step = box_step
        self.frame_counter = 0
        """Number of frames that were written."""
        self.sample = 0
        """Index of the test data that passes through the network; the keys [ and ] change it."""
        self.notice = ""
        """Failure of the last update, in one line."""
        self._weights: Mapping[str, Tensor] | None = None
        """Weights of the file, once it was read."""
        self.timeline = Timeline()
        """A snapshot of every update."""
        self._page: NetworkPage | None = None
        self._time: NetworkTime | None = None
        self._view: View | None = None
        self._due = False
        """An update was asked for by a key."""
        self.box: ChannelBox | None = None
        if add_box_widget and plot_type == "output":
            self.box = ChannelBox(self.box_render_range, box_step)
        self._scene = self._make_scene()
        self._camera = self._scene.home(self._size)
        self._remember()

    def __call__(
        self,
        update_with_timer: bool | None = None,
        timer_interval: Number = 5000,
        make_animation: bool | None = None,
        close_automatically_window: bool | None = None,
        *,
        max_updates: int | None = None,
        headless: bool | None = None,
    ) -> bool:
        """Open the window; returns True when it is closed.

        With `update_with_timer` it updates every `timer_interval` milliseconds, else when `u` is pressed; None also
        updates at once. `make_animation` writes a frame at each update. `close_automatically_window` draws once and
        returns, as does a window that nobody sees, unless a timer runs: that ends after `max_updates`.
        """
        if timer_interval <= 0:
            raise ValueError(f"timer_interval is a number of milliseconds above 0; got {timer_interval}.")
        if make_animation is not None:
            self.make_animation = make_animation
        title = f"{type(self.neural_network).__name__} - {self.plot_type}"
        with View(title, *self.render_res, headless=bool(headless)) as view:
            self._open(view)
            if update_with_timer is not False or close_automatically_window or view.headless:
                self.update_plot()
            # Without a timer nothing would ever end a window that nobody sees.
            once = close_automatically_window or (view.headless and not update_with_timer)
            try:
                self._run(view, timer_interval / 1000 if update_with_timer else None, max_updates, once=bool(once))
            except KeyboardInterrupt:
                if not view.headless:
                    raise
            finally:
                self._close()
        return True

    def update_plot(self, make_animation: bool | None = None) -> None:
        """Read the file of weights, show what it holds, and write a frame if that is asked for."""
        self._read()
        if self.plot_type == "output":
            self._change(self._make_scene())
        self._remember()
        if make_animation is None:
            make_animation = self.make_animation
        if make_animation:
            self.capture_frame()

    def capture_frame(self) -> Path:
        """Write the window's view of the network as the next frame, `frame_000.tiff` …; OSError if that fails."""
        path = self.output_anim_folder / f"frame_{self.frame_counter:03d}.tiff"
        camera = self._camera if self._page is None else self._page.view.camera
        # The scene is drawn anew at the size of frames: the window may be of any other.
        pixels = as_bytes(self._scene.draw(camera, self._size)[..., :3])
        try:
            with write_whole(path) as partial:
                Image.fromarray(pixels.numpy()).save(partial, "TIFF", compression="packbits")
        except FileError as error:
            raise OSError(f"frame {path} was not written: {error}") from error
        self.frame_counter += 1
        return path

    def close_render_window(self) -> None:
        """Close the window; the call that opened it returns."""
        if self._view is not None:
            # As an event, so that it may come from any thread and in the middle of a frame.
            self._view.post(CloseAsked())

    def key_press_callback(self, key: str) -> None:
        """Do the action of a key of the window."""
        if self._page is not None:
            self._page.press(KeyChanged(key, True))

    def timer_callback(self) -> None:
        """Update, as the timer does."""
        self.update_plot()

    def scroll_callback(self, notches: Number) -> None:
        """Move the box, as the wheel does over it."""
        self._move_box(lambda box: box.move(notches * box.step))

    turn = scroll_callback
    """Its name in earlier versions."""

    def constrain_to_z_axis(self) -> tuple[Number, Number]:
        """Return the start and end of the box along the network. It moves in no other direction."""
        return (0, 0) if self.box is None else self.box.span

    def holds(self, name: str) -> bool:
        """Return True if a sheet belongs to the box."""
        return self.box is not None and self.box.holds(name)

    scroll = scroll_callback

    def drag_to(self, name: str) -> None:
        """Move the box to a layer, as a drag does."""
        self._move_box(lambda box: box.move_to(name.partition("[")[0]))

    # Networks

    def _move_box(self, move: Callable[[ChannelBox], bool]) -> None:
        if self.box is not None and move(self.box):
            self._change(self._make_scene())

    @property
    def _size(self) -> tuple[int, int]:
        return self.render_res[1], self.render_res[0]

    def _make_scene(self) -> NetworkScene:
        # The arrangement depends on it: a wide window takes longer rows.
        aspect = self.render_res[0] / self.render_res[1]
        if self.plot_type == "param":
            scene = NetworkScene(tensors(self.neural_network), aspect=aspect)
        else:
            seen = capture(self.neural_network, self._input(), mode="eval", weights=self._weights)
            if seen.error:
                self.notice = f"the forward pass ended early: {seen.error}"
            scene = NetworkScene(seen.activations, seen.graph, aspect=aspect)
            if self.box is not None:
                scene = self.box.expand(scene, seen.graph)
        # As in TorchRender3D: normalized means that a tensor's largest magnitude takes the last colour.
        scene.ranges = "peak" if self.normalize else "own"
        return scene

    def _input(self) -> Tensor:
        """Return one sample as a batch; without test data, a picture of random numbers, always the same."""
        if self.test_data is None or not len(self.test_data):
            sample = torch.rand(1, *self.input_image_dim, generator=torch.Generator().manual_seed(0))
        else:
            sample = torch.as_tensor(self.test_data[self.sample % len(self.test_data)])[None]
        model = next(self.neural_network.parameters(), torch.empty(0))
        # Indices, as an embedding takes, stay whole numbers.
        dtype = model.dtype if sample.is_floating_point() else sample.dtype
        return sample.to(model.device, dtype)

    def _read(self) -> None:
        """Read the weights of the file; a file that cannot be used is a notice, and changes nothing."""
        self.notice = ""
        path = self.stored_network_params_path
        try:
            found = read_weights(path).tensors
            # A file of another network would otherwise show the layers that happen to have the same names.
            mismatch = difference(clean_names(self.neural_network.state_dict()), found).mismatch
            if mismatch:
                raise FileError(f"{str(path)!r} does not fit the model: {mismatch}.")
        except FileError as error:
            self.notice = f"{error} What was shown stays."
            # The window shows the line until the next update; a run without a window has only the log.
            log.warning("%s", self.notice)
        else:
            self._weights = found

    def _remember(self) -> None:
        """Add the present values to the timeline, and show them."""
        weights: Mapping[str, Tensor] = {}
        refs = self._scene.refs
        if self.plot_type == "param":
            weights = self._weights or {}
            refs = tensors(self.neural_network)
        values = {name: ref.tensor for name, ref in refs.items() if ref.is_materialised} | dict(weights)
        last = self.timeline.last or Snapshot(-1, {})
        # A tensor that did not change is shared with the snapshot before: the past of a frozen layer costs nothing.
        copies = {name: copied(tensor, last.tensors.get(name)) for name, tensor in values.items()}
        self.timeline.add(Snapshot(last.step + 1, copies))
        if self._page is None:
            self._scene.update(copies)
        elif self._time is None or self._time.position is None:
            self._page.show(copies)
        if self._page is not None:
            self._page.notice = self.notice

    def _change(self, scene: NetworkScene) -> None:
        self._scene = scene
        if self._page is not None:
            self._page.change_scene(scene)
            self._page.notice = self.notice

    # The window

    def _open(self, view: View) -> None:
        panel, details = view.panel("Network"), view.panel("Tensor", side="right", width=DETAILS_SHARE)
        page = NetworkPage(panel, self._scene, details=details)
        page.view.camera = self._camera
        page.on_key("u", self._ask_update)
        page.on_key("q", self.close_render_window)
        page.on_key("escape", self.close_render_window)
        page.on_key("left_bracket", lambda: self._change_sample(-1))
        page.on_key("right_bracket", lambda: self._change_sample(1))
        # Maps that were taken apart show the newest pass: they have no past.
        if self.box is None:
            self._time = NetworkTime(page, self.timeline)
        else:
            page.tool = self
        view.on_key(page.press)
        self._view = view
        self._page = page

    def _close(self) -> None:
        if self._time is not None:
            self._time.close()
        # The same object may be called again, with a window of its own.
        self._page = self._time = self._view = None

    def _run(self, view: View, interval_seconds: float | None, most: int | None, *, once: bool) -> None:
        """Draw frames until the window is closed; `once` draws one, and a timer ends after `most` updates."""
        updates = 0
        last = time.monotonic()
        while view.step():
            view.end_step()
            # After the frame is drawn, so that even `once` has shown something.
            if once or (interval_seconds is not None and updates == most):
                return
            due = interval_seconds is not None and time.monotonic() - last >= interval_seconds
            if due or self._due:
                self._due = False
                self._update_window()
                updates += due
                last = time.monotonic()
            else:
                # A window at rest needs no more frames than a screen shows.
                time.sleep(FRAME_SECONDS)

    def _update_window(self) -> None:
        """Update; a frame that cannot be written is a notice in a window, and an OSError if nobody would read it."""
        assert self._view is not None and self._page is not None
        try:
            self.update_plot()
        except OSError as error:
            if self._view.headless:
                raise
            self._page.notice = str(error)

    def _ask_update(self) -> None:
        # Not at once: keys come while a frame is drawn, and an update changes what it draws.
        self._due = True

    def _change_sample(self, by: int) -> None:
        if self.plot_type == "output" and self.test_data is not None and len(self.test_data):
            self.sample = (self.sample + by) % len(self.test_data)
            self._change(self._make_scene())
