"""LiveFit: a fit that a person watches and steers: the field, its run, and the records that a page draws."""

import time
from collections import deque
from collections.abc import Iterator
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
from easel.workstation.background import Background

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
    """Conditions that end a fit, whichever comes first; None never does."""

    steps: int | None = None
    seconds: float | None = None
    psnr: float | None = None
    """Decibels."""


class LiveFit:
    """One picture, one field and the run that fits the field to the picture."""

    def __init__(
        self, picture: Float[Tensor, "h w c"], config: FieldConfig, knobs: Knobs, end: End, *, seed: int = 0
    ) -> None:
        self.picture = picture
        self.config = config
        self.knobs = knobs
        self.end = end
        self.seed = seed
        self._starter = Background[Step | None]("first-step")
        self.restart()

    def restart(self, *, picture: Float[Tensor, "h w c"] | None = None, config: FieldConfig | None = None) -> None:
        """Begin again with fresh weights; the knobs stay as they are."""
        if picture is not None:
            self.picture = picture
        self.config = config or self.config
        height, width, channels = self.picture.shape
        self._size = (height, width)
        # One generator draws the weights and then the pixels: the same seed repeats the whole fit.
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
        # It belongs to the other thread from here until `advance` takes its result.
        self._starter.start(_begin, self.field, self._size, self._run)
        self.step: Step | None = None
        self.finished = False
        self.cpu_seconds = 0.0
        self.losses: deque[float] = deque(maxlen=CURVE_LENGTH)
        self.psnrs: deque[float] = deque(maxlen=CURVE_LENGTH)
        self.steps_per_second = 0.0
        self._counted_from = (0, time.perf_counter())
        # Grey until the first prediction: a canvas needs a picture of the right size at once.
        self._keep(torch.full_like(self.picture, 0.5), seconds=0.0)

    @property
    def index(self) -> int:
        """Steps done."""
        return 0 if self.step is None else self.step.index + 1

    @property
    def progress(self) -> float:
        """Progress towards the nearest end, in [0, 1]; a fit without an end is measured against the usual steps."""
        if self.finished or self.step is None:
            return float(self.finished)
        end = End(steps=USUAL_STEPS) if self.end == End() else self.end
        done = ((self.index, end.steps), (self.step.seconds, end.seconds), (self.psnr, end.psnr))
        return min(1.0, max((value / goal for value, goal in done if goal), default=0.0))

    @property
    def starting(self) -> bool:
        """True while the first step is under way."""
        return self._starter.busy

    @property
    def summary(self) -> str:
        """State of the fit in a few words, for a progress bar."""
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
            if steps and taken == steps:
                break
            # At least one: a frame that is late already must not stop the fit altogether.
            if not steps and taken and time.perf_counter() - started >= seconds:
                break
            # The first step belongs to the other thread until its result is taken: a generator runs in one at a time.
            if self._starter.busy:
                if not self._starter.wait(None if steps else seconds):
                    break
                step = self._starter.result()
            else:
                step = next(self._run, None)
            if step is None:
                self.finished = True
            else:
                self.step = step
                self.losses.append(step.loss)
        # Of all threads of the process, the kernel's included.
        self.cpu_seconds += time.process_time() - cpu_started
        self._measure_speed()

    def _measure_speed(self) -> None:
        now = time.perf_counter()
        index, since = self._counted_from
        # Over a shorter time the figure would jump too fast to be read.
        if now - since >= SPEED_SECONDS:
            self.steps_per_second = (self.index - index) / (now - since)
            self._counted_from = (self.index, now)

    def look(self, *, now: bool = False) -> bool:
        """Render the prediction anew if the field has changed and it is time, or `now`; True if there is a new one."""
        if self.seen_index == self.index:
            return False
        started = time.perf_counter()
        # A large picture takes long to render: the longer, the more seldom, so that most of the time goes into the fit.
        if not now and started - self._seen_at < self._render_seconds / RENDER_SHARE:
            return False
        prediction = render(self.field, self._size)
        self._keep(prediction, time.perf_counter() - started)
        self.psnrs.append(self.psnr)
        return True

    def _keep(self, prediction: Float[Tensor, "h w c"], seconds: float) -> None:
        """Make this the prediction; `seconds` is the time that it took to render."""
        self.prediction = prediction
        self.psnr = psnr(self.shown, self.picture).item()
        self.seen_index = self.index
        self._seen_at = time.perf_counter()
        self._render_seconds = seconds

    @property
    def shown(self) -> Float[Tensor, "h w c"]:
        """The prediction in the 256 levels of a screen and of a file."""
        # A PSNR of the unrounded prediction would not be that of the file that is saved.
        return (self.prediction * 255).round() / 255

    def error_map(self, gain: float, prediction: Float[Tensor, "h w c"] | None = None) -> Float[Tensor, "h w 3"]:
        """Mean absolute error over the channels on the turbo colormap; an error of 1/`gain` takes the last colour.

        Of an earlier `prediction`, or of the latest.
        """
        shown = self.prediction if prediction is None else prediction
        return colormap((shown - self.picture).abs().mean(-1), "turbo", vmin=0.0, vmax=1 / gain)

    def close(self) -> None:
        """End the thread of the first step; the fit takes no further steps that are not begun."""
        self._starter.close()


def _begin(field: Field, size: tuple[int, int], run: Iterator[Step]) -> Step | None:
    """Render once and take the first step, which may compile a kernel or wake a GPU: seconds, so never in the loop."""
    render(field, size)
    return next(run, None)
