"""Configs by preset name, from JSON and from Python files."""

import json

import pytest

from easel.graphics.files import FileError
from easel.materials.config import TrainConfig
from easel.materials.config_files import open_config
from easel.materials.presets import PRESETS

# The predecessor's template, with its first line changed.
TEMPLATE = """
from easel.materials import TrainConfig

def get_config():
    cfg = TrainConfig()
    cfg.model.encoder_backbone = 'resnet101'
    cfg.model.transformer_depth = 6
    cfg.model.use_gan = True

    cfg.training.epochs = 200
    cfg.training.batch_size = 8

    cfg.loss.w_l1 = 1.0
    cfg.loss.w_ssim = 0.5
    cfg.loss.w_normal = 0.7

    cfg.optimizer.g_lr = 1e-4
    cfg.optimizer.d_lr = 4e-4
    cfg.optimizer.scheduler = 'cosine'
    return cfg
"""


@pytest.mark.parametrize("name", ["high_quality", "configs/high_quality.py", "training/configs/high_quality.py"])
def test_presets_by_name_and_by_the_predecessors_path(name):
    assert open_config(name) == PRESETS["high_quality"]()


def test_a_file_comes_before_a_preset_of_its_name(tmp_path):
    path = tmp_path / "high_quality.py"
    path.write_text(TEMPLATE)
    config = open_config(path)
    assert config.model.encoder_backbone == "resnet101"
    assert config.data.batch_size == 8


def test_a_python_file_may_name_a_config(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("from easel.materials import get_quick_test_config\nconfig = get_quick_test_config()\n")
    assert open_config(path) == PRESETS["quick_test"]()


def test_json_holds_what_differs_from_the_default(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"data": {"image_size": 512}, "model": {"norm": "instance"}}))
    expected = TrainConfig()
    expected.data.image_size, expected.model.norm = (512, 512), "instance"
    assert open_config(path) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [("quicktest", "unknown preset 'quicktest'. Did you mean 'quick_test'"), ("configs/x.py", "no config file.*Known")],
)
def test_unknown_names(name, words):
    with pytest.raises(ValueError, match=words):
        open_config(name)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("a.py", "def get_config():\n    return 3\n", "must be a TrainConfig, it is a int"),
        ("a.py", "x = 1\n", "it is a NoneType"),
        ("a.py", "\n\nx = nothing\n", "line 3: NameError"),
        ("a.py", "def get_config(:\n", "SyntaxError"),
        ("a.py", "from easel.materials import TrainConfig\nTrainConfig().data.batch = 3\n", "line 2: AttributeError"),
        ("a.json", "{", "Expecting"),
        ("a.json", "[]", "it is a list"),
        ("a.json", '{"loss": {"w_l1": NaN}}', "NaN is no number"),
        ("a.json", '{"los": {}}', "no setting 'los'.*'loss'"),
        ("a.json", "[" * 100_000, "cannot use the config"),
        ("a.json", " " * (2**20 + 1), "larger than 1024 KiB"),
        ("a.json", "", "it is empty"),
    ],
)
def test_a_file_that_is_no_config_says_why_in_one_line(tmp_path, file, text, words):
    path = tmp_path / file
    path.write_text(text)
    with pytest.raises(FileError, match=words) as caught:
        open_config(path)
    assert "\n" not in str(caught.value)
