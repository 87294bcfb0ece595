"""What a person reads while a command works, on a terminal and elsewhere."""

import io
import sys

import pytest

from easel.console import BadInput, complain, counted, explained, progress, suggestion


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_a_line_is_said_when_its_time_has_come(capsys):
    with progress("fitting", interval_seconds=0.0) as lines:
        lines.update(0.25, "31.4 dB")
        lines.update(0.5, "33.0 dB")
    assert capsys.readouterr().err.splitlines() == ["fitting:  25%  31.4 dB", "fitting:  50%  33.0 dB"]
    with progress("fitting", interval_seconds=3600.0) as lines:
        lines.update(0.25, "31.4 dB")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_that_ends_where_the_work_did(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress("fitting") as bar:
        bar.update(0.5, "33.0 dB")
    said = sys.stderr.getvalue()
    assert "fitting" in said and "50%" in said and "33.0 dB" in said


def test_a_complaint_is_one_line_whatever_it_quotes(capsys):
    complain("cannot read 'a\nb.png': no such file")
    assert capsys.readouterr().err == "easel: cannot read 'a b.png': no such file\n"


def test_things_are_counted_when_they_have_been_dealt_with(capsys):
    with progress("filming", interval_seconds=0.0) as lines:
        dealt = []
        for frame in counted("ab", 2, lines):
            assert len(capsys.readouterr().err.splitlines()) == min(len(dealt), 1)
            dealt.append(frame)
    assert dealt == ["a", "b"] and "frame 2 of 2" in capsys.readouterr().err


def test_errors_of_a_kind_become_bad_input_in_their_own_words():
    with pytest.raises(BadInput, match="no 'albedo' here"), explained("photo.png: ", errors=KeyError):
        raise KeyError("no 'albedo' here.")
    with pytest.raises(ValueError), explained(errors=KeyError):
        raise ValueError("another kind")


def test_the_nearest_known_name_is_suggested():
    assert suggestion("studoi", ("sky", "studio")) == " Did you mean 'studio'?"
    assert suggestion("moon", {"sky": 1, "studio": 2}) == ""
