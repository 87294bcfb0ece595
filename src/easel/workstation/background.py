"""Background: work beside the loop that draws; the newest request wins."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Dropped(Exception):  # noqa: N818 - a wish, no error: nobody wants the result any more
    """Raised by `Background.report` inside work whose result is no longer wanted."""


class Background(Generic[Result]):
    """One thread that works on the newest request; the loop looks in every frame whether it has ended.

    loader = Background[Photograph]("open-image")
    loader.start(load_photograph, path, 1024)  # in place of whatever was asked for before
    ...
    if loader.done:  # in every frame
        photograph = loader.result()  # raises what the work raised
    """

    def __init__(self, name: str) -> None:
        # One worker: requests never overlap, so work may keep what it has read from one to the next.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"easel-{name}")
        self._future: Future[Result] | None = None
        self._newest: object = None
        self._running: object = None
        self.progress = 0.0
        """Share of the newest request that is done, in [0, 1], as its work reports it."""

    def start(self, work: Callable[..., Result], *arguments: Any) -> None:
        """Run `work(*arguments)` in the thread, in place of an earlier request."""
        self.drop()
        # A request may have the same work and arguments as the last: only its identity tells them apart.
        self._newest = object()
        self._future = self._executor.submit(self._run, self._newest, work, arguments)

    def drop(self) -> None:
        """Forget the request: work that reports its progress ends at its next report, other work is left to end."""
        if self._future is not None:
            # This has an effect only on work that has not begun.
            self._future.cancel()
        self._future = None
        self._newest = None
        self.progress = 0.0

    @property
    def busy(self) -> bool:
        """True from `start` until `result` or `drop`."""
        return self._future is not None

    @property
    def done(self) -> bool:
        """True once the newest request has ended, so that `result` returns at once."""
        return self._future is not None and self._future.done()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the newest request, at most so long; returns `done`."""
        if self._future is not None:
            wait([self._future], seconds)
        return self.done

    def result(self) -> Result:
        """Take the result of the newest request, waiting for it if need be; raises what its work raised."""
        assert self._future is not None, "nothing was started, or its result was taken"
        # Taken out before it is read, so that an error is raised once and not in every frame.
        future = self._future
        self._future = None
        return future.result()

    def report(self, share: float | int) -> None:
        """Note the share that is done; called by the work itself. Raises Dropped where its result is not wanted."""
        if self._running is not self._newest:
            raise Dropped
        self.progress = float(share)

    def close(self) -> None:
        """Drop the request and end the thread, after the work that cannot be cut short."""
        self.drop()
        self._executor.shutdown(cancel_futures=True)

    def _run(self, request: object, work: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
        # In the thread itself, when the work begins: until then the one before may still report.
        self._running = request
        return work(*arguments)
