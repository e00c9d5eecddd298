"""The gateway without HTTP: takes requests, makes tasks, moves money, remembers keys."""

import asyncio
import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from veogen.models.model import Catalogue, Model
from veogen.simulator.account import Account, Audit, price, report
from veogen.simulator.faults import Faults, words
from veogen.simulator.file_store import Store
from veogen.simulator.picture import UnreadableError, size_of
from veogen.simulator.refusals import HEADER, TASK_ERRORS, Pace, RefusedError
from veogen.simulator.scenario import Memory, Options
from veogen.simulator.task import Failure, Links, Task, has_audio, number_of, seconds_of, view
from veogen.simulator.validation import check, is_loopback, settled
from veogen.simulator.video import Clip, Kiln, NotMadeError

WAITS = (1.0, 2.0, 4.0)
_PATIENCE = aiohttp.ClientTimeout(total=10)


class Callbacks:
    """Delivers to this machine only: a simulation calls nobody else."""

    def __init__(self, waits: Sequence[float] = WAITS) -> None:
        self.outcomes: Counter[str] = Counter()
        self._waits = waits

    async def tell(self, url: str, task: dict[str, Any]) -> None:
        """POST the task to `url` until that answers with a 2xx, or nothing more is tried."""
        if not is_loopback(urlsplit(url).hostname or ""):
            self.outcomes["withheld"] += 1
            return
        async with aiohttp.ClientSession(timeout=_PATIENCE, headers={HEADER: "1"}) as session:
            for wait in (0.0, *self._waits):
                await asyncio.sleep(wait)
                if await _told(session, url, task):
                    self.outcomes["delivered"] += 1
                    return
        self.outcomes["given up"] += 1


async def _told(session: aiohttp.ClientSession, url: str, task: dict[str, Any]) -> bool:
    try:
        async with session.post(url, json=task, allow_redirects=False) as answer:
            return answer.ok and answer.status < 300  # noqa: PLR2004 - a 2xx
    except (aiohttp.ClientError, TimeoutError):
        return False


_SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 2160}
_TAKEN = frozenset({"image/jpeg", "image/png", "image/webp"})
_UPRIGHT = frozenset({"vertical", "portrait", "upright"})


def clips_of(task: Task, files: Store, links: Links) -> list[Clip]:
    """The clips that a task makes; raises `UnreadableError` for an image that cannot be used."""
    images = images_of(task, files, links)
    number = number_of(task.settled)
    frames = images if task.settled.get("generation_type") != "REFERENCE" else []
    return [
        Clip(
            task=task.id,
            prompt=task.prompt,
            seed=task.seed,
            size=frame_size(task.settled, images),
            seconds=seconds_of(task.settled),
            audio=has_audio(task.settled),
            number=index,
            of=number,
            stills=tuple(frames),
            fit="crop" if task.settled.get("resize_mode") == "crop" else "pad",
        )
        for index in range(1, number + 1)
    ]


def images_of(task: Task, files: Store, links: Links) -> list[bytes]:
    """The images that were uploaded to us; others stay unseen: there is no network."""
    known = task.model.parameters.get("image_urls")
    limit = known.max_bytes if known else None
    urls = task.settled.get("image_urls", ())
    found = []
    for url in urls if isinstance(urls, list) else ():
        path = links.path(url)
        if path is None or not path.startswith("/files/"):
            continue
        file = files.find(path)
        if file is None:
            raise UnreadableError(f"{url} cannot be read: no such file, or it has expired")
        if file.kind not in _TAKEN:
            raise UnreadableError(f"{url} is {file.kind}, not JPEG, PNG or WebP")
        if limit and len(file.data) > limit:
            raise UnreadableError(f"{url} is larger than {limit} bytes")
        found.append(file.data)
    return found


def frame_size(settled: Mapping[str, Any], images: list[bytes]) -> tuple[int, int]:
    """Width and height of the frames."""
    short = _SHORT_SIDE.get(str(settled.get("quality")), _SHORT_SIDE["720p"])
    long = short * 16 // 9
    return (short, long) if _is_upright(settled, images) else (long, short)


def _is_upright(settled: Mapping[str, Any], images: list[bytes]) -> bool:
    """`auto` takes the ratio from the image, else from the prompt."""
    ratio = settled.get("aspect_ratio", "16:9")
    if ratio != "auto":
        return bool(ratio == "9:16")
    if images:
        width, height = size_of(images[0])
        return height > width
    prompt = str(settled.get("prompt", ""))
    return bool(words(prompt) & _UPRIGHT) or "9:16" in prompt


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
