"""The game keeps its rules, the agent learns it, and after a reset learns it again."""

from collections import deque

import pytest
import torch

from easel.viewer.imgui.events import KeyChanged

AHEAD, LEFT, RIGHT = 0, 1, 2


def set_up(module, body: list, direction: int, food: tuple[int, int]):
    game = module.S.game
    game.body, game.direction, game.food, game.hunger = deque(body), direction, food, 0
    return game


def test_what_the_snake_sees(example) -> None:
    module = example("13_snake_rl").module
    # Going right along the upper wall, its own body below: danger ahead no, left (the wall) yes, right (itself) yes.
    game = set_up(module, [(0, 5), (0, 4), (1, 4), (1, 5), (1, 6), (1, 7)], 1, (9, 2))
    assert game.observe() == [0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1]
    game = set_up(module, [(8, 15), (8, 14), (8, 13)], 1, (2, 15))
    assert game.observe() == [1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0]
    # The same moment from another cell: what danger and food would be there.
    assert game.observe((8, 3)) == [0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0]


def test_rewards(example) -> None:
    module = example("13_snake_rl").module
    body = [(8, 8), (8, 7), (8, 6)]
    assert set_up(module, body, 1, (8, 9)).step(AHEAD) == (10.0, False)
    assert module.S.game.score == 1 and len(module.S.game.body) == 4
    assert module.S.game.food not in module.S.game.body
    assert set_up(module, body, 1, (2, 8)).step(LEFT) == (0.1, False)
    assert list(module.S.game.body) == [(7, 8), (8, 8), (8, 7)]
    assert set_up(module, body, 1, (2, 8)).step(RIGHT) == (-0.1, False)
    assert set_up(module, [(8, 15), (8, 14)], 1, (2, 8)).step(AHEAD) == (-10.0, True)
    ring = [(5, 5), (5, 6), (6, 6), (6, 5), (6, 4)]
    assert set_up(module, ring, 3, (0, 0)).step(LEFT) == (-10.0, True)
    assert set_up(module, ring[:4], 3, (0, 0)).step(LEFT)[1] is False  # the tail moves out of the way
    game = set_up(module, body, 1, (0, 0))
    game.hunger = module.STARVED - 1
    assert game.step(RIGHT) == (-5.0, True)


def test_the_agent_beats_random_play_and_learns_again_after_a_reset(example) -> None:
    program = example("13_snake_rl")
    module, driver = program.module, program.driver
    driver.click("Manual Mode")
    for _ in range(2):
        agent = module.S.agent
        scores = module.S.scores
        while len(scores) < 30:
            module.play(module.random.randrange(3))
        at_random = sum(scores) / len(scores)
        scores.clear()
        agent.epsilon = 0.05
        while agent.steps < 3000:
            module.play()
        learned = scores[len(scores) // 2 :]
        assert sum(learned) / len(learned) > 5 * max(at_random, 0.2), (at_random, learned)
        scores.clear()
        driver.click("Reset Agent")
        assert module.S.agent is not agent and module.S.agent.steps == 0 and module.S.agent.epsilon == 1
        held = {id(p) for group in module.S.agent.optimizer.param_groups for p in group["params"]}
        assert held == set(map(id, module.S.agent.network.parameters()))


def test_the_learner_s_speed_and_exploration_are_what_the_widgets_say(example) -> None:
    program = example("13_snake_rl")
    module, driver = program.module, program.driver
    driver.type("Steps / Frame", "20")
    steps, epsilon = module.S.agent.steps, module.S.agent.epsilon
    driver.frames(10)
    assert module.S.agent.steps == steps + 200
    assert module.S.agent.epsilon <= epsilon * 0.9995**130
    driver.click("Manual Mode")
    steps = module.S.agent.steps
    driver.frames(10)
    assert module.S.agent.steps == steps
    driver.click("Reset Game")
    assert module.S.game.score == 0 and module.S.game.body[0] == (8, 8)
    assert module.S.agent.steps == steps


@pytest.mark.parametrize(("action", "keys"), [("Left", ("a", "left")), ("Fwd", ("w", "up")), ("Right", ("d", "right"))])
def test_buttons_and_keys_steer(example, action, keys) -> None:
    program = example("13_snake_rl")
    module, driver = program.module, program.driver
    expected = {"Left": (7, 8), "Fwd": (8, 9), "Right": (9, 8)}[action]
    driver.click("Manual Mode")
    for press in (lambda: driver.click(action), *[lambda key=key: driver.key(key) for key in keys]):
        set_up(module, [(8, 8), (8, 7), (8, 6)], 1, (0, 0))
        press()
        assert module.S.game.body[0] == expected
    driver.click("Manual Mode")
    moves = module.S.agent.steps
    module.view.post(KeyChanged(keys[0], True))
    module.S.steps = 0
    module.controls.set("Steps / Frame", 1)
    driver.frames(1)
    assert module.S.agent.steps == moves + 1


def test_the_boards_show_the_game_and_the_values(example) -> None:
    program = example("13_snake_rl")
    module, driver = program.module, program.driver
    driver.frames(20)
    driver.click("Manual Mode")
    game = set_up(module, [(3, 4), (3, 3), (3, 2)], 1, (10, 12))
    values = module.value_map()
    assert values.shape == (16, 16) and values.std() > 0
    assert values[3, 4] == pytest.approx(module.S.agent.values(game.observe()).max().item(), abs=1e-5)
    for cell in ((0, 0), (9, 12), (15, 3)):
        assert values[cell] == pytest.approx(module.S.agent.values(game.observe(cell)).max().item(), abs=1e-5)
    shown = program.shown(module.board_canvas)
    cells = [int((i + 0.5) * shown.shape[0] / 16) for i in range(16)]
    board = shown[cells][:, cells]
    torch.testing.assert_close(board, module.board_picture(), atol=1 / 255, rtol=0)
    assert board[10, 12].tolist() == pytest.approx([0.95, 0.25, 0.25], abs=1 / 255)
    assert ((board - board[0, 0]).abs().amax(dim=-1) > 0.05).nonzero().tolist() == [[3, 2], [3, 3], [3, 4], [10, 12]]
