import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from easel.graphics.files import FileError
from easel.graphics.image import imread
from easel.materials.maps import MaterialMaps
from easel.materials.synthesis import render_dataset
from easel.materials.synthesis.photo_setups import PhotoSetups
from easel.materials.synthesis.render_dataset import DatasetPlan, Folders, Procedural, make, missing, next_index

PLAN = DatasetPlan(Procedural(5, 2), PhotoSetups(seed=5, views=2, size=8, p_dirty=0.4), map_size=8)
SAMPLES = 4
CODE = """
import sys
from functools import partial
from pathlib import Path
from easel.materials.engines.processes import in_processes
from easel.materials.synthesis.render_dataset import DatasetPlan, Procedural, PhotoSetups, make
plan = DatasetPlan(Procedural(5, 2), PhotoSetups(seed=5, views=2, size=8, p_dirty=0.4), map_size=8)
for made in make(plan, Path(sys.argv[1]), range(4), engine=partial(in_processes, int(sys.argv[2]))):
    print(made.name, flush=True)
"""


def files(folder):
    """Path → bytes of all that lies there, hidden files too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    list(make(PLAN, out, range(SAMPLES)))
    return out


@pytest.fixture(scope="module")
def whole(dataset):
    return files(dataset)


@pytest.mark.slow
def test_the_layout_is_the_documented_one(whole):
    materials = [PLAN.collection.name(number) for number in range(2)]
    expected = {"input/render_metadata.json"}
    expected |= {f"output/{m}/{n}.png" for m in materials for n in ("albedo", "roughness", "metallic", "normal")}
    for index in range(SAMPLES):
        (source,) = PLAN.setups.sources(index)
        expected |= {f"input/{source}/sample_{index:04d}/{name}" for name in ("0.png", "1.png", "views.json")}
    assert whole.keys() == expected
    listed = json.loads(whole["input/render_metadata.json"])
    assert listed == {f"sample_{index:04d}": materials[index % 2] for index in range(SAMPLES)}


@pytest.mark.slow
def test_shards_in_any_order_write_the_same_files(whole, tmp_path):
    for shard in (2, 0, 1):
        list(make(PLAN, tmp_path, range(shard, SAMPLES, 3)))
    assert files(tmp_path) == whole


def test_what_is_there_is_not_made_again(dataset, whole):
    times = {path: path.stat().st_mtime_ns for path in dataset.rglob("*")}
    assert all(made.skipped for made in make(PLAN, dataset, range(SAMPLES)))
    assert times == {path: path.stat().st_mtime_ns for path in dataset.rglob("*")}


@pytest.mark.slow
def test_a_stopped_run_lists_what_it_made_and_goes_on(whole, tmp_path):
    run = make(PLAN, tmp_path, range(SAMPLES))
    made = [made.name for made in itertools.islice(run, 3)]
    run.close()
    assert list(json.loads((tmp_path / "input/render_metadata.json").read_text())) == made
    assert [made.skipped for made in make(PLAN, tmp_path, range(SAMPLES))] == [True] * 3 + [False]
    assert files(tmp_path) == whole


def test_the_metadata_is_written_now_and_then(monkeypatch, tmp_path):
    monkeypatch.setattr(render_dataset, "FLUSH_SAMPLES", 2)
    run = make(PLAN, tmp_path, range(SAMPLES))
    for number in range(1, SAMPLES):
        next(run)
        path = tmp_path / "input/render_metadata.json"
        assert len(json.loads(path.read_text()) if path.exists() else ()) == number // 2 * 2
    run.close()


@pytest.mark.parametrize("spoil", ["photo", "short photo", "views", "map", "partial"])
def test_what_is_not_whole_is_made_again(dataset, whole, spoil):
    source = PLAN.setups.sources(1)[0]
    sample, maps = dataset / f"input/{source}/sample_0001", dataset / "output" / PLAN.collection.name(1)
    match spoil:
        case "photo":
            (sample / "1.png").unlink()
        case "short photo":
            (sample / "0.png").write_bytes((sample / "0.png").read_bytes()[:-5])
        case "views":
            (sample / "views.json").write_text("{")
        case "map":
            (maps / "normal.png").unlink()
        case "partial":
            # What a process leaves that is killed while it writes
            sample.rename(sample.with_name(".sample_0001.sample_0001.partial"))
            (sample.with_name(".sample_0001.sample_0001.partial") / "1.png").unlink()
            maps.with_name(f".{maps.name}.sample_0001.partial").mkdir()
    list(make(PLAN, dataset, range(SAMPLES)))
    assert files(dataset) == whole
    assert not list(dataset.rglob("*.partial"))


@pytest.mark.slow
def test_a_killed_run_goes_on(whole, tmp_path):
    run = subprocess.Popen([sys.executable, "-c", CODE, tmp_path, "1"], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None and run.stdout.readline() == "sample_0000\n"
    time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    made = list(make(PLAN, tmp_path, range(SAMPLES)))
    assert made[0].skipped and not made[-1].skipped
    assert files(tmp_path) == whole


@pytest.mark.slow
def test_any_number_of_processes_writes_the_same_files(whole, tmp_path):
    subprocess.run([sys.executable, "-c", CODE, tmp_path, "2"], check=True, capture_output=True)
    assert files(tmp_path) == whole


@pytest.mark.parametrize(
    "other",
    [
        DatasetPlan(Procedural(5, 2), PhotoSetups(seed=6, views=2, size=8, p_dirty=0.4), map_size=8),
        DatasetPlan(Procedural(5, 2), PhotoSetups(seed=5, views=3, size=8, p_dirty=0.4), map_size=8),
        DatasetPlan(Procedural(5, 2), PhotoSetups(seed=5, views=2, size=9, p_dirty=0.4), map_size=8),
        DatasetPlan(Procedural(6, 3), PhotoSetups(seed=5, views=2, size=8, p_dirty=0.4), map_size=8),
        DatasetPlan(Procedural(5, 3), PhotoSetups(seed=5, views=2, size=8, p_dirty=0.4), map_size=8),
    ],
    ids=["seed", "views", "size", "materials", "count"],
)
def test_datasets_are_not_mixed(dataset, whole, other):
    with pytest.raises(FileError, match="Name another folder") as refused:
        # another seed of the scenes may take a sample the other way, which hides the old one
        list(make(other, dataset, [i for i in range(SAMPLES) if other.setups.sources(i) == PLAN.setups.sources(i)]))
    assert "\n" not in str(refused.value)
    assert files(dataset) == whole


def test_twins(tmp_path):
    plan = DatasetPlan(Procedural(5, 1), PhotoSetups(seed=5, views=1, size=8, both=True), map_size=8)
    list(make(plan, tmp_path, [0]))
    clean, dirty = (
        json.loads((tmp_path / f"input/{s}/sample_0000/views.json").read_text()) for s in ("clean", "dirty")
    )
    assert clean["views"][0]["camera"] == dirty["views"][0]["camera"]
    assert not clean["views"][0]["artefacts"] and dirty["views"][0]["artefacts"]


def test_sixteen_bits_are_sixteen_bits(tmp_path):
    plan = DatasetPlan(Procedural(5, 1), PhotoSetups(seed=5, views=1, size=8), map_size=16, bits=16)
    list(make(plan, tmp_path, [0]))
    folder = tmp_path / "output" / plan.collection.name(0)
    maps = plan.collection.maps(0, 16)
    stored = imread(folder / "roughness.png", channels=0, device="cpu")[..., 0]
    assert (stored - maps.roughness[0]).abs().max() < 1 / 65535
    with Image.open(folder / "roughness.png") as image:
        assert image.mode.startswith("I") and np.asarray(image).max() > 255


def test_real_materials_are_photographed(dataset, tmp_path):
    folders = tuple(sorted((dataset / "output").iterdir()))
    plan = DatasetPlan(Folders(folders), PhotoSetups(views=1, size=8), map_size=8)
    made = list(make(plan, tmp_path, range(2)))
    assert [m.material for m in made] == [folder.name for folder in folders]
    for folder in folders:
        old, new = MaterialMaps.load(folder), MaterialMaps.load(tmp_path / "output" / folder.name)
        assert all((old[name] - new[name]).abs().max() < 0.02 for name in old)


def test_numbers_go_on_after_all_that_is_known(dataset, tmp_path):
    assert next_index(dataset) == SAMPLES and next_index(tmp_path) == 0
    (tmp_path / "input" / "dirty" / "sample_17").mkdir(parents=True)
    assert next_index(tmp_path) == 18
    (tmp_path / "input" / "render_metadata.json").write_text('{"sample_0041": "oak"}')
    assert next_index(tmp_path) == 42


@pytest.mark.slow
def test_missing_photos_are_found(dataset, whole):
    assert missing(PLAN, dataset) == []
    # another share of dirty ones asks for no second set of photos of those that are there
    assert missing(dataclasses.replace(PLAN, setups=dataclasses.replace(PLAN.setups, p_dirty=0.0)), dataset) == []
    lost = dataset / f"input/{PLAN.setups.sources(2)[0]}/sample_0002/1.png"
    lost.unlink()
    assert missing(PLAN, dataset) == [2]
    list(make(PLAN, dataset, [2]))
    assert files(dataset) == whole


def test_a_full_disk_passes_through_and_leaves_no_half_sample(monkeypatch, tmp_path):
    def full(*_, **__):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(render_dataset, "imwrite", full)
    with pytest.raises(OSError, match="No space"):
        list(make(PLAN, tmp_path, [0]))
    assert not list((tmp_path / "input").rglob("sample_*"))
