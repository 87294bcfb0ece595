"""How near do recovered materials come to the true ones, and what does a step of training cost?

First, from nothing: materials are rendered and `--config laptop` is trained by the commands that a user types, and the
network is judged on materials that were kept from it. Beside it stand the mean of all materials it learned from, a
guess that looks at no photo; fewer photos; and photos that are not brought into the frame of the texture. With
--unrectified networks that are trained briefly on either kind of photos are rows of their own; with --refined N the
maps of some materials are refined on their photos.

Then Easel's networks beside the structure of its predecessor, rebuilt: attention between all texels of all photos, and
batch normalisation. Same photos, size and batch, same loss. Each is a process of its own, so that its peak is its own,
and stops when its CPU time is used up; then it is judged. CPU seconds are of all threads.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from easel.materials.config import TrainConfig
from easel.materials.dataset.dataset import PBRDataset
from easel.materials.models.network_files import Trained, load_generator
from easel.materials.presets import get_quick_test_config, laptop
from easel.materials.recovery.evaluate import ERRORS, Score, compare, judge, mean_maps, score
from easel.materials.recovery.photos import read_photos
from easel.materials.recovery.recovery import recover
from easel.materials.training.step import Knobs
from easel.materials.training.train import train

GOALS = {"albedo": 55, "roughness": 25, "metallic": 60, "normal (degrees)": 35, "relit": 60}
"""Percent below the mean of all materials."""
GOALS_TEXT = "Goals: 3 photos at least {} percent below the mean; a step at least 2x faster than the predecessor's."


REFINEMENT_STEPS = 100


@dataclass(frozen=True)
class Scale:
    """How large the trial is."""

    materials: int
    photo_pixels: int
    """Of the photos as taken. About twice the maps': a texel aslant and far away is still a pixel."""
    map_pixels: int
    epochs: int | None
    """Of the laptop preset; None as it says."""
    short_epochs: int
    """Of the rows of --unrectified."""
    step_batch: int
    step_cpu_seconds: float
    """Training of each structure."""


FULL = Scale(200, 256, 128, None, 10, 2, 40.0)
QUICK = Scale(10, 64, 32, 1, 1, 2, 3.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few materials and steps: does it run?")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--work", type=Path, help="keep data and networks here; what is there is used again")
    parser.add_argument("--only", choices=("errors", "steps"), help="one of the two tables")
    parser.add_argument("--unrectified", action="store_true", help="also train on photos in frames of their own")
    parser.add_argument("--refined", type=int, default=0, metavar="N", help="also refine the maps of the first N")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    if arguments.one:
        name, data, seconds, batch = arguments.one
        print(json.dumps(measure(name, Path(data), float(seconds), int(batch), scale.map_pixels)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        found: dict[str, object] = {"machine": machine()}
        print(found["machine"] + "\n")
        data, seconds = rendered(work, scale)
        if arguments.only != "steps":
            found["errors"] = errors(work, data, scale, arguments.unrectified, {"render": seconds})
            if arguments.refined:
                found["refined"] = refined(load_generator(work / "laptop"), data, arguments.refined)
        if arguments.only != "errors":
            found["steps"] = steps(data, scale)
        print(f"\n{GOALS_TEXT.format(', '.join(f'{name} {percent}' for name, percent in GOALS.items()))}")
        if arguments.json:
            arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    load, cores = os.getloadavg()[0], os.cpu_count()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{platform.machine()}, {cores} cores, {torch.get_num_threads()} threads, load {load:.1f}; {versions}"


# What the commands reach


def rendered(work: Path, scale: Scale) -> tuple[Path, dict[str, float]]:
    data = work / f"data-{scale.materials}-{scale.photo_pixels}"
    sizes = ["--size", str(scale.photo_pixels), "--map-size", str(scale.map_pixels)]
    return data, command(
        data, "render", "--out", str(data), "--materials", str(scale.materials), "--clean-only", *sizes
    )


def trained(work: Path, data: Path, scale: Scale, name: str, *flags: str) -> tuple[Trained, dict[str, float]]:
    folder = work / name
    small = [] if scale is FULL else ["--data.image-size", "32", "--data.output-size", "32"]
    seconds = command(
        folder,
        "train",
        *("--config", "laptop", "--data-root", str(data), "--checkpoint-dir", str(folder)),
        *small,
        *flags,
    )
    return load_generator(folder), seconds


def command(folder: Path, name: str, *flags: str) -> dict[str, float]:
    """Run `easel materials NAME`, unless it is done; its wall and CPU seconds, which are kept beside the folder."""
    note = folder.with_name(folder.name + ".seconds.json")
    if note.exists():
        return json.loads(note.read_text())
    told = ["easel", "materials", name, *flags]
    print(" ".join(told), file=sys.stderr, flush=True)
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", *told], stdout=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"{' '.join(told)} failed.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seconds = {"wall": time.perf_counter() - wall, "cpu": cpu}
    note.write_text(json.dumps(seconds))
    return seconds


def errors(
    work: Path, data: Path, scale: Scale, unrectified: bool, seconds: dict[str, dict[str, float]]
) -> dict[str, object]:
    epochs = [] if scale.epochs is None else ["--epochs", str(scale.epochs)]
    network, seconds["train"] = trained(work, data, scale, "laptop", *epochs)
    held_out = {way: opened(network.config, data, "val", way) for way in ("camera", "none")}
    mean = mean_maps(sorted({entry.maps_folder for entry in opened(network.config, data, "train", "none").entries}))
    guess = score(
        "mean of all materials",
        [compare(mean.each(lambda value, to=s.maps.size: value.expand(-1, *to)), s.maps) for s in held_out["camera"]],
    )
    started = time.process_time(), time.perf_counter()
    rows = [judged(network, held_out["camera"], 3, "3 photos, rectified")]
    seconds["evaluate"] = {"cpu": time.process_time() - started[0], "wall": time.perf_counter() - started[1]}
    rows += [
        judged(network, held_out["camera"], 2, "2 photos"),
        judged(network, held_out["camera"], 1, "1 photo"),
        judged(network, held_out["none"], 3, "3 photos, not rectified"),
    ]
    for way, told in (("camera", "rectified"), ("none", "not rectified")) if unrectified else ():
        flags = ("--epochs", str(scale.short_epochs), "--data.rectify", way)
        brief, _ = trained(work, data, scale, f"{way}-brief", *flags)
        rows.append(judged(brief, held_out[way], 3, f"{scale.short_epochs} epochs: 3 photos, {told}"))
    print(f"{len(held_out['camera'])} materials kept from training, {network.step} steps\n")
    print("\n".join(error_lines(guess, rows)))
    print("\n| from nothing | CPU s | wall s |\n|---|---|---|")
    for name, spent in seconds.items():
        print(f"| {name} | {spent['cpu']:.0f} | {spent['wall']:.0f} |")
    return {"seconds": seconds, "guess": dict(guess.figures), "rows": {row.name: dict(row.figures) for row in rows}}


def refined(network: Trained, data: Path, count: int) -> dict[str, object]:
    """The first materials kept from training, by the network alone and with its maps refined on the photos."""
    samples = opened(network.config, data, "val", "camera")
    mean = mean_maps(sorted({entry.maps_folder for entry in opened(network.config, data, "train", "none").entries}))
    found: dict[str, list[dict[str, float]]] = {"mean of all materials": [], "network": [], "refined": []}
    began = time.process_time()
    for entry, sample in islice(zip(samples.entries, samples, strict=True), count):
        photos = read_photos(entry.photos[0].parent)
        guesses = {
            "mean of all materials": mean.each(lambda value, to=sample.maps.size: value.expand(-1, *to)),
            "network": recover(network, photos)[0],
            "refined": recover(network, photos, refinement=REFINEMENT_STEPS)[0],
        }
        for name, guess in guesses.items():
            found[name].append(compare(guess, sample.maps))
    seconds = (time.process_time() - began) / count
    guess, *rows = (score(name, figures) for name, figures in found.items())
    print(f"\n{count} materials, {REFINEMENT_STEPS} steps of refinement, {seconds:.0f} CPU s each with all else\n")
    print("\n".join(error_lines(guess, rows)))
    return {"rows": {row.name: dict(row.figures) for row in (guess, *rows)}, "cpu": seconds}


class Samples:
    """The samples of a dataset, one after the other, as often as asked."""

    def __init__(self, dataset: PBRDataset) -> None:
        self.dataset, self.entries = dataset, dataset.entries

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator:
        return (self.dataset.sample(index) for index in range(len(self)))


def opened(config: TrainConfig, data: Path, split: str, way: str) -> Samples:
    sizes = {"image_size": config.data.image_size, "output_size": config.data.output_size}
    share = {"split": split, "val_ratio": config.data.val_ratio, "seed": config.training.seed}
    return Samples(PBRDataset(data / "input", data / "output", **sizes, **share, rectify=way))


def judged(network: Trained, samples: Samples, photos: int, name: str) -> Score:
    return score(name, [judge(network, sample, photos).figures for sample in samples])


def error_lines(guess: Score, rows: list[Score]) -> Iterator[str]:
    yield "| | " + " | ".join(ERRORS) + " |"
    yield "|---" * (len(ERRORS) + 1) + "|"
    yield f"| {guess.name} | " + " | ".join(f"{guess.figures[key]:.3f}" for key in ERRORS.values()) + " |"
    for row in rows:
        below = row.below(guess)
        cells = (f"{row.figures[key]:.3f} ({-below[name]:+.0f} %)" for name, key in ERRORS.items())
        yield f"| {row.name} | " + " | ".join(cells) + " |"


# What a step costs

STRUCTURES = ("predecessor", "Easel, quick_test", "Easel, laptop")
"""The first two have the same encoder, decoder and width of attention."""


def steps(data: Path, scale: Scale) -> list[dict[str, float | str]]:
    rows: list[dict[str, float | str]] = []
    for name in STRUCTURES:
        flags = [name, str(data), str(scale.step_cpu_seconds), str(scale.step_batch)]
        whole = [sys.executable, __file__, *(["--quick"] if scale is QUICK else []), "--one", *flags]
        done = subprocess.run(whole, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{name} failed:\n{done.stderr}")
        rows.append({"name": name, **json.loads(done.stdout.splitlines()[-1])})
        print(rows[-1], file=sys.stderr, flush=True)
    first = rows[0]
    print(f"\n{scale.map_pixels} px, batch {scale.step_batch}, judged after {scale.step_cpu_seconds:.0f} CPU s\n")
    columns = ("million weights", "CPU s a step", "times faster", "peak MB", "checkpoint MB", "steps", *ERRORS)
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row in rows:
        cells = [row["name"], f"{row['weights'] / 1e6:.2f}", f"{row['step']:.2f}", f"{first['step'] / row['step']:.1f}"]
        cells += [f"{row['peak']:.0f}", f"{row['checkpoint']:.1f}", f"{row['steps']:.0f}"]
        print("| " + " | ".join(cells + [f"{row[key]:.3f}" for key in ERRORS.values()]) + " |")
    return rows


def structure(name: str, data: Path, batch: int, side: int) -> TrainConfig:
    """A network by name; all learn from the same photos, and all but the network and its optimizer is laptop's."""
    config = laptop()
    if name != "Easel, laptop":
        other = get_quick_test_config()
        config.model, config.optimizer, config.model.use_gan = other.model, other.optimizer, False
        config.data.focus_size = None
    if name == "predecessor":
        config.model.fusion, config.model.norm = "concat", "batch"
        config.data.min_views = config.data.num_views
    config.optimizer.scheduler, config.optimizer.scheduler_warmup_epochs = "none", 0
    config.data.input_dir, config.data.output_dir = str(data / "input"), str(data / "output")
    config.data.image_size = config.data.output_size = (side, side)
    config.data.crop_size, config.data.batch_size = None, batch
    config.training.val_every_n_epochs = config.training.save_every_n_epochs = config.training.epochs = 10_000
    config.training.use_tensorboard = False
    return config


def measure(name: str, data: Path, cpu_seconds: float, batch: int, side: int) -> dict[str, float]:
    """Train in this process until its CPU time is used up; what it cost and what it reached."""
    with tempfile.TemporaryDirectory() as folder:
        config, knobs = structure(name, data, batch, side), Knobs()
        config.training.checkpoint_dir = folder
        started, times = time.process_time(), []
        before = started
        for _ in train(config, knobs):
            now = time.process_time()
            times.append(now - before)
            before, knobs.stop = now, now - started > cpu_seconds
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        network = load_generator(folder)
        stored = (Path(folder) / "latest.pth").stat().st_size / 1e6
    figures = judged(network, opened(network.config, data, "val", "camera"), 3, name).figures
    weights = sum(value.numel() for value in network.model.parameters())
    # The first steps read the photos, and find out how to compute best.
    cost = statistics.median(times[len(times) // 3 :])
    found = {"weights": weights, "step": cost, "peak": peak, "checkpoint": stored, "steps": float(len(times))}
    return found | {key: figures[key] for key in ERRORS.values()}


if __name__ == "__main__":
    main()
