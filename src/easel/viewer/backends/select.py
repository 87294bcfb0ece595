"""Which backend a view gets: the best that really opens here, and why."""

import logging
import math
import os
from collections.abc import Callable, Mapping

from easel.viewer.backends.base import Backend, BackendUnavailableError
from easel.viewer.backends.browser import BrowserBackend
from easel.viewer.backends.headless import HeadlessBackend
from easel.viewer.backends.none import NoneBackend
from easel.viewer.backends.window import WindowBackend
from easel.viewer.imgui.sketch import Number

log = logging.getLogger("easel")

LEAST_SCALE, MOST_SCALE = 0.5, 8
"""Of the interface; 1 is made for 96 dpi."""

BACKENDS: Mapping[str, Callable[[], Backend]] = {
    "browser": BrowserBackend,
    "window": WindowBackend,
    "headless": HeadlessBackend,
    "none": NoneBackend,
}
"""Each gives way to the next where it cannot open; the last always works. Nobody gets a browser without asking."""


def select(
    backend: str | Backend | None, headless: bool, title: str, width: int, height: int, scale: Number | None = None
) -> tuple[Backend, str]:
    """An open backend and, in one sentence, why it is this one; at `scale`, else EASEL_SCALE, else the monitor's.

    Asked for are `backend`, a name or one that is not open yet, else the environment's EASEL_BACKEND, else "headless"
    if `headless`, else "window"; what cannot open here gives way to the next that can.
    """
    scale = _asked_scale(scale)
    own = backend if isinstance(backend, Backend) else None
    asked, why = _asked(backend.name if isinstance(backend, Backend) else backend, headless)
    names = list(BACKENDS)
    refusals: list[str] = []
    for name in names[names.index(asked) :]:
        candidate = own if own is not None and name == asked else BACKENDS[name]()
        try:
            candidate.open(title, width, height, scale)
        except BackendUnavailableError as error:
            candidate.close()
            refusals.append(f"no {name}: {error}")
            continue
        reason = "; ".join(refusals) if refusals else why
        log.info("showing %r in backend %s (%s)", title, name, reason)
        return candidate, reason
    raise AssertionError("the none backend always opens")


def _asked(backend: str | None, headless: bool) -> tuple[str, str]:
    choices = [
        (backend, "backend= asks for it"),
        (os.environ.get("EASEL_BACKEND"), "EASEL_BACKEND asks for it"),
        ("headless" if headless else None, "headless=True asks for it"),
        ("window", "a display is there"),
    ]
    name, why = next((name, why) for name, why in choices if name)
    if name not in BACKENDS:
        raise ValueError(f"unknown backend {name!r}. Known: {', '.join(BACKENDS)}.")
    return name, why


def _asked_scale(scale: Number | None) -> Number | None:
    """`scale`, else the environment's EASEL_SCALE; None where nobody asks for one."""
    text = os.environ.get("EASEL_SCALE")
    if scale is None and not text:
        return None
    try:
        asked = float(text or "") if scale is None else scale
    except ValueError:
        asked = math.nan
    if not LEAST_SCALE <= asked <= MOST_SCALE:
        told = f"EASEL_SCALE={text}" if scale is None else f"scale={scale}"
        raise ValueError(f"the scale of a window is from {LEAST_SCALE} to {MOST_SCALE}; got {told}.")
    return asked
