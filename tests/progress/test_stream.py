import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from play import START, Play

from veogen.progress import listener
from veogen.results.advice import RunCommands
from veogen.text import Terminal


class Program:
    """Reads the stream of a run."""

    def __init__(self) -> None:
        self.data, self.messages = io.StringIO(), io.StringIO()

    @contextlib.contextmanager
    def following(self, play: Play) -> Iterator[None]:
        watching = listener(
            "json",
            directory=Path("runs/boats"),
            names=RunCommands("runs/boats"),
            clock=play.clock,
            terminal=Terminal(self.data, self.messages, {}),
        )
        with watching:
            play.watched_by(watching)
            yield

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.data.getvalue().splitlines()]


def run(**changes: Any) -> dict[str, Any]:
    return {
        "at": START,
        "run": "runs/boats",
        "requests": 1,
        "done": 0,
        "failed": 0,
        "indeterminate": 0,
        "undelivered": 0,
        "in_flight": 0,
        "credits": "0.000",
        "seconds_left": None,
        "waiting": None,
        **changes,
    }


def request(**changes: Any) -> dict[str, Any]:
    return {
        "at": START,
        "run": "runs/boats",
        "address": "a",
        "hash": f"{1:064x}",
        "attempt": 1,
        "task_id": "task-a",
        "credits": "76.032",
        "error": None,
        "videos": [],
        **changes,
    }


def test_a_program_can_follow_a_request_from_start_to_end() -> None:
    play, program = Play("a"), Program()

    with program.following(play):
        play.submit("a")
        play.progress("a", 40)
        play.make("a")
        play.deliver("a")

    assert program.events == [
        {"event": "start", "format": "veogen.progress/1", **run()},
        {"event": "submitted", **request(status="submitted")},
        {"event": "progress", **request(status="submitted"), "percent": 40},
        {"event": "made", **request(status="undelivered")},
        {
            "event": "completed",
            **request(status="completed", videos=["videos/clip-1-0000000000.mp4"]),
        },
        {"event": "end", **run(done=1, credits="76.032")},
    ]
    assert program.messages.getvalue() == ""


@pytest.mark.parametrize(
    ("happen", "event"),
    [
        pytest.param(lambda play: play.fail("a", "code", "message"), "failed", id="failed"),
        pytest.param(lambda play: play.lose("a", "code", "message"), "undelivered", id="lost"),
        pytest.param(
            lambda play: play.doubt("a", "code", "message", 2), "indeterminate", id="held"
        ),
    ],
)
def test_trouble_comes_with_its_reason(happen: Callable[[Play], None], event: str) -> None:
    play, program = Play("a"), Program()

    with program.following(play):
        play.submit("a")
        happen(play)

    told = program.events[-2]
    assert told["event"] == event
    assert told["error"] == {"code": "code", "message": "message"}


def test_how_the_run_stands_is_told_every_few_seconds_if_it_changed() -> None:
    play, program = Play("a"), Program()

    with program.following(play):
        play.waiting = "waits 9 s: busy"
        for _ in range(10):
            play.tick()

    assert [event["event"] for event in program.events] == ["start", "run", "end"]
    assert program.events[1]["waiting"] == "waits 9 s: busy"


def test_a_failure_that_is_not_bought_again_before_the_end_has_failed() -> None:
    play, program = Play("a"), Program()

    with program.following(play):
        play.submit("a")
        play.fail("a", "service_error", "busy")

    counts = {event["event"]: event["failed"] for event in program.events if "failed" in event}
    assert counts == {"start": 0, "end": 1}


def test_what_concerns_the_whole_run_is_a_note() -> None:
    play, program = Play("a"), Program()

    with program.following(play):
        assert play.listener
        play.listener.note("stopped: no credits")

    assert program.events[1] == {
        "event": "note",
        "at": START,
        "run": "runs/boats",
        "message": "stopped: no credits",
    }


def test_a_stream_is_printable_ascii_and_holds_no_link() -> None:
    play, program = Play("a"), Program()

    with program.following(play):
        play.submit("a")
        play.make("a")
        play.lose("a", "broken", "\x9b東京\u202e\x1b[2J")

    text = program.data.getvalue()
    assert program.events[-2]["error"]["message"] == "\x9b東京\u202e\x1b[2J"
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert "https:" not in text
