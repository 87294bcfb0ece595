"""A fit that a person watches and steers: the field, its run, and what the run has told so far."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.fitting.run import Step, fit
from easel.fields.model.config import FieldConfig, Knobs
from easel.fields.model.field import Field, build_field
from easel.fields.rendering.render import render
from easel.graphics.color import colormap
from easel.graphics.metrics import psnr

USUAL_STEPS = 25_000
"""Enough for a photograph of half a megapixel; a fit without an end shows its progress against it."""
CURVE_LENGTH = 500
"""Values kept of each curve."""
SPEED_SECONDS = 0.5
"""The speed read-out is an average over this long."""
RENDER_SHARE = 0.15
"""Largest share of wall-clock time that looking at the prediction may take from fitting it."""


@dataclass(frozen=True)
class End:
    """When a fit is done: whichever comes first; None never comes."""

    steps: int | None = None
    seconds: float | None = None
    psnr: float | None = None


class LiveFit:
    """One picture, one field and the run that brings them together, with the records a page draws."""

    def __init__(
        self, picture: Float[Tensor, "h w c"], config: FieldConfig, knobs: Knobs, end: End, *, seed: int = 0
    ) -> None:
        self.picture, self.config, self.knobs, self.end, self.seed = picture, config, knobs, end, seed
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="first-step")
        self.restart()

    def restart(self, *, picture: Float[Tensor, "h w c"] | None = None, config: FieldConfig | None = None) -> None:
        """Begin again with fresh weights; the knobs stay as they are."""
        self.picture = self.picture if picture is None else picture
        self.config = self.config if config is None else config
        height, width, channels = self.picture.shape
        self._size = (height, width)
        generator = torch.Generator().manual_seed(self.seed)
        self.field: Field = build_field(self.config, self._size, channels, generator=generator).to(self.picture.device)
        self._run: Iterator[Step] = fit(
            self.field,
            self.picture,
            self.knobs,
            steps=self.end.steps,
            seconds=self.end.seconds,
            target_psnr=self.end.psnr,
            generator=generator,
        )
        self._first: Future[Step | None] | None = self._starter.submit(_begin, self.field, self._size, self._run)
        self.step: Step | None = None
        self.finished = False
        self.cpu_seconds = 0.0
        self.losses: deque[float] = deque(maxlen=CURVE_LENGTH)
        self.psnrs: deque[float] = deque(maxlen=CURVE_LENGTH)
        self.steps_per_second = 0.0
        self._counted_from = (0, time.perf_counter())
        self._seen(torch.full_like(self.picture, 0.5), seconds=0.0)

    @property
    def index(self) -> int:
        """Steps done."""
        return 0 if self.step is None else self.step.index + 1

    @property
    def progress(self) -> float:
        """How far the fit has come towards its nearest end, in [0, 1]; one without an end, towards the usual steps."""
        if self.finished or self.step is None:
            return float(self.finished)
        steps = self.end.steps or (None if self.end.seconds or self.end.psnr else USUAL_STEPS)
        shares = (
            self.index / steps if steps else 0.0,
            self.step.seconds / self.end.seconds if self.end.seconds else 0.0,
            self.psnr / self.end.psnr if self.end.psnr else 0.0,
        )
        return min(1.0, max(shares))

    @property
    def starting(self) -> bool:
        """The first step is under way."""
        return self._first is not None

    @property
    def summary(self) -> str:
        """How it goes, in a few words."""
        if self.starting:
            return "starting (the first time, compiling)"
        return f"{self.index:,} steps  {self.psnr:.2f} dB  {self.steps_per_second:,.0f} it/s"

    def advance(self, *, steps: int = 0, seconds: float = 0.0) -> None:
        """Take `steps` steps, or with 0 as many as fit into `seconds`, at least one; fewer when the run ends.

        A run that is still starting may take none in its `seconds`.
        """
        started, cpu_started = time.perf_counter(), time.process_time()
        before = self.index
        while not self.finished:
            taken = self.index - before
            if taken == steps if steps else taken and time.perf_counter() - started >= seconds:
                break
            if self._first is not None:
                if not wait([self._first], timeout=None if steps else seconds).done:
                    break
                step, self._first = self._first.result(), None
            else:
                step = next(self._run, None)
            if step is None:
                self.finished = True
            else:
                self.step = step
                self.losses.append(step.loss)
        self.cpu_seconds += time.process_time() - cpu_started
        self._measure_speed()

    def _measure_speed(self) -> None:
        now = time.perf_counter()
        index, since = self._counted_from
        if now - since >= SPEED_SECONDS:
            self.steps_per_second = (self.index - index) / (now - since)
            self._counted_from = (self.index, now)

    def look(self, *, now: bool = False) -> bool:
        """Render the prediction anew if the field has changed and it is time, or `now`; True if there is a new one."""
        if self.seen_index == self.index:
            return False
        started = time.perf_counter()
        if not now and started - self._seen_at < self._render_seconds / RENDER_SHARE:
            return False
        prediction = render(self.field, self._size)
        self._seen(prediction, time.perf_counter() - started)
        self.psnrs.append(self.psnr)
        return True

    def _seen(self, prediction: Float[Tensor, "h w c"], seconds: float) -> None:
        self.prediction = prediction
        self.psnr = psnr(self.shown, self.picture).item()
        self.seen_index = self.index
        self._seen_at, self._render_seconds = time.perf_counter(), seconds

    @property
    def shown(self) -> Float[Tensor, "h w c"]:
        """The prediction in the 256 levels of a screen and of a file."""
        return (self.prediction * 255).round() / 255

    def error_map(self, gain: float, prediction: Float[Tensor, "h w c"] | None = None) -> Float[Tensor, "h w 3"]:
        """Mean absolute error over the channels on the turbo colormap; an error of 1/`gain` takes the last colour.

        Of an earlier `prediction`, or of the latest.
        """
        prediction = self.prediction if prediction is None else prediction
        return colormap((prediction - self.picture).abs().mean(-1), "turbo", vmin=0.0, vmax=1 / gain)


def _begin(field: Field, size: tuple[int, int], run: Iterator[Step]) -> Step | None:
    """The first step, which may compile a kernel or wake a GPU: seconds in which a window must stay alive."""
    render(field, size)
    return next(run, None)
