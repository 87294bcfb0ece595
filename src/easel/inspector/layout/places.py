"""Points in the inspector's space."""

Vector = tuple[float, float, float]
"""x to the right, y up, z toward the viewer."""
