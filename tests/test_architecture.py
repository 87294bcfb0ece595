"""The import map: who may import whom, and what `import easel` may load."""

import ast
import graphlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"
FILES = {".".join(p.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): p for p in SRC.rglob("*.py")}

DOORS = {"lazy", "version"}  # what any room may name: nothing of ours below them
SPEECH = {"log", "console"}  # how a program talks to people: nothing of ours below them either
GROUND = {"graphics", "gl", "checkpoint"}
PRODUCTS = {"viewer", "fields", "inspector", "materials"}
MAY_IMPORT = {
    "log": set(),
    "console": set(),
    "lazy": set(),
    "version": set(),
    "graphics": set(),
    "checkpoint": {"graphics"},
    "gl": {"graphics"},
    **dict.fromkeys(PRODUCTS, GROUND),
    "workstation": GROUND | PRODUCTS | SPEECH,
    # A command may open a page; a page never runs a command.
    "commands": GROUND | PRODUCTS | SPEECH | {"workstation"},
    "cli": GROUND | PRODUCTS | SPEECH | {"commands", "workstation"},
    "__main__": {"cli"},
}


# The tests are no package, so the script that measures the house is loaded from its file.
_spec = importlib.util.spec_from_file_location("house", ROOT / "tests" / "house.py")
assert _spec and _spec.loader
house = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(house)


def room(module: str) -> str:
    return module.split(".")[1]


def imports(module: str) -> Iterator[str]:
    """Our modules that this one names, in any line of it, lazy ones included."""
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FILES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: write the full name, not dots"
            for full in (f"{node.module}.{alias.name}" for alias in node.names):
                if full in FILES:
                    yield full
                elif node.module in FILES:
                    assert node.module != "easel", f"{module}:{node.lineno}: takes {full} from the facade"
                    yield node.module


ROOMED = sorted(module for module in FILES if module != "easel")
"""Every module but the facade, which may name them all."""


@pytest.mark.parametrize("module", ROOMED)
def test_arrows_point_down(module):
    for target in imports(module):
        allowed = MAY_IMPORT[room(module)] | DOORS | {room(module)}
        assert room(target) in allowed, f"{module} imports {target}; {room(module)} may import {sorted(allowed)}"


def test_every_room_is_planned():
    assert {room(module) for module in ROOMED} <= set(MAY_IMPORT), "a new room belongs into MAY_IMPORT first"


@pytest.mark.slow
def test_no_rings():
    files = [module for module in ROOMED if FILES[module].name != "__init__.py"]
    graphlib.TopologicalSorter({module: set(imports(module)) & set(files) for module in files}).prepare()


@pytest.fixture(scope="module")
def whole_house():
    return house.House(ROOT)


def test_no_rings_of_folders(whole_house):
    """At every depth a folder can be read after those that it imports; imports inside functions and by name count."""
    assert house.folder_rings(whole_house) == []


def test_the_way_down_is_short(whole_house):
    chain = house.longest_chain(whole_house)
    assert len(chain) <= 15, " -> ".join(chain)


def test_import_easel_loads_the_standard_library_only(packages_loaded_by):
    assert packages_loaded_by("import easel") == set()


def test_that_test_can_fail(packages_loaded_by):
    assert "numpy" in packages_loaded_by("import easel, numpy")


@pytest.fixture
def newcomer(monkeypatch, tmp_path):
    """Adds a module of one line to the tree that the tests above read."""

    def add(module: str, line: str) -> str:
        path = tmp_path / module
        path.write_text(line)
        monkeypatch.setitem(FILES, module, path)
        return module

    return add


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("easel.fields.newcomer", "from easel.viewer.view import View"),
        ("easel.viewer.newcomer", "import easel.workstation.app"),
        ("easel.graphics.newcomer", "from easel.gl import texture"),
        ("easel.viewer.newcomer", "from easel import View"),
        ("easel.viewer.newcomer", "from . import view"),
    ],
)
def test_the_map_refuses(newcomer, module, line):
    with pytest.raises(AssertionError):
        test_arrows_point_down(newcomer(module, line))


def test_a_ring_is_seen(newcomer, monkeypatch):
    ring = ["easel.fields.chicken", "easel.fields.egg"]
    monkeypatch.setitem(globals(), "ROOMED", [newcomer(one, f"import {other}") for one, other in (ring, ring[::-1])])
    with pytest.raises(graphlib.CycleError):
        test_no_rings()
