"""Names from a browser tab: they say what a file is called, never where it lies."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easel.viewer.remote.transfers import MOST_NAME, Transfers, plain_name


@pytest.mark.parametrize(("name", "kept"), [
    ("cat.png", "cat.png"), ("../../etc/passwd", "passwd"), ("C:\\Users\\me\\grün 1.jpg", "grün 1.jpg"), ("", "file"),
    ("..", "file"), (".bashrc", "bashrc"), ("a\nb.png", "a_b.png"), ("a<b>.png", "a_b_.png"), ("/", "file"),
])  # fmt: skip
def test_a_name_stays_a_name(name: str, kept: str) -> None:
    assert plain_name(name) == kept


@given(st.text())
def test_no_name_leaves_the_folder(name: str) -> None:
    kept = plain_name(name)
    assert kept not in ("", ".", "..") and Path(kept).name == kept and len(kept) <= MOST_NAME and "\0" not in kept


def test_what_the_program_saves_is_offered_once_and_goes_with_the_server() -> None:
    transfers = Transfers()
    path = transfers.expect("../snapshot.png")
    assert not transfers.arrived() and 1 not in transfers.offered
    path.write_bytes(b"x")
    [(number, arrived)] = transfers.arrived()
    assert arrived == path and path.name == "snapshot.png" and transfers.offered[number] == path
    assert not transfers.arrived()
    other = transfers.place("snapshot.png")
    assert other != path and not other.exists()
    transfers.close()
    assert not path.exists()


def test_what_may_still_be_uploaded_shrinks_with_what_lies_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("easel.viewer.remote.transfers.MOST_FOLDER_BYTES", 1000)
    transfers = Transfers(most_bytes=600)
    assert transfers.room() == 600
    transfers.place("a").write_bytes(bytes(700))
    assert transfers.room() == 300
    transfers.close()
