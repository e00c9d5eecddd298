"""The gateway without HTTP: takes requests, makes tasks, moves money, remembers keys."""

import asyncio
import hashlib
import json
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from veogen.catalogue.known import Catalogue
from veogen.catalogue.models import Model
from veogen.simulator.audit import Audit, report
from veogen.simulator.callbacks import Callbacks
from veogen.simulator.checks import check, settled
from veogen.simulator.clips import Clip
from veogen.simulator.faults import Faults
from veogen.simulator.files import Store
from veogen.simulator.footage import clips_of
from veogen.simulator.kiln import Kiln, NotMadeError
from veogen.simulator.links import Links
from veogen.simulator.money import Account, price
from veogen.simulator.options import Memory, Options
from veogen.simulator.pace import Pace
from veogen.simulator.picture import UnreadableError
from veogen.simulator.refusals import TASK_ERRORS, RefusedError
from veogen.simulator.tasks import Failure, Task, view

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that is a task now, or was one already."""

    task: Task
    replayed: bool


class Service:
    """All that the simulated gateway knows; used from one event loop."""

    def __init__(self, options: Options, kiln: Kiln) -> None:
        self.options = options
        self.account = Account(options.gateway.credits)
        self.audit = Audit()
        self.begun = asyncio.Event()
        self.faults = Faults(options.faults, options.seed, time.monotonic, self.begun.set)
        self.files = Store(options.gateway.files_expire, options.gateway.max_files)
        self.pace = self._paced(options.gateway.requests_per_minute)
        self.pace_of_reads = self._paced(options.gateway.reads_per_minute)
        self.tasks: dict[str, Task] = {}
        self._kiln = kiln
        self._slots = asyncio.Semaphore(options.gateway.concurrency)
        self._by_key: dict[str, Task] = {}
        self._times_seen: dict[str, int] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self.callbacks = Callbacks()
        self.links = Links(options.host, options.gateway.links_expire, options.seed)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The models that this account may use."""
        named = self.options.gateway.models
        return {k: v for k, v in self.options.models.items() if named is None or k in named}

    @property
    def estimate(self) -> int:
        """What tasks say about how long they take: whole seconds, as 0 would say nothing."""
        told = self.options.gateway.estimated_time
        return max(1, math.ceil(self.options.generation_time)) if told is None else told

    def likeness(self, body: Mapping[str, Any]) -> str:
        """What is the same of a request from run to run: its images, not where they lie."""
        urls = body.get("image_urls")
        if isinstance(urls, list):
            body = {**body, "image_urls": list(map(self._content, urls))}
        return body_hash(body)

    def submit(self, body: dict[str, Any], key: str | None) -> Taken:
        """Make a task, or find the one of this key; raises `RefusedError`."""
        identity = body_hash(body)
        if key is not None and (before := self._by_key.get(key)):
            if before.body_hash != identity:
                message = "this Idempotency-Key came with another body"
                raise RefusedError(409, message, "idempotency_conflict", "Idempotency-Key")
            self.audit.replayed += 1
            return Taken(before, replayed=True)
        task = self._make(check(body, self.models), body, identity, key)
        self.account.reserve(task.credits)
        self._doom(task)
        self._keep(task)
        return Taken(task, replayed=False)

    def remember(self, memories: Iterable[Memory]) -> None:
        """Go on with tasks that an earlier simulator had taken, as if it had never ended."""
        known = Catalogue(self.options.models, lenient=True)  # it was taken, whatever is now
        for memory in memories:
            model = known[memory.body["model"]]
            task = self._make(model, memory.body, body_hash(memory.body), memory.key)
            task.id = memory.task_id
            task.created -= memory.age
            task.takes = max(0.0, task.takes - memory.age)
            self.account.hold(task.credits)
            self._keep(task)

    def view(self, task: Task, host: str | None = None) -> dict[str, Any]:
        """A task as it stands, with links to us as `host`."""
        links = self.links.of(task, host) if task.state == "completed" else []
        return view(task, time.time(), links, self.estimate)

    def report(self) -> dict[str, Any]:
        """The audit so far."""
        found = report(self.audit, self.tasks.values(), self.account, self.faults.happened)
        return {**found, "callbacks": dict(self.callbacks.outcomes)}

    async def close(self) -> None:
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)

    def _make(self, model: Model, body: dict[str, Any], identity: str, key: str | None) -> Task:
        effective = settled(model, body)
        name = self._name(body)
        own = self._chance(f"{self.likeness(body)}/{key}" if key else name)
        return Task(
            id=_id(own),
            name=name,
            created=time.time(),
            model=model,
            body=body,
            settled=effective,
            body_hash=identity,
            credits=price(model, effective),
            seed=effective.get("seed") or own.randint(1, 2**32 - 1),
            takes=self._duration(self._chance(name)),
            key=key,
        )

    def _content(self, url: Any) -> Any:
        """The bytes behind `url`, by their hash, if they are ours."""
        path = self.links.path(url)
        file = self.files.find(path) if path else None
        return file.sha256 if file else url

    def _paced(self, limit: int | None) -> Pace:
        return Pace(limit, self.options.gateway.retry_after, time.monotonic)

    def _name(self, body: Mapping[str, Any]) -> str:
        """A name for the next task of `body`, whatever else arrives meanwhile."""
        likeness = self.likeness(body)
        nth = self._times_seen[likeness] = self._times_seen.get(likeness, 0) + 1
        return f"{likeness}/{nth}"

    def _chance(self, of: str) -> Random:
        return Random(f"{self.options.seed}/{of}")  # noqa: S311 - chance, not secrecy

    def _duration(self, chance: Random) -> float:
        """Log-normal, as observed times are; the median is what was asked for."""
        return self.options.generation_time * chance.lognormvariate(0, self.options.gateway.spread)

    def _doom(self, task: Task) -> None:
        """Decide now what is going to happen to a task."""
        fault = self.faults.pick("task", task.prompt, self.likeness(task.body))
        if fault is None:
            return
        match fault.do:
            case "slow":
                task.takes += fault.seconds or 0
            case "stuck":
                task.stuck = True
            case _:
                cancelled = fault.do == "cancel"
                code = "request_cancelled" if cancelled else str(fault.code)
                message = fault.message or TASK_ERRORS.get(code, "the task failed")
                task.failure = Failure(code, message, cancelled, fault.charged, fault.details)

    def _keep(self, task: Task) -> None:
        self.tasks[task.id] = task
        if task.key is not None:
            self._by_key[task.key] = task
        self._in_flight += 1
        self.audit.in_flight(self._in_flight)
        life = asyncio.create_task(self._live(task))
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)

    async def _live(self, task: Task) -> None:
        clips = self._kiln.start(self._clips(task))
        async with self._slots:
            task.started = time.time()
            await asyncio.sleep(task.takes)
            try:
                task.clips = tuple(await clips)
            except UnreadableError as error:
                task.failure = Failure("image_processing_error", str(error))
            except NotMadeError as error:
                task.failure = Failure("service_error", str(error))
        if task.stuck:
            return
        self._end(task)
        if "callback_url" in task.body:
            await self.callbacks.tell(task.body["callback_url"], self.view(task))

    def _clips(self, task: Task) -> list[Clip]:
        """What is to be made: nothing where the task ends without, or its images are no good."""
        if task.failure or task.stuck:
            return []
        try:
            return clips_of(task, self.files, self.links)
        except UnreadableError as error:
            task.failure = Failure("image_processing_error", str(error))
            return []

    def _end(self, task: Task) -> None:
        task.finished = time.time()
        self._in_flight -= 1
        lifetime = self.options.gateway.links_expire + 1
        if self.options.gateway.clips == "each":
            asyncio.get_running_loop().call_later(lifetime, _forget, task)
        if task.charged:
            self.account.charge(task.credits)
        else:
            self.account.give_back(task.credits)


def _id(chance: Random) -> str:
    """Chance where the gateway's ids hold the time, which no seed would bring again."""
    number, letters = chance.randrange(10**9, 2 * 10**9), chance.choices(_LETTERS, k=8)
    return f"task-unified-{number}-{''.join(letters)}"


def _forget(task: Task) -> None:
    """Delete clips that no link leads to any more."""
    for clip in task.clips:
        clip.path.unlink(missing_ok=True)


def body_hash(body: Mapping[str, Any]) -> str:
    """What two requests with one key are compared by: their JSON, not its spelling."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
