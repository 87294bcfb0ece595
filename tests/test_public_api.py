"""What `import easel` promises: these names, at once for a checker, on demand for a program."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import easel

NAMES = [
    "COLORMAPS",
    "HAS_CUDA",
    "INRF2D",
    "INRF3D",
    "Camera",
    "Light",
    "PlotNetwork3D",
    "Publisher",
    "SceneView",
    "View",
    "Window",
    "__version__",
    "colormap",
    "create_tensor",
    "fields",
    "graphics",
    "imread",
    "imwrite",
    "inspector",
    "materials",
    "network_panel",
    "open_file_dialog",
    "save_file_dialog",
    "set_log_level",
    "show",
    "ui",
    "viewer",
    "workstation",
]


PUBLISHED = {
    "fields": """
        Architecture Calibration CompressedPicture DenseGrid Field FieldConfig Fields FitResult
        FourierEncoding HashGrid INRF2D INRF3D Identity Knobs LatentInputs Latents Look LossWeights OneBlob
        PRESETS PlaneProduct Preset RandomFourier SphericalHarmonics Step StraightThroughStep Window as_target
        build build_field compress drain fit isosurface largest_field latent_film latent_keys lerp
        load_image_as_tensor pan_film read_volume render render_volume resolve rotation_film schedule slerp
        smallest_field to_pyvista turntable twelve_views unnormalize_and_numpy write_film write_mesh
        write_volume zoom_film
    """,
    "inspector": """
        Arrangement Capture Difference Edge Follower Graph Hit NetworkScene NetworkSummary Node Snapshot
        Summary TensorRef Timeline Watch arrange capture dead_units difference follow open_source save_gltf
        save_html save_statistics summarize summarize_network tensors turntable watch
    """,
    "materials": """
        Brdf DirectionalLight Environment FAMILIES HybridLoss MAP_NAMES MaterialMaps MultiViewPBRGenerator
        PBRDataset PRESETS PlaneCamera PointLight TrainConfig build_discriminator build_model family_of
        get_default_config get_lightweight_config get_quick_test_config light_from_json light_to_json name_of
        open_config procedural procedural_environment render_plane render_sphere render_texture shade
        to_picture train
    """,
    "viewer": """
        Canvas Driver Panel Range SceneView View Window create_tensor launch show ui
    """,
}
"""Public names of the packages that programs out there may use; a renamed one stays as an alias."""


@pytest.mark.parametrize("package", PUBLISHED)
def test_no_published_name_is_lost(package):
    assert set(PUBLISHED[package].split()) <= set(importlib.import_module(f"easel.{package}").__all__)


def test_methods_keep_their_earlier_names():
    assert easel.PlotNetwork3D.turn is easel.PlotNetwork3D.scroll_callback
    assert easel.materials.PBRDataset.record is easel.materials.PBRDataset.packed


def test_names_are_pinned():
    assert sorted(easel.__all__) == sorted(NAMES)
    assert dir(easel) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name):
    assert getattr(easel, name) is not None


@pytest.mark.parametrize("package", ["", "fields", "inspector", "materials", "viewer"])
def test_checkers_see_every_name(package):
    """The stub is a program's list of names as well as a checker's, so it holds nothing that only one of them reads."""
    module = importlib.import_module(f"easel.{package}".rstrip("."))
    tree = ast.parse(Path(inspect.getfile(module)).with_suffix(".pyi").read_text(encoding="utf-8"))
    seen = {alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    declared = {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
    assert seen | declared == set(module.__all__)
    assert all(getattr(module, name) is not None for name in module.__all__)


def test_the_predecessors_import_line():
    import easel as vultorch

    assert vultorch.View is easel.viewer.View


def test_a_wrong_name_is_an_attribute_error():
    assert not hasattr(easel, "imred")
    with pytest.raises(ImportError, match="imred"):
        from easel import imred  # noqa: F401


def test_star_import_brings_the_names():
    names: dict = {}
    exec("from easel import *", names)
    assert set(NAMES) <= set(names)


@pytest.mark.parametrize("package", ["fields", "gl", "graphics", "inspector", "materials", "viewer", "workstation"])
def test_a_package_loads_nothing_before_it_is_used(packages_loaded_by, package):
    assert packages_loaded_by(f"import easel; easel.__getattr__; import easel.{package}") == set()


def test_help_needs_no_torch(packages_loaded_by):
    loaded = packages_loaded_by("from easel.cli import main; main(['--help'])")
    assert not loaded & {"torch", "numpy", "imgui_bundle", "moderngl", "glfw", "numba"}


def test_python_m_easel_is_the_command():
    done = subprocess.run([sys.executable, "-m", "easel", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, f"easel {easel.__version__}", "")
