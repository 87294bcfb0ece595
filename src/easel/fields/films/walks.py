"""Walks through latent space: straight, or along the sphere, from key to key."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

NEARLY_PARALLEL = 1e-4
"""Sine of the angle below which slerp's own formula loses its digits and the straight line is as good."""


def lerp(z1: Float[Tensor, "*shape"], z2: Float[Tensor, "*shape"], n: int) -> Float[Tensor, "states *shape"]:
    """Return n + 2 states on the straight line from z1 to z2, both of them included exactly."""
    return _states(z1, z2, n, _straight)


def slerp(z1: Float[Tensor, "*shape"], z2: Float[Tensor, "*shape"], n: int) -> Float[Tensor, "states *shape"]:
    """Return n + 2 states from z1 to z2, both included exactly, whose direction turns at a constant rate.

    The length goes evenly from one to the other, so that latents do not shrink halfway as `lerp`'s do. Between
    opposite or vanishing latents no direction is the shortest: there it is `lerp`.
    """
    return _states(z1, z2, n, _around)


def walk(
    keys: Sequence[Float[Tensor, " d"]], frames: int, *, path: str = "slerp", loop: bool = True
) -> Float[Tensor, "frames d"]:
    """Return a latent for each of so many frames, evenly through the keys from the first one on.

    With `loop` it goes on from the last key to the first, and the frame after the last would be the first one;
    without, the last frame is the last key.
    """
    if path not in ("lerp", "slerp"):
        raise ValueError(f"unknown path {path!r}. Known: lerp, slerp.")
    if len(keys) < 2:
        raise ValueError(f"a walk needs at least two keys; got {len(keys)}.")
    if frames < 1:
        raise ValueError(f"a walk has at least one frame; got {frames}.")
    step = {"slerp": _around, "lerp": _straight}[path]
    legs = len(keys)
    spans = frames
    if not loop:  # the last key is reached by the last frame, not by the one after it
        legs -= 1
        spans = max(frames - 1, 1)
    states = []
    for frame in range(frames):
        # In whole numbers, so that a key is met exactly.
        leg, rest = divmod(frame * legs, spans)
        state = keys[leg % len(keys)]
        if rest:
            state = step(state, keys[(leg + 1) % len(keys)], rest / spans)
        states.append(state)
    return torch.stack(states)


def _states(z1: Tensor, z2: Tensor, n: int, step: Callable[[Tensor, Tensor, float], Tensor]) -> Tensor:
    if n < 0:
        raise ValueError(f"between two latents lie 0 or more states; got n={n}.")
    # The ends themselves: rounding must not move them.
    return torch.stack([z1, *(step(z1, z2, (k + 1) / (n + 1)) for k in range(n)), z2])


def _straight(z1: Tensor, z2: Tensor, t: float) -> Tensor:
    return z1 + t * (z2 - z1)


def _around(z1: Tensor, z2: Tensor, t: float) -> Tensor:
    # Shoemake 1985, Animating Rotation with Quaternion Curves, on directions; in float64 for small angles.
    length_a = z1.double().norm()
    length_b = z2.double().norm()
    if length_a == 0 or length_b == 0:
        return _straight(z1, z2, t)
    a = z1.double() / length_a
    b = z2.double() / length_b
    # Not acos(a·b), which loses half its digits for small angles (Kahan).
    angle = 2 * torch.atan2((a - b).norm(), (a + b).norm())
    if angle.sin() < NEARLY_PARALLEL:
        return _straight(z1, z2, t)
    direction = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return (direction * (length_a + t * (length_b - length_a))).to(z1.dtype)
