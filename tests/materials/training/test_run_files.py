"""Checkpoints: what was saved comes back, what others made is refused in one line, and nothing in a file runs."""

import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from easel.graphics.files import FileError
from easel.materials.models.network_files import find_run, load_generator, save_generator
from easel.materials.training.run_files import read_run
from easel.materials.training.train import train


def answers(path) -> torch.Tensor:
    views = torch.rand(1, 3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return load_generator(path).model(views)["albedo"]


@pytest.mark.slow
def test_a_generator_comes_back_from_every_kind_of_file(checkpoints, tmp_path):
    trained = load_generator(checkpoints)
    assert trained.step == 2 and not trained.model.training and trained.config.data.image_size == (16, 16)
    save_generator(tmp_path / "shipped.safetensors", trained)
    shutil.copy(checkpoints / "latest.pth", tmp_path / "lone.pth")
    places = [
        checkpoints / "latest",
        checkpoints / "latest.pth",
        tmp_path / "lone.pth",
        tmp_path / "shipped.safetensors",
    ]
    for place in places:
        assert torch.equal(answers(place), answers(checkpoints)), place
        found = load_generator(place)
        assert (found.step, found.digest, found.config) == (trained.step, trained.digest, trained.config)


def test_a_pth_opens_with_the_safe_default_of_torch(checkpoints, tmp_path):
    """The export and the inline inference that the predecessor's guide shows."""
    from easel.materials import MultiViewPBRGenerator

    loaded = torch.load(checkpoints / "best_model.pth")
    assert {"generator_state_dict", "config", "epoch", "global_step", "val_loss", "best_val_loss"} <= set(loaded)
    torch.save(
        {"config": loaded["config"], "model_state_dict": loaded["generator_state_dict"]}, tmp_path / "inference.pth"
    )
    exported = torch.load(tmp_path / "inference.pth")
    model = MultiViewPBRGenerator(exported["config"]).eval()
    model.load_state_dict(exported["model_state_dict"])
    assert torch.equal(answers(tmp_path / "inference.pth"), answers(checkpoints))


def test_the_average_is_what_is_handed_on(small_config):
    small_config.training.epochs, small_config.training.ema_decay = 1, 0.9
    for _ in train(small_config):
        pass
    folder = Path(small_config.training.checkpoint_dir)
    weights = torch.load(folder / "latest.pth")["generator_state_dict"]
    assert all(torch.equal(weights[name], value) for name, value in load_generator(folder).model.state_dict().items())
    (folder / "latest" / "average.safetensors").unlink()
    assert load_generator(folder / "previous" if (folder / "previous").exists() else folder / "best_model")


def test_no_file_of_a_run_names_a_folder_of_this_machine(checkpoints, noise_data):
    files = [path for path in checkpoints.rglob("*") if path.is_file() and path.name != "metrics.jsonl"]
    assert len(files) > 5
    for path in files:
        data = path.read_bytes()
        assert not any(str(folder).encode() in data for folder in (noise_data, checkpoints, checkpoints.parents[1])), (
            path
        )
    assert load_generator(checkpoints).data.input_dir == str(noise_data / "input")


# Damage


@pytest.fixture
def copied(checkpoints, tmp_path) -> Path:
    return Path(shutil.copytree(checkpoints, tmp_path / "copied"))


def flip(path: Path) -> None:
    """Change one bit in the middle; links to the file keep theirs."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)


def test_a_damaged_checkpoint_is_passed_over_loudly(copied, caplog):
    flip(copied / "latest" / "g_optimizer.safetensors")
    found = find_run(copied)
    assert found.name in ("best_model", "checkpoint_epoch_0001") and read_run(found).progress.step == 2
    assert "latest' is damaged: g_optimizer.safetensors does not match" in caplog.text
    assert f"Continuing from {found.name}" in caplog.text
    with pytest.raises(FileError, match="damaged"):
        find_run(copied / "latest.pth")


def test_nothing_starts_again_silently_when_all_are_damaged(copied, tmp_path):
    for folder in ("latest", "best_model", "checkpoint_epoch_0001"):
        flip(copied / folder / "generator.safetensors")
    with pytest.raises(FileError, match="damaged"):
        find_run(copied)
    with pytest.raises(FileError, match="no checkpoint"):
        find_run(tmp_path)


@pytest.mark.slow
def test_flipped_bits_of_a_pth_are_noticed(checkpoints, tmp_path):
    data = (checkpoints / "latest.pth").read_bytes()
    path = tmp_path / "flipped.pth"
    expected = answers(checkpoints)
    refused = 0
    for place in range(0, len(data), len(data) // 60):
        altered = bytearray(data)
        altered[place] ^= 0x10
        path.write_bytes(altered)
        try:
            # Some bits, as those of padding and dates, say nothing
            assert torch.equal(answers(path), expected)
        except FileError as error:
            refused += 1
            assert "\n" not in str(error) and str(path) in str(error)
    assert refused > 40


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"step": -1}, "step"),
        ({"best": "low"}, "best"),
        ({"plateau": None}, "plateau"),
        ({"plateau": {"factor": 1, "best": None}}, "stalled"),
        ({"g_sum": 1e999}, "no number|JSON|g_sum"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(copied, change, words, monkeypatch):
    monkeypatch.setattr("easel.checkpoint.read_manifest", lambda folder: {})
    path = copied / "latest" / "state.json"
    state = {**json.loads(path.read_text()), **change}
    path.unlink()
    path.write_text(json.dumps(state))
    with pytest.raises(FileError, match=words) as failure:
        read_run(copied / "latest")
    assert "\n" not in str(failure.value)


# What strangers send


class Shell:
    """A pickle that runs a command where it is opened without care."""

    def __reduce__(self):
        return os.system, ("touch /tmp/easel-was-here",)


def predecessor_config() -> object:
    """NeuroPBR's checkpoints hold an object of a class in a module of its own."""
    import sys
    import types

    module = types.ModuleType("train_config")
    kind = type("TrainConfig", (), {"__module__": "train_config"})
    module.TrainConfig = kind
    sys.modules["train_config"] = module
    return kind()


def compressed(data: bytes) -> bytes:
    """The same archive, deflated."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    return packed.getvalue()


def changed_config(found: dict, **changes) -> dict:
    return {**found, "config": {**found["config"], "model": {**found["config"]["model"], **changes}}}


def without_bias(weights: dict) -> dict:
    return {name: value for name, value in weights.items() if not name.endswith("bias")}


CRAFTED = {
    "a command": (lambda found: {**found, "config": Shell()}, "no checkpoint"),
    "a whole network": (lambda found: {"generator_state_dict": torch.nn.Linear(2, 2)}, "no checkpoint"),
    "the predecessor's": (lambda found: {**found, "config": predecessor_config()}, "NeuroPBR"),
    "huge by stride 0": (
        lambda found: {"generator_state_dict": {"a": torch.zeros(1).expand(10**11)}, "config": found["config"]},
        "more than the file holds",
    ),
    "huge and sparse": (
        lambda found: {
            "generator_state_dict": {"a": torch.sparse_coo_tensor(size=(10**6, 10**6), check_invariants=False)},
            "config": found["config"],
        },
        "more than the file holds|no checkpoint",
    ),
    "no weights": (lambda found: {"config": found["config"]}, "no generator_state_dict"),
    "weights that are text": (lambda found: {**found, "generator_state_dict": {"a": "b"}}, "no generator_state_dict"),
    "a list": (lambda found: [1, 2], "no generator_state_dict"),
    "no config": (lambda found: {"generator_state_dict": found["generator_state_dict"]}, "no config"),
    "a config with more": (lambda found: changed_config(found, encoder_tpye="unet"), "encoder_type"),
    "a config of other types": (lambda found: changed_config(found, transformer_depth="deep"), "transformer_depth"),
    "a config without end": (lambda found: changed_config(found, transformer_depth=10**9), "layers"),
    "a config of many widths": (lambda found: changed_config(found, encoder_channels=[1] * 300), "layers"),
    "a config of 10^12 weights": (lambda found: changed_config(found, encoder_channels=[8, 10**6]), "another network"),
    "another network": (
        lambda found: {**found, "sha256": "", "generator_state_dict": without_bias(found["generator_state_dict"])},
        "altered",
    ),
    "fewer weights": (
        lambda found: {
            "config": found["config"],
            "generator_state_dict": without_bias(found["generator_state_dict"]),
        },
        "lacks",
    ),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_checkpoints_are_refused_in_one_line(checkpoints, tmp_path, name):
    craft, words = CRAFTED[name]
    path = tmp_path / "crafted.pth"
    torch.save(craft(torch.load(checkpoints / "latest.pth")), path)
    with pytest.raises(FileError, match=words) as failure:
        load_generator(path)
    assert "\n" not in str(failure.value) and str(path) in str(failure.value)
    assert not Path("/tmp/easel-was-here").exists()


@pytest.mark.parametrize("form", ["text", "empty", "deflated", "cut", "legacy", "folder"])
def test_files_that_are_no_checkpoints(checkpoints, tmp_path, form):
    data, path = (checkpoints / "latest.pth").read_bytes(), tmp_path / "file.pth"
    contents = {"text": b"no checkpoint", "empty": b"", "deflated": compressed(data), "cut": data[: len(data) // 2]}
    if form == "legacy":
        torch.save(torch.load(checkpoints / "latest.pth"), path, _use_new_zipfile_serialization=False)
    elif form == "folder":
        path.mkdir()
    else:
        path.write_bytes(contents[form])
    with pytest.raises(FileError) as failure:
        load_generator(path)
    assert "\n" not in str(failure.value)


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_checkpoint(small_config):
    """Every write fails from some byte on, as on a full disk: a plain error, and what was there stays whole."""
    import resource

    run = train(small_config)
    for _ in range(2):
        next(run)
    folder = Path(small_config.training.checkpoint_dir)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (100, 40_000, 85_000, 120_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            again = small_config.copy()
            again.training.resume_from = str(folder)
            with pytest.raises(OSError) as failure:
                for _ in train(again):
                    pass
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert failure.value.errno is not None and read_run(folder).progress.step == 2
        assert not list(folder.glob(".*"))
