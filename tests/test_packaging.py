"""What is pinned, what a wheel holds, and that neither needs a thing it must not."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_everything_but_torch_is_pinned_exactly():
    pinned = {canonicalize_name(pin.name) for pin in requirements("constraints.txt")}
    assert all(re.fullmatch(r"==[^*,]+", str(pin.specifier)) for pin in requirements("constraints.txt"))
    assert not [name for name in pinned if name == "torch" or name.startswith("nvidia-")]
    wanted = [*map(Requirement, PYPROJECT["project"]["dependencies"]), *requirements("test.txt")]
    assert {canonicalize_name(one.name) for one in wanted} - pinned == {"torch"}


def test_the_pins_are_within_the_projects_ranges():
    pins = {canonicalize_name(pin.name): pin for pin in requirements("constraints.txt") + requirements("torch.txt")}
    for wanted in map(Requirement, PYPROJECT["project"]["dependencies"]):
        (pin,) = pins[canonicalize_name(wanted.name)].specifier
        assert wanted.specifier.contains(pin.version), f"{wanted} does not allow {pin.version}"


# Where only its CUDA build is offered, torchvision installs beside a CPU torch and then fails on import.
NEEDS_TORCHVISION = ["torchvision", "timm", "litdata", "mosaicml-streaming", "lpips", "segmentation-models-pytorch"]


@pytest.mark.parametrize("path", ["pyproject.toml", *(f"requirements/{n}" for n in ("constraints.txt", "test.txt"))])
def test_torchvision_is_nowhere(path):
    words = re.findall(r"[\w-]+", (ROOT / path).read_text(encoding="utf-8"))
    assert not set(words) & set(NEEDS_TORCHVISION)


IMPORT_ALL = """
import importlib, pkgutil, sys
sys.modules["torchvision"] = None  # an import of it now fails
import easel
names = [module.name for module in pkgutil.walk_packages(easel.__path__, "easel.")]
for name in names:
    importlib.import_module(name)
assert len(names) > 20, names
print(easel.__file__)
"""


def import_all(folder: Path, **environment: str) -> Path:
    """Imports every module of Easel in a process that stands in `folder`; where it found the package."""
    command = [sys.executable, "-W", "error", "-c", IMPORT_ALL]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.mark.slow
def test_every_module_imports_without_torchvision_and_from_anywhere(tmp_path):
    assert import_all(tmp_path).is_relative_to(ROOT)


@pytest.mark.slow
def test_a_wheel_holds_the_whole_package_and_imports(tmp_path):
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *offline, "-w", tmp_path, ROOT], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("torch_easel-*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        entry_points = wheel.read(next(name for name in wheel.namelist() if name.endswith("/entry_points.txt")))
    source = ROOT / "src"
    files = [path for path in source.rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    assert held == {path.relative_to(source).as_posix() for path in files}
    assert "easel/py.typed" in held
    assert b"easel = easel.cli:main" in entry_points
    assert import_all(tmp_path, PYTHONPATH=str(tmp_path / "site")).is_relative_to(tmp_path)
