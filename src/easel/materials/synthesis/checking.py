"""Search of a dataset for everything that training would stumble over, every file of it decoded once.

`take_stock` lists the dataset by the rules of `dataset.listing` and finds what nothing refers to. `check` then decodes
the files, a folder at a time, so that memory does not grow with the dataset, and names each fault: whatever the listing
leaves out is a problem here, and a sample without a problem is one that `PBRDataset` takes. Beyond that come doubts
about files that can be used: normals that point the wrong way, photos that contradict their cameras, sizes that differ.
Nothing is changed.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from easel.graphics.files import FileError
from easel.materials.dataset import listing
from easel.materials.dataset.listing import LeftOut
from easel.materials.dataset.reading import PHOTO_CHANNELS, read_pixels
from easel.materials.dataset.views import SOURCES, VIEWS_FILE, Shot, Source, read_views_json
from easel.materials.engines.processes import in_order
from easel.materials.maps import CHANNELS, map_paths
from easel.materials.synthesis.dataset_writer import PARTIAL, subfolders
from easel.materials.synthesis.normals import Normals, look_at_normals

MOST_NON_UNIT = 0.05
"""Share of normals that may be off: mirrored borders and holes are, on otherwise good maps."""
LEAST_COLOUR = 0.02
"""Mean difference of a grey picture's channels, of 1, beyond which it has colours; JPEG's rounding stays below."""


@dataclass(frozen=True)
class Problem:
    """A fault of a file or folder."""

    path: str
    kind: str
    """Fault in a few words, the same for all problems of the kind."""
    reason: str
    """One line: what is there, what fits, what to do."""


@dataclass(frozen=True)
class Stock:
    """Folders that a dataset consists of."""

    metadata: dict[str, object]
    samples: tuple[Path, ...]
    """Folders of photos."""
    materials: tuple[Path, ...]
    """Folders of maps that samples are of."""
    problems: tuple[Problem, ...]
    """Problems that the names alone tell."""
    refused: dict[Path, LeftOut]
    """Folder of photos → why the listing leaves it out, where its own photos are the reason."""
    views: int
    """Photos that a sample has at least."""


def take_stock(input_dir: Path, output_dir: Path, metadata_path: Path | None = None, *, views: int = 3) -> Stock:
    """List everything that lies there and everything that the metadata names; a sample has at least `views` photos."""
    path = metadata_path or input_dir / listing.METADATA_FILE
    problems: list[Problem] = []

    def report(where: Path, kind: str, reason: str) -> None:
        problems.append(Problem(str(where), kind, reason))

    metadata: dict[str, object] = {}
    try:
        metadata = listing.read_metadata(path)
    except FileNotFoundError:
        report(path, "no metadata", 'there is no such file. Write {"sample_0000": "its material", …}.')
    except FileError as error:
        report(path, "unreadable metadata", str(error))

    refused = {}
    sources: list[Source] = [source for source in SOURCES if (input_dir / source).is_dir()]
    for sample in listing.list_samples(input_dir, output_dir, metadata, sources, views):
        if not isinstance(sample, LeftOut):
            continue
        if sample.kind == "without a folder":
            report(input_dir / sample.name, "sample without photos", sample.line)
            continue
        name, source = sample.name.split("/")
        folder = input_dir / source / name
        if sample.kind == "not in the metadata":
            report(folder, "sample not listed", f"{path} does not say which material it shows. Add it.")
        elif sample.kind == "without usable photos":
            refused[folder] = sample
    # The listing tells of samples that have a folder; here every line of the metadata counts
    for sample, material in metadata.items():
        if not listing.is_folder_name(material):
            report(path, "no material's name", f"{sample[:80]} is given {str(material)[:80]!r}. Give a folder's name.")

    def report_stray(folder: Path, kind: str, reason: str) -> None:
        if folder.name.endswith(PARTIAL):
            report(folder, "left over", "an interrupted run left it. Render again, or delete it.")
        elif not folder.name.startswith("."):
            report(folder, kind, reason)

    samples = []
    for folder in (folder for source in SOURCES for folder in subfolders(input_dir / source)):
        if folder.name.startswith("sample_"):
            samples.append(folder)
        else:
            report_stray(folder, "stray folder", "samples are called sample_0000 and so on. Rename or move it.")
    if not samples:
        report(input_dir, "no samples", "neither clean nor dirty holds a folder sample_0000. Is this the input folder?")

    named = listing.material_names(metadata)
    materials = {folder.name: folder for folder in subfolders(output_dir)}
    for name in named - materials.keys():
        report(output_dir / name, "no such material", "samples show it, and it has no folder. Copy it there.")
    for name in materials.keys() - named:
        report_stray(materials[name], "orphan", "no sample shows this material. List its samples, or move it away.")
    used = tuple(materials[name] for name in sorted(named & materials.keys()))
    problems.sort(key=lambda problem: problem.path)
    return Stock(metadata, tuple(samples), used, tuple(problems), refused, views)


def check(stock: Stock, *, workers: int = 1) -> Iterator[tuple[Path, list[Problem]]]:
    """Yield each folder of the stock with its problems, in order; `workers` folders are decoded at once."""
    of_sample = partial(check_sample, views=stock.views, refused=stock.refused)
    with ThreadPoolExecutor(workers) as pool:
        for problems_of, folders in ((of_sample, stock.samples), (check_material, stock.materials)):
            yield from zip(folders, in_order(pool, problems_of, folders, 2 * workers), strict=True)


def check_sample(folder: Path, views: int, refused: dict[Path, LeftOut]) -> list[Problem]:
    """Return the problems of a folder of photos."""
    problems: list[Problem] = []
    photos = listing.photos_of(folder)
    with _reported(problems, folder, "missing photos"):
        listing.photos_of(folder, views)
    sizes: dict[str, tuple[int, int]] = {}
    for path in photos[: listing.MOST_PHOTOS]:
        pixels = _pixels(path, problems)
        if pixels is None:
            continue
        height, width, channels = pixels.shape
        sizes[path.name] = (width, height)
        if channels < PHOTO_CHANNELS:
            problems.append(Problem(str(path), "wrong channels", f"a photo has 3 channels, this has {channels}."))
    if len(set(sizes.values())) > 1:
        problems.append(Problem(str(folder), "mixed sizes", f"its photos differ in size: {_listed(sizes)}."))
    with _reported(problems, folder / VIEWS_FILE, "contradiction", "unusable views.json"):
        if shots := listing.shots_of(folder, photos):
            problems += _contradictions(folder / VIEWS_FILE, shots, sizes)
    # The rules above are the listing's own, one by one. Should it know one more, its word counts.
    if not problems and folder in refused:
        problems.append(Problem(str(folder), refused[folder].kind, refused[folder].line))
    return problems


def _contradictions(path: Path, shots: tuple[Shot, ...], sizes: dict[str, tuple[int, int]]) -> Iterator[Problem]:
    """Yield the photos that views.json says nothing of, or whose camera took another size."""
    told = {shot.file for shot in read_views_json(path).shots}
    for shot in shots:
        if shot.file not in told:
            yield Problem(str(path), "contradiction", f"it does not tell of {shot.file}, which lies beside it.")
        # A photo that could not be decoded has no size
        if shot.camera is None or shot.file not in sizes:
            continue
        taken = (shot.camera.width, shot.camera.height)
        if sizes[shot.file] != taken:
            reason = f"{shot.file} is {sizes[shot.file]} pixels, its camera took {taken}. Was the photo resized?"
            yield Problem(str(path), "contradiction", reason)


def check_material(folder: Path) -> list[Problem]:
    """Return the problems of a folder of maps."""
    problems: list[Problem] = []
    paths = {name: path for name in CHANNELS if (path := folder / f"{name}.png").exists()}
    with _reported(problems, folder, "missing maps"):
        paths = map_paths(folder)
    sizes: dict[str, tuple[int, int]] = {}
    for name, path in paths.items():
        pixels = _pixels(path, problems)
        if pixels is None:
            continue
        height, width, channels = pixels.shape
        sizes[name] = (width, height)
        expected = CHANNELS[name]
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
    # One problem a map: what is no normal map has inward vectors and odd slopes too
    if normals.non_unit > MOST_NON_UNIT:
        reason = f"{normals.non_unit:.0%} of its normals are not of length 1. Is it a normal map, and not an sRGB one?"
        yield Problem(str(path), "non-unit normals", reason)
    elif normals.inward > MOST_NON_UNIT:
        reason = f"{normals.inward:.0%} of its normals point into the surface: blue is below a half. Export it again."
        yield Problem(str(path), "inward normals", reason)
    elif normals.looks_directx:
        reason = "green seems to point down (DirectX): no surface has such slopes. Invert its green channel."
        yield Problem(str(path), "DirectX normals", reason)


@contextlib.contextmanager
def _reported(problems: list[Problem], path: Path, kind: str, damaged: str = "") -> Iterator[None]:
    """Make a problem of the error that a rule raises: of `kind`, or `damaged` where a file is."""
    try:
        yield
    except FileNotFoundError as error:
        problems.append(Problem(str(path), kind, str(error)))
    except FileError as error:
        problems.append(Problem(str(path), damaged or kind, str(error)))


def _pixels(path: Path, problems: list[Problem]) -> np.ndarray | None:
    """Return the numbers that the file stores; None, and a problem more, where it cannot be read."""
    try:
        return read_pixels(path)
    except FileError as error:
        problems.append(Problem(str(path), "damaged file", str(error)))
    except OSError as error:
        problems.append(Problem(str(path), "unreadable file", error.strerror or type(error).__name__))
    return None


def _coloured(pixels: np.ndarray) -> bool:
    """Return True where the channels differ by more than JPEG's rounding."""
    span = 1.0 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    # 256 rows tell as much as all, in a fraction of the memory
    step = max(1, pixels.shape[0] // 256)
    rows = pixels[::step, :, :3].astype(np.float32) / span
    return bool((rows.max(-1) - rows.min(-1)).mean() > LEAST_COLOUR)


def _listed(sizes: dict[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} {width} x {height}" for name, (width, height) in sizes.items())
