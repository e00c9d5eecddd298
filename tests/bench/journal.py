"""What a run costs beside the gateway: requests end to end, and the start of one that goes on."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path

from msgspec.structs import replace
from support.gateways import KEY, simulator
from support.virtual import VIDEO

from bench.measuring import ROUNDS, Measure, Rounds, process, take_turns, versions
from bench.planning import VEOGEN
from bench.tables import Table
from veogen.executor.journal import Header, Journal
from veogen.planner.identity import canonical
from veogen.planner.plan import Request
from veogen.results.events import Event, SubmitIntended, TaskCompleted, TaskCreated, VideoSaved
from veogen.results.manifest import render

CLIP = b"a clip of few bytes"
SHA256 = sha256(CLIP).hexdigest()

OURS = "veogen run"
BARE = "a bare loop"
ROWS = "json.loads of every event"
FAULTS = "gateway: {clips: shared, concurrency: 100000}\n"
PRICE = Decimal("38.016")

LOOP = """\
import hashlib, json, os, queue, sys, threading
import requests
url, key, count, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
os.mkdir(folder)
left = queue.SimpleQueue()
for number in range(count):
    left.put(number)
def work():
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {key}"
    while True:
        try:
            number = left.get_nowait()
        except queue.Empty:
            return
        body = {"model": "veo-3.1-fast-generate-preview", "prompt": f"Boat {number}.", "duration": 4}
        task = session.post(f"{url}/v1/videos/generations", json=body).json()["id"]
        while (found := session.get(f"{url}/v1/tasks/{task}").json())["status"] != "completed":
            threading.Event().wait(1.0)
        with session.get(found["results"][0], stream=True) as answer, \\
                open(f"{folder}/{number}.mp4", "wb") as file:
            digest = hashlib.sha256()
            for chunk in answer.iter_content(262144):
                digest.update(chunk)
                file.write(chunk)
            os.fsync(file.fileno())
workers = [threading.Thread(target=work) for _ in range(64)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
"""
"""Submits, asks every second, downloads and hashes: nothing would survive it."""

READ = """\
import json, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute("SELECT body FROM event ORDER BY id")
print(sum(len(json.loads(body)) for (body,) in rows))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of each request, wall seconds and peak memory of them all."""

    each: float
    wall: float
    mebibytes: float

    @classmethod
    def of(cls, measure: Measure, requests: int) -> "Cost":
        return cls(measure.cpu * 1000 / requests, measure.wall, measure.mebibytes)


def tables(*, small: bool) -> Iterator[Table]:
    rounds = 1 if small else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        faults = Path(folder, "faults.yaml")
        faults.write_text(FAULTS)
        with simulator(faults, generation_time=0.2 if small else 1.0) as served:
            yield _end_to_end(Path(folder), served.environ, 20 if small else 10_000, rounds)
            yield _resumed(Path(folder), served.environ, 25 if small else 25_000, rounds)


def _end_to_end(folder: Path, environment: Mapping[str, str], requests: int, rounds: int) -> Table:
    project = boats_project(folder / "whole", requests)
    places, fewer = count(), max(20, requests // 10)

    def ours() -> Cost:
        cost = Cost.of(process(_run(requests), cwd=project, environment=environment), requests)
        _put_away(project / "runs", folder / f"ours-{next(places)}")
        return cost

    def bare() -> Cost:
        url, place = environment["EVOLINK_BASE_URL"], folder / f"bare-{next(places)}"
        words = [sys.executable, "-c", LOOP, url, KEY, str(fewer), str(place)]
        return Cost.of(process(words), fewer)

    found = take_turns({BARE: bare, OURS: ours}, rounds)
    return Table(
        f"Journal: {requests:,} requests end to end against the simulator",
        ("", "CPU ms a request", "x bare", "wall s", "MiB"),
        [
            (
                name,
                f"{found.median(name, lambda one: one.each):.2f}",
                f"{found.ratio(name, BARE, lambda one: one.each):.2f}",
                f"{found.median(name, lambda one: one.wall):.1f}",
                f"{found.median(name, lambda one: one.mebibytes):.0f}",
            )
            for name in found.found
        ],
        (
            f"The bare loop makes {fewer:,}: what it costs is the same for each.",
            "With journal, results, verified clips and lines: at most 8.00 ms of CPU a request.",
            versions("requests", "av"),
        ),
    )


def _put_away(runs: Path, place: Path) -> None:
    """Make room for the next round without deleting a file, which would be measured there.

    ext4 gives the inode of a deleted file to no new one for minutes, and looks at each of them for
    every file that is made.
    """
    runs.rename(place)
    for clip in place.rglob("*.mp4"):
        os.truncate(clip, 0)


def _resumed(folder: Path, environment: Mapping[str, str], requests: int, rounds: int) -> Table:
    project = boats_project(folder / "resumed", requests)
    run = project / "runs" / "boats"
    events = bought_run(project, run)
    words = [sys.executable, "-c", READ, str(run / "journal.db")]
    found: Rounds[Measure] = take_turns(
        {
            ROWS: partial(process, words),
            OURS: partial(process, _run(requests), cwd=project, environment=environment),
        },
        rounds,
    )
    return Table(
        f"Journal: going on with {events:,} events of {requests:,} requests",
        ("", "CPU s", "x rows", "wall s", "MiB"),
        [
            (
                name,
                f"{found.median(name, lambda one: one.cpu):.2f}",
                f"{found.ratio(name, ROWS, lambda one: one.cpu):.1f}",
                f"{found.median(name, lambda one: one.wall):.2f}",
                f"{found.median(name, lambda one: one.mebibytes):.0f}",
            )
            for name in found.found
        ],
        ("The whole process, from planning to results that are written: at most 3.00 s.",),
    )


def boats_project(root: Path, requests: int) -> Path:
    (root / "templates").mkdir(parents=True)
    (root / "boats.yaml").write_text(
        "veogen: 1\nparams: {model: veo-3.1-fast-generate-preview, duration: 4}\n"
        "shots:\n  - name: boat\n    prompt: Boat {{ seed }} at dusk, lanterns, a slow dolly.\n"
        f"    matrix: {{seed: {list(range(1, requests + 1))}}}\n"
    )
    return root


def _run(requests: int) -> list[str]:
    words = ["run", "boats.yaml", "--yes", "--max-in-flight", "128", "--progress", "lines"]
    return [VEOGEN, *words, "--max-requests", str(requests)]


def bought_run(project: Path, run: Path) -> int:
    """A run directory in which every request is completed; how many events that took."""
    words = [VEOGEN, "plan", "boats.yaml", "--format", "jsonl", "--max-requests", "1000000"]
    planned = subprocess.run(words, cwd=project, stdout=subprocess.PIPE, check=True).stdout
    entries, events = [], list[Event]()
    for line in map(json.loads, planned.splitlines()):
        entry = Request(
            address=line["address"],
            hash=line["hash"],
            shot=line["shot"],
            take=line["take"],
            variables=line["variables"],
            output=line["output"],
            body=line["request"],
            credits=Decimal(line["credits"]),
        )
        entries.append(entry)
        clip = run / entry.path(0, 1)
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.write_bytes(CLIP)
        events += _events(entry, len(entries), clip.stat().st_mtime_ns)
    with Journal.create(run / "journal.db", Header("boats", "simulated")) as journal:
        journal.adopt("boats", entries)
        journal.append(events, 1.8e9)
        (run / "results.json").write_bytes(render(journal.ledger(), "simulated"))
    os.sync()
    return len(events)


def _events(entry: Request, number: int, mtime: int) -> list[Event]:
    hash_, task_id = entry.hash, f"task-unified-1800000000-{number:08d}"
    link = f"https://media.example/{task_id}/0.mp4?signature={'0' * 64}"
    body = canonical(dict(entry.body)).decode()
    video = replace(VIDEO, path=entry.path(0, 1), sha256=SHA256, bytes=len(CLIP))
    return [
        SubmitIntended(hash_, 1, f"veogen-{hash_}-1", body, PRICE, 1.8e9),
        TaskCreated(hash_, 1, task_id, PRICE, 1.8e9, 120.0),
        TaskCompleted(hash_, task_id, (link,), PRICE, 1.8e9),
        VideoSaved(hash_, 0, video, task_id=task_id, mtime=mtime),
    ]
