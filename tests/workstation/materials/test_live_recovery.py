"""Maps from photos beside the loop: what the command would make, and the newest request wins."""

import threading
import time
from dataclasses import replace

import pytest
import torch

from easel.materials.maps import MaterialMaps
from easel.materials.models.network_files import load_generator, save_generator
from easel.materials.recovery.photos import photo_paths, read_photos
from easel.materials.recovery.recovery import recover
from easel.materials.tileable import seams
from easel.workstation.materials import live_recovery
from easel.workstation.materials.live_recovery import LiveRecovery, Options, Request
from easel.workstation.materials.live_run import saved_at
from easel.workstation.materials.material_export import FORMATS, export


@pytest.fixture
def live():
    live = LiveRecovery()
    yield live
    live.close()


@pytest.fixture
def folder(dataset):
    return dataset / "input" / "clean" / "sample_0001"


@pytest.fixture
def request_(folder, network):
    return Request(tuple(photo_paths(folder)), network)


def wait(live):
    until = time.perf_counter() + 60
    while live.working and time.perf_counter() < until:
        live.poll()
        time.sleep(0.005)
    assert not live.working


def test_photos_become_maps_and_are_seen_in_one_frame(live, request_, folder, network):
    live.ask(request_)
    wait(live)
    found = live.found
    assert found.how == "camera" and found.names == ("0.png", "1.png") and found.step == 7 and not live.problem
    same, _ = recover(load_generator(network), read_photos(folder))
    assert torch.equal(found.maps.to_tensor(), same.to_tensor())
    assert [tuple(picture.shape) for picture in found.seen] == [(256, 256, 3)] * 2


def test_of_many_requests_the_newest_is_answered(live, request_, monkeypatch):
    begun, let_go, real = threading.Event(), threading.Event(), live_recovery.recover

    def slow(trained, photos, *, progress, **options):
        begun.set()
        let_go.wait(20)
        progress(0.5)  # where one that nobody waits for any more ends
        return real(trained, photos, progress=progress, **options)

    monkeypatch.setattr(live_recovery, "recover", slow)
    live.ask(request_)
    assert begun.wait(30)
    for texels in ("512", "1024", "256"):
        live.ask(Request(request_.photos, request_.network, Options(texels)))
    monkeypatch.setattr(live_recovery, "recover", real)
    live.ask(Request(request_.photos, request_.network, Options(rectify="none")))
    let_go.set()
    wait(live)
    assert live.found.request.options == Options(rectify="none") and live.found.how == "none"


def test_maps_that_tile_are_as_large_as_others(folder, network):
    maps, _ = recover(load_generator(network), read_photos(folder), tileable=True)
    assert maps.size == (16, 16) and max(seams(maps).values()) < 1.5


@pytest.mark.slow
def test_maps_are_refined_on_their_photos(live, request_, folder, network, monkeypatch):
    monkeypatch.setattr(live_recovery, "REFINEMENT_STEPS", 2)
    live.ask(replace(request_, options=Options(refine=True)))
    wait(live)
    same, facts = recover(load_generator(network), read_photos(folder), refinement=2)
    assert torch.equal(live.found.maps.to_tensor(), same.to_tensor()) and facts["refined"]["steps"] == 2


def test_what_cannot_be_used_is_told_and_the_maps_stay(live, request_, tmp_path):
    live.ask(request_)
    wait(live)
    before = live.found
    for photos, network in (((tmp_path / "none.png",), request_.network), (request_.photos, tmp_path / "none.pth")):
        live.ask(Request(photos, network))
        wait(live)
        assert "none" in live.problem and live.found is before


def test_a_network_that_is_saved_anew_has_another_stamp(network):
    first = saved_at(network)
    trained = load_generator(network)
    time.sleep(0.02)
    save_generator(network, trained)
    assert saved_at(network) > first > 0
    assert saved_at(network.parent / "none") == 0


def test_every_format_is_written_into_a_folder_of_its_own(tmp_path):
    maps = MaterialMaps(torch.rand(3, 8, 8), torch.rand(1, 8, 8), torch.rand(1, 8, 8), torch.tensor([0.0, 0.0, 1.0])
                        [:, None, None].expand(3, 8, 8))  # fmt: skip
    folders = set()
    for name in FORMATS:
        files = export(maps, name, tmp_path)
        assert files and all(file.stat().st_size for file in files)
        folders.add(files[0].relative_to(tmp_path).parts[0])
    assert len(folders) == len(FORMATS)
    stored = MaterialMaps.load(tmp_path / "material-2")
    assert torch.allclose(stored.roughness, maps.roughness, atol=1e-4)
