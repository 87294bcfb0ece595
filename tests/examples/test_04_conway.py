"""The creatures live by the book: what they are after some generations is known."""

import pytest
import torch
from torch import Tensor


def cells_of(program, name: str) -> Tensor:
    if program.module.board.playing:
        program.driver.click("Pause")
    program.driver.click(name)
    return program.module.board.cells


def after(program, cells: Tensor, generations: int) -> Tensor:
    for _ in range(generations):
        cells = program.module.next_generation(cells)
    return cells


def test_the_glider_moves_and_comes_home(example) -> None:
    program = example("04_conway")
    glider = cells_of(program, "Glider")
    assert {tuple(at) for at in glider.nonzero().tolist()} == {(1, 2), (2, 3), (3, 1), (3, 2), (3, 3)}
    assert torch.equal(after(program, glider, 4), glider.roll((1, 1), (0, 1)))
    assert torch.equal(after(program, glider, 1024), glider)


def test_the_pulsar_beats_and_the_spaceship_flies(example) -> None:
    program = example("04_conway")
    pulsar = cells_of(program, "Pulsar")
    assert pulsar.sum() == 48 and pulsar[:129, :129].sum() == pulsar[128:, 128:].sum() == 12
    assert torch.equal(after(program, pulsar, 3), pulsar)
    assert not torch.equal(after(program, pulsar, 1), pulsar)
    ship = cells_of(program, "LWSS")
    moved = after(program, ship, 4)
    assert any(torch.equal(moved, ship.roll(columns, 1)) for columns in (-2, 2))


def test_the_gun_fires_a_glider_every_30_generations(example) -> None:
    program = example("04_conway")
    cells = cells_of(program, "Gosper Gun")
    for shots in range(1, 34):
        cells = after(program, cells, 30)
        assert cells.sum() == 36 + 5 * shots


def test_buttons_step_pause_and_fill(example) -> None:
    program = example("04_conway")
    board, driver = program.module.board, program.driver
    driver.click("Step")
    assert not board.playing
    generation, cells = board.generation, board.cells
    driver.frames(5)
    assert board.generation == generation
    driver.click("Step")
    assert board.generation == generation + 1 and torch.equal(board.cells, after(program, cells, 1))
    driver.click("Play")
    started = program.module.view.time
    while board.generation < generation + 3:  # ten generations a second
        driver.frames(20)
        assert program.module.view.time < started + 10
    driver.click("Pause")
    driver.click("Clear")
    assert board.cells.sum() == 0
    driver.type("Cell Probability", "0.5")
    driver.click("Randomize")
    assert board.cells.mean() == pytest.approx(0.5, abs=0.02)


def test_cells_have_their_colours_and_turn_under_the_pointer(example) -> None:
    program = example("04_conway")
    board, driver, canvas = program.module.board, program.driver, program.module.canvas
    driver.click("Pause")
    driver.click("Clear")
    program.module.sidebar.set("Alive", (1, 0, 1))
    program.shown(canvas)
    for x, y in ((0, 0), (255, 255), (31, 200)):
        driver.stroke(canvas, [(x + 0.5, y + 0.5)])
        assert board.cells.nonzero().tolist() == [[y, x]]
        width, height = canvas.rectangle[2:]
        at = int((y + 0.5) / 256 * height), int((x + 0.5) / 256 * width)
        shown = program.shown(canvas)
        assert shown[at].tolist() == pytest.approx([1, 0, 1])
        assert shown[:, :, 0].gt(0.5).sum() <= 16
        driver.stroke(canvas, [(x + 0.5, y + 0.5)])
        assert board.cells.sum() == 0
    for alive in (1, 0):
        driver.stroke(canvas, [(10.5, 20.5), (90.5, 20.5)])
        assert board.cells.sum() == 81 * alive and (board.cells[20, 10:91] == alive).all()
    assert program.shown(canvas)[100, 100].tolist() == pytest.approx([0.05, 0.05, 0.08], abs=1 / 255)
