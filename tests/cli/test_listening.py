"""`veogen run --listen`: the gateway tells, the run looks."""

import hashlib
import json
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
from support.gateways import Witness, witness
from support.project import Shell

from veogen.errors import ExitCode

SPEC = """
veogen: 1
name: trip
params: {duration: 4, generate_audio: false}
shots:
  - {name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}
"""
BASE = "https://hooks.example.com/veogen/"


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "trip.yaml").write_text(SPEC)
    return Shell(tmp_path, capfd, {})


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_simulated_run_is_told_when_its_tasks_have_ended(shell: Shell, host: str) -> None:
    """No look is due within the minute: only what comes in can bring the clips home."""
    words = ("--simulate", "--generation-time", "0.3", "--poll-interval", "100000")

    ended = shell.veogen("run", "trip.yaml", "--listen", f"{host}:0", *words)

    assert ended.code == ExitCode.DONE
    told = rf"listening on {re.escape(host)}:(\d+) for callbacks to http://(127\.0\.0\.1:\1)/…"
    [(_, at)] = re.findall(told, ended.err)
    assert "callbacks received: 2\n" in ended.err
    assert re.findall(rf"{at}/[\w-]+", ended.err) == []
    results = (shell.folder / "runs/trip.simulated/results.json").read_text()
    assert [line["status"] for line in json.loads(results)["results"]] == ["completed"] * 2
    assert "callback" not in results


class Caller(threading.Thread):
    """The internet behind a proxy that cuts off a prefix: tells of each task while one listens."""

    def __init__(self, gateway: Witness, port: int) -> None:
        super().__init__(daemon=True)
        self.gateway = gateway
        self.port = port
        self.ended = threading.Event()
        self.statuses: Counter[int] = Counter()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            for number, submit in enumerate(self.gateway.submits, 1):
                secret = json.loads(submit.body)["callback_url"].removeprefix(BASE)
                self.tell(secret, f"task-unified-{number}")
                self.tell(secret[1:], f"task-unified-{number}")

    def tell(self, path: str, task_id: str) -> None:
        task = {"id": task_id, "status": "failed", "error": {"code": "x", "message": "a lie"}}
        try:
            told = requests.post(f"http://127.0.0.1:{self.port}/{path}", json=task, timeout=10)
        except requests.ConnectionError:  # the run has ended
            return
        self.statuses[told.status_code] += 1


def test_a_real_run_sends_the_public_address_and_looks_when_it_is_told(
    shell: Shell, capfd: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with witness() as gateway:
        caller = Caller(gateway, port)
        caller.start()
        words = ("--listen", f"127.0.0.1:{port}", "--callback-base", BASE)
        ended = Shell(shell.folder, capfd, gateway.environ).veogen(
            "run", "trip.yaml", "--yes", "--poll-interval", "100000", *words
        )
        caller.ended.set()
        caller.join()

    assert ended.code == ExitCode.DONE
    assert caller.statuses.keys() == {204, 404}
    bodies = [json.loads(submit.body) for submit in gateway.submits]
    assert {body["callback_url"] for body in bodies} == {bodies[0]["callback_url"]}
    assert re.fullmatch(re.escape(BASE) + r"[\w-]{43}", bodies[0]["callback_url"])
    lines = json.loads((shell.folder / "runs/trip/results.json").read_text())["results"]
    assert [line["status"] for line in lines] == ["completed"] * 2
    assert {line["hash"] for line in lines} == set(map(hash_of, bodies))


def hash_of(body: dict[str, Any]) -> str:
    """As the contract has it, by hand."""
    kept = {name: value for name, value in body.items() if name != "callback_url"}
    text = json.dumps({"request": kept, "take": 1}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def test_an_address_of_the_spec_is_kept_and_a_note_says_so(
    shell: Shell, capfd: pytest.CaptureFixture[str]
) -> None:
    theirs = "https://example.com/hook"
    with witness() as gateway:
        words = ("--listen", "127.0.0.1:0", "--callback-base", BASE)
        ended = Shell(shell.folder, capfd, gateway.environ).veogen(
            "run", "trip.yaml", "--yes", "--poll-interval", "0.05", *words,
            "--set", f"params.callback_url={theirs}",
        )  # fmt: skip

    assert ended.code == ExitCode.DONE
    assert {json.loads(submit.body)["callback_url"] for submit in gateway.submits} == {theirs}
    assert "note: 2 of 2 requests to buy will be polled only: with another call" in ended.err
    assert "no callback came in" not in ended.err


def test_callbacks_that_do_not_come_are_missed_by_nobody(
    shell: Shell, capfd: pytest.CaptureFixture[str]
) -> None:
    with witness() as gateway:
        words = ("--listen", "127.0.0.1:0", "--callback-base", BASE)
        ended = Shell(shell.folder, capfd, gateway.environ).veogen(
            "run", "trip.yaml", "--yes", "--poll-interval", "0.05", *words
        )

    assert ended.code == ExitCode.DONE
    assert "no callback came in: does https://hooks.example.com/veogen lead to" in ended.err


LONG = f"https://example.com/{'x' * 1990}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["--callback-base", BASE], "--callback-base needs --listen", id="no ear"),
        pytest.param(["--listen", "127.0.0.1:0"], "--listen needs --callback-base", id="no base"),
        *(
            pytest.param(["--listen", at, "--callback-base", BASE], "is not HOST:PORT", id=at)
            for at in ("8080", ":8080", "localhost:", "localhost:http", "::1:80", "a:65536", "a:-1")
        ),
        pytest.param(
            ["--listen", f"a:{'9' * 5000}", "--callback-base", BASE],
            "is not HOST:PORT",
            id="digits",
        ),
        pytest.param(
            ["--simulate", "--listen", "192.0.2.1:80"],
            "--listen 192.0.2.1: a simulator calls this machine only: say 127.0.0.1",
            id="where no simulator calls",
        ),
        *(
            pytest.param(["--listen", "127.0.0.1:0", "--callback-base", base], told, id=base[:40])
            for base, told in (
                ("http://example.com", "--callback-base is an https URL"),
                ("https://10.0.0.1", "--callback-base names a public host, not '10.0.0.1'"),
                ("https://localhost:8443", "--callback-base names a public host"),
                ("https://me:secret@example.com", "holds no user name or password"),
                ("https://example.com/?a=b", "has neither query nor fragment"),
                ("https://example.com/#", "has neither query nor fragment"),
                ("https://bücher.example.com", "its xn-- form"),
                (LONG, "is at most 2004 characters long, not 2010"),
            )
        ),
        pytest.param(
            ["--listen", "192.0.2.1:80", "--callback-base", BASE],
            "error: 192.0.2.1:80 cannot be listened on: Cannot assign requested address",
            id="not ours",
        ),
    ],
)
def test_an_odd_address_is_refused_before_anything_is_asked(
    shell: Shell, capfd: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    environ = {"EVOLINK_API_KEY": "sk-evo-0123456789"}  # and the real gateway, were it asked

    ended = Shell(shell.folder, capfd, environ).veogen("run", "trip.yaml", "--yes", *words)

    assert (ended.code, told in ended.err) == (ExitCode.USAGE, True), ended.err
    assert "secret" not in ended.err
    assert not (shell.folder / "runs").exists()


def test_without_the_extra_one_is_told_what_to_install(shell: Shell) -> None:
    program = "import sys; sys.modules['waitress'] = None\nfrom veogen.cli import main\nmain()"
    words = ["run", "trip.yaml", "--simulate", "--listen", "127.0.0.1:0"]

    ended = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=shell.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (ended.returncode, ended.stdout) == (ExitCode.USAGE, "")
    assert ended.stderr == (
        "error: the receiver of callbacks is not installed: pip install 'veogen[listen]'\n"
    )
    assert not (shell.folder / "runs").exists()
