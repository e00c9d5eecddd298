"""The gateway and the media host of a world, and the books that they keep."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from support.galleries import clip

from veogen.gateway.api import (
    Accepted,
    Balance,
    InterruptedDownload,
    NotAccepted,
    OpenDownload,
    Quota,
    ReadError,
    Rejected,
    Submission,
    Task,
    Unknown,
    Upload,
)
from world.disks import Calls
from world.kernel import Kernel, Process

LINK_LIFE = 24 * 3600.0
PRICE = Decimal("38.016")
_HASH = re.compile("[0-9a-f]{64}")

TEMPORARY = ("service_error", "generation_timeout")
FATES = (None,) * 7 + (*TEMPORARY, "content_policy_violation")
"""What becomes of a task: None is completed."""

POST_FAULTS = ("refused", "lost-before", "lost-after", "429", "503", "500", "400", "page", "quiet")


REFUSALS: Mapping[str, Submission] = {
    "429": NotAccepted(code="429", message="slow down", status=429, from_gateway=True),
    "503": NotAccepted(code="503", message="full", status=503, from_gateway=True),
    "500": NotAccepted(code="500", message="internal", status=500, once=True, from_gateway=True),
    "400": Rejected(code="invalid_parameters", message="no", status=400, from_gateway=True),
}
"""What the gateway says to what it does not take."""


@dataclass
class Post:
    """One POST: who sent it, whether it arrived, what was answered and when."""

    hash: str
    key: str
    machine: str
    process: str
    sent_at: float
    task: str | None = None
    answer: Submission | None = None
    heard_at: float | None = None


@dataclass
class BookedTask:
    """One task as the gateway has it; times are seconds of the world."""

    id: str
    hash: str
    key: str
    machine: str
    process: str
    made_at: float
    takes: float
    fate: str | None
    videos: int
    reserved: Decimal
    empty_reads: int
    end_read_at: float | None = None

    @property
    def ends_at(self) -> float:
        return self.made_at + self.takes


@dataclass
class Habits:
    """How a world's gateway behaves, for as long as the world lasts."""

    honours_keys: bool = False
    ratio: Decimal = Decimal(1)
    names_amounts: bool = True
    trouble: float = 0.1
    """The share of calls that go wrong without an outage."""
    takes: tuple[float, float] = (5.0, 120.0)


class Service:
    """One gateway and its media host, for all machines."""

    def __init__(self, kernel: Kernel, seed: int, habits: Habits) -> None:
        self.kernel = kernel
        self.habits = habits
        self._seed = seed
        self.posts: list[Post] = []
        self.tasks: dict[str, BookedTask] = {}
        self.fetches: list[tuple[str, float]] = []
        self.outage: tuple[str, float, bool] | None = None
        self.calm = False
        self.on_task: Callable[[BookedTask], None] = lambda _: None
        self.on_post: Callable[[Post], None] = lambda _: None

    def weather(self, *, post: bool) -> str | None:
        """What an outage makes of a call now."""
        if self.outage is None or self.calm:
            return None
        kind, until, posts_only = self.outage
        if self.kernel.now >= until:
            self.outage = None
            return None
        return kind if post or not posts_only else None

    def trouble(self, random: Random, faults: Sequence[str]) -> str | None:
        if self.calm or random.random() >= self.habits.trouble:
            return None
        return random.choice(faults)

    def take(self, post: Post, body: Mapping[str, object]) -> Accepted:
        """Make a task, or find the one of this key."""
        if self.habits.honours_keys:
            for task in self.tasks.values():
                if task.key == post.key:
                    post.task = task.id
                    return self._accepted(task, replayed=True)
        number = sum(task.hash == post.hash for task in self.tasks.values()) + 1
        random = Random(f"{self._seed}:{post.hash}:{number}")
        fate = None if self.calm else random.choice(FATES)
        videos = body.get("n", 1)
        assert isinstance(videos, int)
        task = BookedTask(
            id=f"task-unified-{len(self.tasks) + 1}-{random.randrange(16**6):06x}",
            hash=post.hash,
            key=post.key,
            machine=post.machine,
            process=post.process,
            made_at=self.kernel.now,
            takes=random.uniform(*self.habits.takes),
            fate=fate,
            videos=videos,
            reserved=(PRICE * videos * self.habits.ratio).quantize(Decimal("0.001")),
            empty_reads=0 if self.calm else random.choice((0, 0, 0, 1, 2)),
        )
        self.tasks[task.id] = task
        post.task = task.id
        self.on_task(task)
        return self._accepted(task, replayed=False)

    def stray(self) -> BookedTask:
        """A task of somebody else's, that has failed for a passing reason."""
        number = sum(task.process == "stray" for task in self.tasks.values())
        task = BookedTask(
            id=f"task-unified-stray-{number}",
            hash="0" * 64,
            key=f"stray-{number}",
            machine="x",
            process="stray",
            made_at=self.kernel.now,
            takes=0.0,
            fate="service_error",
            videos=1,
            reserved=Decimal(0),
            empty_reads=0,
        )
        self.tasks[task.id] = task
        return task

    def _accepted(self, task: BookedTask, *, replayed: bool) -> Accepted:
        credits_ = task.reserved if self.habits.names_amounts else None
        return Accepted(task_id=task.id, credits=credits_, replayed=replayed)

    def read(self, task_id: str, random: Random) -> Task | ReadError:
        """What is said of a task; a failed one names its reason, a completed one its links."""
        task = self.tasks.get(task_id)
        if task is None:
            return ReadError(code="not_found", message="no such task", status=404)
        if self.kernel.now < task.ends_at:
            return Task(id=task_id, state="processing", progress=50)
        if task.fate is not None:
            if task.end_read_at is None:
                task.end_read_at = self.kernel.now
            return Task(id=task_id, state="failed", error_code=task.fate, error_message="sorry")
        if task.empty_reads > 0:
            task.empty_reads -= 1
            return Task(id=task_id, state="completed", progress=100, credits=task.reserved)
        return Task(
            id=task_id,
            state="completed",
            progress=100,
            links=self._links(task, random),
            credits=task.reserved if self.habits.names_amounts else None,
        )

    def _links(self, task: BookedTask, random: Random) -> tuple[str, ...]:
        """Now and then fewer than there are, or in another order, to whoever looks."""
        links = [
            f"https://media.example/{task.id}/{n}.mp4?sig={random.randrange(10**6)}"
            for n in range(task.videos)
        ]
        if self.calm or len(links) == 1 or random.random() > 0.3:
            return tuple(links)
        return tuple(random.choice((links[:1], links[1:], links[::-1])))

    def link_lives(self, task: BookedTask) -> bool:
        return self.kernel.now < task.ends_at + LINK_LIFE

    def clip(self, task_id: str, index: int) -> bytes:
        """A clip that no other is like: its name stands in a box that players skip."""
        return _plain_clip() + _box(b"free", f"{task_id}/{index}".encode())


def same_clip(content: bytes) -> int | None:
    """The length of a whole clip of this host, of which only the name is its own; else None."""
    plain = _plain_clip()
    if not content.startswith(plain):
        return None
    named = content[len(plain) :]
    return len(content) if named == _box(b"free", named[8:]) else None


def _plain_clip() -> bytes:
    return clip((64, 36), seconds=4, audio=False)


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + kind + content


class WorldGateway:
    """The gateway as one process sees it."""

    reads_at_once = 20
    simulated: bool | None = None

    def __init__(self, service: Service, process: Process, calls: Calls) -> None:
        self._service = service
        self._process = process
        self._calls = calls
        self._kernel = service.kernel

    def submit(self, body: bytes, key: str) -> Submission:
        match = _HASH.search(key)
        assert match is not None, key
        post = Post(match[0], key, self._process.name[0], self._process.name, self._kernel.now)
        fault = self._calls.reach(self._process, "post", key)
        weather = self._service.weather(post=True)
        fault = fault or weather or self._service.trouble(self._process.random, POST_FAULTS)
        self._service.posts.append(post)
        self._service.on_post(post)
        answer = self._sent(post, body, fault or "")
        post.answer, post.heard_at = answer, self._kernel.now
        self._calls.reach(self._process, "answer", key)
        return answer

    def _sent(self, post: Post, body: bytes, fault: str) -> Submission:
        up, down = (self._process.random.uniform(0.02, 1.0) for _ in range(2))
        if fault in ("before", "refused"):
            self._kernel.sleep(0.01)
            return NotAccepted(code="refused", message="connection refused", reached=False)
        said: list[Submission] = []
        if fault not in ("lost-before", "page", "quiet"):
            self._kernel.at(
                self._kernel.now + up, lambda: said.append(self._arrived(post, body, fault))
            )
        self._kernel.sleep(up + down)
        if fault == "page":
            return Unknown(code="502", message="<html>Bad Gateway</html>", status=502)
        if fault == "quiet":
            self._kernel.sleep(60.0)
            return Unknown(code="timeout", message="no answer for 60 s")
        if fault in ("lost-before", "lost-after", "after", "cut"):
            return Unknown(code="lost", message="the connection broke")
        if fault == "late":
            self._kernel.sleep(50.0)
        return said[0]

    def _arrived(self, post: Post, body: bytes, fault: str) -> Submission:
        answer = REFUSALS.get(fault)
        return self._service.take(post, json.loads(body)) if answer is None else answer

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        fault = self._calls.reach(self._process, "read", ",".join(task_ids))
        fault = fault or self._service.weather(post=False)
        fault = fault or self._service.trouble(self._process.random, ("lost", "404", "500", "odd"))
        self._kernel.sleep(self._process.random.uniform(0.02, 0.5))
        if fault == "late":
            self._kernel.sleep(50.0)
        if fault == "404":
            return {
                id_: ReadError(code="404", message="unknown", status=404, from_gateway=True)
                for id_ in task_ids
            }
        if fault == "odd":
            return {id_: Task(id=id_, state="dreaming") for id_ in task_ids}
        if fault and fault != "late":
            reached = fault in ("500", "page")
            error = ReadError(code="lost", message=f"lost ({fault})", reached=reached)
            return dict.fromkeys(task_ids, error)
        return {id_: self._service.read(id_, self._process.random) for id_ in task_ids}

    def recent_tasks(self, model: str) -> tuple[Task, ...] | ReadError:
        del model
        return ReadError(code="not_found", message="there is no list", status=404)

    def balance(self) -> Balance | ReadError:
        return ReadError(code="not_found", message="there is no balance", status=404)

    def models(self) -> frozenset[str] | ReadError:
        self._kernel.sleep(0.1)
        if self._service.weather(post=False) is not None:
            return ReadError(code="lost", message="lost", reached=False)
        return frozenset()

    def upload(self, name: str, content: bytes, mime: str) -> Upload | ReadError:
        raise AssertionError((name, content, mime))

    def quota(self) -> Quota | ReadError:
        return ReadError(code="not_found", message="there is no quota", status=404)

    def delete(self, file_id: str) -> ReadError | None:
        raise AssertionError(file_id)


_LINK = re.compile(r"https://media\.example/([^/]+)/(\d+)\.mp4\?sig=\d+")


class WorldMedia:
    """The media host as one process sees it."""

    def __init__(self, service: Service, process: Process, calls: Calls) -> None:
        self._service = service
        self._process = process
        self._calls = calls

    @contextmanager
    def fetch(
        self, url: str, *, start: int = 0, etag: str | None = None
    ) -> Iterator[OpenDownload | ReadError]:
        del etag
        fault = self._calls.reach(self._process, "fetch", url)
        fault = fault or self._service.weather(post=False)
        fault = fault or self._service.trouble(
            self._process.random, ("lost", "503", "cut", "cut", "page")
        )
        self._service.kernel.sleep(self._process.random.uniform(0.1, 2.0))
        match = _LINK.fullmatch(url)
        assert match is not None, url
        task = self._service.tasks[match[1]]
        self._service.fetches.append((url, self._service.kernel.now))
        if not self._service.link_lives(task):
            yield ReadError(code="403", message="the link has expired", status=403)
        elif fault == "page":
            yield _body(iter([b"<html>502</html>"]), content_type="text/html")
        elif fault in ("before", "lost", "quiet", "refused"):
            yield ReadError(code="lost", message="the connection broke", reached=False)
        elif fault is not None and fault not in ("cut", "after", "late"):
            yield ReadError(code="503", message="busy", status=503)
        else:
            content = self._service.clip(task.id, int(match[2]))
            chunks = self._chunks(url, content[start:], fault)
            yield _body(chunks, start=start, length=len(content))

    def _chunks(self, url: str, content: bytes, fault: str | None) -> Iterator[bytes]:
        half = len(content) // 2
        yield content[:half]
        fault = self._calls.reach(self._process, "chunk", url) or fault
        self._service.kernel.sleep(60.0 if fault == "late" else 0.2)
        if fault in ("before", "cut", "after"):
            raise InterruptedDownload("the connection broke")
        yield content[half:]


def _body(
    chunks: Iterator[bytes],
    *,
    start: int = 0,
    length: int | None = None,
    content_type: str = "video/mp4",
) -> OpenDownload:
    return OpenDownload(
        start=start, length=length, etag=None, content_type=content_type, chunks=chunks
    )
