import io
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veogen.text import (
    columns,
    counted,
    is_screen,
    paint,
    plain,
    shortened,
    shortened_inside,
    wants_colour,
)


class Screen(io.StringIO):
    """A stream with somebody before it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Zürich, 東京 🎬", "Zürich, 東京 🎬", id="letters of any script"),
        pytest.param("👩\u200d🚀", "👩\u200d🚀", id="joined emoji"),
        pytest.param("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07", id="escape sequences"),
        pytest.param("\x9b31m", r"\x9b31m", id="escape sequences of one byte"),
        pytest.param("one\r\ntwo\tthree", "one  two three", id="white space"),
        pytest.param("safe\u202egpj.exe", r"safe\u202egpj.exe", id="reversed writing"),
        pytest.param("a\u2028b\u2029c", "a b c", id="line separators"),
        pytest.param("\ud800", r"\ud800", id="half a character"),
    ],
)
def test_text_that_a_terminal_would_obey_is_spelled_out(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("told", "text"),
    [
        pytest.param(counted(0, "clip"), "0 clips", id="none"),
        pytest.param(counted(1, "clip"), "1 clip", id="one"),
        pytest.param(counted(2, "clip"), "2 clips", id="two"),
        pytest.param(counted(1200, "clip"), "1,200 clips", id="many"),
        pytest.param(counted(1, "axis", "axes"), "1 axis", id="one of an odd word"),
        pytest.param(counted(2, "axis", "axes"), "2 axes", id="two of an odd word"),
    ],
)
def test_a_number_of_things_is_told_as_people_say_it(told: str, text: str) -> None:
    assert told == text


@given(st.text())
def test_what_is_printed_is_one_line_without_control_characters(text: str) -> None:
    shown = plain(text)

    assert all(c.isprintable() or c in "\u200c\u200d" for c in shown)
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        pytest.param("opening", 7, "opening", id="what fits stays"),
        pytest.param("opening", 5, "open…", id="the end is cut"),
        pytest.param("東京の夜", 5, "東京…", id="wide letters count twice"),
        pytest.param("東京の夜", 4, "東…", id="half a wide letter is left out"),
        pytest.param("opening", 0, "", id="no room at all"),
    ],
)
def test_text_is_cut_to_columns(text: str, width: int, short: str) -> None:
    assert shortened(text, width) == short
    assert columns(short) <= width


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        pytest.param("opening[city=Oslo]", 18, "opening[city=Oslo]", id="what fits stays"),
        pytest.param("opening[city=Oslo]", 10, "ope…=Oslo]", id="the middle is cut"),
        pytest.param("夜[city=東京の夜]", 10, "夜[…の夜]", id="wide letters count twice"),
        pytest.param("opening[city=Oslo]", 1, "…", id="no room for an end"),
    ],
)
def test_both_ends_of_a_text_are_kept(text: str, width: int, short: str) -> None:
    assert shortened_inside(text, width) == short
    assert columns(short) <= width


@pytest.mark.parametrize(
    ("stream", "environ", "drawn"),
    [
        pytest.param(Screen(), {"TERM": "xterm"}, True, id="a terminal"),
        pytest.param(io.StringIO(), {"TERM": "xterm"}, False, id="a file or pipe"),
        pytest.param(Screen(), {"TERM": "dumb"}, False, id="a terminal that cannot draw"),
        pytest.param(Screen(), {"CI": "true"}, False, id="a terminal of CI"),
        pytest.param(Screen(), {"CI": "false"}, True, id="CI switched off"),
        pytest.param(Screen(), {"NO_COLOR": "1"}, True, id="a terminal without colours"),
    ],
)
def test_a_bar_is_drawn_only_where_somebody_sees_it(
    stream: io.StringIO, environ: Mapping[str, str], *, drawn: bool
) -> None:
    assert is_screen(stream, environ) is drawn


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        pytest.param(Screen(), {}, True, id="a terminal"),
        pytest.param(io.StringIO(), {}, False, id="a file or pipe"),
        pytest.param(Screen(), {"NO_COLOR": "1"}, False, id="NO_COLOR"),
        pytest.param(Screen(), {"NO_COLOR": ""}, True, id="an empty NO_COLOR"),
        pytest.param(io.StringIO(), {"FORCE_COLOR": "1"}, True, id="FORCE_COLOR"),
        pytest.param(Screen(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, id="both"),
        pytest.param(Screen(), {"TERM": "dumb"}, False, id="a terminal without colours"),
        pytest.param(Screen(), {"CI": "true"}, True, id="a terminal of CI"),
    ],
)
def test_colours_follow_terminal_and_environment(
    stream: io.StringIO, environ: Mapping[str, str], *, coloured: bool
) -> None:
    assert wants_colour(stream, environ) is coloured
    assert paint(stream, environ)("done", "green") == (
        "\x1b[32mdone\x1b[0m" if coloured else "done"
    )
