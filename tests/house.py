"""Measures how the house is built and how its code reads: one row a question, the bar beside it.

    ./dev run python tests/house.py                    the tree as it stands
    ./dev run python tests/house.py --before COMMIT    another commit beside it
    ./dev run python tests/house.py --list FIGURE      the places behind a figure: rings, chain, classes, docstrings

Exit code 1 where a bar is missed. Only text is read; nothing of the project is imported.
"""

import argparse
import ast
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ("What", "How", "Where", "Whether")
"""First words that tell nothing: a verb or a noun of the field should stand there."""


@dataclass
class Measure:
    """One figure, what it must be, and the places behind it."""

    name: str
    value: float
    bar: float
    at_least: bool = False
    places: list[str] = field(default_factory=list)

    @property
    def met(self) -> bool:
        return self.value >= self.bar if self.at_least else self.value <= self.bar


class House:
    """The modules below `src`, parsed once."""

    def __init__(self, root: Path) -> None:
        self.root, self.src = root, root / "src"
        self.texts = {self.module_of(path): path.read_text(encoding="utf-8") for path in self.src.rglob("*.py")}
        self.trees = {module: ast.parse(text) for module, text in self.texts.items()}
        # A package's public names stand in the stub beside it.
        stubs = {self.module_of(path): path.read_text(encoding="utf-8") for path in self.src.rglob("__init__.pyi")}
        self.stubs = {module: ast.parse(text) for module, text in stubs.items()}
        # A package is known by its folder; its own code is the module of the same name.
        self.packages = {self.module_of(path) for path in self.src.rglob("__init__.py")}
        self.arrows = {module: set(self.imports(module)) - {module} for module in self.trees}
        self.named = {module: set(self.names(module)) - {module} for module in self.trees}

    def module_of(self, path: Path) -> str:
        return ".".join(path.relative_to(self.src).with_suffix("").parts).removesuffix(".__init__")

    def imports(self, module: str) -> Iterator[str]:
        """Modules of ours that this one imports in any line, inside functions too."""
        stub = ast.walk(self.stubs[module]) if module in self.stubs else ()
        for node in chain(ast.walk(self.trees[module]), stub):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self.trees)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    if full in self.trees:
                        yield full
                    elif node.module in self.trees:
                        yield node.module

    def names(self, module: str) -> Iterator[str]:
        """Modules of ours that this one imports by name: `"easel.viewer.view:View"` in a table."""
        for node in ast.walk(self.trees[module]):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = node.value.partition(":")[0]
                if name.startswith("easel.") and name in self.trees:
                    yield name

    def files(self) -> list[str]:
        """Modules but packages' tables of names, which re-export what lies below and draw no arrow of their own."""
        return sorted(set(self.trees) - self.packages)

    def room(self, module: str, within: str) -> str:
        """The child of the folder `within` in which a module lies."""
        return module.removeprefix(f"{within}.").partition(".")[0]

    def rooms_of(self, folder: str, facade: bool = False) -> dict[str, set[str]]:
        """Rooms directly in a folder, and which of their neighbours each one imports, by name too.

        With `facade` the folder's own table of names is a room among them.
        """
        rooms: dict[str, set[str]] = defaultdict(set)
        modules = [module for module in self.files() if module.startswith(f"{folder}.")]
        for module in [*modules, folder] if facade else modules:
            here = self.room(module, folder)
            below = {name for name in self.arrows[module] | self.named[module] if name.startswith(f"{folder}.")}
            rooms[here] |= {self.room(name, folder) for name in below} - {here}
        return rooms


def strong_components(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Tarjan's strongly connected components with more than one member: the rings."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    rings: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(arrows.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            ring = [stack.pop()]
            while ring[-1] != node:
                ring.append(stack.pop())
            if len(ring) > 1:
                rings.append(sorted(ring))

    for node in sorted(arrows):
        if node not in index:
            visit(node)
    return rings


def folder_rings(house: House) -> list[str]:
    """Rings between the rooms of every folder; a folder and a file beside it are both rooms."""
    found = []
    for folder in sorted(house.packages):
        for ring in strong_components(house.rooms_of(folder)):
            found.append(f"{folder}: {' <-> '.join(ring)}")
    return found


def depths(arrows: dict[str, set[str]]) -> dict[str, list[str]]:
    """The longest way down from every node, itself first; rings are cut where they close."""
    longest: dict[str, list[str]] = {}

    def down(node: str, above: frozenset[str]) -> list[str]:
        if node not in longest:
            ways = [down(target, above | {node}) for target in arrows.get(node, ()) if target not in above]
            longest[node] = [node, *max(ways, key=len, default=[])]
        return longest[node]

    for node in sorted(arrows):
        down(node, frozenset({node}))
    return longest


def longest_chain(house: House) -> list[str]:
    files = set(house.files())
    return max(depths({module: house.arrows[module] & files for module in files}).values(), key=len)


def repeated_classes(house: House) -> list[str]:
    places = defaultdict(list)
    for module, tree in house.trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module.removeprefix("easel."))
    return sorted(f"{name}: {', '.join(sorted(where))}" for name, where in places.items() if len(where) > 1)


def docstring_nodes(tree: ast.Module) -> Iterator[ast.Constant]:
    """String statements: docstrings of modules, classes and functions, and those under a field or a constant."""
    for node in ast.walk(tree):
        for statement in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value


def questioning_docstrings(trees: dict[str, ast.Module]) -> list[str]:
    found = []
    for module, tree in trees.items():
        for node in docstring_nodes(tree):
            words = str(node.value).split()
            if words and words[0].rstrip(",:;.") in QUESTIONS:
                found.append(f"{module}:{node.lineno} {' '.join(words[:9])}")
    return sorted(found)


def line_kinds(text: str, tree: ast.Module) -> tuple[set[int], set[int]]:
    """Numbers of the lines that hold code, and of those that hold nothing but a comment."""
    prose: set[int] = set()
    for node in docstring_nodes(tree):
        prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    code: set[int] = set()
    comments: set[int] = set()
    silent = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in silent:
            code.update(range(token.start[0], token.end[0] + 1))
    return code - prose, comments - code


def parallel_assignments(tree: ast.Module) -> Iterator[int]:
    """Lines in which several names take several written-out values at once: `a, b = 1, 2`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            if any(isinstance(target, ast.Tuple) for target in node.targets):
                yield node.lineno


MAP_FILES = (
    "materials/config.py",
    "materials/maps.py",
    "materials/rendering/brdf.py",
    "materials/asset_export/materialx.py",
    "materials/asset_export/usd.py",
)
"""Files below `easel` that a clearcoat map touches. With the first two alone, networks, losses, stored answers,
refinement and texture files took one in a trial; the others shade it and name it for other programs."""
DRILLS_BEFORE = (17, 8, 7, 4)
"""The drills in the tree that the second plan began with, counted by hand."""


def drills(house: House) -> list[Measure]:
    """How many files a change touches, counted where the last one of its kind stands."""

    def naming(*words: str) -> list[str]:
        return sorted(module for module, text in house.texts.items() if any(word in text for word in words))

    image_format = naming("pfm")
    backend = naming("NoneBackend")
    # A page stands in its own room; others name it in a row. The product's command has a row, the import map another.
    page = sorted({module for module in naming("art_page") if not module.startswith("easel.workstation.art.")})
    page = ["the page", *page, "easel.cli", "tests/test_architecture.py"]
    return [
        Measure("drill: a clearcoat map, files", len(MAP_FILES), 5, places=list(MAP_FILES)),
        Measure("drill: an image format, files", len(image_format), 2, places=image_format),
        Measure("drill: a product with a page, files", len(page), 4, places=page),
        Measure("drill: another backend, files", len(backend), 2, places=backend),
    ]


def measures(root: Path, within: str = "easel") -> list[Measure]:
    """All figures of a tree; prose and idioms of the modules below `within` alone."""
    house = House(root)
    rings = folder_rings(house)
    longest = longest_chain(house)
    viewer = house.rooms_of("easel.viewer", facade=True)
    viewer_arrows = sorted(f"{room} -> {target}" for room, targets in viewer.items() for target in targets)
    viewer_floors = depths(viewer)
    classes = repeated_classes(house)
    read = {module: tree for module, tree in house.trees.items() if f"{module}.".startswith(f"{within}.")}
    docstrings = questioning_docstrings(read)
    total = code = comments = 0
    conditionals: list[str] = []
    tuples: list[str] = []
    for module, tree in read.items():
        code_lines, comment_lines = line_kinds(house.texts[module], tree)
        total += house.texts[module].count("\n")
        code += len(code_lines)
        comments += len(comment_lines)
        conditionals += [f"{module}:{node.lineno}" for node in ast.walk(tree) if isinstance(node, ast.IfExp)]
        tuples += [f"{module}:{line}" for line in parallel_assignments(tree)]
    if_share = round(1000 * len(conditionals) / total, 1)
    tuple_share = round(1000 * len(tuples) / total, 1)
    floors = [f"{len(way)}: {room}" for room, way in sorted(viewer_floors.items(), key=lambda item: len(item[1]))]
    return [
        Measure("rings of folders", len(rings), 0, places=rings),
        Measure("longest chain of imports, modules", len(longest), 15, places=longest),
        Measure("viewer: rooms", len(viewer), 20, places=sorted(viewer)),
        Measure("viewer: floors", max(map(len, viewer_floors.values()), default=0), 10, places=floors),
        Measure("viewer: arrows", len(viewer_arrows), 70, places=viewer_arrows),
        Measure("class names that mean several things", len(classes), 8, places=classes),
        Measure("code lines", code, 38_500),
        Measure("comments, % of lines", round(100 * comments / total, 2), 4, at_least=True),
        Measure("docstrings that begin with a question", len(docstrings), 20, places=docstrings),
        Measure("conditional expressions per 1,000 lines", if_share, 12, places=conditionals),
        Measure("parallel tuple assignments per 1,000 lines", tuple_share, 7, places=tuples),
    ]


def checkout(commit: str, folder: Path) -> Path:
    """Lay the sources of a commit into a folder."""
    archive = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def table(before: Iterable[Measure] | None, now: list[Measure]) -> str:
    earlier = [""] * len(now)
    if before:
        # The drills follow the other figures; what they cost before stands in no tree.
        earlier = [f"{measure.value:g}" for measure in before] + [str(files) for files in DRILLS_BEFORE]
    rows = [("", "before" if before else "", "now", "bar", "")]
    for measure, old in zip(now, earlier, strict=True):
        sign = ">=" if measure.at_least else "<="
        rows.append(
            (measure.name, old, f"{measure.value:g}", f"{sign} {measure.bar:g}", "" if measure.met else "missed")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < column < 4 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", metavar="COMMIT", help="measure this commit too, in a column beside")
    parser.add_argument("--list", metavar="FIGURE", help="print the places behind the figures whose name holds this")
    parser.add_argument("--within", metavar="PACKAGE", default="easel", help="count prose and idioms below this only")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON")
    options = parser.parse_args()
    now = measures(ROOT, options.within) + drills(House(ROOT))
    if options.list:
        for measure in now:
            if options.list in measure.name:
                print(f"{measure.name}: {measure.value:g}", *measure.places, sep="\n  ")
        return 0
    before = None
    if options.before:
        with tempfile.TemporaryDirectory() as folder:
            before = measures(checkout(options.before, Path(folder)))
    print(table(before, now))
    if options.json:
        figures = {measure.name: {"value": measure.value, "bar": measure.bar, "met": measure.met} for measure in now}
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(not all(measure.met for measure in now))


if __name__ == "__main__":
    sys.exit(main())
