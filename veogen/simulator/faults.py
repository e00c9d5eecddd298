"""Faults on demand: what may go wrong, and whether it does so now."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any, Literal, TypeAlias


@lru_cache(maxsize=4096)
def words(text: str) -> frozenset[str]:
    """Letters and digits in a row, without regard to case."""
    return frozenset(re.findall(r"[^\W_]+", text.casefold()))


At: TypeAlias = Literal[
    "submit", "poll", "batch", "list", "credits", "models", "task", "download", "upload"
]
Body: TypeAlias = Literal["json", "html", "empty", "garbage"]

UNENDING = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry of a faults file; `scenario.GUIDE` says what each field means."""

    at: At
    do: str
    prompt: str = ""
    rate: float = 1.0
    times: int = UNENDING
    total: int = UNENDING
    skip: int = 0
    since: float = 0.0
    until: float = float("inf")
    status: int = 500
    code: str | int | None = None
    message: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    body: Body = "json"
    retry_after: int | None = None
    retry_after_date: int | None = None
    location: str | None = None
    taken: bool = False
    charged: bool = False
    seconds: float | None = None
    state: str = "transcoding"
    links: int = 0
    after: float = 0.5
    length: bool = True

    @property
    def name(self) -> str:
        return f"{self.at} {self.do}" + (f" {self.status}" if self.do == "answer" else "")


class Faults:
    """Decides by seed, so that one run of a test is like the next."""

    def __init__(
        self,
        faults: Iterable[Fault],
        seed: int,
        clock: Callable[[], float],
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._begin = begin
        self.happened: Counter[str] = Counter()
        self._seed = seed
        self._clock = clock
        self._begun: float | None = None
        self._by_place: dict[str, list[tuple[int, Fault]]] = {}
        for index, fault in enumerate(faults):
            self._by_place.setdefault(fault.at, []).append((index, fault))
        self._met: Counter[tuple[int, str]] = Counter()
        self._done: Counter[tuple[int, str]] = Counter()
        self._total: Counter[int] = Counter()

    def pick(
        self, at: At, text: str, identity: str, fits: Callable[[Fault], bool] = lambda _: True
    ) -> Fault | None:
        """The first fault that happens to `identity` at this place, now."""
        now = self._clock()
        if self._begun is None:
            self._begun = now
            self._begin()
        age = now - self._begun  # seconds since the first request that could meet a fault
        for index, fault in self._by_place.get(at, ()):
            meets = fits(fault) and words(fault.prompt) <= words(text)
            if not meets or not fault.since <= age < fault.until:
                continue
            mark = (index, identity)
            self._met[mark] += 1
            nth = self._met[mark]
            is_over = self._done[mark] >= fault.times or self._total[index] >= fault.total
            if nth <= fault.skip or is_over:
                continue
            if fault.rate < 1:
                chance = Random(f"{self._seed}/{index}/{identity}/{nth}")  # noqa: S311 - no secret
                if chance.random() >= fault.rate:
                    continue
            self._done[mark] += 1
            self._total[index] += 1
            self.happened[fault.name] += 1
            return fault
        return None
