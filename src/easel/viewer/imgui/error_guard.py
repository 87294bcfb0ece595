"""Error guard: an exception in a callback stays in its panel; other panels, the loop and the training go on."""

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
    """The last exception of a callback, and the number of times it has failed."""

    message: str
    count: int = 0
    paused: bool = True
    """True until somebody asks for a retry: half-done work is not repeated sixty times a second."""


@dataclass
class Guard:
    """Runs the callbacks of one owner; pauses one that raises, and closes everything that it left open."""

    owner: str
    ui: UI | None
    strict: bool = False
    """Let exceptions through, for tests and scripts."""
    failures: dict[object, Failure] = field(default_factory=dict)
    """Key of a callback → its failure."""

    def run(self, key: object, callback: Callable[[], T]) -> T | None:
        """Call `callback` and return its result; None if it raised, or is paused until `retry`."""
        if (failure := self.failures.get(key)) is not None and failure.paused:
            return None
        state = self._open_scopes()
        try:
            result = callback()
        except BaseException as error:
            self._recover(state)
            # KeyboardInterrupt and SystemExit are for the program: closed properly, they must still end it.
            if self.strict or not isinstance(error, Exception):
                raise
            self._note(key, error)
            return None
        # It works again: the message goes, and the next failure is logged anew.
        self.failures.pop(key, None)
        return result

    def retry(self, key: object) -> None:
        """Let a paused callback run again."""
        self.failures[key].paused = False

    def _note(self, key: object, error: Exception) -> None:
        message = f"{type(error).__name__}: {error}"
        failure = self.failures.setdefault(key, Failure(""))
        # Once per message: a callback that is retried and fails alike would flood the log.
        if failure.message != message:
            log.error("%s: a callback failed and is paused until Retry", self.owner, exc_info=error)
        failure.message = message
        failure.count += 1
        failure.paused = True

    def _open_scopes(self) -> "imgui.internal.ErrorRecoveryState | None":
        """Return the depth of open windows, groups and styles; None outside a frame."""
        if self.ui is None or not self.ui.open:
            return None
        state = imgui.internal.ErrorRecoveryState()
        imgui.internal.error_recovery_store_state(state)
        return state

    def _recover(self, state: "imgui.internal.ErrorRecoveryState | None") -> None:
        """Close whatever was opened since `state` was stored."""
        if self.ui is not None and self.ui.open and state is not None:
            imgui.internal.error_recovery_try_to_recover_state(state)
            # Drained and dropped: that scopes were left open follows from the exception, which is reported itself.
            self.ui.new_errors()
