"""What a run counts: steps, sums of an epoch, and faults in a row."""

import math

from easel.materials.dataset.sample import Batch
from easel.materials.training.progress import RunProgress
from easel.materials.training.step import Outcome


def outcome(loss: float | None, d_loss: float | None = None) -> Outcome:
    """Return what a step left behind; without a loss it was skipped."""
    batch = object.__new__(Batch)
    return Outcome(math.nan if loss is None else loss, d_loss, {}, {}, batch, skipped=loss is None)


def test_faults_are_counted_in_a_row():
    progress = RunProgress()
    counts = []
    for loss in (None, None, None, 1.0, None):
        progress.count(1, outcome(loss))
        counts.append(progress.faults)
    assert counts == [1, 2, 3, 0, 1]
    assert progress.step == progress.batch == 5


def test_means_are_of_the_steps_that_counted():
    progress = RunProgress()
    for step in (outcome(1.0, 4.0), outcome(None), outcome(3.0)):
        progress.count(2, step)
    assert progress.means() == (2.0, 4.0)
    progress.end_epoch()
    assert (progress.epoch, progress.batch, progress.g_count, progress.d_count) == (1, 0, 0, 0)
    assert RunProgress.from_json(progress.to_json()) == progress
