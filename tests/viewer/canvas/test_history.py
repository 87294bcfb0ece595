"""The past of canvases: what was shown comes back, bounded in bytes, while the program goes on."""

import pytest
import torch

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.history import History
from easel.viewer.driver import Driver
from easel.viewer.view import View


def grey(level: int, *shape: int) -> torch.Tensor:
    return torch.full(shape or (10, 10, 3), level, dtype=torch.uint8)


def counting(view: View, **settings) -> Canvas:
    """A canvas whose picture is as bright as the number of the frame."""
    canvas = view.panel("P").canvas("c").bind(torch.zeros(8, 8))
    canvas.keep_history(**settings)
    view.on_frame(lambda: canvas.bind(torch.full((8, 8), view.frame_count / 255)))
    return canvas


def test_what_was_shown_comes_back_exactly():
    history = History()
    for step in (3, 7, 20):
        history.keep(step, grey(step))
    assert history.steps == [3, 7, 20]
    for asked, step in ((3, 3), (6, 3), (7, 7), (19, 7), (20, 20), (99, 20), (0, 3)):
        assert history.at(asked).step == step and (history.at(asked).picture == step).all()


def test_bytes_are_bounded_and_the_oldest_go():
    history = History(limit_bytes=1000)
    for step in range(50):
        history.keep(step, grey(step))
        assert history.bytes <= 1000
    assert history.steps == [47, 48, 49] and history.bytes == 900
    history.keep(50, grey(50, 100, 100, 3))  # one that is too large by itself is kept alone
    assert history.steps == [50]


def test_a_picture_is_a_copy():
    tensor, history = grey(1), History()
    history.keep(0, tensor)
    tensor.fill_(9)
    assert history.at(0).picture.max() == 1


def test_a_run_that_starts_again_forgets_what_it_overwrites():
    history = History(every=10)
    for step in (0, 10, 20):
        assert history.wants(step)
        history.keep(step, grey(step))
    assert not history.wants(25) and history.wants(30) and history.wants(10)
    history.keep(10, grey(99))
    assert history.steps == [0, 10] and history.at(10).picture.max() == 99 and history.bytes == 600


def test_bad_limits_and_an_empty_past_are_named():
    with pytest.raises(ValueError, match="at least 1 byte"):
        History(limit_bytes=0)
    with pytest.raises(LookupError, match="turn some frames"):
        History().at(0)


def test_every_frame_of_a_view_is_kept_and_comes_back_to_look_and_save(open_any, tmp_path):
    view = open_any()
    canvas = counting(view)
    view.run(max_frames=12)
    assert canvas.history.steps == list(range(12))
    view.timeline.show(5)
    assert (canvas.look() == 5).all()
    canvas.save(tmp_path / "past.png")
    view.run(max_frames=3)  # the program goes on, and so does its history
    assert canvas.history.steps[-1] == 14 and (canvas.look() == 5).all()
    view.timeline.live()
    assert canvas.look().mean() == pytest.approx(14 / 255)


def test_the_past_is_on_screen_and_a_still_canvas_returns_from_it(open_headless):
    view = open_headless()
    canvas = view.panel("P").canvas("c").bind(torch.zeros(8, 8), live=False).keep_history()
    view.run(max_frames=2)
    canvas.bind(torch.ones(20, 8), live=False)
    view.run(max_frames=2)

    def middle() -> float:
        picture, area = view.capture(), canvas.rectangle
        return picture[int(area.y + area.height / 2), int(area.x + area.width / 2), 0].item()

    assert middle() == 1
    view.timeline.show(0)
    view.run(max_frames=1)
    assert middle() == 0 and canvas.rectangle.width == canvas.rectangle.height
    view.timeline.live()
    view.run(max_frames=1)
    assert middle() == 1 and canvas.rectangle.height == pytest.approx(2.5 * canvas.rectangle.width, rel=0.02)


def test_a_program_numbers_its_own_steps_and_all_canvases_go_back_together(open_headless):
    view = open_headless()
    tensors = [torch.zeros(4, 4, dtype=torch.uint8) for _ in range(2)]
    canvases = [
        view.panel(name).canvas("c").bind(t).keep_history(every=e)
        for name, t, e in zip("AB", tensors, (100, 200), strict=True)
    ]
    for step in range(0, 1000, 100):
        view.timeline.step = step
        for tensor in tensors:
            tensor.fill_(step // 10)
        view.run(max_frames=1)
    assert canvases[0].history.steps == list(range(0, 1000, 100))
    assert canvases[1].history.steps == list(range(0, 1000, 200))
    assert view.timeline.steps == list(range(0, 1000, 100))
    view.timeline.show(500)
    assert [canvas.look().max() for canvas in canvases] == [50, 40]


@pytest.mark.slow
def test_the_slider_goes_back_follows_and_returns(open_any):
    view = open_any()
    canvas = counting(view)
    panel = view.panel("T", side="bottom", width=0.4)
    found = []
    panel.on_frame(lambda: found.append(panel.timeline()))
    driver = Driver(view)
    driver.frames(20)
    assert found[-1] is None and driver.read("Step") >= 17
    driver.drag("Step", to=4)
    assert found[-1] is not None and abs(found[-1] - 4) <= 2
    assert (canvas.look() == found[-1]).all()
    kept = found[-1]
    driver.frames(5)
    assert found[-1] == kept
    view.timeline.show(9)
    driver.frames(2)
    assert found[-1] == driver.read("Step") == 9
    driver.click("Now##Step")
    assert found[-1] is None and view.timeline.shown is None
    assert driver.read("Step") > 20


def test_now_compares_with_a_step_of_the_past():
    canvas = Canvas("c").bind(grey(0)).keep_history()
    canvas.remember(0)
    canvas.bind(grey(255)).compare(canvas.history.at(0), "l1")
    canvas.look()
    assert canvas.comparison.other.name == "step 0" and canvas.comparison.psnr == 0


def test_without_a_history_nothing_is_kept_or_evaluated(open_headless):
    view = open_headless()
    calls = []
    view.panel("P").canvas("c").bind(lambda: calls.append(1) or torch.zeros(4, 4))
    view.panel("P").on_frame(lambda: view.panel("P").timeline())
    view.run(max_frames=5)
    assert len(calls) <= 1 and view.timeline.steps == []  # once, for its size


def test_what_memory_has_no_room_for_comes_back_from_disk():
    history = History(limit_bytes=1000, disk_bytes=2000)
    for step in range(50):
        history.keep(step, grey(step))
        assert history.bytes <= 1000 and history.bytes_on_disk <= 2000
        assert all((history.at(kept).picture == kept).all() for kept in history.steps)
    assert history.steps == list(range(41, 50))  # three in memory, six on disk
    assert history.at(45) is history.at(45)  # asked for in every frame, read once


def test_pictures_of_changing_size_share_the_disk():
    generator = torch.Generator().manual_seed(0)
    history, kept = History(limit_bytes=1, disk_bytes=5000), {}
    for step in range(400):
        height, width = torch.randint(1, 30, (2,), generator=generator).tolist()
        kept[step] = torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8)
        history.keep(step, kept[step])
        assert history.bytes_on_disk <= 5000 and history.steps == list(range(step + 1 - len(history.steps), step + 1))
        oldest = history.steps[0]
        assert torch.equal(history.at(oldest).picture, kept[oldest])
    assert len(history.steps) > 3
    history.keep(history.steps[2], grey(7))  # a new run, which takes back what is on disk as well
    assert len(history.steps) == 3 and torch.equal(history.at(oldest).picture, kept[oldest])
    history.keep(999, grey(9))
    assert [history.at(step).picture.max() for step in history.steps[2:]] == [7, 9]


def test_a_picture_larger_than_the_disk_may_take_is_not_kept_there():
    history = History(limit_bytes=1, disk_bytes=100)
    for step in range(3):
        history.keep(step, grey(step))
    assert history.steps == [2] and history.bytes_on_disk == 0


def test_a_full_disk_ends_the_file_and_not_the_program(monkeypatch, caplog):
    history = History(limit_bytes=1, disk_bytes=10_000)
    history.keep(0, grey(0))
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: open("/dev/full", "wb", buffering=0))
    for step in range(1, 4):
        history.keep(step, grey(step))
    assert history.steps == [3] and caplog.text.count("no more on disk") == 1


@pytest.mark.slow
def test_a_canvas_goes_back_to_what_is_on_disk(open_any):
    view = open_any()
    canvas = counting(view, limit_bytes=200, disk_bytes=64 * 100)
    view.run(max_frames=30)
    assert canvas.history.bytes_on_disk > 0 and canvas.history.steps == list(range(30))
    view.timeline.show(5)
    assert (canvas.look() == 5).all()
    canvas.compare(canvas.history.at(20), "l1").look()
    assert canvas.comparison.l1 == pytest.approx(15 / 255)
