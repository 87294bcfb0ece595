"""What does a small student know of what its teacher knows, and what do its answers cost?

A teacher (ResNet-18 and attention) is trained for so many steps on photos of made-up materials, its answers are stored,
and two students learn from them: MobileNetV3 with a small transformer, and with large convolutions in its place. All
are judged on the materials that were kept from all of them, beside the mean of the materials they learned from. CPU
time is that of one thread for 512 x 512 maps from three photos, the networks by turns, the least of several; sizes are
those of what `easel materials export` writes.

Then the stored answers as files: maps of 1024 x 1024 texels in shards, beside the same maps as loose PNG files.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import torch

from easel.cli import COMMANDS
from easel.cli import main as easel
from easel.materials.collection.procedural import procedural
from easel.materials.config import TrainConfig
from easel.materials.dataset.dataset import PBRDataset
from easel.materials.distillation.shards import Form, Origin, Shards, shard_name, write_index, write_shard
from easel.materials.distillation.teacher_source import train
from easel.materials.distillation.write_shards import ShardJob, ShardWriter
from easel.materials.maps import MaterialMaps
from easel.materials.models.network_files import Trained, load_generator
from easel.materials.presets import PRESETS
from easel.materials.recovery.evaluate import ERRORS, Score, compare, judge, mean_maps, score

NETWORKS = {"teacher": "laptop_teacher", "ViT student": "laptop_student", "ConvAttn student": "laptop_student_convattn"}
SUFFIXES = (".onnx", ".mlpackage")


@dataclass(frozen=True)
class Scale:
    """How large the trial is."""

    materials: int
    map_pixels: int
    crop_pixels: int
    teacher_steps: int
    student_steps: int
    timed_pixels: int
    stored: int
    """Materials in shards and as PNG."""
    stored_pixels: int
    repeats: int
    exports: tuple[str, ...]
    """What is written of each network; it takes half a minute each."""


FULL = Scale(200, 128, 64, 2000, 4000, 512, 16, 1024, 3, SUFFIXES)
QUICK = Scale(6, 32, 32, 2, 2, 64, 2, 64, 1, ())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few materials and steps: does it run?")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--work", type=Path, help="keep data and networks here; what is there is used again")
    parser.add_argument("--data", type=Path, help="a dataset that is there, instead of one made up for this")
    parser.add_argument("--teacher-steps", type=int)
    parser.add_argument("--student-steps", type=int)
    parser.add_argument("--crop", type=int, help="side of the squares that are trained on")
    parser.add_argument("--only", choices=("networks", "files"), help="one of the two tables")
    options = parser.parse_args()
    scale = QUICK if options.quick else FULL
    steps = {
        "teacher": options.teacher_steps or scale.teacher_steps,
        "student": options.student_steps or scale.student_steps,
    }
    torch.set_num_threads(1)
    print(machine() + "\n", flush=True)
    found: dict[str, object] = {"machine": machine(), "steps": steps}
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if options.only != "files":
            found["networks"] = networks(work, options.data, scale, options.crop or scale.crop_pixels, steps)
        if options.only != "networks":
            found["files"] = files(Path(temporary), scale)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    load, cores = os.getloadavg()[0], os.cpu_count()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{platform.machine()}, {cores} cores, {torch.get_num_threads()} threads, load {load:.1f}; {versions}"


# The networks


def networks(work: Path, data: Path | None, scale: Scale, crop: int, steps: dict[str, int]) -> dict[str, object]:
    if data is None:
        data = work / "data"
        size = ["--size", str(2 * scale.map_pixels), "--map-size", str(scale.map_pixels), "--clean-only"]
        quietly("materials", "render", "--out", str(data), "--materials", str(scale.materials), *size)
    trained: dict[str, Trained] = {}
    seconds: dict[str, float] = {}
    for name, preset in NETWORKS.items():
        config = PRESETS[preset]()
        config.data.input_dir, config.data.output_dir = str(data / "input"), str(data / "output")
        config.data.image_size = config.data.output_size = (scale.map_pixels, scale.map_pixels)
        config.data.crop_size = crop
        role = "teacher" if name == "teacher" else "student"
        started = time.process_time()
        if role == "student":
            config.data.shards_dir = str(work / "shards")
        trained[name] = learned(config, work / preset, steps[role])
        seconds[name] = time.process_time() - started
        if role == "teacher":
            stored_answers(work / preset, work / "shards")
    held_out, known = (opened(trained["teacher"].config, split) for split in ("val", "train"))
    mean = mean_maps(sorted({entry.maps_folder for entry in known.entries}))
    guesses = [compare(mean.each(lambda x, to=s.maps.size: x.expand(-1, *to)), s.maps) for s in samples(held_out)]
    guess = score("mean of all materials", guesses)
    scores = {name: judged(each, held_out, name) for name, each in trained.items()}
    spent = cpu_seconds(trained, scale.timed_pixels, scale.repeats)
    sizes = {name: exported(work, NETWORKS[name], scale.exports) for name in trained}
    side = scale.timed_pixels
    print(f"{len(held_out)} materials that no network learned from; CPU time of {side} x {side} maps\n")
    print("| | parameters | CPU time | training | " + " | ".join([*ERRORS, *SUFFIXES]) + " |")
    print("|---" * (len(ERRORS) + len(SUFFIXES) + 4) + "|")
    print(f"| {guess.name} | | | | " + " | ".join([*cells(guess), "", ""]) + " |")
    for name, each in trained.items():
        faster = spent["teacher"] / spent[name]
        ratio = "1" if name == "teacher" else f"{1 / faster:.3f} ({faster:.1f}x faster)"
        size = [f"{sizes[name][suffix] / 2**20:.1f} MiB" if suffix in sizes[name] else "-" for suffix in SUFFIXES]
        row = [f"{parameters(each) / 1e6:.2f} M", ratio, f"{each.step} steps, {seconds[name]:.0f} CPU s"]
        print(f"| {name} | " + " | ".join([*row, *cells(scores[name]), *size]) + " |", flush=True)
    rows = {
        name: {
            "parameters": parameters(each),
            "cpu_seconds": spent[name],
            "training_cpu_seconds": seconds[name],
            "steps": each.step,
            "bytes": sizes[name],
            "figures": dict(scores[name].figures),
        }
        for name, each in trained.items()
    }
    return {"guess": dict(guess.figures), "rows": rows}


def learned(config: TrainConfig, folder: Path, steps: int) -> Trained:
    """The network of a run of so many steps, continued where it is there and shorter."""
    config.training.checkpoint_dir, config.training.steps = str(folder), steps
    config.training.epochs = max(1, -(-steps * config.data.batch_size // len(opened(config, "train"))))
    config.training.val_every_n_epochs = config.training.save_every_n_epochs = config.training.epochs
    config.training.use_tensorboard, config.training.device = False, "cpu"
    if (folder / "metrics.jsonl").exists() and any(folder.glob("latest*")):
        trained = load_generator(next(folder.glob("latest*.pth")))
        if trained.step >= steps:
            return trained
        config.training.resume_from = str(folder)
    for _ in train(config):
        pass
    return load_generator(next(folder.glob("latest*.pth")))


def stored_answers(teacher: Path, folder: Path) -> None:
    teaching = ShardWriter(ShardJob(teacher, folder))
    for number in range(len(teaching)):
        teaching.make(number)
    teaching.finish()


def opened(config: TrainConfig, split: str) -> PBRDataset:
    data = config.data
    share = {"split": split, "val_ratio": data.val_ratio, "seed": config.split_seed}
    sizes = {"image_size": data.image_size, "output_size": data.output_size}
    return PBRDataset(data.input_dir, data.output_dir, **sizes, **share)


def samples(dataset: PBRDataset) -> Iterator:
    return (dataset.sample(index) for index in range(len(dataset)))


def judged(network: Trained, held_out: PBRDataset, name: str) -> Score:
    return score(name, [judge(network, sample, 3).figures for sample in samples(held_out)])


def cells(row: Score) -> list[str]:
    return [f"{row.figures[key]:.3f}" for key in ERRORS.values()]


def parameters(trained: Trained) -> int:
    return sum(parameter.numel() for parameter in trained.model.parameters())


def cpu_seconds(trained: dict[str, Trained], side: int, repeats: int) -> dict[str, float]:
    """CPU seconds of one thread for maps of side x side: the least of several, the networks by turns."""
    least = dict.fromkeys(trained, float("inf"))
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for _ in range(repeats):
            for name, each in trained.items():
                share = side * each.config.data.image_size[0] // each.config.data.output_size[0]
                views = torch.rand(1, 3, 3, share, share, generator=generator)
                started = time.process_time()
                each.model(views)
                least[name] = min(least[name], time.process_time() - started)
    return least


def exported(work: Path, preset: str, suffixes: tuple[str, ...]) -> dict[str, int]:
    """Bytes of what `easel materials export` writes, by suffix; none where this version has no such command."""
    found = {}
    checkpoint = next((work / preset).glob("latest*.pth"))
    for suffix in suffixes if "materials export" in COMMANDS else ():
        path = work / f"{preset}{suffix}"
        if path.exists() or quietly("materials", "export", str(checkpoint), "--output", str(path)) == 0:
            parts = [path] if path.is_file() else [part for part in path.rglob("*") if part.is_file()]
            found[suffix] = sum(part.stat().st_size for part in parts)
    return found


def quietly(*command: str) -> int:
    with redirect_stdout(StringIO()):
        return easel(command)


# The files


def files(work: Path, scale: Scale) -> list[dict[str, object]]:
    """Reads per CPU and wall second, and bytes per sample, of the same maps in each form; files are in memory."""
    side, rows = scale.stored_pixels, []
    names = [f"sample_{number:04d}/clean" for number in range(scale.stored)]
    materials = {name: procedural(number, side) for number, name in enumerate(names)}
    for name, maps in materials.items():
        maps.save(work / "png" / name)
    size = sum(path.stat().st_size for path in (work / "png").rglob("*.png"))
    loose = read(lambda name: MaterialMaps.load(work / "png" / name), names, scale)
    rows.append({"form": "loose PNG, 8 bits", **loose, "bytes": size // len(names)})
    forms: dict[str, Form] = {"shards, float16": "float16", "shards, 8 bits": "uint8"}
    for label, form in forms.items():
        folder, origin = work / form, Origin("", "", "", 0, 0.1, side, side, form)
        folder.mkdir()
        for start in range(0, len(names), 8):
            part = {name: ("", materials[name]) for name in names[start : start + 8]}
            write_shard(folder / shard_name(start // 8), origin, part)
        write_index(folder, origin)
        size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        rows.append({"form": label, **read(Shards(folder).read, names, scale), "bytes": size // len(names)})
    print(f"\n{len(names)} materials of {side} x {side} texels, one thread, files in memory\n")
    print("| | samples per CPU second | per second | MiB per sample |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row['form']} | {row['per_cpu_second']:.1f} | {row['per_second']:.1f} | {row['bytes'] / 2**20:.1f} |")
    return rows


def read(one: Callable[[str], MaterialMaps], names: list[str], scale: Scale) -> dict[str, float]:
    """The best of several rounds over all samples."""
    best = {"per_cpu_second": 0.0, "per_second": 0.0}
    for _ in range(scale.repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        for name in names:
            one(name)
        spent = {"per_cpu_second": time.process_time() - cpu, "per_second": time.perf_counter() - wall}
        best = {key: max(value, len(names) / spent[key]) for key, value in best.items()}
    return best


if __name__ == "__main__":
    main()
