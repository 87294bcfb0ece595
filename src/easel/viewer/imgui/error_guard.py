"""What a callback raises stays in its panel: the other panels, the loop and the training go on."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from easel.viewer.imgui.context import UI
from easel.viewer.imgui.toolkit import imgui

log = logging.getLogger("easel")
T = TypeVar("T")


@dataclass
class Failure:
    """What a callback raised last, and how often it has failed."""

    message: str
    count: int = 0
    paused: bool = True
    """It is not called again until somebody asks: half-done work is not repeated sixty times a second."""


@dataclass
class Guard:
    """Runs the callbacks of one owner; a callback that raises is paused, everything it left open is closed."""

    owner: str
    ui: UI | None
    strict: bool = False
    """Let exceptions through, for tests and scripts."""
    failures: dict[object, Failure] = field(default_factory=dict)

    def run(self, key: object, callback: Callable[[], T]) -> T | None:
        """Call `callback` unless it failed and waits for `retry`; None when it has not returned."""
        failure = self.failures.get(key)
        if failure is not None and failure.paused:
            return None
        state = _remember(self.ui)
        try:
            result = callback()
        except BaseException as error:
            _recover(self.ui, state)
            if self.strict or not isinstance(error, Exception):
                raise
            self._note(key, error)
            return None
        self.failures.pop(key, None)
        return result

    def retry(self, key: object) -> None:
        """Let a paused callback run again."""
        self.failures[key].paused = False

    def _note(self, key: object, error: Exception) -> None:
        message = f"{type(error).__name__}: {error}"
        failure = self.failures.get(key)
        if failure is None or failure.message != message:
            log.error("%s: a callback failed and is paused until Retry", self.owner, exc_info=error)
        failure = self.failures.setdefault(key, Failure(message))
        failure.message, failure.count, failure.paused = message, failure.count + 1, True


def _remember(ui: UI | None) -> "imgui.internal.ErrorRecoveryState | None":
    """Which windows, groups and styles are open now; None outside a frame."""
    if ui is None or not ui.open:
        return None
    state = imgui.internal.ErrorRecoveryState()
    imgui.internal.error_recovery_store_state(state)
    return state


def _recover(ui: UI | None, state: "imgui.internal.ErrorRecoveryState | None") -> None:
    """Close whatever was opened since `state` was stored."""
    if ui is not None and ui.open and state is not None:
        imgui.internal.error_recovery_try_to_recover_state(state)
        ui.complaints()  # what was left open is no news: the exception is
