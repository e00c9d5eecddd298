"""Stories: what people, machines and the network do, made from a seed; and shorter ones of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any

KINDS: dict[str, int] = {
    "buy": 12,
    "collect": 6,
    "resolve": 6,
    "wait": 6,
    "pull": 4,
    "push": 4,
    "crash": 4,
    "power": 1,
    "crash-at": 5,
    "interrupt": 2,
    "freeze": 1,
    "outage": 3,
    "edit": 2,
    "full": 1,
    "jump": 1,
    "lose-clips": 2,
    "cut-clip": 1,
    "keep-journal": 2,
    "old-journal": 2,
    "clone": 2,
    "remove-run": 1,
    "damage-log": 2,
    "store-away": 2,
    "lose-machine": 1,
    "hostile": 1,
}
"""What may happen next, and how often."""


STORES = 0.3
"""The share of worlds in which the machines have a store."""


HANDOVERS = 0.2
"""The share of stories in which one goes on where another died."""


@dataclass(frozen=True)
class Step:
    """One thing that happens: on which machine, and with what."""

    kind: str
    machine: int
    seed: int
    options: tuple[tuple[str, Any], ...] = ()

    def __getitem__(self, name: str) -> Any:
        return dict(self.options)[name]

    def __str__(self) -> str:
        words = " ".join(f"{name}={value}" for name, value in self.options)
        return f"{'abc'[self.machine]} {self.kind} {words}".rstrip()


@dataclass(frozen=True)
class Story:
    """A world and what happens in it; `disjoint`: each machine buys a part of its own."""

    seed: int
    machines: int
    requests: int
    disjoint: bool
    honours_keys: bool
    ratio: Decimal
    names_amounts: bool
    trouble: float
    budget: Decimal | None
    store: bool = False
    steps: tuple[Step, ...] = field(default=())

    def lines(self) -> Iterator[str]:
        keys = "honoured" if self.honours_keys else "ignored"
        how = "each its own part" if self.disjoint else "one buys at a time"
        how = "one store" if self.store else how
        yield (
            f"{self.machines} machines ({how}), {self.requests} requests, keys {keys}, "
            f"trouble {self.trouble}, ratio {self.ratio}, budget {self.budget}"
        )
        yield from (f"  {number}. {step}" for number, step in enumerate(self.steps, 1))


def story(seed: int) -> Story:
    """The story of a seed."""
    random = Random(seed)
    machines = random.choice((1, 2, 2, 2, 3))
    budget = random.choice((None, None, Decimal("38.016") * 8))
    store = random.random() < STORES
    return Story(
        seed=seed,
        machines=machines,
        requests=random.choice((1, 2, 3, 4, 5, 6, 12)),
        disjoint=machines > 1 and not store and random.random() < 0.4,
        store=store,
        honours_keys=random.random() < 0.3,
        ratio=Decimal(random.choice(("1", "1", "1", "2.63"))),
        names_amounts=random.random() < 0.8,
        trouble=random.choice((0.0, 0.05, 0.15, 0.35)),
        budget=budget,
        steps=_steps(random, machines),
    )


def _steps(random: Random, machines: int) -> tuple[Step, ...]:
    """Anything in any order, and now and then what people do one after the other."""
    steps = [_step(random, machines) for _ in range(random.randint(5, 24))]
    if random.random() < HANDOVERS:
        at = random.randint(0, len(steps))
        first, second = (random.randrange(machines) for _ in range(2))
        steps[at:at] = _handover(random, first, second)
    return tuple(steps)


def _handover(random: Random, first: int, second: int) -> list[Step]:
    """One buys to the end, another buys again what failed and dies; the first decides."""
    at_once = (("replay", False), ("ceiling", None), ("flight", 16))
    deaths = (Step("crash", second, 0), _of_kind("crash-at", random, second))
    return [
        Step("buy", first, random.randrange(2**30), (*at_once, ("retry", False), ("wait", 4000.0))),
        Step("buy", second, random.randrange(2**30), (*at_once, ("retry", True), ("wait", 0.5))),
        random.choice(deaths),
        *[_of_kind("resolve", random, first) for _ in range(2)],
    ]


def _step(random: Random, machines: int) -> Step:
    kind = random.choices(list(KINDS), list(KINDS.values()))[0]
    return _of_kind(kind, random, random.randrange(machines))


def _of_kind(kind: str, random: Random, machine: int) -> Step:
    options = {name: choose(random) for name, choose in OPTIONS.get(kind, {}).items()}
    return Step(kind, machine, random.randrange(2**30), tuple(options.items()))


def _of(*values: Any) -> Callable[[Random], Any]:
    return lambda random: random.choice(values)


def _rarely(share: float) -> Callable[[Random], bool]:
    return lambda random: random.random() < share


def _number(low: int, high: int) -> Callable[[Random], int]:
    return lambda random: random.randrange(low, high)


OPTIONS: Mapping[str, Mapping[str, Callable[[Random], Any]]] = {
    "buy": {
        "replay": _rarely(0.1),
        "retry": _rarely(0.1),
        "ceiling": _of(None, None, None, 2),
        "flight": _of(1, 4, 4, 16),
        "wait": _of(0.5, 5.0, 60.0, 4000.0, 4000.0),
    },
    "collect": {"wait": _of(0.5, 5.0, 4000.0, 4000.0)},
    "resolve": {
        "decision": _of("replay", "abandon", "adopt", "rebuy", "rebuy"),
        "which": _number(0, 6),
    },
    "wait": {"seconds": _of(1.0, 30.0, 600.0, 4000.0, 90_000.0)},
    "pull": {"conflicts": _of("theirs", "theirs", "markers")},
    "crash-at": {"calls": _number(1, 60), "power": _rarely(0.3)},
    "freeze": {"seconds": _of(5.0, 120.0, 4000.0)},
    "outage": {
        "how": _of("page", "lost-before", "quiet", "refused", "503"),
        "seconds": _of(3.0, 10.0, 30.0, 200.0),
        "posts": _rarely(0.5),
    },
    "edit": {"how": _of("add", "reword", "drop"), "which": _number(0, 6)},
    "full": {"seconds": _of(5.0, 60.0)},
    "jump": {"seconds": _of(-86_400.0, -60.0, 3600.0, 90_000.0)},
    "cut-clip": {"which": _number(0, 6), "how": _of("empty", "cut", "other")},
    "store-away": {"seconds": _of(5.0, 50.0, 300.0)},
    "damage-log": {"how": _of("delete", "cut", "flip")},
}
"""What is chosen of each step."""


def shrunk(failing: Story, fails: Callable[[Story], bool]) -> Story:
    """A shorter story that fails too: steps go while it does, then what is odd about its world."""
    failing = _with_fewer_steps(failing, fails)
    plainer: Sequence[Callable[[Story], Story]] = (
        lambda s: replace(s, trouble=0.0),
        lambda s: replace(s, ratio=Decimal(1)),
        lambda s: replace(s, names_amounts=True),
        lambda s: replace(s, budget=None),
        lambda s: replace(s, requests=1),
        lambda s: replace(s, honours_keys=False),
        lambda s: replace(s, disjoint=False),
        lambda s: replace(s, store=False),
    )
    for simpler in plainer:
        candidate = simpler(failing)
        if candidate != failing and fails(candidate):
            failing = candidate
    return _with_fewer_steps(failing, fails)


def _with_fewer_steps(failing: Story, fails: Callable[[Story], bool]) -> Story:
    size = max(1, len(failing.steps) // 2)
    while True:
        removed = False
        at = 0
        while at < len(failing.steps):
            steps = failing.steps[:at] + failing.steps[at + size :]
            candidate = replace(failing, steps=steps)
            if fails(candidate):
                failing, removed = candidate, True
            else:
                at += size
        if size == 1 and not removed:
            return failing
        size = max(1, size // 2)
