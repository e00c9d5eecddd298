"""Ways to hold many remote tasks, each a process of its own: WAY URL TASKS INTERVAL SECONDS FOLDER.

It prints the polls made, CPU seconds a poll, the peak of memory, and how late polls were. Late is
what a look begins after it was due: an interval after the answer to the one before.
"""

# ruff: noqa: PLC0415 - each way loads what it needs and nothing else

import asyncio
import json
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

BATCH = 50
CONNECTIONS = 128
KEY = "sk-evo-bench"


@dataclass
class Looks:
    """When each task was answered last, and how late the looks after that began."""

    interval: float
    answered: dict[str, float] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)
    count: int = 0
    cpu: float = field(default_factory=time.process_time)

    def begin(self, task_id: str) -> None:
        self.count += 1
        if task_id in self.answered:
            due = self.answered[task_id] + self.interval
            self.late.append(max(0.0, time.monotonic() - due))

    def end(self, task_id: str) -> None:
        self.answered[task_id] = time.monotonic()

    def report(self) -> None:
        spent = time.process_time() - self.cpu
        late = sorted(self.late) or [0.0]
        found = {
            "polls": self.count,
            "cpu": spent / max(self.count, 1),
            "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "median": late[len(late) // 2],
            "p99": late[len(late) * 99 // 100],
        }
        sys.stdout.write(json.dumps(found))


def names(tasks: int) -> list[str]:
    return [f"task-unified-{number:06d}" for number in range(tasks)]


def ours(url: str, tasks: int, interval: float, seconds: float, folder: Path) -> None:
    """What `veogen collect --poll-interval` does, journal and results included."""
    del tasks
    from veogen.executor.connect import expected_of, no_project
    from veogen.executor.open_run import open_run
    from veogen.executor.options import RunPolicy, SystemClock, system_random
    from veogen.executor.run import Dependencies, Selection
    from veogen.executor.state import NullListener
    from veogen.executor.transfer import ClipDownloader
    from veogen.executor.uploads import Uploader
    from veogen.executor.workers import ThreadPool
    from veogen.gateway.api import ReadError, Task
    from veogen.gateway.client import Evolink
    from veogen.gateway.media_host import MediaClient

    looks = Looks(interval)

    class Watched(Evolink):
        def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
            for task_id in task_ids:
                looks.begin(task_id)
            answers = super().tasks(task_ids)
            for task_id in task_ids:
                looks.end(task_id)
            return answers

    with Watched(url, url, KEY) as gateway:
        dependencies = Dependencies(
            gateway=gateway,
            gateway_name="evolink",
            downloader=lambda path: ClipDownloader(MediaClient(local=True), path, expected_of()),
            uploads=lambda _: Uploader(gateway, no_project, {}, SystemClock(), ""),
            clock=SystemClock(),
            workers=ThreadPool,
            random=system_random,
        )
        with open_run(
            folder,
            plan=None,
            dependencies=dependencies,
            policy=RunPolicy(poll_interval=interval),
            listener=NullListener(),
            selection=Selection(buy=False),
        ) as session:
            leave = threading.Timer(seconds, session.scheduler.interrupt)
            leave.start()
            looks.cpu = time.process_time()
            session.run()
            looks.report()


def prepare(url: str, tasks: int, interval: float, seconds: float, folder: Path) -> None:
    """A run directory whose requests the gateway has, for `ours`."""
    del url, interval, seconds
    from veogen.executor.journal import Header, Journal
    from veogen.planner.identity import request_hash
    from veogen.planner.plan import Request
    from veogen.results.events import Event, SubmitIntended, TaskCreated

    folder.mkdir(parents=True, exist_ok=True)
    now, price, events = time.time(), Decimal("38.016"), list[Event]()
    entries = list[Request]()
    for number, task_id in enumerate(names(tasks)):
        body = {"model": "veo-3.1-fast-generate-preview", "prompt": f"A boat {number} at dusk."}
        hash_ = request_hash(body, 1)
        entries.append(
            Request(
                address=f"boat[n={number}]",
                hash=hash_,
                shot="boat",
                take=1,
                variables={"n": number},
                output=f"boat/{number}",
                body=body,
                credits=price,
            )
        )
        events.append(SubmitIntended(hash_, 1, f"veogen-{hash_}-1", json.dumps(body), price, now))
        events.append(TaskCreated(hash_, 1, task_id, price, now))
    with Journal.create(folder / "journal.db", Header("boats", "evolink")) as journal:
        journal.adopt("boats", entries)
        journal.append(events, now)


def threads(url: str, tasks: int, interval: float, seconds: float, folder: Path) -> None:
    """A thread a task, over one tuned session."""
    del folder
    import requests
    from requests.adapters import HTTPAdapter

    looks, lock = Looks(interval), threading.Lock()
    end = time.monotonic() + seconds
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS, pool_block=True))
    session.headers["Authorization"] = f"Bearer {KEY}"

    def hold(task_id: str, first: float) -> None:
        time.sleep(first)
        while time.monotonic() < end:
            with lock:
                looks.begin(task_id)
            assert session.get(f"{url}/v1/tasks/{task_id}", timeout=60).json()["id"] == task_id
            looks.end(task_id)
            time.sleep(interval)

    threading.stack_size(256 * 1024)
    held = [
        threading.Thread(target=hold, args=(task_id, interval * place / tasks), daemon=True)
        for place, task_id in enumerate(names(tasks))
    ]
    for one in held:
        one.start()
    time.sleep(max(0.0, end - time.monotonic()))
    looks.report()


def coroutines(url: str, tasks: int, interval: float, seconds: float, folder: Path) -> None:
    """An aiohttp loop, a coroutine a task."""
    del folder
    asyncio.run(_loop(url, [[task_id] for task_id in names(tasks)], interval, seconds))


def batches(url: str, tasks: int, interval: float, seconds: float, folder: Path) -> None:
    """An aiohttp loop, a coroutine for each fifty tasks, which are read together."""
    del folder
    every = names(tasks)
    groups = [every[start : start + BATCH] for start in range(0, tasks, BATCH)]
    asyncio.run(_loop(url, groups, interval, seconds))


async def _loop(url: str, groups: Sequence[Sequence[str]], interval: float, seconds: float) -> None:
    import aiohttp

    looks = Looks(interval)
    end = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {KEY}"}
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:

        async def read(ids: Sequence[str]) -> list[str]:
            if len(ids) == 1:
                async with session.get(f"{url}/v1/tasks/{ids[0]}") as answer:
                    return [(await answer.json())["id"]]
            async with session.post(f"{url}/v1/tasks/batch", json={"task_ids": ids}) as answer:
                return [task["id"] for task in (await answer.json())["data"]]

        async def hold(ids: Sequence[str], first: float) -> None:
            await asyncio.sleep(first)
            while time.monotonic() < end:
                for task_id in ids:
                    looks.begin(task_id)
                assert await read(ids) == list(ids)
                for task_id in ids:
                    looks.end(task_id)
                await asyncio.sleep(min(interval, max(0.0, end - time.monotonic())))

        await asyncio.gather(
            *(hold(ids, interval * n / len(groups)) for n, ids in enumerate(groups))
        )
    looks.report()


def idle(url: str, tasks: int, interval: float, seconds: float, folder: Path) -> None:
    """Nothing, with the modules of ours."""
    del url, tasks, seconds, folder

    Looks(interval).report()


async def _serve(latency: float) -> None:
    from aiohttp import web

    def task(task_id: str) -> dict[str, object]:
        return {
            "id": task_id,
            "object": "video.generation.task",
            "model": "veo-3.1-fast-generate-preview",
            "status": "processing",
            "progress": 42,
            "created": 1_800_000_000,
            "task_info": {"can_cancel": False, "estimated_time": 120},
            "usage": {"billing_rule": "per_second", "credits_reserved": 38.016},
        }

    async def one(request: web.Request) -> web.Response:
        await asyncio.sleep(latency)
        return web.json_response(task(request.match_info["id"]))

    async def batch(request: web.Request) -> web.Response:
        asked = (await request.json())["task_ids"]
        await asyncio.sleep(latency)
        return web.json_response({"data": [task(task_id) for task_id in asked]})

    application = web.Application()
    application.router.add_get("/v1/tasks/{id}", one)
    application.router.add_post("/v1/tasks/batch", batch)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


WAYS: Mapping[str, Callable[[str, int, float, float, Path], None]] = {
    "idle": idle,
    "prepare": prepare,
    "ours": ours,
    "threads": threads,
    "coroutines": coroutines,
    "batches": batches,
}

if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(_serve(float(sys.argv[2])))
    way, url, tasks, interval, seconds, folder = sys.argv[1:]
    WAYS[way](url, int(tasks), float(interval), float(seconds), Path(folder))
