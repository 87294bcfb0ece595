"""Publishing to a view, from its own thread, from another and from other processes."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from multiprocessing import AuthenticationError, Pipe
from multiprocessing.connection import Client

import numpy as np
import pytest
import torch

import easel
from easel.viewer.feed.wire import Address, WireError, receive, send_numbers, send_picture


def test_a_thread_publishes_and_the_newest_is_shown(open_headless) -> None:
    view = open_headless()

    def train() -> None:
        for step in range(50):
            view.publish("weights", torch.full((8, 8), step / 100))
            view.publish("loss", 1 / (step + 1))
            time.sleep(0.002)

    thread = threading.Thread(target=train)
    thread.start()
    while thread.is_alive():
        view.step()
        view.end_step()
    canvas = view.panel("weights").canvas("weights")
    deadline = time.monotonic() + 20
    while canvas.look().float().mean() != pytest.approx(0.75):  # copies keep a distance from one another
        assert time.monotonic() < deadline, "the newest never arrives"
        view.publish("weights", torch.full((8, 8), 0.75))
        view.run(max_frames=1)
    assert list(view.panels) == ["weights", "Curves"]
    assert view.capture().shape == (480, 640, 3)


def test_a_panel_that_is_there_shows_what_has_its_name(open_headless) -> None:
    view = open_headless()
    canvas = view.panel("map", side="left").canvas("map")
    view.publish("map", np.zeros((4, 5), np.float32))
    view.run(max_frames=1)
    assert canvas.size == (4, 5) and list(view.panels) == ["map"]


@pytest.mark.parametrize(("value", "told"), [(torch.zeros(2, 8, 3, 3), "2D or 3D"), ([1, 2], "takes a torch tensor")])
def test_what_no_canvas_shows_is_refused_where_it_is_published(open_headless, value: object, told: str) -> None:
    view = open_headless()
    with pytest.raises((ValueError, TypeError), match=told):
        view.publish("odd", value)
    view.run(max_frames=1)


PROGRAM = """
import sys, time, torch, easel
with easel.Publisher() as publisher:
    assert publisher.connected
    for step in range(200):
        publisher.publish("map", torch.full((6, 7), float(sys.argv[1])))
        publisher.publish("loss", float(step))
        time.sleep(0.005)
"""


def test_processes_and_ranks_publish_to_one_view(open_headless) -> None:
    view = open_headless()
    address = view.listen()
    assert view.listen() == address, "one address a view"
    ranks = []
    for rank in range(2):
        environment = os.environ | {"EASEL_VIEW": address, "RANK": str(rank), "WORLD_SIZE": "2"}
        command = [sys.executable, "-c", PROGRAM, str(0.25 + rank / 2)]
        ranks.append(subprocess.Popen(command, env=environment))
    while any(rank.poll() is None for rank in ranks):
        view.step()
        view.end_step()
        time.sleep(0.01)
    view.run(max_frames=2)
    assert [rank.returncode for rank in ranks] == [0, 0]
    means = {
        name: view.panel(name).canvas(name).look().float().mean().item() for name in ("map, rank 0", "map, rank 1")
    }
    assert means == pytest.approx({"map, rank 0": 0.25, "map, rank 1": 0.75}, abs=1e-6)
    curves = view._feeds.curves
    assert [list(curves[f"loss, rank {rank}"].values) for rank in range(2)] == [list(map(float, range(200)))] * 2


def test_without_a_view_publishing_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EASEL_VIEW", raising=False)
    with easel.Publisher() as publisher:
        publisher.publish("map", torch.zeros(4, 4))
        assert not publisher.connected and not publisher._feeds.pictures


def test_a_view_that_goes_is_survived(open_headless, caplog: pytest.LogCaptureFixture) -> None:
    view = open_headless()
    publisher = easel.Publisher(view.listen())
    view.close()
    deadline = time.monotonic() + 20
    while publisher.connected and time.monotonic() < deadline:
        publisher.publish("map", torch.zeros(4, 4))
        time.sleep(0.01)
    assert not publisher.connected
    publisher.publish("map", torch.zeros(4, 4))
    publisher.close()
    with pytest.raises(ConnectionError, match="no view listens"):
        easel.Publisher(str(view._receiver.address))


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match=r"View.listen\(\)"):
        easel.Publisher("http://localhost:80")


def test_strangers_cannot_publish(open_headless, caplog: pytest.LogCaptureFixture) -> None:
    view = open_headless()
    address = Address.parse(view.listen())
    with pytest.raises(AuthenticationError):
        Client((address.host, address.port), authkey=b"wrong")
    with easel.Publisher(str(address)) as publisher:
        assert publisher.connected, "the others go on"


BAD = [
    b"", b"[]", b"nonsense", b'{"name": "x"}', b'{"name": 3, "numbers": [1]}', b'{"name": "x", "numbers": ["1"]}',
    b'{"name": "x", "dtype": "float32", "shape": [1048575, 1048575]}',
    b'{"name": "x", "dtype": "object", "shape": [1]}', b'{"name": "x", "dtype": "float32", "shape": [-1, 4]}',
    b'{"name": "x", "dtype": "float32", "shape": [2, 2, 2, 2, 2]}',
    json.dumps({"name": "x" * 300, "numbers": [1]}).encode(), b"[" * 60_000,
]  # fmt: skip


@pytest.mark.parametrize("message", BAD, ids=range(len(BAD)))
def test_a_publisher_that_sends_nonsense_is_let_go(open_headless, message: bytes, caplog) -> None:
    view = open_headless()
    address = Address.parse(view.listen())
    with (
        caplog.at_level(logging.WARNING, "easel"),
        Client((address.host, address.port), authkey=address.token.encode()) as line,
    ):
        line.send_bytes(message)
        with pytest.raises((EOFError, OSError)):
            line.recv_bytes()
    view.run(max_frames=1)
    assert not view._feeds.pictures and any("let go" in text for text in caplog.messages)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.uint8, torch.int64, torch.bool])
def test_a_picture_arrives_as_it_was_sent(dtype: torch.dtype) -> None:
    (line, end), tensor = Pipe(), (torch.rand(3, 5, 4) * 9).to(dtype).transpose(0, 1)
    send_picture(line, "grün", tensor)
    name, arrived = receive(end)
    assert name == "grün" and arrived.dtype == dtype and torch.equal(arrived, tensor)


def test_numbers_arrive_also_where_they_are_none() -> None:
    line, end = Pipe()
    send_numbers(line, "loss", [1.5, float("nan"), float("inf")])
    name, arrived = receive(end)
    assert name == "loss" and arrived[0] == 1.5 and all(np.isnan(arrived[1:]))


def test_a_picture_that_is_cut_short_is_refused() -> None:
    line, end = Pipe()
    line.send_bytes(b'{"name": "x", "dtype": "float32", "shape": [4, 4]}')
    line.send_bytes(bytes(63))
    with pytest.raises(WireError, match="fewer"):
        receive(end)
