"""`easel materials evaluate`: how near a network's maps are to the true ones, in figures and in pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from easel.commands.materials.trained import network_record, open_trained
from easel.console import BadInput, explained, prepare_folder, progress
from easel.graphics.checked_record import Range

if TYPE_CHECKING:
    from easel.materials.dataset.dataset import PBRDataset
    from easel.materials.models.network_files import Trained
    from easel.materials.recovery.evaluate import Judged, Score

SHEET_SIDE = 128
"""Pixels of each picture in the contact sheet."""


@dataclass(frozen=True)
class EvaluateConfig:
    """Compare a network's maps with the true ones: each map, and relit under lights that training never saw.

    Beside it stands the mean of all materials it learned from, a guess that looks at no photo. The folder --out gets
    metrics.json and contact_sheet.png, predictions beside truth.
    """

    checkpoint: Path | None = None
    """A run's folder, a .pth or a .safetensors; the network that comes with Easel if it is not given."""
    input_dir: Path | None = None
    """Folder with the photos; where the network learned from, if it is not given."""
    output_dir: Path | None = None
    """Folder with the true maps."""
    data_root: Path | None = None
    """Folder that has both, as input and output."""
    metadata_path: Path | None = None
    """render_metadata.json, where it is not in the folder with the photos."""
    split: Literal["val", "train", "all"] = "val"
    """Materials kept from training, those trained on, or all: choose all for a dataset of its own."""
    views: Annotated[tuple[int, ...], Range(1)] = ()
    """Numbers of photos to compare; 1 and as many as the network learned from if none is given."""
    rectify: tuple[Literal["camera", "match", "corners", "none"], ...] = ()
    """Ways to bring photos into one frame, to compare; as the network learned if none is given."""
    curriculum: Literal[0, 1, 2] | None = None
    """Clean renders (0), what is on disk (1) or dirty renders (2); as the network learned if it is not given."""
    samples: Annotated[int, Range(1)] = 200
    """Stop after so many."""
    pictures: Annotated[int, Range(0)] = 8
    """Of them in the contact sheet."""
    device: str = "auto"
    """auto, cuda, cuda:0, mps or cpu."""
    strict: bool = False
    """Stop at the first sample that cannot be used."""
    out: Path = Path("easel-out")
    """Folder for metrics.json and contact_sheet.png."""


def evaluate(config: EvaluateConfig) -> int:
    """Write and tell the figures; returns 0."""
    # The network first: its config tells how the dataset is read.
    trained = open_trained(config.checkpoint, config.device)
    data = trained.config.data
    # One photo and all of them: between these lies what more photos are worth.
    views = config.views or tuple(sorted({1, data.num_views}))
    ways = config.rectify or (data.rectify,)
    datasets = {way: _open(config, trained, way, max(views)) for way in ways}
    # Before the work, so that no figures are lost to a folder that cannot be written.
    prepare_folder(config.out)
    from easel.materials.recovery.evaluate import comparison_table, figures_table

    guess, scores, judged = _judge(config, trained, datasets, views)
    print(f"{len(judged)} samples of {len({each.sample.material for each in judged})} materials ({config.split})")
    print(comparison_table(guess, scores))
    print(f"\n{scores[0].name}:\n{figures_table(scores[0].figures)}")
    _write(config, trained, guess, scores, judged)
    return 0


def _open(config: EvaluateConfig, trained: "Trained", way: Any, most_views: int) -> "PBRDataset":
    """Open the dataset, its photos brought into one frame that way; BadInput for one that cannot be used."""
    from easel.materials.models.training_data import training_dataset

    root = config.data_root
    options: dict[str, Any] = {} if config.curriculum is None else {"curriculum_mode": config.curriculum}
    with explained(errors=(FileNotFoundError, ValueError, KeyError)):
        dataset = training_dataset(
            trained,
            config.input_dir or (root and root / "input"),
            config.output_dir or (root and root / "output"),
            config.metadata_path,
            split=None if config.split == "all" else config.split,
            strict=config.strict,
            num_views=most_views,
            rectify=way,
            **options,
        )
    if not len(dataset):
        raise BadInput(f"the dataset has no material in the split {config.split!r}. Use --split all.")
    return dataset


def _judge(
    config: EvaluateConfig, trained: "Trained", datasets: "dict[Any, PBRDataset]", views: Sequence[int]
) -> "tuple[Score, list[Score], list[Judged]]":
    """Return the guess, the network's scores with most photos first, and its answers with those."""
    from easel.materials.recovery.evaluate import compare, judge, mean_maps, score

    first = next(iter(datasets.values()))
    # Each material once, however many samples show it.
    known = sorted({entry.maps_folder for entry in _learned(config, trained, first).entries})
    mean = mean_maps(known)
    # Most photos first: their answers are the ones shown.
    rows = [(way, count) for way in datasets for count in sorted(views, reverse=True)]
    total = len(rows) * min(len(first), config.samples)
    guesses, scores, shown = [], [], []
    done = 0
    with progress("evaluating") as bar:
        for way, count in rows:
            name = f"{count} photo{'s' * (count > 1)}, {'as they are' if way == 'none' else f'by {way}'}"
            judged = []
            for index in range(min(len(datasets[way]), config.samples)):
                judged.append(judge(trained, datasets[way].sample(index), count))
                if not scores:
                    true = judged[-1].sample.maps
                    guesses.append(compare(mean.each(lambda value, true=true: value.expand(-1, *true.size)), true))
                done += 1
                bar.update(done / total, name)
            shown = shown or judged
            scores.append(score(name, [each.figures for each in judged]))
    return score("mean of all materials", guesses), scores, shown


def _learned(config: EvaluateConfig, trained: "Trained", dataset: "PBRDataset") -> "PBRDataset":
    """Open the training materials of the same dataset; the dataset itself where nobody knows which those are."""
    # Nobody knows which of another dataset's materials are new to the network.
    if config.split == "all":
        return dataset
    from dataclasses import replace

    return _open(replace(config, split="train"), trained, dataset.rectify, dataset.num_views)


def _write(
    config: EvaluateConfig, trained: "Trained", guess: "Score", scores: "Sequence[Score]", judged: "Sequence[Judged]"
) -> None:
    from easel.graphics.files import write_json
    from easel.graphics.image import imwrite
    from easel.materials.recovery.evaluate import judged_sheet

    record = {
        "split": config.split,
        "guess": {"name": guess.name, "figures": guess.figures},
        "rows": [{"name": each.name, "figures": each.figures, "percent_below": each.below(guess)} for each in scores],
        "samples": {
            f"{each.sample.id}/{each.sample.source}": {"material": each.sample.material, **each.figures}
            for each in judged
        },
        "network": network_record(trained),
    }
    # Figures before pictures: they are what took the time, and a picture may fail.
    write_json(config.out / "metrics.json", record)
    print(f"wrote {config.out / 'metrics.json'}")
    if config.pictures:
        imwrite(config.out / "contact_sheet.png", judged_sheet(judged[: config.pictures], SHEET_SIDE))
        print(f"wrote {config.out / 'contact_sheet.png'}")
