from easel.graphics.names import unknown


def test_unknown_names_the_nearest_known_name_and_all_of_them() -> None:
    assert unknown("colormap", "Virdis", ("gray", "viridis")) == (
        "unknown colormap 'Virdis'. Did you mean 'viridis'? Known: gray, viridis."
    )


def test_unknown_suggests_nothing_where_nothing_is_near() -> None:
    assert unknown("side", 3, ("left", "right")) == "unknown side 3. Known: left, right."
