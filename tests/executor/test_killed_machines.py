"""Two machines share a repository, and are killed and pull at random moments: paid once each."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.clips import clip

pytestmark = pytest.mark.slow

NUMBERS = range(24)
SPEC = f"""
veogen: 1
name: trip
params: {{duration: 4}}
shots:
  - name: boat
    prompt: "Boat {{{{ number }}}} at dusk"
    matrix: {{number: [{", ".join(map(str, NUMBERS))}]}}
"""


@dataclass
class Account:
    """A gateway that bills: each key once, or each POST, where it keeps no keys."""

    keeps_keys: bool
    url: str = ""
    tasks: dict[str, tuple[str, float]] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, prompt: str, key: str) -> dict[str, Any]:
        with self.lock:
            task = self.by_key.get(key) if self.keeps_keys else None
            if task is None:
                task = self.by_key[key] = f"task-{len(self.tasks) + 1}"
                self.tasks[task] = (prompt, time.monotonic())
        return {"id": task, "status": "pending", "usage": {"credits_reserved": 38.016}}

    def task(self, task: str) -> dict[str, Any]:
        made = time.monotonic() - self.tasks[task][1] > 0.5
        if not made:
            return {"id": task, "status": "processing"}
        return {"id": task, "status": "completed", "results": [f"{self.url}/clips/{task}.mp4"]}

    @property
    def bought(self) -> Counter[str]:
        """How often each prompt was billed."""
        return Counter(prompt for prompt, _ in self.tasks.values())


class Handler(BaseHTTPRequestHandler):
    """The little of the API that a run needs."""

    protocol_version = "HTTP/1.1"
    account: Account

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/generations"):
            time.sleep(random.uniform(0, 0.2))
            answer = self.account.submit(body["prompt"], self.headers["idempotency-key"])
            time.sleep(random.uniform(0, 0.2))
            self._say(json.dumps(answer).encode())
        else:
            tasks = [self.account.task(task) for task in body["task_ids"]]
            self._say(json.dumps({"data": tasks}).encode())

    def do_GET(self) -> None:
        if self.path.startswith("/clips/"):
            self._say(clip())
        elif self.path.startswith("/v1/tasks/"):
            self._say(json.dumps(self.account.task(self.path.rpartition("/")[2])).encode())
        else:
            self._say(b'{"data": []}')

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class QuietGateway(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that was killed is no error here."""


@contextmanager
def served(account: Account) -> Iterator[Account]:
    server = QuietGateway(("127.0.0.1", 0), type("Bound", (Handler,), {"account": account}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    account.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Machine:
    """A clone of the repository: its spec, and what was committed of its run."""

    folder: Path
    account: Account

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "trip.yaml").write_text(SPEC)

    @property
    def results(self) -> Path:
        return self.folder / "runs/trip/results.json"

    def start(self, *words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "veogen", *words, "--progress", "none"]
        environ = {name: v for name, v in os.environ.items() if not name.startswith("EVOLINK_")}
        environ |= {
            "EVOLINK_API_KEY": "sk-evo-0123456789",
            "EVOLINK_BASE_URL": self.account.url,
            "EVOLINK_FILES_URL": self.account.url,
        }
        return subprocess.Popen(
            [*command, "--poll-interval", "0.3"],
            cwd=self.folder,
            env=environ,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def buy(self, *words: str) -> "subprocess.Popen[str]":
        return self.start("run", "trip.yaml", "--yes", "--max-in-flight", "4", *words)

    def lines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.results.read_text())["results"]
        return found


def pull(origin: Path, machine: Machine) -> None:
    """As git does it: the file of a commit takes the place of the one that is there."""
    if origin.exists():
        machine.results.parent.mkdir(parents=True, exist_ok=True)
        draft = machine.results.with_name("pulled")
        shutil.copy(origin, draft)
        draft.replace(machine.results)


def push(machine: Machine, origin: Path) -> None:
    if machine.results.exists():
        json.loads(machine.results.read_text())
        shutil.copy(machine.results, origin)


def known_tasks(lines: list[dict[str, Any]]) -> set[str]:
    tasks = {line["task_id"] for line in lines}
    return tasks | {other["task_id"] for line in lines for other in line.get("others", ())}


@pytest.mark.parametrize("keeps_keys", [True, False], ids=["keys are kept", "no keys"])
@pytest.mark.parametrize("together", [False, True], ids=["by turns", "disjoint"])
def test_machines_that_are_killed_and_pull_pay_once(
    tmp_path: Path, keeps_keys: bool, together: bool
) -> None:
    chance, kills = random.Random(11), int(os.environ.get("VEOGEN_KILLS", "8"))
    with served(Account(keeps_keys)) as account:
        machines = [Machine(tmp_path / name, account) for name in ("ada", "bob")]
        origin = tmp_path / "origin.json"
        for turn in range(kills):
            machine = machines[turn % 2]
            pull(origin, machine)
            first = turn % 2 * 12
            select = [f"--select=boat[number={n}]" for n in range(first, first + 12)]
            process = machine.buy(*(select if together else ()))
            until = time.monotonic() + chance.uniform(0.5, 4.0)
            old = origin.read_bytes() if origin.exists() else None
            while time.monotonic() < until and process.poll() is None:
                time.sleep(chance.uniform(0.05, 0.4))
                if old is not None and chance.random() < 0.3:
                    pull(origin, machine)
            process.send_signal(signal.SIGKILL)
            process.wait()
            # What the kill or a pull left behind in results.json is put right before a push.
            has_begun = (machine.folder / "runs/trip/journal.db").exists()
            collected = machine.start("collect", "runs/trip").wait()
            assert collected in ((0, 1, 4) if has_begun else (2,))
            push(machine, origin)
        if together:  # each goes on with its own half
            for machine, half in zip(machines, ((0, 12), (12, 24)), strict=True):
                select = [f"--select=boat[number={n}]" for n in range(*half)]
                pull(origin, machine)
                assert machine.buy(*select).wait() in (0, 1, 4)
                push(machine, origin)
        last = machines[0]
        pull(origin, last)
        words = ("--on-indeterminate", "replay") if keeps_keys else ()
        code = last.buy(*words).wait()
        collected = last.start("collect", "runs/trip").wait()

        lines = last.lines()
        held = [line for line in lines if line["status"] == "indeterminate"]
        bought = account.bought
        assert {prompt: n for prompt, n in bought.items() if n > 1} == {}
        held_prompts = {f"Boat {line['variables']['number']} at dusk" for line in held}
        lost = {
            task
            for task, (prompt, _) in account.tasks.items()
            if task not in known_tasks(lines) and prompt not in held_prompts
        }
        assert lost == set()
        assert {line["status"] for line in lines} <= {"completed", "indeterminate"}
        assert not (keeps_keys and held)
        assert code == (4 if held else 0)
        assert collected in (0, 1, 4)
        for line in lines:
            for video in line["videos"]:
                assert (last.folder / "runs/trip" / video["path"]).stat().st_size == video["bytes"]
