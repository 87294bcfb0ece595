"""`easel materials shards` and `distill`: the predecessor's command lines of its second half, at tiny sizes."""

import json
import shutil

import pytest
import torch

from easel.cli import main
from easel.commands.materials.distill import prepare_distill
from easel.console import BadInput
from easel.graphics.image import imread
from easel.materials.models.network_files import load_generator

TINY = (
    "--data.num-workers 0 --device cpu --batch-size 2 --steps 1 --training.no-use-tensorboard "
    "--training.val-batches 1 --training.log-every-n-steps 1 --loss.w-render 0"
).split()
VIT = (
    "--data.image-size 16 --data.output-size 32 --model.no-use-gan --model.encoder-backbone mobilenet_v3_small "
    "--model.transformer-dim 32 --model.transformer-num-heads 2 --model.transformer-depth 1"
).split()
CONVATTN = (
    "--data.image-size 32 --data.output-size 32 --model.encoder-backbone mobilenet_v3_small "
    "--model.bottleneck-channels 32 --model.num-blocks 1 --model.kernel-size 3"
).split()


@pytest.fixture(scope="session")
def answers(network, dataset, tmp_path_factory):
    """Folder with the answers of the network of `conftest`."""
    folder = tmp_path_factory.mktemp("answers") / "shards_32"
    command = ["--checkpoint", str(network), "--data-root", str(dataset), "--shards-dir", str(folder)]
    assert main(["materials", "shards", *command, "--shard-size", "1", "--shard-output-size", "32"]) == 0
    return folder


def student(*arguments) -> list[str]:
    return ["materials", "distill", *map(str, arguments), *TINY]


@pytest.mark.slow
def test_shards_hold_the_teachers_training_materials(answers, network, dataset, capsys):
    index = json.loads((answers / "index.json").read_text())
    samples = [name for shard in index["shards"].values() for name in shard["samples"]]
    trained = load_generator(network)
    assert index["origin"]["teacher_sha256"] == trained.digest
    assert (index["dtype"], index["shapes"]["albedo"]) == ("float16", [3, 32, 32])
    # val_ratio 0.5 of four materials
    assert len(samples) == 2 and len(index["shards"]) == 2 and all(name.endswith("/clean") for name in samples)
    command = ["--checkpoint", str(network), "--data-root", str(dataset), "--shards-dir", str(answers)]
    assert main(["materials", "shards", *command, "--shard-size", "1"]) == 0
    assert "2 of the files were there" in capsys.readouterr().out


@pytest.mark.slow
def test_the_vit_student_as_the_guide_writes_it(answers, dataset, tmp_path, capsys):
    checkpoints = tmp_path / "checkpoints_student"
    where = ["--input-dir", dataset / "input", "--output-dir", dataset / "output", "--checkpoint-dir", checkpoints]
    assert main(student("--config", "configs/mobilenetv3_512.py", "--shards-dir", answers, *where, *VIT)) == 0
    names = {path.name for path in checkpoints.iterdir()}
    assert {"latest_student", "latest_student.pth"} <= names
    saved = torch.load(checkpoints / "latest_student.pth", weights_only=True)
    assert saved["student_state_dict"] and saved["config"]["data"]["val_ratio"] == 0.5
    # and on to the end of an epoch, then evaluated and used
    more = [*TINY, "--epochs", "1", "--training.save-every-n-epochs", "1"]
    assert main(["materials", "distill", "--resume", str(checkpoints), *more, "--steps", "2"]) == 0
    assert {"best_student.pth", "best_student"} <= {path.name for path in checkpoints.iterdir()}
    best = checkpoints / "best_student.pth"
    out = ["--out", str(tmp_path / "judged"), "--samples", "1", "--device", "cpu"]
    assert main(["materials", "evaluate", "--checkpoint", str(best), *out]) == 0
    asked = ["--checkpoint", str(best), "--input-dir", str(dataset / "input/clean/sample_0000"), "--device", "cpu"]
    assert main(["materials", "infer", *asked, "--rectify", "none", "--out-dir", str(tmp_path / "maps")]) == 0
    assert imread(tmp_path / "maps" / "albedo.png").shape[0] >= 32
    capsys.readouterr()


@pytest.mark.slow
def test_the_convattn_student_with_and_without_its_teacher(answers, network, dataset, tmp_path, caplog):
    where = ["--input-dir", dataset / "input", "--output-dir", dataset / "output"]
    config = ["--config", "configs/convattn_student.py", *CONVATTN]
    alone = student(*config, "--shards-dir", answers, *where, "--checkpoint-dir", tmp_path / "alone")
    assert main(alone) == 0
    assert "features are not compared" in caplog.text
    taught = ["--teacher-checkpoint", network, "--temperature", "2", "--alpha", "0.5", "--no-amp"]
    assert main(student(*config, *taught, *where, "--checkpoint-dir", tmp_path / "taught")) == 0
    line = json.loads((tmp_path / "taught" / "metrics.jsonl").read_text().splitlines()[0])
    assert line["train/distill_features"] > 0


def test_check_reads_shards(answers, dataset, tmp_path, capsys):
    folder = shutil.copytree(answers, tmp_path / "shards")
    command = ["materials", "check", str(dataset), "--shards-dir", str(folder)]
    assert main(command) == 0
    data = bytearray((folder / "shard_00001.safetensors").read_bytes())
    data[-100] ^= 16
    (folder / "shard_00001.safetensors").write_bytes(data)
    assert main(command) == 1
    assert "shard_00001.safetensors: damaged shard: was altered" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["distill"], "needs its teacher's answers"),
        (["distill", "--use-feature-distillation", "--shards-dir", "x"], "--teacher-checkpoint"),
        (["distill", "--shards-dir", "nowhere", "--device", "cpu"], "no folder of a teacher's answers"),
        (["shards"], "--checkpoint"),
        (["shards", "--checkpoint", "x", "--shard", "2/2"], "--shard is i/n"),
        (["shards", "--checkpoint", "x", "--shard-size", "0"], "1 to 4096"),
    ],
)
def test_bad_input_is_one_line(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["materials", *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said and "\n" not in said


@pytest.mark.slow
def test_other_teachers_sizes_and_configs_are_refused(answers, network, dataset, tmp_path, capsys):
    data = ["--input-dir", str(dataset / "input"), "--output-dir", str(dataset / "output")]
    larger = ["--config", "convattn_student", "--data.image-size", "64", "--data.output-size", "64"]
    into = ["--checkpoint-dir", tmp_path / "c"]
    assert main(student(*larger, "--shards-dir", answers, *data, *into)) == 2
    assert "holds maps of 32x32" in capsys.readouterr().err
    asked = ["materials", "shards", "--checkpoint", str(network), *data]
    assert main([*asked, "--shards-dir", str(answers), "--bits", "8"]) == 2
    assert "holds answers with form float16" in capsys.readouterr().err
    assert main([*asked, "--shards-dir", str(tmp_path / "s"), "--config", "laptop"]) == 2
    assert "model.encoder_type" in capsys.readouterr().err
    assert main([*asked, "--shards-dir", str(tmp_path / "s"), "--shard-output-size", "64"]) == 2
    assert "1 to 32" in capsys.readouterr().err


def test_the_predecessors_flags():
    _, config = prepare_distill(["--config", "configs/mobilenetv3_2048.py"])
    assert config.data.output_size == (2048, 2048)
    said, config = prepare_distill("--teacher-checkpoint t --use-feature-distillation --no-amp --alpha 0.4".split())
    assert said == "--training.teacher-checkpoint t --training.no-use-amp --loss.distill-alpha 0.4".split()
    assert config.loss.lambda_feat == 0.1 and config.data.output_size == (1024, 1024)
    with pytest.raises(BadInput, match="--temperature"):
        prepare_distill(["--temprature", "4"])
