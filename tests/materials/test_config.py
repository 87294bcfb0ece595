"""Configs: plain assignment, typos refused, one JSON form."""

import copy
import json
import pickle

import pytest

from easel.materials.config import ModelConfig, TrainConfig, TrainingConfig


@pytest.mark.parametrize(
    ("section", "name", "near"),
    [("model", "encoder_typ", "encoder_type"), ("loss", "w_sim", "w_ssim"), ("training", "epoch", "epochs")],
)
def test_a_typo_names_the_nearest_setting(section, name, near):
    with pytest.raises(AttributeError, match=f"no setting {name!r}.*{near!r}"):
        setattr(getattr(TrainConfig(), section), name, 1)


@pytest.mark.parametrize(
    ("section", "name", "value", "words"),
    [
        ("model", "encoder_type", "resnext", "one of 'resnet'.*Did you mean 'resnet'"),
        ("data", "render_curriculum", 3, "one of 0, 1, 2"),
        ("data", "render_curriculum", True, "one of 0, 1, 2"),
        ("data", "batch_size", 2.5, "a whole number"),
        ("data", "batch_size", True, "a whole number"),
        ("data", "image_size", (1, 2, 3), "2 numbers"),
        ("loss", "w_l1", float("nan"), "a finite number"),
        ("loss", "w_l1", "1", "a finite number"),
        ("loss", "extra", {"a:b": "x"}, "a finite number"),
        ("model", "encoder_channels", 64, "a list"),
        ("training", "use_amp", 1, "True or False"),
        ("training", "device", None, "a text"),
    ],
)
def test_a_value_of_another_type_is_refused(section, name, value, words):
    config = TrainConfig()
    with pytest.raises(ValueError, match=f"{name} is .* must be {words}"):
        setattr(getattr(config, section), name, value)
    assert config == TrainConfig()


def test_numbers_become_what_the_field_names():
    config = TrainConfig()
    config.data.image_size = 512
    config.data.output_size = [512, 1024]
    config.loss.w_l1 = 2
    assert config.data.image_size == (512, 512)
    assert config.data.output_size == (512, 1024)
    assert isinstance(config.loss.w_l1, float)


def test_the_batch_size_of_training_is_that_of_data():
    config = TrainConfig()
    config.training.batch_size = 8
    assert config.data.batch_size == config.training.batch_size == 8
    config.training = TrainingConfig(epochs=3)
    config.training.batch_size = 2
    assert config.data.batch_size == 2
    assert "batch_size" not in config.to_dict()["training"]
    with pytest.raises(AttributeError, match="alone has no batch_size"):
        TrainingConfig().batch_size = 1


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))])
def test_a_copy_shares_nothing(duplicate):
    config = TrainConfig()
    other = duplicate(config)
    assert other == config
    other.training.batch_size = 5
    other.model.encoder_channels.append(1)
    assert config == TrainConfig()
    assert other.data.batch_size == 5


def test_json_round_trip():
    config = TrainConfig()
    config.data.image_size = (128, 64)
    config.training.val_batches = 3
    config.loss.extra = {"mine:loss": 0.5}
    config.optimizer.g_betas = (0.9, 0.99)
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict(), allow_nan=False))) == config


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"modle": {}}, "no setting 'modle'.*'model'"),
        ({"model": {"transformer_dims": 1}}, "no setting 'transformer_dims'.*'transformer_dim'"),
        ({"model": 3}, "object of settings"),
        ({"loss": {"w_l1": "1"}}, "finite number"),
        ({"data": {"batch_size": None}}, "whole number"),
    ],
)
def test_a_dict_that_does_not_fit_is_refused(found, words):
    with pytest.raises(ValueError, match=words):
        TrainConfig.from_dict(found)


def test_what_a_list_became_is_looked_at_again():
    config = ModelConfig()
    config.encoder_channels.append("wide")  # type: ignore[arg-type] - the mistake that is meant
    with pytest.raises(ValueError, match="encoder_channels"):
        config.check()


def test_a_number_that_was_put_into_a_list_becomes_what_the_others_are():
    config = TrainConfig()
    config.transform.mean[0] = 1
    config.check()
    assert [type(number) for number in config.transform.mean] == [float, float, float]


def test_configs_need_no_torch(packages_loaded_by):
    code = "import easel.materials.config_files, easel.materials.presets, easel.materials.resolve"
    assert packages_loaded_by(code) == set()
