"""What a person may name, and what strangers may put there: one line for everything that cannot be looked at."""

import io
import struct
import sys
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from easel.graphics.files import FileError
from easel.inspector.models import weights_file
from easel.inspector.models.sources import SourceError, open_source
from easel.inspector.models.weights_file import read_weights


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


@pytest.mark.parametrize("name", ["net.safetensors", "net.pt", "net.pth", "net", "wrong.onnx.bin"])
def test_weights_are_opened_by_content(tmp_path, name):
    state = net().state_dict()
    if name.endswith(("safetensors", "bin")):
        save_file(state, tmp_path / name)
    else:
        torch.save(state, tmp_path / name)
    found = open_source(str(tmp_path / name))
    assert set(found.tensors) == set(state)
    assert all(torch.equal(found.tensors[key].tensor, value) for key, value in state.items())
    assert (found.tensors["1.running_var"].kind, found.tensors["0.weight"].module_path) == ("buffer", "0")
    assert found.model is None and found.graph is None


@pytest.mark.parametrize("key", ["model", "state_dict", "module", None])
def test_weights_are_found_beside_other_things(tmp_path, key):
    model = net()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.rand(2, 1, 5, 5)).sum().backward()
    optimizer.step()
    inside = {key: model.state_dict()} if key else {"encoder": {"deep": list(model.state_dict().values())}}
    torch.save({**inside, "optimizer": optimizer.state_dict() if key else None, "step": 40}, tmp_path / "c.pt")
    found = read_weights(tmp_path / "c.pt")
    assert found.step == 40
    assert set(found.tensors) == (set(model.state_dict()) if key else {f"encoder.deep.{i}" for i in range(7)})


def test_a_step_in_the_name(tmp_path):
    save_file({"w": torch.zeros(1)}, tmp_path / "step-00001200.safetensors")
    assert open_source(str(tmp_path / "step-00001200.safetensors")).step == 1200


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.evil_was_here = True",)


def zipped(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    with io.BytesIO() as out:
        with zipfile.ZipFile(out, "w", compression) as archive:
            for name, data in entries.items():
                archive.writestr(name, data)
        return out.getvalue()


def saved(value: object, **options: bool) -> bytes:
    with io.BytesIO() as out:
        torch.save(value, out, **options)
        return out.getvalue()


def recompressed(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return zipped({name: archive.read(name) for name in archive.namelist()}, zipfile.ZIP_DEFLATED)


def claiming(data: bytes) -> bytes:
    """The same file, whose pickle claims that the first storage is 2^28 elements large."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return zipped({name: part.replace(b"K\x06tq", b"J\x00\x00\x00\x10tq") for name, part in entries.items()})


WEIGHTS = saved({"w": torch.rand(2, 3)})
HOSTILE = {
    "giant by stride 0": (saved({"w": torch.zeros(1).expand(10**11)}), "'w' claims 100,000,000,000 elements and holds"),
    "overlapping": (saved({"w": torch.zeros(8).as_strided((9, 8), (0, 1))}), "claims 72 elements"),
    "giant storage": (claiming(WEIGHTS), "it is damaged"),
    "whole model": (
        saved(nn.Linear(2, 2)),
        r"torch.nn.modules.linear.Linear\) whose loading can run code. In the prog",
    ),
    "evil": (saved(Evil()), "whose loading can run code. .*model.state_dict"),
    "old format": (saved({"w": torch.rand(1)}, _use_new_zipfile_serialization=False), "it is a pickle"),
    "cut": (WEIGHTS[:-200], "it is cut short or damaged"),
    "cut in the middle": (WEIGHTS[: len(WEIGHTS) // 2], "it is cut short or damaged"),
    "another zip": (zipped({"readme.txt": b"hello"}), "it is damaged"),
    "compressed": (recompressed(WEIGHTS), "compressed, which torch.save does not do"),
    "script": (zipped({"x/constants.pkl": b"", "x/code/a.py": b""}), "a TorchScript program"),
    "sparse": (saved({"w": torch.eye(3).to_sparse()}), "sparse or quantized"),
    "nothing": (saved({"epoch": 3, "notes": ["a"]}), "it holds no tensors"),
    "text": (b"some notes about a network, no network", "no safetensors file"),
    "long header": (struct.pack("<Q", 2**60) + b"{}", "cut short or no safetensors file"),
    "wild offsets": (
        struct.pack("<Q", 60) + b'{"w":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'.ljust(60),
        "damaged or no safetensors file",
    ),
    "empty": (b"", r"it is empty \(0 bytes\)"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_strangers_files_are_refused_in_one_line(tmp_path, kind):
    data, expected = HOSTILE[kind]
    path = tmp_path / "some.pt"
    path.write_bytes(data)
    with pytest.raises(FileError, match=expected) as caught:
        open_source(str(path))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    import builtins

    assert not hasattr(builtins, "evil_was_here")


def test_views_of_one_storage_may_not_claim_more_than_the_limit(tmp_path, monkeypatch):
    base = torch.zeros(1000)
    torch.save([base[:] for _ in range(50)], tmp_path / "w")
    assert len(read_weights(tmp_path / "w").tensors) == 50
    monkeypatch.setattr(weights_file, "LIMIT_BYTES", 100_000)
    with pytest.raises(FileError, match="claim more than"):
        read_weights(tmp_path / "w")


def test_tensors_without_values_are_shown_as_such(tmp_path):
    torch.save({"w": torch.empty(10**6, 10**6, device="meta")}, tmp_path / "w")
    assert open_source(str(tmp_path / "w")).tensors["w"].note == "not materialised"


def test_tensors_that_are_stored_with_other_strides(tmp_path):
    weight = torch.rand(4, 3, 2, 2).to(memory_format=torch.channels_last)
    torch.save({"w": weight, "t": weight[0, 0].T}, tmp_path / "w")
    assert torch.equal(read_weights(tmp_path / "w").tensors["w"], weight)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A module in the current folder."""
    (tmp_path / "nets_of_mine.py").write_text(
        "from torch import nn\n"
        "class Holder:\n    small = nn.Linear(2, 1)\n"
        "def build():\n    return nn.Linear(3, 2)\n"
        "def number():\n    return 3\n"
        "def broken():\n    raise RuntimeError('no\\ndata')\n"
    )
    monkeypatch.chdir(tmp_path)
    yield "nets_of_mine"
    sys.modules.pop("nets_of_mine", None)


def test_a_function_that_returns_a_model(program):
    path = list(sys.path)
    found = open_source(f"{program}:build")
    assert isinstance(found.model, nn.Linear) and found.tensors["weight"].shape == (2, 3)
    assert isinstance(open_source(f"{program}:Holder.small").model, nn.Linear)
    assert sys.path == path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nets_of_mine:number", "returned a int; a function that returns a torch.nn.Module fits"),
        ("nets_of_mine:broken", "it raised RuntimeError: no data"),
        ("nets_of_mine:absent", "has no attribute 'absent'"),
        ("nets_of_nobody:build", "there is no module 'nets_of_nobody' here"),
    ],
)
def test_functions_that_return_none(program, name, expected):
    with pytest.raises(SourceError, match=expected):
        open_source(name)


def test_nothing_is_there(tmp_path):
    with pytest.raises(FileError, match="there is no such file"):
        open_source(str(tmp_path / "absent.pt"))
    with pytest.raises(FileError, match="it is a folder"):
        open_source(str(tmp_path))
