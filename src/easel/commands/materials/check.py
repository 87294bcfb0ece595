"""`easel materials check`: everything in a dataset that training would stumble over."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from easel.console import BadInput, counted, progress
from easel.graphics.checked_record import Range

if TYPE_CHECKING:
    from easel.materials.synthesis.checking import Problem, Stock


@dataclass(frozen=True)
class CheckConfig:
    """Look through a dataset: read every photo and map, and list what is wrong with each and why.

    Nothing is changed. The exit code is 0 for a dataset without problems and 1 for others.
    """

    folder: Annotated[Positional[Path | None], tyro.conf.arg(metavar="FOLDER")] = None
    """The dataset: the folder that holds input and output. ./data if none of the folders is given."""
    input_dir: Path | None = None
    """Folder with clean, dirty and render_metadata.json, where it lies elsewhere."""
    output_dir: Path | None = None
    """Folder with the materials' folders, where it lies elsewhere."""
    metadata_path: Path | None = None
    """File that says which sample shows which material, where it lies elsewhere."""
    shards_dir: Path | None = None
    """Folder of a teacher's answers to read, too."""
    views: Annotated[int, Range(1)] = 3
    """Photos that every sample should have."""
    workers: Annotated[int, Range(1, 64)] = 8
    """Files that are read at once."""
    report: Path | None = None
    """Write all problems to this JSON file too."""


def check(config: CheckConfig) -> int:
    """List the problems; returns 1 where there are any and 0 where there are none."""
    root = config.folder or Path("data")
    input_dir = config.input_dir or root / "input"
    output_dir = config.output_dir or root / "output"
    for name, folder in (("input", input_dir), ("output", output_dir)):
        if not folder.is_dir():
            raise BadInput(f"{folder} is no folder. Name the dataset that holds it, or --{name}-dir.")
    # Imported here and below: --help must not wait for torch.
    from easel.materials.synthesis import checking

    stock = checking.take_stock(input_dir, output_dir, config.metadata_path, views=config.views)
    # Structure first: files that nobody lists need no decoding.
    problems = list(stock.problems)
    total = len(stock.samples) + len(stock.materials)
    with progress("reading") as bar:
        done = checking.check(stock, workers=config.workers)
        for _, found in counted(done, total, bar, "folder"):
            problems += found
    # Last: reading all shards takes longest.
    if config.shards_dir is not None:
        problems += _shard_problems(config.shards_dir)
    for problem in problems:
        print(f"{problem.path}: {problem.kind}: {problem.reason}")
    print(_summary(stock, problems))
    if config.report is not None:
        _write_report(config.report, stock, problems)
        print(f"wrote {config.report}")
    return 1 if problems else 0


def _shard_problems(folder: Path) -> "list[Problem]":
    from easel.materials.distillation.shards import Shards
    from easel.materials.synthesis.checking import Problem

    return [Problem(str(path), "damaged shard", reason) for path, reason in Shards(folder, verify=False).faults()]


def _summary(stock: "Stock", problems: Sequence["Problem"]) -> str:
    looked = f"{len(stock.samples)} folders of photos and {len(stock.materials)} of maps"
    if not problems:
        return f"{looked}: no problems"
    # The commonest first: one mistake in a script makes many problems of a kind.
    kinds = Counter(problem.kind for problem in problems)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"{looked}: {len(problems)} problem{'s' * (len(problems) > 1)} ({listed})"


def _write_report(path: Path, stock: "Stock", problems: Sequence["Problem"]) -> None:
    from easel.graphics.files import write_json

    record = {
        "samples": len(stock.samples),
        "materials": len(stock.materials),
        "counts": dict(Counter(problem.kind for problem in problems).most_common()),
        "problems": [asdict(problem) for problem in problems],
    }
    write_json(path, record, indent=2)
