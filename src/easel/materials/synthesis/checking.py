"""Looking through a dataset for everything that training would stumble over, every file of it decoded once.

`take_stock` finds what belongs together and what does not; `check` then reads the files, a folder at a time, so that
memory does not grow with the dataset. Nothing is changed.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from easel.graphics.codecs import decode
from easel.graphics.files import FileError
from easel.materials.dataset.listing import METADATA_FILE, read_metadata
from easel.materials.dataset.views import SOURCES, VIEWS_FILE, read_views_json
from easel.materials.maps import CHANNELS, MAP_NAMES, map_paths
from easel.materials.synthesis.dataset_writer import PARTIAL
from easel.materials.synthesis.normals import Normals, look_at_normals

MOST_NON_UNIT = 0.05
"""Share of normals that may be off: mirrored borders and holes are, on otherwise good maps."""
PHOTO_SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a file or folder."""

    path: str
    kind: str
    """In a few words, the same for all problems of the kind."""
    reason: str
    """One line: what is there, what fits, what to do."""


@dataclass(frozen=True)
class Stock:
    """What a dataset consists of."""

    metadata: dict[str, object]
    samples: tuple[Path, ...]
    """Folders of photos."""
    materials: tuple[Path, ...]
    """Folders of maps that samples are of."""
    problems: tuple[Problem, ...]
    """What the names alone tell."""


def take_stock(input_dir: Path, output_dir: Path, metadata_path: Path | None = None) -> Stock:
    """Everything that lies there and everything that the metadata names."""
    path = metadata_path or input_dir / METADATA_FILE
    problems: list[Problem] = []

    def report(where: Path, kind: str, reason: str) -> None:
        problems.append(Problem(str(where), kind, reason))

    try:
        metadata = read_metadata(path)
    except FileNotFoundError:
        metadata = {}
        report(path, "no metadata", 'there is no such file. Write {"sample_0000": "its material", …}.')
    except FileError as error:
        metadata = {}
        report(path, "unreadable metadata", str(error))
    samples = []
    for source in SOURCES:
        for folder in _folders(input_dir / source):
            if folder.name.endswith(PARTIAL):
                report(folder, "left over", "an interrupted run left it. Render again, or delete it.")
            elif folder.name.startswith("sample_"):
                samples.append(folder)
                if folder.name not in metadata:
                    report(folder, "sample not listed", f"{path} does not say which material it shows. Add it.")
            elif not folder.name.startswith("."):
                report(folder, "stray folder", "samples are called sample_0000 and so on. Rename or move it.")
    if not samples:
        report(input_dir, "no samples", "neither clean nor dirty holds a folder sample_0000. Is this the input folder?")
    there = {folder.name for folder in samples}
    for sample in metadata.keys() - there:
        report(
            input_dir / sample[:80], "sample without photos", f"{path} lists it, and it is in neither clean nor dirty."
        )
    named = set()
    for sample, material in metadata.items():
        if (
            isinstance(material, str)
            and Path(material).name == material
            and "\\" not in material
            and "\0" not in material
        ):
            named.add(material)
        else:
            report(path, "no material's name", f"{sample[:80]} is given {str(material)[:80]!r}. Give a folder's name.")
    materials = {folder.name: folder for folder in _folders(output_dir)}
    for name in sorted(named - materials.keys()):
        report(output_dir / name, "no such material", "samples show it, and it has no folder. Copy it there.")
    for name in sorted(materials.keys() - named):
        leftover = name.endswith(PARTIAL)
        if leftover:
            report(materials[name], "left over", "an interrupted run left it. Render again, or delete it.")
        elif not name.startswith("."):
            report(materials[name], "orphan", "no sample shows this material. List its samples, or move it away.")
    used = tuple(materials[name] for name in sorted(named & materials.keys()))
    return Stock(metadata, tuple(samples), used, tuple(sorted(problems, key=lambda p: p.path)))


def check(stock: Stock, *, views: int = 3, workers: int = 1) -> Iterator[tuple[Path, list[Problem]]]:
    """Each folder of the stock with its problems, in order; a sample should have at least `views` photos."""
    tasks = itertools.chain(
        ((check_sample, folder, views) for folder in stock.samples),
        ((check_material, folder) for folder in stock.materials),
    )

    def done(task: tuple[Callable[..., list[Problem]], Path, *tuple[int, ...]]) -> tuple[Path, list[Problem]]:
        function, folder, *rest = task
        return folder, function(folder, *rest)

    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(done, task) for task in itertools.islice(tasks, 2 * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(done, task) for task in itertools.islice(tasks, 1))


def check_sample(folder: Path, views: int = 3) -> list[Problem]:
    """What is wrong with a folder of photos."""
    problems: list[Problem] = []
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in PHOTO_SUFFIXES)
    sizes: dict[str, tuple[int, int]] = {}
    for path in photos:
        pixels = _pixels(path, problems)
        if pixels is None:
            continue
        height, width, channels = pixels.shape
        sizes[path.name] = (width, height)
        if channels != 3:
            problems.append(Problem(str(path), "wrong channels", f"a photo has 3 channels, this has {channels}."))
    names = {path.name for path in photos}
    if missing := [f"{view}.png" for view in range(views) if f"{view}.png" not in names]:
        reason = f"{', '.join(missing)} missing. Render the sample again with --continuing, or ask for fewer views."
        problems.append(Problem(str(folder), "missing photos", reason))
    if len(set(sizes.values())) > 1:
        problems.append(Problem(str(folder), "mixed sizes", f"its photos differ in size: {_listed(sizes)}."))
    if (folder / VIEWS_FILE).exists():
        problems += _check_views(folder, names, sizes)
    return problems


def _check_views(folder: Path, names: set[str], sizes: dict[str, tuple[int, int]]) -> list[Problem]:
    """Where `views.json` and the photos disagree."""
    path = str(folder / VIEWS_FILE)
    try:
        shots = read_views_json(path).shots
    except FileError as error:
        return [Problem(path, "unusable views.json", str(error))]
    problems = []
    for shot in shots:
        if shot.file not in names:
            problems.append(Problem(path, "contradiction", f"it tells of {shot.file}, and there is no such photo."))
        elif shot.camera is not None and sizes.get(shot.file, size := (shot.camera.width, shot.camera.height)) != size:
            reason = f"{shot.file} is {sizes[shot.file]} pixels, its camera took {size}. Was the photo resized?"
            problems.append(Problem(path, "contradiction", reason))
    for name in sorted(names - {shot.file for shot in shots}):
        problems.append(Problem(path, "contradiction", f"it does not tell of {name}, which lies beside it."))
    return problems


def check_material(folder: Path) -> list[Problem]:
    """What is wrong with a folder of maps."""
    problems: list[Problem] = []
    try:
        paths = map_paths(folder)
    except FileError as error:
        problems.append(Problem(str(folder), "missing maps", str(error)))
        paths = {name: path for name in MAP_NAMES if (path := folder / f"{name}.png").exists()}
    sizes: dict[str, tuple[int, int]] = {}
    for name, path in paths.items():
        pixels = _pixels(path, problems)
        if pixels is None:
            continue
        height, width, channels = pixels.shape
        sizes[name] = (width, height)
        expected = CHANNELS[MAP_NAMES.index(name)]
        if channels < expected:
            reason = f"{name} has {expected} channels, this file has {channels}. Export it in colour."
            problems.append(Problem(str(path), "wrong channels", reason))
        elif expected == 1 and channels >= 3 and _coloured(pixels):
            reason = f"{name} is grey, this file has colours. Several maps packed into one? Import it again."
            problems.append(Problem(str(path), "wrong channels", reason))
        elif name == "normal":
            problems += _normal_problems(path, look_at_normals(pixels[..., :3]))
    if len(set(sizes.values())) > 1:
        problems.append(Problem(str(folder), "mixed sizes", f"its maps differ in size: {_listed(sizes)}."))
    return problems


def _normal_problems(path: Path, normals: Normals) -> Iterator[Problem]:
    if normals.all_zero:
        yield Problem(str(path), "zero normals", "every normal is zero. Export the map again.")
        return
    if normals.non_unit > MOST_NON_UNIT:
        reason = f"{normals.non_unit:.0%} of its normals are not of length 1. Is it a normal map, and not an sRGB one?"
        yield Problem(str(path), "non-unit normals", reason)
    elif normals.inward > MOST_NON_UNIT:
        reason = f"{normals.inward:.0%} of its normals point into the surface: blue is below a half. Export it again."
        yield Problem(str(path), "inward normals", reason)
    elif normals.looks_directx:
        reason = "green seems to point down (DirectX): no surface has such slopes. Invert its green channel."
        yield Problem(str(path), "DirectX normals", reason)


def _pixels(path: Path, problems: list[Problem]) -> np.ndarray | None:
    """What the file stores; None, and a problem more, where it cannot be read."""
    try:
        return decode(path)
    except FileError as error:
        problems.append(Problem(str(path), "damaged file", str(error)))
    except OSError as error:
        problems.append(Problem(str(path), "unreadable file", error.strerror or type(error).__name__))
    return None


def _coloured(pixels: np.ndarray) -> bool:
    """Whether the channels differ by more than JPEG's rounding."""
    span = 1.0 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    step = max(1, pixels.shape[0] // 256)
    rows = pixels[::step, :, :3].astype(np.float32) / span
    return bool((rows.max(-1) - rows.min(-1)).mean() > 0.02)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _listed(sizes: dict[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} {width} x {height}" for name, (width, height) in sizes.items())
