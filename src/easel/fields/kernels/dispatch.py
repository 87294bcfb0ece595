"""The one answer to whether a field has a fast evaluator, and which."""

from easel.fields.kernels import grid_fields, painting
from easel.fields.kernels.grid_fields import GridEvaluator
from easel.fields.kernels.painting import PaintingEvaluator
from easel.fields.model.field import Field


def for_(field: Field) -> GridEvaluator | PaintingEvaluator | None:
    """Return the evaluator that numba compiles for this field; None where torch evaluates it.

    Evaluators hold no copy of the weights: one may be kept while a fit runs. They know no gradients.
    """
    # Each asks its own kernel and imports it only where the field could be one of its kind.
    if grid_fields.runs_fused(field):
        return GridEvaluator(field)
    if painting.runs_fused(field):
        return PaintingEvaluator(field)
    return None
