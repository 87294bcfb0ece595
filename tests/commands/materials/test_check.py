"""`easel materials check`, as a user runs it."""

import json
import shutil

import pytest

from easel.cli import main


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    out = tmp_path_factory.mktemp("pristine")
    tiny = ["--materials", "2", "--size", "16", "--views", "3", "--clean-only"]
    assert main(["materials", "render", *tiny, "--out", str(out)]) == 0
    return out


@pytest.fixture
def data(pristine, tmp_path):
    return shutil.copytree(pristine, tmp_path / "data")


@pytest.mark.slow
def test_a_good_dataset(data, capsys, monkeypatch):
    assert main(["materials", "check", str(data)]) == 0
    assert capsys.readouterr().out.strip() == "2 folders of photos and 2 of maps: no problems"
    folders = ["--input-dir", str(data / "input"), "--output_dir", str(data / "output")]
    assert main(["materials", "check", *folders, "--metadata-path", str(data / "input/render_metadata.json")]) == 0
    monkeypatch.chdir(data.parent)
    assert main(["materials", "check"]) == 0


def test_problems_are_listed_counted_and_reported(data, tmp_path, capsys):
    (data / "input/clean/sample_0000/2.png").unlink()
    next(data.glob("output/*/albedo.png")).write_bytes(b"none")
    report = tmp_path / "report.json"
    assert main(["materials", "check", str(data), "--report", str(report)]) == 1
    *listed, summary, wrote = capsys.readouterr().out.splitlines()
    record = json.loads(report.read_text())
    assert len(listed) == len(record["problems"]) == 3 and wrote == f"wrote {report}"
    assert record["counts"] == {"missing photos": 1, "contradiction": 1, "damaged file": 1}
    assert "3 problems" in summary and "1 damaged file" in summary
    for line, problem in zip(listed, record["problems"], strict=True):
        assert line == f"{problem['path']}: {problem['kind']}: {problem['reason']}"


BAD = {
    "nowhere": (["nowhere"], "is no folder"),
    "no output": (["--input-dir", "."], "is no folder"),
    "no views": ([".", "--views", "0"], "--views"),
    "no workers": ([".", "--workers", "0"], "--workers"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_line(tmp_path, capsys, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    arguments, reason = BAD[what]
    assert main(["materials", "check", *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert reason in said and "\n" not in said
