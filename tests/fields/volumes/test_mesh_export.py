import json
import math
import struct

import numpy as np
import pytest
import torch

from easel.fields.volumes.mesh_export import SurfaceMesh, isosurface, write_mesh
from easel.graphics.color import srgb_to_linear
from easel.graphics.files import FileError


def ball(samples=24, radius=0.6):
    """1 at the middle, falling by 1 for every unit: level 1 - r is a sphere of radius r."""
    axes = [(2 * torch.arange(samples) + 1 - samples) / samples] * 3
    place = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
    return (1 - place.norm(dim=-1)).clamp(0, 1)


def enclosed(surface):
    """The volume by the divergence theorem; positive when triangles run counter-clockwise from outside."""
    a, b, c = (surface.positions[surface.triangles[:, k]].astype(float) for k in range(3))
    return (a * np.cross(b, c)).sum() / 6


def test_a_ball_is_round_watertight_and_looks_outwards():
    surface = isosurface(ball(), 0.4)
    assert surface.watertight
    assert np.allclose(np.linalg.norm(surface.positions, axis=1), 0.6, atol=0.01)
    assert enclosed(surface) == pytest.approx(4 / 3 * math.pi * 0.6**3, rel=0.03)
    assert ((surface.positions * surface.normals).sum(1) > 0.59).all()
    assert np.allclose(np.linalg.norm(surface.normals, axis=1), 1, atol=1e-5)


def test_unequal_voxels_make_an_ellipsoid():
    surface = isosurface(ball()[:, ::2], 0.4, spacing=(1, 2, 1))
    half_voxel = 1 / 24  # the even slices are stretched over the box, which moves them by half a voxel
    surface_center = surface.positions + np.array([0, -half_voxel, 0], np.float32)
    assert np.allclose(np.linalg.norm(surface_center, axis=1), 0.6, atol=0.04)
    assert ((surface_center * surface.normals).sum(1) > 0.55).all()


def test_what_the_box_cuts_gets_a_lid_unless_it_is_left_open():
    ramp = torch.linspace(0, 1, 9)[:, None, None].expand(9, 9, 9)
    closed, opened = isosurface(ramp, 0.5), isosurface(ramp, 0.5, closed=False)
    assert closed.watertight and not opened.watertight
    assert np.allclose(opened.positions[:, 0], 0, atol=1e-6) and np.allclose(opened.normals, [-1, 0, 0])
    assert np.abs(closed.positions).max() == pytest.approx(1, abs=1e-6)
    assert enclosed(isosurface(1 - ball(), 0.6)) == pytest.approx(8 - 4 / 3 * math.pi * 0.6**3, rel=0.05)


def test_vertices_have_the_volumes_colour():
    grey = ball()
    colour = torch.stack([grey, torch.full_like(grey, 0.2), 1 - grey], -1)
    surface = isosurface(colour, 0.4, channel=0)
    assert np.allclose(surface.colors / 255, [0.4, 0.2, 0.6], atol=0.003)
    assert np.abs(isosurface((grey * 255).round().byte(), 0.4).colors.astype(int) - 102).max() <= 1


@pytest.mark.parametrize("level", [-0.1, 1.5, math.nan])
def test_a_level_that_nothing_reaches_is_told(level):
    with pytest.raises(ValueError, match="between 0 and"):
        isosurface(ball(), level)


def test_channels_are_counted():
    with pytest.raises(ValueError, match="channels 0 to 0"):
        isosurface(ball(), 0.4, channel=1)


@pytest.fixture
def surface():
    grey = ball(8)
    return isosurface(torch.stack([grey, grey / 2, 1 - grey], -1), 0.4, channel=0)


def test_obj_by_its_lines(surface, tmp_path):
    write_mesh(surface, tmp_path / "m.obj")
    lines = [line.split() for line in (tmp_path / "m.obj").read_text().splitlines()]
    rows = {kind: [line[1:] for line in lines if line[0] == kind] for kind in ("v", "vn", "f")}
    vertices = np.array(rows["v"], float)
    assert np.allclose(vertices[:, :3], surface.positions, atol=1e-6)
    assert np.allclose(vertices[:, 3:], surface.colors / 255, atol=1e-4)
    assert np.allclose(np.array(rows["vn"], float), surface.normals, atol=1e-5)
    corners = np.array([[corner.split("//") for corner in face] for face in rows["f"]], int) - 1
    assert np.array_equal(corners[..., 0], surface.triangles) and np.array_equal(corners[..., 1], surface.triangles)


def test_ply_by_its_bytes(surface, tmp_path):
    write_mesh(surface, tmp_path / "m.ply")
    header, data = (tmp_path / "m.ply").read_bytes().split(b"end_header\n")
    assert f"element vertex {len(surface.positions)}".encode() in header
    vertex = np.dtype([("p", "<f4", 3), ("n", "<f4", 3), ("c", "u1", 3)])
    vertices = np.frombuffer(data, vertex, len(surface.positions))
    faces = np.frombuffer(data[vertices.nbytes :], np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    assert np.array_equal(vertices["p"], surface.positions) and np.array_equal(vertices["c"], surface.colors)
    assert (faces["count"] == 3).all() and np.array_equal(faces["corners"], surface.triangles)


def test_glb_by_its_specification(surface, tmp_path):
    write_mesh(surface, tmp_path / "m.glb")
    data = (tmp_path / "m.glb").read_bytes()
    magic, version, total, text_bytes, kind = struct.unpack_from("<4sIII4s", data)
    assert (magic, version, total, kind) == (b"glTF", 2, len(data), b"JSON") and text_bytes % 4 == 0
    document = json.loads(data[20 : 20 + text_bytes])
    bin_bytes, kind = struct.unpack_from("<I4s", data, 20 + text_bytes)
    binary = data[28 + text_bytes :]
    assert kind == b"BIN\0" and len(binary) == bin_bytes == document["buffers"][0]["byteLength"]

    def read(number):
        accessor = document["accessors"][number]
        view = document["bufferViews"][accessor["bufferView"]]
        dtype = {5126: "<f4", 5123: "<u2", 5125: "<u4"}[accessor["componentType"]]
        assert view["byteOffset"] % 4 == 0
        numbers = np.frombuffer(binary[view["byteOffset"] :][: view["byteLength"]], dtype)
        return numbers.reshape(accessor["count"], -1)

    primitive = document["meshes"][0]["primitives"][0]
    attributes = primitive["attributes"]
    assert np.array_equal(read(attributes["POSITION"]), surface.positions)
    assert np.array_equal(read(attributes["NORMAL"]), surface.normals)
    assert np.array_equal(read(primitive["indices"]).reshape(-1, 3), surface.triangles)
    linear = srgb_to_linear(torch.from_numpy(surface.colors).float() / 255).numpy()
    assert np.allclose(read(attributes["COLOR_0"])[:, :3] / 65535, linear, atol=1e-4)
    position = document["accessors"][attributes["POSITION"]]
    assert np.allclose(position["min"], surface.positions.min(0)) and np.allclose(
        position["max"], surface.positions.max(0)
    )


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_another_program_reads_the_same_body(surface, tmp_path, suffix):
    trimesh = pytest.importorskip("trimesh")
    write_mesh(surface, tmp_path / f"m{suffix}")
    mesh = trimesh.load(tmp_path / f"m{suffix}", force="mesh", process=False)
    assert mesh.is_watertight and mesh.volume == pytest.approx(enclosed(surface), rel=1e-4)


def test_other_files_are_told(surface, tmp_path):
    with pytest.raises(FileError, match=r"\.obj \.ply \.glb"):
        write_mesh(surface, tmp_path / "m.stl")
    nothing = SurfaceMesh(*(np.zeros((0, 3), kind) for kind in (np.float32, np.float32, np.uint8, np.int32)))
    assert not nothing.watertight
    with pytest.raises(ValueError, match="empty"):
        write_mesh(nothing, tmp_path / "m.glb")
    assert not list(tmp_path.iterdir())
