"""The table of backends, and the choice of the best one that really opens here, with the reason."""

import logging
import math
import os
from collections.abc import Mapping
from pkgutil import resolve_name

from easel.viewer.backends.base import Backend, BackendUnavailableError
from easel.viewer.imgui.sketch import Number

log = logging.getLogger("easel")

LEAST_SCALE = 0.5
MOST_SCALE = 8
"""Bounds of the interface's scale; 1 is made for 96 dpi."""

BACKENDS: dict[str, str] = {
    "browser": "easel.viewer.backends.browser:BrowserBackend",
    "window": "easel.viewer.backends.window:WindowBackend",
    "headless": "easel.viewer.backends.headless:HeadlessBackend",
    "none": "easel.viewer.backends.none:NoneBackend",
}
"""Backends by name, as "module:Class", imported on demand; a new one is a file and a row here.

Each gives way to the next where it cannot open; the last always works. Nobody gets a browser without asking.
"""


def select(
    backend: str | Backend | None, headless: bool, title: str, width: int, height: int, scale: Number | None = None
) -> tuple[Backend, str]:
    """Open a backend. Returns it and, in one sentence, the reason why it is this one.

    `backend` is a name, or a backend that is not open yet; None takes the environment's EASEL_BACKEND, else "headless"
    if `headless`, else "window". One that cannot open here gives way to the next in `BACKENDS`. `scale` None takes
    EASEL_SCALE, else the monitor's own.
    """
    scale = _asked_scale(scale)
    given = backend if isinstance(backend, Backend) else None
    asked, why = _asked(given.name if given else backend, headless)
    names = list(BACKENDS)
    refusals: list[str] = []
    # From the one asked for to the end of the table, which always opens.
    for name in names[names.index(asked) :]:
        candidate = given if given and name == asked else resolve_name(BACKENDS[name])()
        try:
            candidate.open(title, width, height, scale)
        except BackendUnavailableError as error:
            # It may have opened half of what it needs.
            candidate.close()
            refusals.append(f"no {name}: {error}")
            continue
        # Refusals say more than the wish: "no window: no display".
        reason = "; ".join(refusals) or why
        log.info("showing %r in backend %s (%s)", title, name, reason)
        return candidate, reason
    raise AssertionError("the none backend always opens")


def _asked(backend: object, headless: bool) -> tuple[str, str]:
    choices: Mapping[str, object] = {
        "backend= asks for it": backend,
        "EASEL_BACKEND asks for it": os.environ.get("EASEL_BACKEND"),
        "headless=True asks for it": "headless" if headless else None,
        "a display is there": "window",
    }
    why, name = next((why, name) for why, name in choices.items() if name)
    if name not in BACKENDS:
        raise ValueError(f"unknown backend {name!r}. Known: {', '.join(BACKENDS)}.")
    return str(name), why


def _asked_scale(scale: Number | None) -> Number | None:
    """Return `scale`, else the environment's EASEL_SCALE; None where neither is set."""
    source = f"scale={scale}"
    if scale is None and (text := os.environ.get("EASEL_SCALE")):
        source = f"EASEL_SCALE={text}"
        try:
            scale = float(text)
        except ValueError:
            scale = math.nan
    # NaN fails every comparison: whatever is no number is out of range as well.
    if scale is not None and not LEAST_SCALE <= scale <= MOST_SCALE:
        raise ValueError(f"the scale of a window is from {LEAST_SCALE} to {MOST_SCALE}; got {source}.")
    return scale
