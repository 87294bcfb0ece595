"""A thread of its own with an OpenGL context of its own, so that drawing disturbs no window's."""

import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

from easel.gl.context import open_headless

if TYPE_CHECKING:
    import moderngl


@runtime_checkable
class Releasable(Protocol):
    """Something that holds memory of a GPU."""

    def release(self) -> None: ...


Renderer = TypeVar("Renderer", bound=Releasable)
Result = TypeVar("Result")


class RenderThread(Generic[Renderer]):
    """Runs functions with a renderer and its context current. Raises `GLUnavailable` if there is no OpenGL.

    `make` makes the renderer, on the thread; `close` releases it.
    """

    def __init__(self, make: "Callable[[moderngl.Context], Renderer]") -> None:
        self._thread = ThreadPoolExecutor(1, "easel-inspector")
        # What is current belongs to a thread: on the caller's, a window or another product may be drawing.
        try:
            self._context, self.renderer = self._thread.submit(_open, make).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self._end = weakref.finalize(self, _close, self._thread, self._context, self.renderer)
        self._end.atexit = False  # threads have ended by then, and the driver tidies up by itself

    def run(self, work: Callable[[Renderer], Result]) -> Result:
        """Return `work(renderer)`, when it is done."""

        def in_context() -> Result:
            with self._context:
                return work(self.renderer)

        return self._thread.submit(in_context).result()

    def close(self) -> None:
        self._end()


def _open(make: "Callable[[moderngl.Context], Renderer]") -> "tuple[moderngl.Context, Renderer]":
    context = open_headless()
    with context:
        return context, make(context)


def _close(thread: ThreadPoolExecutor, context: "moderngl.Context", renderer: Releasable) -> None:
    # No method of RenderThread: a finalizer that holds the object would keep it from ever going.
    def work() -> None:
        with context:
            renderer.release()
        context.release()

    thread.submit(work).result()
    thread.shutdown()
