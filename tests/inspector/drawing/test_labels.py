"""Names never pile up, stay within the picture, and give way to heavier ones."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from easel.inspector.drawing.colors import TEXT
from easel.inspector.drawing.labels import NAME, SMALL, Label, glyphs, place

SIZE = (200, 300)
POINTS = st.tuples(st.floats(-50, 350), st.floats(-50, 250), st.floats(0, 100))


def label(x: float, y: float, weight: float, text: str = "layer1.0.conv1") -> Label:
    return Label(x, y, (((text, NAME, TEXT), ("64x64x3x3", SMALL, TEXT)), ((text, SMALL, TEXT),)), weight)


@given(st.lists(POINTS, max_size=25))
@settings(max_examples=60, deadline=None)
def test_no_two_overlap(points):
    taken = (0.0, 172.0, 300.0, 200.0)
    _, regions = place([label(*point) for point in points], SIZE, [taken])
    for (a, b, c, d), (e, f, g, h) in itertools.combinations([taken, *regions], 2):
        assert a >= g or e >= c or b >= h or f >= d
    assert all(a >= 0 and b >= 0 and c <= 300 and d <= 200 for a, b, c, d in regions)


def test_the_heavier_comes_first():
    rows, regions = place([label(20.0, 100.0, 1.0, "light"), label(25.0, 100.0, 2.0, "heavy")], SIZE)
    assert regions[0][:1] == (25.0,) and len(rows)


def test_letters_are_drawn_and_unknown_ones_have_stand_ins():
    table = glyphs()
    rows = table.rows("3×3 − ω", 10, 20, NAME)
    assert len(rows) == 5, "spaces are not drawn, a letter that the font lacks is a question mark"
    x, y, width, height = rows[0, :4].astype(int)
    u, v = rows[0, 4:6].astype(int)
    assert x >= 10 and y >= 20 and table.table[v : v + height, u : u + width].max() > 200
    assert table.width("iii", NAME) < table.width("WWW", NAME)
    assert np.isfinite(rows).all()
