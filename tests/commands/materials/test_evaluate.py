"""`easel materials evaluate`: the table, the files, and one line for what cannot be used."""

import json

import pytest

from easel.cli import main
from easel.graphics.image import imread


@pytest.fixture
def evaluate(network, tmp_path, monkeypatch):
    monkeypatch.setattr("easel.commands.materials.evaluate.SHEET_SIDE", 24)

    def run(*arguments):
        command = ["materials", "evaluate", "--checkpoint", str(network), "--device", "cpu"]
        return main([*command, "--out", str(tmp_path / "out"), *map(str, arguments)])

    return run


@pytest.mark.slow
def test_all_rows_stand_in_one_table(evaluate, tmp_path, capsys):
    assert evaluate("--views", 1, 3, "--rectify", "camera", "none", "--pictures", 1) == 0
    told = capsys.readouterr().out
    assert "2 samples of 2 materials (val)" in told
    for row in ("mean of all materials", "3 photos, by camera", "1 photo, by camera", "1 photo, as they are"):
        assert any(line.startswith(row) for line in told.splitlines())
    record = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert record["rows"][0]["name"] == "3 photos, by camera" and len(record["rows"]) == 4
    assert len(record["samples"]) == 2
    row, guess = record["rows"][0], record["guess"]["figures"]
    below = 100 * (1 - row["figures"]["albedo_rmse"] / guess["albedo_rmse"])
    assert row["percent_below"]["albedo"] == pytest.approx(below)
    assert imread(tmp_path / "out" / "contact_sheet.png").shape[0] > 2 * 24


def test_bad_input_ends_with_one_line_and_2(evaluate, dataset, tmp_path, capfd):
    for arguments, told in (
        (("--views", 4), "No samples found"),
        (("--views", 0), "1 or more"),
        (("--data-root", tmp_path), "render_metadata.json"),
        (("--curriculum", 2), "dirty"),
        (("--samples", 0), "1 or more"),
        (("--device", "cuda:77"), "not there"),
        (("--checkpoint", dataset), "checkpoint"),
    ):
        assert evaluate(*arguments) == 2, arguments
        lines = [line for line in capfd.readouterr().err.strip().splitlines() if line.startswith("easel:")]
        assert len(lines) == 1 and told in lines[0], (arguments, lines)
