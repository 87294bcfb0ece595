"""Studio: a thread of its own with an OpenGL context of its own, so that drawing disturbs no window's."""

import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from easel.gl.context import open_headless
from easel.graphics.camera import Camera
from easel.inspector.drawing.renderer import NetworkRenderer
from easel.inspector.scene.content import Content

if TYPE_CHECKING:
    import moderngl


class Studio:
    """Draws pictures off screen; `GLUnavailable` where there is no OpenGL."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "easel-inspector")
        # What is current belongs to a thread: on the caller's, a window or another product may be drawing.
        try:
            self._context, self.renderer = self._thread.submit(_open).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self._end = weakref.finalize(self, _close, self._thread, self._context, self.renderer)
        self._end.atexit = False  # threads have ended by then, and the driver tidies up by itself

    @property
    def is_complete(self) -> bool:
        return self.renderer.is_complete

    def draw(
        self, scene: Content, camera: Camera, size: tuple[int, int], upload_bytes: int | None
    ) -> Float[Tensor, "h w 3"]:
        """The picture, when it is done."""

        def work() -> Tensor:
            with self._context:
                self.renderer.draw(scene, camera, size, upload_bytes)
                return self.renderer.read()

        return self._thread.submit(work).result()

    def close(self) -> None:
        self._end()


def _open() -> "tuple[moderngl.Context, NetworkRenderer]":
    context = open_headless()
    with context:
        return context, NetworkRenderer(context)


def _close(thread: ThreadPoolExecutor, context: "moderngl.Context", renderer: NetworkRenderer) -> None:
    def work() -> None:
        with context:
            renderer.release()
        context.release()

    thread.submit(work).result()
    thread.shutdown()
