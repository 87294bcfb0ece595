"""Play the Game of Life on a torus.

The whole rule is one convolution: count the eight neighbours, keep a living cell that has two or three, wake a dead one
that has three. Draw cells with the mouse, put famous creatures on the board, and watch the gun fire.

tested: 20 frames
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE = 256
NEIGHBOURS = torch.tensor([[1.0, 1, 1], [1, 0, 1], [1, 1, 1]], device=DEVICE)[None, None]
GUN = """
........................O...........
......................O.O...........
............OO......OO............OO
...........O...O....OO............OO
OO........O.....O...OO..............
OO........O...O.OO....O.O...........
..........O.....O.......O...........
...........O...O....................
............OO......................
"""
OFFSETS = [(fixed, by * i) for fixed in (-6, -1, 1, 6) for by in (-1, 1) for i in (2, 3, 4)]
CREATURES = {  # (row, column) of living cells
    "Glider": [(1, 2), (2, 3), (3, 1), (3, 2), (3, 3)],
    "Pulsar": [(SIZE // 2 + a, SIZE // 2 + b) for y, x in OFFSETS for a, b in ((y, x), (x, y))],
    "LWSS": [(0, 1), (0, 4), (1, 0), (2, 0), (2, 4), (3, 0), (3, 1), (3, 2), (3, 3)],
    "Gosper Gun": [(y, x) for y, line in enumerate(GUN.split(), 1) for x, cell in enumerate(line, 1) if cell == "O"],
}


def next_generation(cells: Tensor) -> Tensor:
    """(H, W) of zeros and ones -> the same one generation later; what leaves at one edge enters at the other."""
    count = F.conv2d(F.pad(cells[None, None], (1, 1, 1, 1), mode="circular"), NEIGHBOURS)[0, 0]
    return ((count == 3) | ((count == 2) & (cells == 1))).float()


def creature(name: str) -> Tensor:
    cells = torch.zeros(SIZE, SIZE, device=DEVICE)
    cells[tuple(torch.tensor(CREATURES[name]).T)] = 1
    return cells


@dataclass
class Board:
    cells: Tensor
    generation: int = 0
    playing: bool = True
    advanced: float = 0.0
    brush: float = 1.0
    alive: tuple[float, float, float] = (0.0, 1.0, 0.4)
    dead: tuple[float, float, float] = (0.05, 0.05, 0.08)

    def advance(self) -> None:
        self.cells, self.generation = next_generation(self.cells), self.generation + 1

    def replace(self, cells: Tensor) -> None:
        self.cells, self.generation = cells, 0

    def picture(self) -> Tensor:
        alive, dead = torch.tensor(self.alive, device=DEVICE), torch.tensor(self.dead, device=DEVICE)
        return dead + (alive - dead) * self.cells[..., None]


board = Board(torch.bernoulli(torch.full((SIZE, SIZE), 0.3, device=DEVICE)))
view = easel.viewer.launch("04 - Game of Life", 1024, 768, frames=300)
sidebar = view.panel("Controls", side="left", width=0.22)
grid = view.panel("Grid")
canvas = grid.canvas("cells", filter="nearest").bind(board.picture)


@sidebar.on_frame
def draw_controls():
    with sidebar.row():
        if sidebar.button("Pause" if board.playing else "Play", width=70):
            board.playing = not board.playing
        if sidebar.button("Step", width=70):
            board.playing = False
            board.advance()
    speed = sidebar.slider_int("Speed", 1, 20, default=10, help="Generations per second")
    if board.playing and view.time - board.advanced >= 1 / speed:
        board.advanced = view.time
        board.advance()
    sidebar.text(f"generation {board.generation}, {int(board.cells.sum())} alive")

    sidebar.section("Fill")
    probability = sidebar.slider("Cell Probability", 0.05, 0.8, default=0.3)
    with sidebar.row():
        if sidebar.button("Randomize"):
            board.replace(torch.bernoulli(torch.full_like(board.cells, probability)))
        if sidebar.button("Clear"):
            board.replace(torch.zeros_like(board.cells))

    sidebar.section("Creatures")
    for name in CREATURES:
        if sidebar.button(name, width=-1):
            board.replace(creature(name))

    sidebar.section("Colors")
    board.alive = sidebar.color_picker("Alive", default=board.alive)
    board.dead = sidebar.color_picker("Dead", default=board.dead)


@grid.on_frame
def draw_cells():
    for stroke in canvas.strokes:
        for x, y in stroke.pixels():
            if 0 <= x < SIZE and 0 <= y < SIZE:
                if stroke.begins:  # the first cell turns, the rest of the line becomes what it is
                    board.brush = 1 - board.cells[y, x].item()
                board.cells[y, x] = board.brush


if __name__ == "__main__":
    view.run()
