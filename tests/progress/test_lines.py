import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from play import Play

from veogen.progress import ProgressListener, listener
from veogen.progress.lines import SECONDS_BETWEEN, SECONDS_BETWEEN_TOTALS
from veogen.results.advice import RunCommands
from veogen.text import Terminal


class Log:
    """A run that is followed in lines; `lines` is what was said since it was last asked."""

    def __init__(self, play: Play, mode: str = "auto", **environ: str) -> None:
        self.data, self.messages = io.StringIO(), io.StringIO()
        self.listener: ProgressListener = listener(
            mode,  # type: ignore[arg-type]
            directory=Path("runs/boats"),
            names=RunCommands("runs/boats", ("specs/boats.yaml",)),
            clock=play.clock,
            terminal=Terminal(self.data, self.messages, environ),
        )
        self._read = 0

    @property
    def lines(self) -> list[str]:
        text = self.messages.getvalue()[self._read :]
        self._read += len(text)
        return text.splitlines()


@pytest.fixture
def play() -> Play:
    return Play("a", "b", "c", "d")


@pytest.fixture
def log(play: Play) -> Iterator[Log]:
    log = Log(play)
    with log.listener as watching:
        play.watched_by(watching)
        yield log


def test_a_run_begins_with_how_it_stands(log: Log) -> None:
    assert log.lines == ["0 of 4 completed, 0.000 credits"]


def test_a_clip_is_told_with_the_path_of_its_file(play: Play, log: Log) -> None:
    play.complete("a")

    assert log.lines[1:] == [
        "submitted a: task-a",
        "completed a: runs/boats/videos/clip-1-0000000000.mp4",
    ]


def test_a_clip_that_is_not_what_was_asked_for_is_told_with_a_warning(play: Play, log: Log) -> None:
    play.complete("a", "duration", "audio")

    assert log.lines[-1] == (
        "completed a: runs/boats/videos/clip-1-0000000000.mp4 (warning: duration, audio)"
    )


def test_a_warning_is_told_even_of_a_clip_that_is_not_named(play: Play, log: Log) -> None:
    play.complete("a")
    log.lines  # noqa: B018 - read
    play.complete("b", "size")
    play.complete("c", "audio", "size")
    play.complete("d")
    play.tick(SECONDS_BETWEEN)

    assert log.lines[-1] == (
        "completed 3 more (2 with a warning: size, audio), "
        "the last d: runs/boats/videos/clip-4-0000000000.mp4"
    )


def test_good_news_that_follow_soon_are_told_together(play: Play, log: Log) -> None:
    play.complete("a")
    log.lines  # noqa: B018 - read
    play.complete("b")
    play.complete("c")
    at_once = log.lines
    play.tick(SECONDS_BETWEEN)

    assert at_once == []
    assert log.lines == [
        "submitted 2 more, the last c: task-c",
        "completed 2 more, the last c: runs/boats/videos/clip-3-0000000000.mp4",
    ]


def test_trouble_is_told_at_once_with_what_to_do(play: Play, log: Log) -> None:
    play.submit("a")
    play.submit("b")
    log.lines  # noqa: B018 - read
    play.fail("a", "content_policy_violation", "a face")
    play.fail("b", "strange", "")
    play.doubt("c", "timeout", "no answer came")
    play.submit("d")
    play.make("d")
    play.lose("d", "broken", "the file is cut short")

    assert log.lines == [
        "failed a: a face (content_policy_violation)",
        "    veogen run specs/boats.yaml   after an edit of the request, which makes it a new one",
        "failed b: strange",
        "    veogen run specs/boats.yaml --retry-failed   buys it again as it is",
        "indeterminate c: no answer came (timeout); it may have cost 76.032 credits",
        "    veogen resolve runs/boats --adopt c=TASK_ID   if the account's list has the task",
        "    veogen resolve runs/boats --replay c   sends it once more with the same key",
        "    veogen resolve runs/boats --abandon c   counts it as spent",
        "undelivered d: the file is cut short (broken)",
        "    veogen collect runs/boats   its link lives for 1 day more",
    ]


def test_a_clip_that_was_delivered_and_cannot_be_had_here_is_no_undelivered_one(
    play: Play, log: Log
) -> None:
    play.complete("a")
    log.lines  # noqa: B018 - read
    play.lose("a", "link-expired", "the link has expired")
    play.tick(SECONDS_BETWEEN)

    assert log.lines == []


def test_much_trouble_of_a_kind_is_gathered_and_does_not_fill_the_log() -> None:
    addresses = [f"a{number}" for number in range(40)]
    play = Play(*addresses)
    log = Log(play)
    with log.listener as watching:
        play.watched_by(watching)
        for address in addresses[:20]:
            play.submit(address)
            play.fail(address, "content_filter", "no")
        at_once = log.lines
        play.tick(SECONDS_BETWEEN)
        later = log.lines
        for address in addresses[20:22]:
            play.submit(address)
            play.fail(address, "content_filter", "no")
        play.tick(SECONDS_BETWEEN)
        again = log.lines

    def failures(lines: list[str]) -> list[str]:
        return [line for line in lines if line.startswith("failed")]

    assert failures(at_once) == [f"failed a{number}: no (content_filter)" for number in range(5)]
    assert failures(later) == ["failed 15 more, the last a19: no (content_filter)"]
    assert failures(again) == ["failed 2 more, the last a21: no (content_filter)"]


def test_a_failure_that_passes_is_no_trouble(play: Play, log: Log) -> None:
    play.submit("a")
    log.lines  # noqa: B018 - read
    play.fail("a", "service_error", "busy")

    assert log.lines == ["retrying a: busy (service_error)"]


def test_a_failure_that_is_not_bought_again_before_the_end_has_failed(play: Play) -> None:
    """As the summary of the run counts it, and results.json has it."""
    log = Log(play)

    with log.listener as watching:
        play.watched_by(watching)
        play.submit("a")
        play.fail("a", "service_error", "busy")

    assert log.lines[-1] == "0 of 4 completed, 1 failed, 76.032 credits"


def test_how_the_run_stands_is_told_now_and_then_if_it_changed(play: Play, log: Log) -> None:
    play.complete("a")
    log.lines  # noqa: B018 - read
    play.tick(SECONDS_BETWEEN_TOTALS)
    changed = log.lines
    play.tick(SECONDS_BETWEEN_TOTALS)

    assert changed == ["1 of 4 completed, 76.032 credits, about 1 s left"]
    assert log.lines == []


def test_nothing_that_was_held_back_is_lost_at_the_end(play: Play) -> None:
    log = Log(play)

    with log.listener as watching:
        play.watched_by(watching)
        for address in "abcd":
            play.complete(address)

    assert log.lines[-3:] == [
        "submitted 3 more, the last d: task-d",
        "completed 3 more, the last d: runs/boats/videos/clip-4-0000000000.mp4",
        "4 of 4 completed, 304.128 credits",
    ]


def test_a_log_holds_no_control_character_whatever_the_network_says(play: Play, log: Log) -> None:
    play.submit("a")
    play.fail("a", "bad\x1b[2J", "\r\x9b2Kall is \x07well\n")
    log.listener.note("stopped: \x1b]0;gone\x07")
    play.waiting = "waits 12 s: \x1b[31mbusy"
    play.tick(SECONDS_BETWEEN_TOTALS)

    assert all(line.isprintable() for line in log.lines)


def test_colours_are_used_where_they_are_demanded(play: Play) -> None:
    log = Log(play, FORCE_COLOR="1")

    with log.listener as watching:
        play.watched_by(watching)
        play.complete("a")

    assert "\x1b[32mcompleted\x1b[0m \x1b[1ma\x1b[0m: " in "\n".join(log.lines)


def test_without_progress_only_the_run_itself_is_heard(play: Play) -> None:
    log = Log(play, "none")

    with log.listener as watching:
        play.watched_by(watching)
        play.complete("a")
        watching.note("stopped: no credits\x1b[m")

    assert log.lines == [r"stopped: no credits\x1b[m"]
    assert log.data.getvalue() == ""


class Closed(io.StringIO):
    """A stream that nobody reads any more."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError(32, "Broken pipe", text)


@pytest.mark.parametrize("mode", ["lines", "bar", "json", "none"])
def test_a_run_goes_on_when_nobody_reads_what_is_told(play: Play, mode: str) -> None:
    watching = listener(
        mode,  # type: ignore[arg-type]
        directory=Path("runs/boats"),
        names=RunCommands("runs/boats"),
        clock=play.clock,
        terminal=Terminal(Closed(), Closed(), {}),
    )

    with watching:
        play.watched_by(watching)
        play.complete("a")
        watching.note("stopped")

    assert play.ledger.count("completed") == 1
