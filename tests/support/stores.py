"""Objects in memory, whose calls can fail as a test says, and a clock for them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import Literal, TypeAlias, TypeVar

from support.virtual import VirtualClock
from veogen.store.objects import ObjectInfo, StoreAwayError, TooLargeError

T = TypeVar("T")

Fault: TypeAlias = Literal["before", "after", "late"]
"""A call gives up before it did anything, or after it did; or its answer comes a minute later."""

Faults: TypeAlias = Callable[[int, str, str], Fault | None]
"""What befalls the n-th call (from 1), of this kind, on this name."""

LATE = 59.0


def no_faults(number: int, kind: str, name: str) -> Fault | None:
    del number, kind, name
    return None


class StoreTimeOfTests(VirtualClock):
    """A virtual clock that can be asleep: then only its boot clock and the wall clock go on."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0.0

    def now(self) -> float:
        return super().now() + self.slept

    def boot(self) -> float:
        return self.monotonic() + self.slept


class MemoryObjects:
    """A store that keeps its promises, with a clock of its own: `ahead` of ours."""

    def __init__(self, time: StoreTimeOfTests, *, ahead: float = 0.0) -> None:
        self._time = time
        self._lock = RLock()
        self.ahead = ahead
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.calls: list[tuple[str, str]] = []
        self.faults: Faults = no_faults

    def create(self, name: str, content: bytes) -> bytes | None:
        def done() -> bytes | None:
            there = self.objects.get(name)
            if there is None:
                self._put(name, content)
                return None
            return None if there[0] == content else there[0]

        return self._call("create", name, done)

    def replace(self, name: str, content: bytes) -> None:
        self._call("replace", name, lambda: self._put(name, content))

    def read(self, name: str, limit: int) -> bytes | None:
        def done() -> bytes | None:
            content, _ = self.objects.get(name, (None, 0.0))
            if content is not None and len(content) > limit:
                raise TooLargeError(f"{name}: it has more than {limit} bytes")
            return content

        return self._call("read", name, done)

    def info(self, name: str) -> ObjectInfo | None:
        return self._call("info", name, lambda: self._info(name))

    def list(self, folder: str, after: str = "") -> Sequence[ObjectInfo]:
        def done() -> Sequence[ObjectInfo]:
            infos = [self._info(name) for name in sorted(self.objects)]
            return [
                info
                for info in infos
                if info is not None
                and info.name.startswith(f"{folder}/")
                and (not after or info.name > f"{folder}/{after}")
            ]

        return self._call("list", folder, done)

    def folders(self, folder: str) -> Sequence[str]:
        def done() -> Sequence[str]:
            below = [
                n.removeprefix(f"{folder}/") for n in self.objects if n.startswith(f"{folder}/")
            ]
            return sorted({name.partition("/")[0] for name in below if "/" in name})

        return self._call("folders", folder, done)

    def send(self, name: str, path: Path) -> None:
        content = path.read_bytes()

        def done() -> None:
            if name not in self.objects:
                self._put(name, content)

        self._call("send", name, done)

    def fetch(self, name: str, path: Path, limit: int) -> bool:
        content = self.read(name, limit)
        if content is None:
            return False
        path.write_bytes(content)
        return True

    def _put(self, name: str, content: bytes) -> None:
        self.objects[name] = (content, self._time.now() + self.ahead)

    def _info(self, name: str) -> ObjectInfo | None:
        if name not in self.objects:
            return None
        content, modified = self.objects[name]
        return ObjectInfo(name, len(content), modified)

    def _call(self, kind: str, name: str, done: Callable[[], T]) -> T:
        with self._lock:
            self.calls.append((kind, name))
            fault = self.faults(len(self.calls), kind, name)
            if fault == "before":
                raise StoreAwayError(f"memory: no answer to {kind} {name}")
            answer = done()
        if fault == "after":
            raise StoreAwayError(f"memory: no answer to {kind} {name}")
        if fault == "late":
            self._time.sleep(LATE)
        return answer
