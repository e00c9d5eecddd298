"""The gateway without HTTP: takes requests, makes tasks, moves money, remembers keys."""

import asyncio
import hashlib
import json
import math
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from random import Random
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from veogen.models.model import Catalog, Model
from veogen.simulator.account import Audit, SimulatedAccount, price, report
from veogen.simulator.faults import Faults, words
from veogen.simulator.file_store import FileStore
from veogen.simulator.refusals import HEADER, TASK_ERRORS, RateLimit, RefusedError
from veogen.simulator.scenario import Options, RestoredTask
from veogen.simulator.task import (
    Links,
    SimulatedTask,
    TaskFailure,
    has_audio,
    number_of,
    seconds_of,
    task_json,
)
from veogen.simulator.validation import check, is_loopback, settled, with_length
from veogen.simulator.video import (
    ClipEncoder,
    NotMadeError,
    SimulatedClip,
    UnusableImageError,
    size_of,
)

WAITS = (1.0, 2.0, 4.0)
_PATIENCE = aiohttp.ClientTimeout(total=10)


class CallbackSender:
    """Delivers to this machine only: a simulation calls nobody else."""

    def __init__(self, waits: Sequence[float] = WAITS) -> None:
        self.outcomes: Counter[str] = Counter()
        self._waits = waits

    async def send(self, url: str, task: dict[str, Any]) -> None:
        """POST the task to `url` until that answers with a 2xx, or nothing more is tried."""
        if not is_loopback(urlsplit(url).hostname or ""):
            self.outcomes["withheld"] += 1
            return
        async with aiohttp.ClientSession(timeout=_PATIENCE, headers={HEADER: "1"}) as session:
            for wait in (0.0, *self._waits):
                await asyncio.sleep(wait)
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with session.post(url, json=task, allow_redirects=False) as answer:
                        if answer.ok and answer.status < 300:  # noqa: PLR2004 - a 2xx
                            self.outcomes["delivered"] += 1
                            return
        self.outcomes["given up"] += 1


_SHORT_SIDE = {"360p": 360, "480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
_RATIO = re.compile(r"[1-9][0-9]?:[1-9][0-9]?")
_ANY_RATIO = ("16:9", "9:16", "1:1", "4:3", "3:4")
_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
_UPRIGHT = frozenset({"vertical", "portrait", "upright"})


def clips_of(task: SimulatedTask, files: FileStore, links: Links) -> list[SimulatedClip]:
    """The clips that a task makes; raises `UnreadableError` for an image that cannot be used."""
    images = images_of(task, files, links)
    number = number_of(task.settled)
    frames = images if task.settled.get("generation_type") != "REFERENCE" else []
    return [
        SimulatedClip(
            task=task.id,
            prompt=task.prompt,
            seed=task.seed,
            size=frame_size(task.model, task.settled, images),
            seconds=seconds_of(task.settled),
            audio=has_audio(task.model, task.settled),
            number=index,
            of=number,
            stills=tuple(frames),
            fit="crop" if task.settled.get("resize_mode") == "crop" else "pad",
            container="mov" if task.settled.get("output_format") == "mov" else "mp4",
        )
        for index in range(1, number + 1)
    ]


def images_of(task: SimulatedTask, files: FileStore, links: Links) -> list[bytes]:
    """The images that were uploaded to us; others stay unseen: there is no network."""
    images = []
    for url, limit in _image_links(task):
        path = links.path(url)
        if path is None or not path.startswith("/files/"):
            continue
        file = files.find(path)
        if file is None:
            raise UnusableImageError(f"{url} cannot be read: no such file, or it has expired")
        if file.kind not in _IMAGE_TYPES:
            raise UnusableImageError(f"{url} is {file.kind}, not JPEG, PNG or WebP")
        if limit and len(file.data) > limit:
            raise UnusableImageError(f"{url} is larger than {limit} bytes")
        images.append(file.data)
    return images


def _image_links(task: SimulatedTask) -> Iterator[tuple[str, int | None]]:
    """The links to images of a request, and how many bytes there may be behind each."""
    limits = {name: each.max_bytes for name, each in task.model.parameters.items() if each.local}
    for name, limit in (limits if task.model.known else {"image_urls": None}).items():
        value = task.settled.get(name)
        for url in value if isinstance(value, list) else [value]:
            if isinstance(url, str):
                yield url, limit


def frame_size(model: Model, settled: Mapping[str, Any], images: list[bytes]) -> tuple[int, int]:
    """Width and height of the frames: as the model has them, else by quality and ratio."""
    quality = str(settled.get("quality"))
    sizes = model.pixels.get(quality, {})
    asked = model.parameters.get("aspect_ratio")
    unasked = "" if model.known and asked is None else "16:9"
    ratio = str(settled.get("aspect_ratio", unasked))
    if not _RATIO.fullmatch(ratio):  # it is left to the model
        ratios = [str(each) for each in asked.enum or ()] if asked else []
        ratios = [each for each in (*sizes, *ratios) if _RATIO.fullmatch(each)] or [*_ANY_RATIO]
        ratio = _nearest(ratios, settled, images)
    if ratio in sizes:
        return sizes[ratio]
    short = _SHORT_SIDE.get(quality, _SHORT_SIDE["720p"])
    wide, high = map(int, ratio.split(":"))
    long = short * max(wide, high) // min(wide, high) // 2 * 2
    return (short, long) if high > wide else (long, short)


def _nearest(ratios: list[str], settled: Mapping[str, Any], images: list[bytes]) -> str:
    """Of these ratios the one most like the image, else the one that the prompt asks for."""
    prompt = str(settled.get("prompt", ""))
    width, height = (9, 16) if words(prompt) & _UPRIGHT or "9:16" in prompt else (16, 9)
    if images:
        width, height = size_of(images[0])
    distances = {}
    for ratio in ratios:
        wide, high = map(int, ratio.split(":"))
        distances[ratio] = abs(math.log(wide / high * height / width))
    return min(distances, key=distances.__getitem__)


_PLACES = Decimal("0.0001")
UNITS_PER_CREDIT = 10_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """A request that is a task now, or was one already."""

    task: SimulatedTask
    replayed: bool


class Service:
    """All that the simulated gateway knows; used from one event loop."""

    def __init__(self, options: Options, encoder: ClipEncoder) -> None:
        self.options = options
        self.account = SimulatedAccount(options.gateway.credits)
        self.audit = Audit()
        self.begun = asyncio.Event()
        self.faults = Faults(options.faults, options.seed, time.monotonic, self.begun.set)
        self.files = FileStore(options.gateway.files_expire, options.gateway.max_files)
        self.submit_limit = self._rate_limit(options.gateway.requests_per_minute)
        self.read_limit = self._rate_limit(options.gateway.reads_per_minute)
        self.tasks: dict[str, SimulatedTask] = {}
        self._encoder = encoder
        self._slots = asyncio.Semaphore(options.gateway.concurrency)
        self._by_key: dict[str, SimulatedTask] = {}
        self._times_seen: dict[str, int] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self.callbacks = CallbackSender()
        self.links = Links(options.host, options.gateway.links_expire, options.seed)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The models that this account may use."""
        named = self.options.gateway.models
        return {k: v for k, v in self.options.models.items() if named is None or k in named}

    @property
    def estimate(self) -> int:
        """What tasks say about how long they take: whole seconds, as 0 would say nothing."""
        fixed = self.options.gateway.estimated_time
        return max(1, math.ceil(self.options.generation_time)) if fixed is None else fixed

    def request_key(self, body: Mapping[str, Any]) -> str:
        """What is the same of a request from run to run: its images, not where they lie."""
        urls = body.get("image_urls")
        if isinstance(urls, list):
            files = [self.files.find(path) if (path := self.links.path(u)) else None for u in urls]
            contents = [f.sha256 if f else u for f, u in zip(files, urls, strict=True)]
            body = {**body, "image_urls": contents}
        return body_hash(body)

    def submit(self, body: dict[str, Any], key: str | None) -> SubmitResult:
        """Make a task, or find the one of this key; raises `RefusedError`."""
        identity = body_hash(body)
        if key is not None and (before := self._by_key.get(key)):
            if before.body_hash != identity:
                message = "this Idempotency-Key came with another body"
                raise RefusedError(409, message, "idempotency_conflict", "Idempotency-Key")
            self.audit.replayed += 1
            return SubmitResult(before, replayed=True)
        task = self._make(check(body, self.models), body, identity, key)
        self.account.reserve(task.reserved)
        self._assign_fault(task)
        self._keep(task)
        return SubmitResult(task, replayed=False)

    def restore(self, restored_tasks: Iterable[RestoredTask]) -> None:
        """Go on with tasks that an earlier simulator had taken, as if it had never ended."""
        catalogue = Catalog(self.options.models, lenient=True)  # it was taken, whatever is now
        for restored in restored_tasks:
            model = catalogue[restored.body["model"]]
            task = self._make(model, restored.body, body_hash(restored.body), restored.key)
            task.id = restored.task_id
            task.created -= restored.age
            task.takes = max(0.0, task.takes - restored.age)
            self.account.hold(task.reserved)
            self._keep(task)

    def view(self, task: SimulatedTask, host: str | None = None) -> dict[str, Any]:
        """A task as it stands, with links to us as `host`."""
        links = self.links.of(task, host) if task.state == "completed" else []
        return task_json(task, time.time(), links, self.estimate)

    def report(self) -> dict[str, Any]:
        """The audit so far."""
        audit = report(self.audit, self.tasks.values(), self.account, self.faults.happened)
        return {**audit, "callbacks": dict(self.callbacks.outcomes)}

    async def close(self) -> None:
        for work in self._working:
            work.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    def _make(
        self, model: Model, body: dict[str, Any], identity: str, key: str | None
    ) -> SimulatedTask:
        request_key = self.request_key(body)
        nth = self._times_seen[request_key] = self._times_seen.get(request_key, 0) + 1
        name = f"{request_key}/{nth}"  # the same from run to run, whatever else arrives meanwhile
        own = self._random(f"{request_key}/{key}" if key else name)
        # Log-normal, as observed times are; the median is what was asked for.
        chance = self._random(name).lognormvariate(0, self.options.gateway.spread)
        # Chance where the gateway's ids hold the time, which no seed would bring again.
        number, letters = own.randrange(10**9, 2 * 10**9), own.choices(_LETTERS, k=8)
        asked = settled(model, body)
        seed = asked.get("seed") or own.randint(1, 2**32 - 1)
        effective = with_length(model, asked, own)
        return SimulatedTask(
            id=f"task-unified-{number}-{''.join(letters)}",
            name=name,
            created=time.time(),
            model=model,
            body=body,
            settled=effective,
            body_hash=identity,
            reserved=_times(price(model, asked), self.options.gateway.reserves),
            charge=_times(price(model, effective), self.options.gateway.charges),
            unit=1 if self.options.gateway.amounts == "credits" else UNITS_PER_CREDIT,
            seed=seed,
            takes=self.options.generation_time * chance,
            key=key,
        )

    def _rate_limit(self, limit: int | None) -> RateLimit:
        return RateLimit(limit, self.options.gateway.retry_after, time.monotonic)

    def _random(self, of: str) -> Random:
        return Random(f"{self.options.seed}/{of}")  # noqa: S311 - chance, not secrecy

    def _assign_fault(self, task: SimulatedTask) -> None:
        """Decide now what is going to happen to a task."""
        fault = self.faults.pick("task", task.prompt, self.request_key(task.body))
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
                task.failure = TaskFailure(code, message, cancelled, fault.charged, fault.details)

    def _keep(self, task: SimulatedTask) -> None:
        self.tasks[task.id] = task
        if task.key is not None:
            self._by_key[task.key] = task
        self._in_flight += 1
        self.audit.in_flight(self._in_flight)
        work = asyncio.create_task(self._work_on(task))
        self._working.add(work)
        work.add_done_callback(self._working.discard)

    async def _work_on(self, task: SimulatedTask) -> None:
        clips = self._encoder.start(self._clips(task))
        async with self._slots:
            task.started = time.time()
            await asyncio.sleep(task.takes)
            try:
                task.clips = tuple(await clips)
            except UnusableImageError as error:
                task.failure = TaskFailure("image_processing_error", str(error))
            except NotMadeError as error:
                task.failure = TaskFailure("service_error", str(error))
        if task.stuck:
            return
        task.finished = time.time()
        self._in_flight -= 1
        lifetime = self.options.gateway.links_expire + 1
        if self.options.gateway.clips == "each":  # no link leads to them any more
            asyncio.get_running_loop().call_later(lifetime, task.delete_clips)
        if task.charged:
            self.account.charge(task.reserved, task.charge)
        else:
            self.account.give_back(task.reserved)
        if "callback_url" in task.body:
            await self.callbacks.send(task.body["callback_url"], self.view(task))

    def _clips(self, task: SimulatedTask) -> list[SimulatedClip]:
        """What is to be made: nothing where the task ends without, or its images are no good."""
        if task.failure or task.stuck:
            return []
        try:
            return clips_of(task, self.files, self.links)
        except UnusableImageError as error:
            task.failure = TaskFailure("image_processing_error", str(error))
            return []


def _times(price: Decimal, factor: Decimal) -> Decimal:
    return price if factor == 1 else (price * factor).quantize(_PLACES, ROUND_HALF_UP)


def body_hash(body: Mapping[str, Any]) -> str:
    """What two requests with one key are compared by: their JSON, not its spelling."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
