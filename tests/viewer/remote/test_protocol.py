"""Messages between a view and a browser tab: those of our page are understood, all others do nothing."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easel.viewer.imgui.events import KeyChanged, PointerButton, PointerMoved, TextTyped, WheelTurned
from easel.viewer.remote.protocol import (
    MOST_SIDE,
    MOST_TEXT,
    Answer,
    Pasted,
    ProtocolError,
    Resize,
    Seen,
    Steer,
    Visible,
    pack,
    parse,
    unpack,
)

GOOD = {
    '{"kind": "move", "x": 1.5, "y": 2}': PointerMoved(1.5, 2),
    '{"kind": "button", "button": 1, "down": true}': PointerButton(1, True),
    '{"kind": "wheel", "x": 0, "y": -1.5}': WheelTurned(0, -1.5),
    '{"kind": "key", "key": "page_up", "down": false}': KeyChanged("page_up", False),
    '{"kind": "text", "text": "grün 画"}': TextTyped("grün 画"),
    '{"kind": "size", "width": 1280, "height": 720, "ratio": 2}': Resize(1280, 720, 2.0),
    '{"kind": "seen", "number": 7}': Seen(7),
    '{"kind": "visible", "on": false}': Visible(False),
    '{"kind": "paste", "text": "0.5"}': Pasted("0.5"),
    '{"kind": "steer"}': Steer(),
    '{"kind": "answer", "id": 3, "name": "cat.png"}': Answer(3, "cat.png"),
}
BAD = [
    "", "null", "[]", "3", "{", '"move"', "{}", '{"kind": 1}', '{"kind": "eval", "code": "1"}', '{"kind": ["move"]}',
    '{"kind": "move", "x": 1}', '{"kind": "move", "x": 1, "y": 2, "z": 3}', '{"kind": "move", "x": "1", "y": 2}',
    '{"kind": "move", "x": NaN, "y": 2}', '{"kind": "move", "x": 1e999, "y": 2}', '{"kind": "move", "x": true, "y": 2}',
    '{"kind": "button", "button": 0, "down": 1}', '{"kind": "key", "key": "eval", "down": true}',
    '{"kind": "key", "key": ["a"], "down": true}', '{"kind": "text", "text": null}',
    '{"kind": "text", "text": "a\\u0000"}', '{"kind": "size", "width": null, "height": 1, "ratio": 1}',
    '{"kind": "answer", "id": 1}', "[" * 100_000, json.dumps({"kind": "text", "text": "x" * (MOST_TEXT + 1)}),
]  # fmt: skip
NAMES = st.sampled_from(["kind", "x", "y", "key", "down", "text"])
LEAVES = st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["move", "key", "text"])


@pytest.mark.parametrize("text", GOOD)
def test_what_our_page_sends_is_understood(text: str) -> None:
    assert parse(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse(text)


@pytest.mark.slow
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_no_json_does_anything_but_parse_or_be_refused(value: object) -> None:
    try:
        parse(json.dumps(value))
    except ProtocolError:
        pass


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_numbers_end_within_the_window(x: float, width: int) -> None:
    moved = parse(json.dumps({"kind": "move", "x": x, "y": 0}))
    assert isinstance(moved, PointerMoved) and abs(moved.x) <= 2 * MOST_SIDE
    if abs(width) < 10**300:
        size = parse(json.dumps({"kind": "size", "width": width, "height": 64, "ratio": 99}))
        assert isinstance(size, Resize) and 64 <= size.width <= MOST_SIDE and math.isclose(size.ratio, 4)


def test_half_a_surrogate_pair_becomes_text() -> None:
    typed = parse('{"kind": "text", "text": "a\\ud800b"}')
    assert typed == TextTyped("a?b")


@given(st.integers(0, 2**32 - 1), st.tuples(*[st.integers(0, 2**16 - 1)] * 4), st.binary())
def test_a_picture_is_unpacked_as_it_was_packed(number: int, box: tuple[int, int, int, int], image: bytes) -> None:
    assert unpack(pack(number, box, (640, 480), image)) == (number, box, (640, 480), image)
