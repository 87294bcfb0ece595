"""Watch an agent learn to play Snake, or play it yourself.

Deep Q-learning (Mnih et al. 2015): a network tells what each move is worth, an old copy of it tells what comes after,
and what happened is remembered and learned from in random order. The right board shows what the network thinks that
being in each cell would be worth. In manual mode A, W and D or the arrow keys turn left, go ahead and turn right.

tested: 40 frames
"""

import random
from collections import deque
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import easel

SIZE, STARVED = 16, 512
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # (row, column) for the directions up, right, down, left
TURNS = (0, -1, 1)  # for the actions ahead, left, right
ACTIONS = {"up": 0, "w": 0, "left": 1, "a": 1, "right": 2, "d": 2}
REPLAY, BATCH, GAMMA, COPY_EVERY = 50_000, 64, 0.99, 500
Cell = tuple[int, int]


class Game:
    """Snake: eat, grow, and run into nothing."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.restart()

    def restart(self) -> None:
        middle = SIZE // 2
        self.body = deque((middle, middle - i) for i in range(3))  # head first
        self.direction = 1
        self.score = self.hunger = 0
        self.total = 0.0
        self.place_food()

    def place_food(self) -> None:
        free = [(y, x) for y in range(SIZE) for x in range(SIZE) if (y, x) not in self.body]
        self.food = self.random.choice(free) if free else None

    def next_to(self, cell: Cell, turn: int) -> Cell:
        y, x = MOVES[(self.direction + turn) % 4]
        return cell[0] + y, cell[1] + x

    def is_deadly(self, cell: Cell) -> bool:
        inside = 0 <= cell[0] < SIZE and 0 <= cell[1] < SIZE
        return not inside or (cell in self.body and cell != self.body[-1])  # the tail will have moved on

    def observe(self, head: Cell | None = None) -> list[float]:
        """Danger ahead, left, right; direction; food up, right, down, left: 11 zeros and ones, seen from `head`."""
        y, x = head = head or self.body[0]
        food_y, food_x = self.food or head
        danger = [self.is_deadly(self.next_to(head, turn)) for turn in TURNS]
        facing = [self.direction == direction for direction in range(4)]
        return [float(fact) for fact in (*danger, *facing, food_y < y, food_x > x, food_y > y, food_x < x)]

    def step(self, action: int) -> tuple[float, bool]:
        """Move once; the reward, and whether the game is over."""
        self.direction = (self.direction + TURNS[action]) % 4
        head = self.next_to(self.body[0], 0)
        if self.is_deadly(head):
            return -10.0, True
        nearer = distance(head, self.food) < distance(self.body[0], self.food)
        self.body.appendleft(head)
        if head == self.food:
            self.score, self.hunger = self.score + 1, 0
            self.place_food()
            return 10.0, self.food is None
        self.body.pop()
        self.hunger += 1
        return (-5.0, True) if self.hunger >= STARVED else (0.1 if nearer else -0.1, False)


def distance(a: Cell, b: Cell) -> int:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def make_network() -> nn.Module:
    return nn.Sequential(nn.Linear(11, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 3))


class Agent:
    """A Q-network with its optimizer, its older copy and its memory: made anew, all of it is new."""

    def __init__(self) -> None:
        self.network, self.older = make_network(), make_network()
        self.older.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        self.epsilon = 1.0
        self.steps = 0
        self.before, self.after = torch.zeros(REPLAY, 11), torch.zeros(REPLAY, 11)
        self.action = torch.zeros(REPLAY, dtype=torch.long)
        self.reward, self.over = torch.zeros(REPLAY), torch.zeros(REPLAY)

    @torch.no_grad()
    def values(self, observations: list) -> Tensor:
        """What each of the three moves is worth."""
        return self.network(torch.tensor(observations))

    def act(self, observation: list[float]) -> int:
        return random.randrange(3) if random.random() < self.epsilon else int(self.values(observation).argmax())

    def learn(self, before: list[float], action: int, reward: float, after: list[float], over: bool) -> None:
        """Remember one move, and learn from a batch of them."""
        at = self.steps % REPLAY
        self.before[at], self.after[at] = torch.tensor(before), torch.tensor(after)
        self.action[at], self.reward[at], self.over[at] = action, reward, over
        self.steps += 1
        if self.steps < BATCH:
            return
        batch = torch.randint(min(self.steps, REPLAY), (BATCH,))
        with torch.no_grad():
            future = self.older(self.after[batch]).amax(dim=-1)
            target = self.reward[batch] + GAMMA * future * (1 - self.over[batch])
        value = self.network(self.before[batch]).gather(1, self.action[batch, None])[:, 0]
        self.optimizer.zero_grad(set_to_none=True)
        F.huber_loss(value, target).backward()
        self.optimizer.step()
        self.epsilon = max(self.epsilon * 0.9995, 0.01)
        if self.steps % COPY_EVERY == 0:
            self.older.load_state_dict(self.network.state_dict())


@dataclass
class State:
    agent: Agent
    game: Game = field(default_factory=Game)
    steps: int = 4
    manual: bool = False
    scores: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    epsilons: list[float] = field(default_factory=list)


random.seed(0)
torch.manual_seed(0)
S = State(Agent())


def play(action: int | None = None) -> None:
    """One move, the agent's own unless `action` is given, and what it learns from it."""
    before = S.game.observe()
    action = S.agent.act(before) if action is None else action
    reward, over = S.game.step(action)
    S.game.total += reward
    S.agent.learn(before, action, reward, S.game.observe(), over)
    if over:
        S.scores.append(S.game.score)
        S.rewards.append(S.game.total)
        S.epsilons.append(S.agent.epsilon)
        S.game.restart()


def board_picture() -> Tensor:
    picture = torch.tensor([0.07, 0.08, 0.10]).repeat(SIZE, SIZE, 1)
    for index, cell in enumerate(S.game.body):
        picture[cell] = torch.tensor([0.15, 0.85, 0.45]) * (1 - 0.6 * index / len(S.game.body))
    picture[S.game.body[0]] = torch.tensor([0.75, 1.0, 0.55])
    if S.game.food:
        picture[S.game.food] = torch.tensor([0.95, 0.25, 0.25])
    return picture


def value_map() -> Tensor:
    """(H, W): what the best move would be worth with the head in each cell."""
    cells = [(y, x) for y in range(SIZE) for x in range(SIZE)]
    return S.agent.values([S.game.observe(cell) for cell in cells]).amax(dim=-1).reshape(SIZE, SIZE)


view = easel.viewer.launch("13 - Snake", 1100, 700, frames=120)
controls = view.panel("Controls", side="left", width=0.22)
curves = view.panel("Curves", side="bottom", width=0.36)
board_canvas = view.panel("Board", side="left", width=0.5).canvas("board", filter="nearest").bind(board_picture)
q_panel = view.panel("Q-Values")
q_canvas = q_panel.canvas("values", filter="nearest").bind(lambda: easel.colormap(value_map(), "viridis"))


@controls.on_frame
def draw_controls():
    S.steps = controls.slider_int("Steps / Frame", 1, 50, default=4)
    S.manual = controls.checkbox("Manual Mode")
    with controls.enabled(S.manual), controls.row():
        for action, label in ((1, "Left"), (0, "Fwd"), (2, "Right")):
            if controls.button(label, width=62):
                play(action)
    controls.separator()
    if controls.button("Reset Agent", width=-1):
        S.agent = Agent()
    if controls.button("Reset Game", width=-1):
        S.game.restart()
    controls.text(f"game {len(S.scores) + 1}, score {S.game.score}")
    controls.text(f"{S.agent.steps} moves, epsilon {S.agent.epsilon:.2f}")
    if not S.manual:
        for _ in range(S.steps):
            play()


@view.on_key
def steer(event):
    if S.manual and event.down and event.key in ACTIONS:
        play(ACTIONS[event.key])


@q_panel.on_frame
def draw_values():
    ahead, left, right = S.agent.values(S.game.observe()).tolist()
    q_panel.text(f"left {left:.2f}   ahead {ahead:.2f}   right {right:.2f}")


@curves.on_frame
def draw_curves():
    recent = sum(S.scores[-50:]) / max(len(S.scores[-50:]), 1)
    curves.plot(S.scores[-300:], label="##score", overlay=f"score, {recent:.1f} over 50 games", height=65)
    curves.plot(S.rewards[-300:], label="##reward", overlay="reward per game", height=65)
    curves.plot(S.epsilons[-300:], label="##epsilon", overlay=f"epsilon {S.agent.epsilon:.3f}", height=40)


if __name__ == "__main__":
    view.run()
