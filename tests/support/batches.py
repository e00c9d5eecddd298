"""Whole batches of tasks that take as long as real ones, bought by the real scheduler at once."""

import heapq
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log
from pathlib import Path
from typing import TypeAlias

from support.sessions import World, plan
from support.sessions import request as city
from support.virtual import VirtualGateway
from veogen.errors import ExitCode
from veogen.executor.options import RunPolicy
from veogen.gateway.api import Accepted, ReadError, Task
from veogen.planner.identity import request_hash
from veogen.planner.plan import Plan, Request

Draw: TypeAlias = Callable[[random.Random], float]

LATENCY = 0.1
"""Of every answer in the virtual world."""


def even(chance: random.Random) -> float:
    return chance.lognormvariate(log(110), 0.3)


def two_kinds(chance: random.Random) -> float:
    quick = chance.random() < 0.6
    return chance.lognormvariate(log(70 if quick else 270), 0.15)


def slow_tail(chance: random.Random) -> float:
    return even(chance) * (chance.uniform(3, 8) if chance.random() < 0.05 else 1)


DISTRIBUTIONS: Mapping[str, tuple[Draw, float]] = {
    "log-normal": (even, 120),
    "two kinds": (two_kinds, 120),
    "a slow tail": (slow_tail, 120),
    "estimates a third of the truth": (even, 40),
}
"""How long tasks take, and what the gateway says they will, in seconds."""


@dataclass
class Realistic(VirtualGateway):
    """Tasks take what `durations` say, by the prompt; it counts reads and how late the last is."""

    durations: Mapping[str, float] = field(default_factory=dict)
    estimates: Mapping[str, float] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    done_at: dict[str, float] = field(default_factory=dict)
    lags: dict[str, float] = field(default_factory=dict)
    calls: int = 0

    def submit(self, body: bytes, key: str) -> Accepted:
        prompt = json.loads(body)["prompt"]
        self.taken.append(prompt)
        self.estimate = self.estimates[prompt]
        taken = self.take(key)
        self.done_at[taken.task_id] = self.clock.monotonic() + self.durations[prompt]
        return taken

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        self.calls += 1
        now = self.clock.monotonic()
        for task_id in task_ids:
            if now >= self.done_at[task_id]:
                self.lags.setdefault(task_id, now - self.done_at[task_id])
        return super().tasks(task_ids)

    def _task(self, task_id: str) -> Task | ReadError:
        self.takes = self.done_at[task_id] - self.born[task_id]
        return super()._task(task_id)

    def _in_flight(self) -> int:
        return 0


@dataclass(frozen=True)
class Took:
    """Seconds in all, and of the ideal list schedule; reads of tasks, calls, mean seconds late.

    `order` has the prompts as they were submitted.
    """

    makespan: float
    ideal: float
    reads: int
    calls: int
    lag: float
    order: Sequence[str]


def carried(
    folder: Path,
    wanted: Plan,
    durations: Mapping[str, float],
    estimates: Mapping[str, float],
    policy: RunPolicy,
) -> Took:
    """A plan carried out; `durations` and `estimates` are by prompt."""
    world = World(folder)
    gateway = world.gateway = Realistic(world.clock, durations=durations, estimates=estimates)
    outcome = world.run(wanted, policy)
    assert outcome.code == ExitCode.DONE
    return Took(
        makespan=world.clock.monotonic(),
        ideal=ideal([durations[prompt] for prompt in gateway.taken], policy),
        reads=len(gateway.read_ids),
        calls=gateway.calls,
        lag=sum(gateway.lags.values()) / len(gateway.lags),
        order=gateway.taken,
    )


def ideal(durations: Sequence[float], policy: RunPolicy) -> float:
    """The makespan of this order when every end is known at once."""
    slots = [0.0] * policy.max_in_flight
    pause = 60 / policy.submit_rate if policy.submit_rate else 0.0
    next_submit = 0.0
    for duration in durations:
        start = max(heapq.heappop(slots), next_submit)
        next_submit = start + pause
        heapq.heappush(slots, start + duration + 2 * LATENCY)
    return max(slots)


def every(seconds: float, durations: Sequence[float]) -> tuple[int, float]:
    """Reads in all and mean lag when each task is read at a fixed interval until it has ended."""
    looks = [ceil(duration / seconds) for duration in durations]
    late = sum(look * seconds - took for look, took in zip(looks, durations, strict=True))
    return sum(looks), late / len(durations)


def alike(count: int) -> Plan:
    """Requests of one kind."""
    return plan(*(city(str(number)) for number in range(count)))


def mixed(short: int, long: int) -> Plan:
    """Clips of four seconds, and behind them some of eight."""
    kinds = [4] * short + [8] * long
    return plan(*(_of(number, seconds) for number, seconds in enumerate(kinds)))


def _of(number: int, seconds: int) -> Request:
    found = city(str(number))
    body = {**found.body, "duration": seconds}
    return Request(
        address=found.address,
        hash=request_hash(body, 1),
        shot=found.shot,
        take=1,
        variables=found.variables,
        output=found.output,
        body=body,
        credits=found.credits,
        seconds=seconds,
        place=found.place,
    )
