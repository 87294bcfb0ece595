"""Training and validation materials: apart, and the same whenever they are asked for."""

from collections.abc import Iterable

from easel.materials.dataset.keys import key_seed


def validation_materials(materials: Iterable[str], val_ratio: float | int, seed: int) -> frozenset[str]:
    """The names kept for validation: `val_ratio` of them, at least one and never all; none of fewer than two.

    Whole materials are kept, so that no photo of one that is trained on validates it. Names are ordered by a hash of
    seed and name: a material that comes or goes moves few others.
    """
    if not 0 <= val_ratio < 1:
        raise ValueError(f"val_ratio is the share of validation materials, 0 up to but not 1; got {val_ratio}.")
    names = sorted(set(materials), key=lambda name: (key_seed(seed, "split", name), name))
    if val_ratio == 0 or len(names) < 2:
        return frozenset()
    return frozenset(names[: min(max(1, round(len(names) * val_ratio)), len(names) - 1)])
