import json

import pytest

from easel.graphics.files import FileError
from easel.materials.dataset.views import Shot, ShotList, read_views_json, write_views_json
from easel.materials.rendering.plane_camera import PlaneCamera

CAMERA = PlaneCamera.orbit(33.3, 21.7, width=96, height=64)
SHOTS = ShotList(
    7,
    (
        Shot("0.png", CAMERA, ({"kind": "point", "position": [0.0, 0.1, 0.6]},), 1.25, {"defocus": 0.1}),
        Shot("1.png", None, (), 0.5, {"white_balance": (1.1, 1.0, 0.9)}),
    ),
)


@pytest.fixture
def path(tmp_path):
    write_views_json(tmp_path / "views.json", SHOTS)
    return tmp_path / "views.json"


def test_what_is_written_is_read(path):
    assert read_views_json(path) == SHOTS


def test_the_file_says_where_the_tile_is_seen(path):
    view, unknown = json.loads(path.read_text())["views"]
    assert view["uv_to_pixel"] == CAMERA.uv_to_pixel().tolist()
    assert view["camera"]["fov_y_deg"] == 55 and (view["camera"]["width"], view["camera"]["height"]) == (96, 64)
    assert unknown["camera"] is None and unknown["uv_to_pixel"] is None


def _without_camera(view):
    view["camera"] = None


SPOILED = {
    "camera": (lambda view: view["camera"].update(fov_y_deg=60), "uv_to_pixel contradicts the camera"),
    "matrix": (lambda view: view["uv_to_pixel"][0].__setitem__(2, 1e3), "uv_to_pixel contradicts the camera"),
    "row": (lambda view: view["uv_to_pixel"].pop(), "no 3 x 3 matrix"),
    "lost camera": (_without_camera, "uv_to_pixel is given without a camera"),
    "behind": (lambda view: view["camera"].update(position=[0, 0, -1]), "behind the material"),
    "itself": (lambda view: view["camera"].update(target=view["camera"]["position"]), "looks at something else"),
    "huge": (lambda view: view["camera"].update(width=10**6, height=10**6), "no size of a photo"),
    "fov": (lambda view: view["camera"].update(fov_y_deg=180), "fov_y_deg"),
    "text": (lambda view: view.update(exposure="1"), "exposure is no number"),
    "dark": (lambda view: view.update(exposure=0), "exposure 0.0 is not above 0"),
    "big number": (lambda view: view.update(exposure=10**400), "exposure is no number"),
    "true": (lambda view: view["artefacts"].update(defocus=True), "defocus is no number"),
    "elsewhere": (lambda view: view.update(file="../0.png"), "no plain file name"),
    "same file": (lambda view: view.update(file="1.png"), "two views name the same file"),
    "light": (lambda view: view.update(light={}), "light is no list"),
    "missing": (lambda view: view.pop("artefacts"), "has no 'artefacts'"),
    "unknown": (lambda view: view.update(lens="wide"), "unknown 'lens'"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_file_is_one_line(path, how):
    spoil, reason = SPOILED[how]
    record = json.loads(path.read_text())
    spoil(record["views"][0])
    path.write_text(json.dumps(record))
    with pytest.raises(FileError, match=r"views\.json") as refused:
        read_views_json(path)
    assert reason in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 100_000,
        '{"version": 2, "seed": 0, "views": []}',
        '{"version": 1, "seed": 0.5, "views": [1]}',
        '{"version": 1, "seed": 0, "views": []}',
        '{"version": 1, "seed": 0, "views": [NaN]}',
        '{"version": 1, "seed": 0, "views": {"file": 1}}',
        "x" * (1 << 20 | 1),
        "\udcff",
    ],
    ids=range(12),
)
def test_what_is_no_list_of_shots_is_one_line(tmp_path, text):
    path = tmp_path / "views.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(FileError) as refused:
        read_views_json(path)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500
