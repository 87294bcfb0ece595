"""`easel materials convert`: maps in, other programs' files out, one line for what cannot be used."""

import pytest

from easel.cli import main
from easel.graphics.image import imread
from easel.materials.asset_export.sets import SETS
from easel.materials.collection.procedural import procedural
from easel.materials.maps import MaterialMaps

TEXTURES = {f"textures/rusty_iron_{name}.png" for name in ("albedo", "roughness", "metallic", "normal")}


@pytest.fixture
def convert(tmp_path):
    procedural(0, 16, "rusted_metal").save(tmp_path / "Rusty Iron")

    def run(*arguments, maps=tmp_path / "Rusty Iron"):
        return main(["materials", "convert", str(maps), "--out", str(tmp_path / "out"), *map(str, arguments)])

    return run


def written(tmp_path):
    out = tmp_path / "out"
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def test_without_a_choice_it_is_for_all_programs(convert, tmp_path, capsys):
    assert convert() == 0
    files = {"rusty_iron.glb", "rusty_iron.mtlx", "rusty_iron.usda"}
    assert written(tmp_path) == files | TEXTURES
    said = capsys.readouterr().out
    assert all(f"wrote {tmp_path / 'out' / file}: " in said for file in files)


def test_what_is_asked_for_is_written_and_no_more(convert, tmp_path):
    assert convert("--gltf-separate", "--name", "Rust") == 0
    pictures = {f"textures/Rust_{name}.png" for name in ("albedo", "metallic_roughness", "normal")}
    assert written(tmp_path) == {"Rust.gltf", "Rust.bin"} | pictures


def test_sets_have_a_folder_each_and_16_bits(convert, tmp_path):
    assert convert("--set", *SETS, "--bits", 16) == 0
    assert {name.partition("/")[0] for name in written(tmp_path)} == set(SETS)
    back = MaterialMaps.load(tmp_path / "out" / "plain")
    eight = imread(tmp_path / "Rusty Iron" / "roughness.png", channels=1)[..., 0]
    assert (back.roughness[0] - eight).abs().max() < 1e-5


def test_exr_is_for_all_but_gltf(convert, exr, tmp_path):
    assert convert("--exr", "--gltf-separate", "--usd", "--set", "blender") == 0
    pictures = [name for name in written(tmp_path) if name.endswith((".png", ".exr"))]
    assert sum(name.endswith(".png") for name in pictures) == 3 and len(pictures) == 3 + 4 + 4


def test_green_that_is_down_is_turned(convert, tmp_path):
    assert convert("--normal", "directx", "--set", "plain") == 0
    source = MaterialMaps.load(tmp_path / "Rusty Iron")
    turned = MaterialMaps.load(tmp_path / "out" / "plain")
    assert (turned.normal[1] + source.normal[1]).abs().max() < 3 / 255


def test_help_names_every_program(capsys):
    with pytest.raises(SystemExit):
        main(["materials", "convert", "--help"])
    said = capsys.readouterr().out
    assert all(program in said for program in SETS)


def test_bad_input_ends_with_one_line_and_2(convert, tmp_path, capfd):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("a file where a folder should be")
    cut = tmp_path / "cut"
    procedural(0, 16).save(cut)
    (cut / "normal.png").write_bytes((cut / "normal.png").read_bytes()[:60])
    for arguments, maps, told in (
        ((), tmp_path / "Rusty Iro", "Did you mean"),
        ((), tmp_path / "file", "is a file"),
        ((), tmp_path / "empty", "albedo, roughness, metallic, normal missing"),
        ((), cut, "normal.png"),
        (("--set", "unrael"), None, "Did you mean 'unreal'"),
        (("--name", "../rust"), None, "--name is a letter"),
        (("--repeats", 0), None, "--repeats is above 0"),
        (("--repeats", "nan"), None, "--repeats is above 0"),
        (("--out", tmp_path / "file"), None, "--out"),
    ):
        assert (convert(*arguments, maps=maps) if maps else convert(*arguments)) == 2, arguments
        lines = capfd.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and told in lines[0], (arguments, lines)
    assert written(tmp_path) == set()
