"""OpenGL contexts: of a window that is open, or off screen through EGL with no display at all."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import moderngl

GL_VERSION = 330
"""OpenGL 3.3 core, the newest that every driver of the last ten years offers."""


class GLUnavailable(RuntimeError):  # noqa: N818  a state of the machine, said in one line, not a fault of the caller
    """No OpenGL context can be made here; the message is the reason in one line."""


def open_headless(device: int | None = None) -> "moderngl.Context":
    """Open an off-screen context through EGL; `device` picks the card on a machine with several.

    It is current inside `with context:` only. Raises `GLUnavailable` with a one-line reason if EGL or a driver is
    missing.

        context = open_headless()
        with context:
            texture = context.texture((640, 480), 4)
    """
    settings: dict[str, Any] = {"backend": "egl"}
    if device is not None:
        settings["device_index"] = device
    context = _create("EGL", standalone=True, **settings)
    # Leaving a block puts back what was current before the context was made. Were it left current on this thread, the
    # X server would refuse to make a window's context current, and end the program.
    with context:
        return context


def of_current_window() -> "moderngl.Context":
    """Return a context over the window that is current on this thread.

    Raises `GLUnavailable` with a one-line reason if its driver is too old.
    """
    return _create("the window")


def one_line(error: Exception) -> str:
    """Return an exception's text on one line, or its type if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def _create(giver: str, **settings: Any) -> "moderngl.Context":
    """Return a new context; `GLUnavailable` names the `giver` if there is none, or else what does not load."""
    try:
        import moderngl
    except ImportError as error:
        raise GLUnavailable(f"moderngl does not load ({one_line(error)})") from error
    # moderngl and glcontext raise plain Exception for every missing library, driver and version.
    try:
        return moderngl.create_context(require=GL_VERSION, **settings)
    except Exception as error:
        raise GLUnavailable(f"{giver} gives no OpenGL {GL_VERSION / 100:.1f} context ({one_line(error)})") from error
