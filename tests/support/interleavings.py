"""Every order in which the steps of several processes can come, tried once for each state.

A process is a generator: it yields a step (a function of the world that may change it) and gets
the answer. What it does next depends on the answers alone, so the world and all the answers so far
are the whole state, and one that was seen is not tried again.
"""

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeAlias


class World(Protocol):
    """What the processes share."""

    def state(self) -> Hashable:
        """Equal for worlds that are equal."""
        ...

    def copy(self) -> Self:
        """Another one that is equal, and changes by itself."""
        ...


@dataclass(frozen=True)
class Step:
    """One indivisible step: `do(world)` for each way in which it can go.

    A call whose answer can be lost has several: it was done and answered, done and not answered,
    neither.
    """

    ways: tuple[Callable[[Any], Hashable], ...]


Process: TypeAlias = Generator[Step, Any, None]


@dataclass
class _Moment:
    world: Any
    answers: tuple[tuple[Hashable, ...], ...]
    crashes: int
    trail: tuple[str, ...] = field(default=(), compare=False)


def explore(
    world: World,
    processes: Sequence[Callable[[], Process]],
    check: Callable[[Any, tuple[str, ...]], None],
    *,
    crashes: int = 0,
) -> int:
    """Call `check(world, trail)` after every step of every interleaving; how many states it saw.

    At most `crashes` processes stop for good between two of their steps.
    """
    seen: set[Hashable] = set()
    todo = [_Moment(world, ((),) * len(processes), crashes)]
    while todo:
        moment = todo.pop()
        state = (moment.world.state(), moment.answers, moment.crashes)
        if state in seen:
            continue
        seen.add(state)
        check(moment.world, moment.trail)
        todo.extend(_after(moment, processes))
    return len(seen)


_OVER: tuple[Hashable, ...] = ("over",)
"""In place of the answers of a process that has ended or crashed: what it knew is gone."""


def _after(moment: _Moment, processes: Sequence[Callable[[], Process]]) -> Iterator[_Moment]:
    for index, process in enumerate(processes):
        answers = moment.answers[index]
        step = _next(process, answers)
        if step is None:
            continue
        for number, way in enumerate(step.ways):
            world = moment.world.copy()
            answer = way(world)
            line = f"{index}: {way.__name__} {number} -> {answer!r}"
            after = (*answers, answer)
            after = _OVER if _next(process, after) is None else after
            yield _moved(moment, index, world, after, moment.crashes, line)
        if moment.crashes:
            line = f"{index}: crashes"
            yield _moved(moment, index, moment.world, _OVER, moment.crashes - 1, line)


def _moved(
    moment: _Moment,
    index: int,
    world: Any,
    answers: tuple[Hashable, ...],
    crashes: int,
    line: str,
) -> _Moment:
    everybody = (*moment.answers[:index], answers, *moment.answers[index + 1 :])
    return _Moment(world, everybody, crashes, (*moment.trail, line))


def _next(process: Callable[[], Process], answers: tuple[Hashable, ...]) -> Step | None:
    """The step that a process takes after these answers; None once it has ended."""
    if answers == _OVER:
        return None
    running = process()
    try:
        step = next(running)
        for answer in answers:
            step = running.send(answer)
    except StopIteration:
        return None
    return step
