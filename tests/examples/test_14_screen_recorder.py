"""What is recorded is what was seen, for as long as it was seen."""

import numpy as np
from PIL import Image


def test_the_film_lasts_as_long_as_its_frames_and_shows_the_canvas(example, tmp_path) -> None:
    program = example("14_screen_recorder")
    canvas, driver = program.module.canvas, program.driver
    frames = []
    program.module.view.on_frame(lambda: frames.append(canvas.is_recording))
    driver.frames(1)
    first = canvas.look()
    driver.frames(30)
    driver.click("Stop Recording")
    canvas.wait()
    driver.frames(1)
    assert canvas.save_error is None and "Record" in driver.labels()
    with Image.open(tmp_path / "kaleidoscope.gif") as film:
        picture = np.asarray(film.convert("RGB"))
        seconds = 0.0
        for number in range(film.n_frames):
            film.seek(number)
            seconds += film.info["duration"] / 1000
    # the callback runs before the button: a press in the first frame is not seen yet, the release in the last one is
    assert abs(seconds - sum(frames) / 30) <= 0.011
    assert np.abs(picture / 255 - first.numpy()).mean() < 0.03


def test_a_second_film_keeps_the_first(example, tmp_path) -> None:
    program = example("14_screen_recorder")
    canvas, driver = program.module.canvas, program.driver
    driver.frames(4)
    driver.click("Stop Recording")
    canvas.wait()
    driver.frames(2)
    driver.drag("Quality", 0.0)
    driver.click("Record")
    driver.click("Stop Recording")
    canvas.wait()
    assert sorted(path.name for path in tmp_path.glob("*.gif")) == ["kaleidoscope-2.gif", "kaleidoscope.gif"]
    with Image.open(tmp_path / "kaleidoscope-2.gif") as film:
        assert len(film.convert("RGB").getcolors()) == 2, "quality 0"


def test_the_window_is_recorded_as_well(example, tmp_path) -> None:
    program = example("14_screen_recorder")
    view, driver = program.module.view, program.driver
    driver.frames(2)
    driver.click("Record Window")
    driver.click("Stop Recording##Record Window")
    view.wait()
    with Image.open(tmp_path / "window.gif") as film:
        assert film.size == (1024, 700)
