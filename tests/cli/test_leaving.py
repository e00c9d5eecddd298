"""Ctrl-C and its like, once and twice, at the moments that matter: before, with and after a POST."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from support.scripted_host import Host, Step, answer, closed_port

from veogen.errors import ExitCode

SPEC = """
veogen: 1
name: trip
params: {duration: 4}
shots: [{name: boat, prompt: A boat at dusk}]
"""
NUMBERS = pytest.mark.parametrize(
    "number",
    [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT],
    ids=["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"],
)
UNKNOWN = answer(404, {"error": {"code": 404, "message": "not found"}}, keep=False)
TAKEN = answer(200, {"id": "task-1", "status": "pending"}, keep=False)


@contextmanager
def started(
    folder: Path,
    url: str,
    *words: str,
    spec: Sequence[str] = ("trip.yaml", "--yes"),
    before: Sequence[str] = (),
) -> Iterator["subprocess.Popen[str]"]:
    (folder / "trip.yaml").write_text(SPEC)
    environ: Mapping[str, str] = {
        "EVOLINK_API_KEY": "sk-evo-key",
        "EVOLINK_BASE_URL": url,
        "EVOLINK_FILES_URL": url,
    }
    with subprocess.Popen(
        [
            *before,
            sys.executable,
            "-m",
            "veogen",
            *(words or ("run", *spec)),
            "--progress",
            "lines",
        ],
        cwd=folder,
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def told(process: "subprocess.Popen[str]", words: str) -> None:
    """Wait until it has said so."""
    stream: IO[str] | None = process.stderr
    assert stream is not None
    assert any(words in line for line in stream), f"it never said {words!r}"


def lines_of(process: "subprocess.Popen[str]") -> list[str]:
    """What it says from now on, until it ends."""
    assert process.stderr is not None
    return process.stderr.read().splitlines()


def statuses(folder: Path) -> list[str]:
    results = json.loads((folder / "runs/trip/results.json").read_text())["results"]
    return [line["status"] for line in results]


class Post:
    """A POST that is answered when the test says so."""

    def __init__(self) -> None:
        self.came, self.go = threading.Event(), threading.Event()

    @property
    def step(self) -> Step:
        return Step(self._act)

    def _act(self, connection: socket.socket, stop: threading.Event) -> None:
        self.came.set()
        if self.go.wait(30):
            TAKEN.act(connection, stop)


@NUMBERS
def test_a_post_that_was_sent_is_waited_for(tmp_path: Path, number: signal.Signals) -> None:
    post = Post()
    with (
        Host(UNKNOWN, post.step) as host,
        started(tmp_path, host.url) as process,
    ):
        assert post.came.wait(30)
        process.send_signal(number)
        told(process, "interrupted: waiting for what was already sent")
        post.go.set()
        last = lines_of(process)
        code = process.wait(30)

    assert (code, statuses(tmp_path)) == (ExitCode.INTERRUPTED, ["submitted"])
    assert last[-3:-1] == [
        (
            "Interrupted: everything known is on record; "
            "1 request is paid for and still being made, 0.000 credits."
        ),
        "Go on: veogen run trip.yaml",
    ]


@NUMBERS
def test_the_second_signal_leaves_at_once(tmp_path: Path, number: signal.Signals) -> None:
    post = Post()
    with (
        Host(UNKNOWN, post.step) as host,
        started(tmp_path, host.url) as process,
    ):
        assert post.came.wait(30)
        process.send_signal(number)
        told(process, "interrupted: waiting for what was already sent")
        process.send_signal(number)
        last = lines_of(process)
        code = process.wait(5)
        post.go.set()

    assert (code, statuses(tmp_path)) == (ExitCode.INTERRUPTED, ["indeterminate"])
    assert last[-1] == (
        "Interrupted: everything known is on record. "
        "Go on: veogen run trip.yaml --yes --progress lines"
    )
    assert not list((tmp_path / "runs/trip").glob("journal.db-*"))


@NUMBERS
@pytest.mark.parametrize("command", ["run", "collect"])
def test_before_anything_was_sent_it_leaves_as_well(
    tmp_path: Path, number: signal.Signals, command: str
) -> None:
    run = tmp_path / "there"
    run.mkdir()
    manifest = {"format": "veogen.results/1", "name": "trip", "gateway": "evolink"}
    (run / "results.json").write_text(json.dumps({**manifest, "results": [], "former": []}))
    words = ("collect", "there") if command == "collect" else ()
    with started(tmp_path, f"http://127.0.0.1:{closed_port()}", *words) as process:
        told(process, "the gateway does not answer")
        process.send_signal(number)
        code = process.wait(30)

    assert code == ExitCode.INTERRUPTED
    assert not (tmp_path / "runs").exists()


IGNORING_SIGINT = ("sh", "-c", 'trap "" INT; exec "$0" "$@"')
"""What a script does to a program that it starts in the background."""


@pytest.mark.slow
def test_a_program_of_a_script_hears_ctrl_c_too(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    with started(tmp_path, url, before=IGNORING_SIGINT) as process:
        told(process, "the gateway does not answer")
        process.send_signal(signal.SIGINT)

        assert process.wait(30) == ExitCode.INTERRUPTED


AS_IT_LOADS = """
import os, sys

class Signalling:
    def find_spec(self, name, path, target=None):
        if name == "MODULE":
            os.kill(os.getpid(), NUMBER)

sys.meta_path.insert(0, Signalling())
from veogen.__main__ import main
main()
"""


@NUMBERS
@pytest.mark.parametrize(
    ("module", "last_words"),
    [
        pytest.param("veogen.cli", "", id="the command line"),
        pytest.param("veogen.cli.plan", "\nInterrupted.\n", id="a command"),
    ],
)
def test_a_signal_while_something_is_imported_is_an_interrupt_too(
    module: str, last_words: str, number: signal.Signals
) -> None:
    program = AS_IT_LOADS.replace("MODULE", module).replace("NUMBER", str(int(number)))

    ended = subprocess.run(
        [sys.executable, "-c", program, "plan"], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", last_words)
