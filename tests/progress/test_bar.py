from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from play import Play
from screen import Screen

from veogen.progress import listener
from veogen.results.advice import RunCommands
from veogen.text import Terminal, columns


@contextmanager
def watched(play: Play, screen: Screen, **environ: str) -> Iterator[None]:
    """The run, before somebody's eyes."""
    watching = listener(
        "auto",
        directory=Path("runs/boats"),
        names=RunCommands("runs/boats", ("specs/boats.yaml",)),
        clock=play.clock,
        terminal=Terminal(StringIO(), screen.stream, {"NO_COLOR": "1", **environ}),
    )
    with watching:
        play.watched_by(watching)
        yield


@pytest.fixture
def screen() -> Iterator[Screen]:
    with Screen(columns=100) as screen:
        yield screen


def test_a_bar_shows_how_the_run_stands(screen: Screen) -> None:
    play = Play(*"abcdefghij")

    with watched(play, screen):
        for address in "abc":
            play.complete(address)
        play.submit("d")
        play.fail("d", "content_filter", "no")
        play.submit("e")
        play.tick(60)
        play.make("e")
        play.submit("f")
        play.tick(15)

        bar = screen.lines[-1]

    assert bar.startswith("3/10 ███")
    assert bar.endswith("1 in flight, 1 failed, 456.192 credits, about 1 s left")


def test_one_bar_ends_before_the_next_begins(screen: Screen) -> None:
    one, two = Play("a"), Play("b", "c")

    with watched(one, screen):
        one.complete("a")
        assert one.listener
        one.listener.end()
        with watched(two, screen):
            two.complete("b")
            two.tick()
            *above, bar = screen.lines

    assert above[0] == "completed a: runs/boats/videos/clip-1-0000000000.mp4"
    assert above[1].startswith("1/1 ███")
    assert above[1].endswith("█ 76.032 credits")
    assert above[2:] == ["completed b: runs/boats/videos/clip-1-0000000000.mp4"]
    assert bar.startswith("1/2 ███")
    assert screen.lines[:-1] == above, "ended only once"


def test_a_line_for_each_request_that_ended_stands_above_the_bar(screen: Screen) -> None:
    play = Play("a", "b", "c")

    with watched(play, screen):
        play.complete("a")
        play.doubt("b", "timeout", "no answer came")
        play.tick()

        *above, bar = screen.lines

    assert above == [
        "completed a: runs/boats/videos/clip-1-0000000000.mp4",
        "indeterminate b: no answer came (timeout); it may have cost 76.032 credits",
        "    veogen resolve runs/boats --adopt b=TASK_ID   if the account's list has the task",
        "    veogen resolve runs/boats --replay b   sends it once more with the same key",
        "    veogen resolve runs/boats --abandon b   counts it as spent",
    ]
    assert bar.startswith("1/3 ")
    assert "1 indeterminate" in bar


def test_a_resumed_run_begins_where_it_stopped(screen: Screen) -> None:
    play = Play("a", "b")
    play.complete("a")

    with watched(play, screen):
        [bar] = screen.lines

    assert bar.startswith("1/2 ")


def test_the_bar_says_why_the_run_waits(screen: Screen) -> None:
    play = Play("a", "b")

    with watched(play, screen):
        play.waiting = "waits 12 s: too many requests {n_fmt} (rate_limit_error)"
        play.tick()

        [bar] = screen.lines

    assert bar.endswith("0.000 credits, waits 12 s: too many requests {n_fmt} (rate_lim…")


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
def test_the_bar_fits_its_terminal(width: int) -> None:
    play = Play(*"abcdefghij")
    play.waiting = "waits 12 s: 東京の空はとても混んでいます、しばらくお待ちください"

    with Screen(width) as screen, watched(play, screen):
        play.submit("a")
        play.doubt("b", "timeout", "")
        play.tick(5)
        lines = screen.lines

    bar = lines[-1]
    assert columns(bar) < width
    assert bar.startswith("0/10 ")
    assert "1 indeterminate" in bar
    assert sum("/10" in line for line in lines) == 1


def test_the_bar_follows_a_terminal_that_is_made_narrower(screen: Screen) -> None:
    play = Play("a", "b")

    with watched(play, screen):
        screen.resize(40)
        play.tick()
        play.tick()

        bar = screen.lines[-1]

    assert columns(bar) < 40
    assert bar.startswith("0/2 ")


def test_wide_letters_do_not_break_the_bar(screen: Screen) -> None:
    play = Play("東京[雰囲気=夜]", "b")

    with watched(play, screen):
        play.complete("東京[雰囲気=夜]")
        play.tick()

        lines = screen.lines

    assert lines[0].replace(" ", "").startswith("completed東京[雰囲気=夜]:runs/boats/")
    assert [line[:4] for line in lines[1:]] == ["1/2 "]


def test_the_cursor_is_on_a_line_of_its_own_after_the_run(screen: Screen) -> None:
    play = Play("a")

    with pytest.raises(KeyboardInterrupt), watched(play, screen):
        raise KeyboardInterrupt

    lines = screen.lines
    assert len(lines) == 1
    assert lines[0].startswith("0/1 ")
    assert screen.cursor == (1, 0)


def test_the_last_state_of_the_bar_foretells_nothing(screen: Screen) -> None:
    play = Play("a", "b")

    with watched(play, screen):
        play.submit("a")
        play.tick(10)
        play.make("a")
        play.submit("b")

    assert screen.lines[-1].split() == ["0/2", "152.064", "credits"]


def test_the_last_state_of_the_bar_counts_what_is_not_bought_again(screen: Screen) -> None:
    play = Play("a", "b")

    with watched(play, screen):
        play.submit("a")
        play.fail("a", "service_error", "busy")

    assert screen.lines[-1].split() == ["0/2", "1", "failed,", "76.032", "credits"]


def test_what_a_terminal_echoes_behind_the_bar_does_not_stay(screen: Screen) -> None:
    play = Play("a", "b")

    with watched(play, screen):
        screen.stream.write("^C")
        play.tick()

        assert "^C" not in screen.lines[-1]


def test_a_run_with_nothing_to_count_draws_no_bar(screen: Screen) -> None:
    play = Play()

    with watched(play, screen):
        play.tick()

    assert screen.lines == [""]


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}], ids=["in CI", "TERM=dumb"])
def test_where_nobody_sees_a_bar_there_are_lines(screen: Screen, environ: dict[str, str]) -> None:
    play = Play("a")

    with watched(play, screen, **environ):
        play.complete("a")

    assert screen.lines[-1] == "1 of 1 completed, 76.032 credits"
    assert b"\x1b" not in screen.raw
    assert b"\r" not in screen.raw.replace(b"\r\n", b"")


def test_what_the_network_says_cannot_draw_on_the_screen(screen: Screen) -> None:
    play = Play("a", "b")

    with watched(play, screen):
        play.submit("a")
        play.fail("a", "evil", "\x1b[2J\x1b[H\rgone\x9b1A")
        play.waiting = "waits: \x1b[2J"
        play.tick()

        lines = screen.lines

    assert lines[0] == r"failed a: \x1b[2J\x1b[H gone\x9b1A (evil)"
    assert lines[-1].startswith("0/2 ")
    assert b"\x1b[2J" not in screen.raw
