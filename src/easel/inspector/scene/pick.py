"""Picking the value under the mouse: a ray against all rectangles at once, the sheet's map, then the tensor itself."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.camera import Camera, rays
from easel.inspector.layout.arrangement import Box, Vector

Value = float | int | bool | complex


@dataclass(frozen=True)
class Hit:
    """The first thing that a ray meets."""

    name: str
    """Name of the tensor."""
    point: Vector
    """Point in the world."""
    cell: tuple[int, int]
    """Row and column of the sheet."""
    index: tuple[int, ...] | None = None
    """Index into the tensor; None if the cell shows no value."""
    value: Value | None = None
    """The tensor's very number."""

    def __str__(self) -> str:
        if self.index is None:
            return self.name
        return f"{self.name}[{', '.join(map(str, self.index))}] = {written(self.value)}"


def written(value: Value | None) -> str:
    """Return a value with the digits that tell it from its neighbours: of single precision if it has no more."""
    # A float32 of 0.1 is 0.10000000149011612 in Python.
    if isinstance(value, float) and float(np.float32(value)) == value:
        return str(np.float32(value))
    return str(value)


class Picker:
    """Rectangles as arrays, so that a ray meets all of them in one expression."""

    def __init__(self, boxes: tuple[Box, ...]) -> None:
        self.boxes = boxes
        self._origins = np.array([box.origin for box in boxes], np.float64).reshape(-1, 3)
        self._rights = np.array([box.right for box in boxes], np.float64).reshape(-1, 3)
        self._downs = np.array([box.down for box in boxes], np.float64).reshape(-1, 3)
        # What does not change with the ray: only products are left to do under the mouse.
        self._normals = np.cross(self._rights, self._downs)
        self._right_squares = (self._rights**2).sum(1)
        self._down_squares = (self._downs**2).sum(1)

    def meet(self, eye: Float[np.ndarray, "3"], ray: Float[np.ndarray, "3"]) -> tuple[int, float, float, Vector] | None:
        """Return the nearest box that a ray meets, and where: (number, u along the rows, v down, point)."""
        # Sheets that are seen edge on divide by zero; what comes of that is not finite and meets nothing.
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = ((self._origins - eye) * self._normals).sum(1) / (self._normals @ ray)
            inside = eye + distance[:, None] * ray - self._origins
            u = (inside * self._rights).sum(1) / self._right_squares
            v = (inside * self._downs).sum(1) / self._down_squares
            met = (distance > 0) & (u >= 0) & (u < 1) & (v >= 0) & (v < 1) & np.isfinite(distance)
        if not met.any():
            return None
        number = int(np.where(met, distance, np.inf).argmin())
        x, y, z = eye + distance[number] * ray
        return number, float(u[number]), float(v[number]), (float(x), float(y), float(z))


def ray_through(
    camera: Camera, size: tuple[int, int], x: float | int, y: float | int
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Return eye and direction of the ray through (x, y), in pixels right and down of the upper left corner."""
    # float64: a cell may be a millionth of the distance from which it is picked.
    eye, direction = rays(torch.tensor([x, y], dtype=torch.float64), camera.pose().double(), camera.fov, size)
    return eye.numpy(), direction.numpy()


def value_at(tensor: Tensor, index: tuple[int, ...]) -> Value:
    """Return the very number that `tensor` holds there; narrow floats are floats of Python, exactly."""
    return tensor.detach()[index].item()
