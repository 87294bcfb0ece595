"""A Core ML package has the names, kinds and sizes that an app relies on, or is not there at all."""

import math

import numpy as np
import pytest
import torch

from easel.cli import main
from easel.graphics.files import FileError
from easel.materials.export import coreml_export, running
from easel.materials.export.coreml_export import package_bytes, save_coreml
from easel.materials.export.running import KEY, ExportError, NetworkRecord, record_of
from easel.materials.maps import MAP_NAMES, MaterialMaps
from easel.materials.models.network_files import save_inference

FLOAT16 = 10
"""As the specification numbers the kinds of numbers."""


@pytest.mark.slow
def test_the_package_is_what_the_app_expects(trained, tmp_path):
    pytest.importorskip("coremltools")
    network = trained(encoder_channels=[4, 8], fusion="vit", output=128)
    path = tmp_path / "net.mlpackage"
    record = save_coreml(path, network)  # raises where the written specification is another
    assert record.fixed and record.least_side == 64 and math.isnan(record.error)
    assert package_bytes(path) > sum(weight.numel() for weight in network.model.parameters())
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.mlpackage"]
    notes = _specification(path).description.metadata.userDefined
    assert NetworkRecord.from_json(notes[KEY]).digest == network.digest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "side", "half", "palettes"),
    [
        (["--no-fp16", "--test-resolution", "96"], 96, False, False),  # without super-resolution as large as photos
        (["--palettization", "--test-resolution", "96", "--use-sr"], 192, True, True),
    ],
)
def test_the_flags_of_the_predecessors_converter(trained, tmp_path, capsys, flags, side, half, palettes):
    pytest.importorskip("coremltools")
    save_inference(tmp_path / "best_student.pth", trained(fusion="pool", output=128))
    path = tmp_path / "mobile_app" / "ios" / "pbr_model.mlpackage"
    assert main(["materials", "export", str(tmp_path / "best_student.pth"), "--output", str(path), *flags]) == 0
    assert "photos of 96 x 96 pixels, a size for memory tests alone" in capsys.readouterr().out
    specification = _specification(path)
    photo, *_ = specification.description.input
    albedo, *_ = specification.description.output
    assert (photo.type.imageType.width, albedo.type.imageType.width) == (96, side)
    (block,) = specification.mlProgram.functions["main"].block_specializations.values()
    kinds = {output.type.tensorType.dataType for operation in block.operations for output in operation.outputs}
    assert (FLOAT16 in kinds) == half
    assert any("lut_to_dense" in operation.type for operation in block.operations) == palettes


def test_pictures_in_the_graph_are_normalised_as_photos_were(trained):
    network = trained(fusion="pool")
    mean, std = torch.tensor(network.config.transform.mean), torch.tensor(network.config.transform.std)
    pictures = coreml_export._Pictures(network.model, mean, std)
    photos = torch.randint(0, 256, (3, 1, 3, 64, 64)).float()
    with torch.inference_mode():
        found = dict(zip(MAP_NAMES, pictures(*photos), strict=True))
        views = (photos[:, 0] / 255 - mean[:, None, None]) / std[:, None, None]
        expected = network.model(views[None])
    torch.testing.assert_close(found["roughness"], expected["roughness"] * 255, atol=1e-3, rtol=0)
    torch.testing.assert_close(found["normal"], expected["normal"] * 127.5 + 127.5, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("settings", "options", "reason"),
    [
        ({"encoder_type": "compact"}, {}, "this is the compact network"),
        ({"fusion": "pool"}, {"side": 100}, "photos of 100 x 100 pixels: this network takes 64 to 4096"),
    ],
)
def test_what_it_cannot_be_made_of_is_one_line(trained, tmp_path, settings, options, reason):
    with pytest.raises(ExportError, match=reason):
        save_coreml(tmp_path / "net.mlpackage", trained(**settings), **options)
    assert not list(tmp_path.iterdir())


def test_a_package_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "net.mlpackage"

    def write(text):
        with coreml_export._whole_package(path) as partial:
            partial.mkdir()
            (partial / "Manifest.json").write_text(text)
            if text == "broken":
                raise OSError(28, "No space left on device")

    write("first")
    with pytest.raises(OSError, match="No space left"):
        write("broken")
    assert (path / "Manifest.json").read_text() == "first"
    write("second")
    assert (path / "Manifest.json").read_text() == "second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.mlpackage"]
    (tmp_path / "other.mlpackage").mkdir()
    with (
        pytest.raises(FileError, match="something else has that name"),
        coreml_export._whole_package(tmp_path / "other.mlpackage"),
    ):
        pass


class Echo:
    """Says what it was shown: the first photo as albedo and as normal, its red as the grey maps."""

    def predict(self, photos):
        first = photos["view1"]
        grey = np.asarray(first)[..., 0]
        return {"albedo": first, "normal": first, "roughness": grey, "metallic": grey}


def test_three_photos_go_in_and_maps_come_out_in_their_ranges(trained):
    record = record_of(trained(fusion="pool"), 64, fixed=True)
    network = running.CoreMLNetwork(Echo(), record)
    transform = record.config.transform
    mean, std = (torch.tensor(values)[:, None, None] for values in (transform.mean, transform.std))
    photos = torch.randint(0, 256, (4, 3, 64, 64)).float() / 255
    views = ((photos - mean) / std)[None]
    maps = network(views)
    torch.testing.assert_close(maps["albedo"][0], photos[0])
    torch.testing.assert_close(maps["metallic"][0], photos[0, :1])
    MaterialMaps(**maps).validate()
    with pytest.raises(ExportError, match="takes three photos; got 2"):
        network(views[:, :2])


def test_core_ml_runs_on_macos_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(ExportError, match=r"Core ML runs on macOS alone, and this is linux\. .*--onnx"):
        running.load_exported(tmp_path / "net.mlpackage")


def _specification(path):
    from coremltools.proto import Model_pb2

    specification = Model_pb2.Model()
    specification.ParseFromString((path / "Data" / "com.apple.CoreML" / "model.mlmodel").read_bytes())
    return specification
