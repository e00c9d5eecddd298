"""The store of a world: the objects of tests/support/stores.py, each call a call of a process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from support.stores import MemoryObjects, StoreTimeOfTests

from veogen.executor import joining
from veogen.executor.joining import StoreChoice
from veogen.store import log, member, reading
from veogen.store.location import StoreLocation
from veogen.store.objects import ObjectInfo, StoreAwayError
from veogen.store.opening import Store
from veogen.store.signs import Patience
from world.disks import Calls
from world.kernel import START, Kernel, Process, WorldClock, current_process
from world.threads import WorldExecutor, WorldThreading

T = TypeVar("T")

GIVES_UP = 60.0
"""Seconds for which a call is tried."""


class _StoreTime(StoreTimeOfTests):
    """The store's own clock."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self._kernel = kernel

    def now(self) -> float:
        return START + self._kernel.now + 17.0


class Bucket:
    """What all machines see, and whether it answers."""

    def __init__(self, kernel: Kernel) -> None:
        self.objects = MemoryObjects(_StoreTime(kernel))
        self.kernel = kernel
        self.away_until = 0.0
        self.trouble = 0.0
        self.processes = 0

    def choice(self, process: Process, clock: WorldClock, calls: Calls) -> StoreChoice:
        """The store as one process has it."""
        location = StoreLocation.of("s3://bucket/team")
        objects = BucketCalls(self, process, calls)
        return StoreChoice(store=Store(objects, location, clock, Patience()), run="trip")


class BucketCalls:
    """Objects as one process reaches them: its calls take time, are lost before or after."""

    def __init__(self, bucket: Bucket, process: Process, calls: Calls) -> None:
        self._bucket = bucket
        self._process = process
        self._calls = calls
        self._kernel = bucket.kernel

    def create(self, name: str, content: bytes) -> bytes | None:
        return self._call("create", name, lambda o: o.create(name, content))

    def replace(self, name: str, content: bytes) -> None:
        self._call("replace", name, lambda o: o.replace(name, content))

    def read(self, name: str, limit: int) -> bytes | None:
        return self._call("read", name, lambda o: o.read(name, limit))

    def info(self, name: str) -> ObjectInfo | None:
        return self._call("info", name, lambda o: o.info(name))

    def list(self, folder: str, after: str = "") -> Sequence[ObjectInfo]:
        return self._call("list", folder, lambda o: o.list(folder, after))

    def folders(self, folder: str) -> Sequence[str]:
        return self._call("folders", folder, lambda o: o.folders(folder))

    def send(self, name: str, path: Path) -> None:
        self._call("send", name, lambda o: o.send(name, path))

    def fetch(self, name: str, path: Path, limit: int) -> bool:
        return self._call("fetch", name, lambda o: o.fetch(name, path, limit))

    def _call(self, kind: str, name: str, work: Callable[[MemoryObjects], T]) -> T:
        kernel, random = self._kernel, self._process.random
        fault = self._calls.reach(self._process, f"store-{kind}", name)
        if fault is None and random.random() < self._bucket.trouble:
            fault = random.choice(("before", "after", "late"))
        kernel.sleep(random.uniform(0.005, 0.2))
        if kernel.now < self._bucket.away_until or fault == "before":
            kernel.sleep(GIVES_UP)
            raise StoreAwayError(f"no answer to {kind} {name}")
        answer = work(self._bucket.objects)
        kernel.sleep(50.0 if fault == "late" else random.uniform(0.005, 0.1))
        self._calls.reach(self._process, f"store-{kind}-done", name)
        if fault in ("after", "cut"):
            kernel.sleep(GIVES_UP)
            raise StoreAwayError(f"no answer to {kind} {name}")
        return answer


@contextmanager
def in_one_thread(bucket: Bucket) -> Iterator[None]:
    """Let the store's code use the world's threads and names while the block runs."""

    def machine() -> str:
        process = current_process()
        return "people" if process is None else process.name[0]

    def process(name: str) -> str:
        bucket.processes += 1
        return f"{name}.{bucket.processes:012x}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "threading", WorldThreading)
        patch.setattr(member, "threading", WorldThreading)
        patch.setattr(reading, "ThreadPoolExecutor", WorldExecutor)
        patch.setattr(joining, "this_machine", machine)
        patch.setattr(joining, "new_process", process)
        yield
