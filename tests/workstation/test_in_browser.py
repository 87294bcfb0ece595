"""The workstation in a browser tab, from opening the address to the snapshot on the person's own disk."""

import io
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from PIL import Image

from easel.cli import main
from easel.viewer.driver import Driver
from easel.viewer.view import View
from easel.workstation.fit.fit_page import FitPage
from easel.workstation.fit.live_fit import End
from easel.workstation.fit.photograph import Photograph

pytest.importorskip("aiohttp", reason="a view in a browser needs aiohttp")


def center(view: View, label: str, share: float = 0.5) -> tuple[float, float]:
    area = Driver(view)._spot(label, None)
    return area.x + share * area.width, area.y + area.height / 2


def test_a_photograph_goes_up_is_fitted_and_comes_down(gl, chromium, live_fit, picture, tmp_path: Path) -> None:
    live_fit.end = End()
    live_fit.restart()
    other = np.zeros((20, 40, 3), np.uint8)
    other[:, 20:] = 250, 120, 10
    Image.fromarray(other).save(tmp_path / "orange.png")
    with View("Easel", 1000, 1100, backend="browser", strict=True) as view, ThreadPoolExecutor(1) as pool:
        page = FitPage(view.page("Fit"), live_fit, Photograph("test", picture), tmp_path, max_size=0)
        page.controls.set("Steps / Frame", 2)
        places = {label: center(view, label) for label in ("Open Image...", "Save Snapshots")}
        rate = [center(view, "log10(LR)", share) for share in (0.75, 0.95)]

        def act(tab: Any) -> dict[str, bytes]:
            while not tab.evaluate("document.getElementById('view').dataset.frame"):
                tab.wait_for_timeout(100)
            tab.mouse.move(*rate[0])
            tab.mouse.down()
            tab.mouse.move(*rate[1], steps=4)
            tab.mouse.up()
            tab.mouse.click(*places["Open Image..."])
            tab.locator("#ask").wait_for()
            tab.set_input_files("#file", tmp_path / "orange.png")
            tab.locator("#ask").wait_for(state="hidden")
            assert fitted.wait(120)
            downloads: list[Any] = []
            tab.on("download", lambda download: downloads.append(download))  # a builtin is no handler
            tab.mouse.click(*places["Save Snapshots"])
            limit = time.monotonic() + 60
            while len(downloads) < 2:
                assert time.monotonic() < limit, "the files never came"
                tab.wait_for_timeout(100)
            return {d.suggested_filename.split("-")[-1]: Path(d.path()).read_bytes() for d in downloads}

        fitted = Event()
        person = pool.submit(chromium, view.address, act, viewport={"width": 1000, "height": 1100})
        before = live_fit.knobs.lr
        while not person.done():
            assert view.step()
            page.advance()
            view.end_step()
            if page.photograph.name == "orange.png" and live_fit.psnr > 25:
                fitted.set()
        page.close()
        files = person.result()
    assert live_fit.knobs.lr > 2 * before
    assert page.photograph.name == "orange.png"
    shown = np.array(Image.open(io.BytesIO(files["prediction.png"])), float)
    assert shown.shape == (20, 40, 3) and Image.open(io.BytesIO(files["error.png"])).size == (40, 20)
    assert np.abs(shown - other).mean() < 20, "what comes down is a fit of what went up"


def test_a_port_that_cannot_be_had_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert main(["workstation", "--browser", "--port", "70000", *out]) == 2
    assert "--port is a number from 0 to 65535; got 70000." in capsys.readouterr().err
    assert main(["workstation", "--browser", "--host", "192.0.2.1", *out]) == 2  # an address that is nobody's
    assert "it cannot listen at 192.0.2.1:0" in capsys.readouterr().err


def test_the_program_prints_an_address_and_ends_on_ctrl_c(gl, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "easel", "--browser", "--out", str(tmp_path / "out"), "--steps", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if line.startswith("host: browser"):
                break
        process.send_signal(2)
        process.stdout.read()
        said = process.stderr.read()
    assert "http://localhost:" in said and "?token=" in said
    assert process.returncode == 130 and (tmp_path / "out" / "prediction.png").is_file()
