"""Which backend a view gets: the best that really opens here, and why."""

import logging
import os
from collections.abc import Callable, Mapping

from easel.viewer.backends.base import Backend, BackendUnavailableError
from easel.viewer.backends.headless import HeadlessBackend
from easel.viewer.backends.none import NoneBackend
from easel.viewer.backends.window import WindowBackend

log = logging.getLogger("easel")

BACKENDS: Mapping[str, Callable[[], Backend]] = {
    "window": WindowBackend,
    "headless": HeadlessBackend,
    "none": NoneBackend,
}
"""From the best to the one that always works."""


def select(backend: str | None, headless: bool, title: str, width: int, height: int) -> tuple[Backend, str]:
    """An open backend and, in one sentence, why it is this one.

    Asked for are `backend`, else the environment's EASEL_BACKEND, else "headless" if `headless`, else "window"; what
    cannot open here gives way to the next that can.
    """
    asked, why = _asked(backend, headless)
    names = list(BACKENDS)
    refusals: list[str] = []
    for name in names[names.index(asked) :]:
        candidate = BACKENDS[name]()
        try:
            candidate.open(title, width, height)
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
