"""Public names from a stub: found when they are read, refused when they are not there."""

import importlib
import sys

import pytest


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `painted` with a module of two names, one of them public under another name."""
    folder = tmp_path / "painted"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from easel.lazy import attach\n__getattr__, __dir__, __all__ = attach(__name__, __file__)\n"
    )
    (folder / "__init__.pyi").write_text(
        "from painted import pots as pots\nfrom painted.pots import red as red\n"
        "from painted.pots import blue as azure  # its former name\n\nSIZE: int\n"
    )
    (folder / "pots.py").write_text("red, blue = 'red', 'blue'\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("painted")
    for name in ("painted", "painted.pots"):
        sys.modules.pop(name, None)


def test_names_come_from_their_homes_on_demand(package):
    assert "painted.pots" not in sys.modules
    assert (package.red, package.azure, package.pots.blue) == ("red", "blue", "blue")


def test_the_stub_is_the_list(package):
    assert package.__all__ == dir(package) == ["azure", "pots", "red"]


@pytest.mark.parametrize("name", ["blue", "SIZE", "green"])
def test_other_names_are_refused(package, name):
    with pytest.raises(AttributeError, match=f"'painted' has no attribute '{name}'"):
        getattr(package, name)
