"""What a person turns has fixed names and values that make sense."""

import math

import pytest
import torch

from easel.graphics.camera import Camera
from easel.graphics.light import Light


def test_defaults_are_those_that_are_documented():
    camera, light = Camera(), Light()
    assert (camera.azimuth, camera.elevation, camera.distance) == (0.0, 0.6, 3.0)
    assert (camera.target, camera.fov) == ((0.0, 0.0, 0.0), 45.0)
    assert (light.direction, light.color, light.intensity) == ((0.3, -1.0, 0.5), (1.0, 1.0, 1.0), 1.0)
    assert (light.ambient, light.specular, light.shininess, light.enabled) == (0.15, 0.5, 32.0, True)


@pytest.mark.parametrize("record", [Camera(), Light()])
def test_unknown_names_are_refused(record):
    with pytest.raises(AttributeError):
        record.foo = 1
    with pytest.raises(AttributeError):
        print(record.foo)


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [
        (Camera(), "fov", 180),
        (Camera(), "fov", "wide"),
        (Camera(), "distance", 0),
        (Camera(), "azimuth", math.nan),
        (Camera(), "azimuth", None),
        (Camera(), "target", (1, 2)),
        (Camera(), "target", 3),
        (Light(), "direction", (0, math.inf, 0)),
        (Light(), "intensity", -1),
    ],
)
def test_values_that_make_no_sense_are_refused_where_they_are_assigned(record, name, value):
    before = getattr(record, name)
    with pytest.raises(ValueError, match=rf"{name} takes .*got"):
        setattr(record, name, value)
    assert getattr(record, name) == before


def test_numbers_of_every_kind_become_floats():
    camera = Camera()
    camera.azimuth, camera.target = torch.tensor(2), [1, torch.tensor(2.0), 3]  # type: ignore[assignment]
    assert camera.azimuth == 2.0 and isinstance(camera.azimuth, float)
    assert camera.target == (1.0, 2.0, 3.0)


def test_reset_puts_everything_back():
    light = Light(direction=(1, 0, 0), enabled=False, shininess=3)
    light.reset()
    assert light == Light()
