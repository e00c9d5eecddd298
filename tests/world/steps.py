"""What may happen in a story: its kinds, and what is chosen of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    "move-journal": 1,
    "damage-log": 2,
    "store-away": 2,
    "lose-machine": 1,
    "hostile": 1,
}
"""What may happen next, and how often."""


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


def any_step(random: Random, machines: int) -> Step:
    """Any of them."""
    kind = random.choices(list(KINDS), list(KINDS.values()))[0]
    return of_kind(kind, random, random.randrange(machines))


def of_kind(kind: str, random: Random, machine: int, **chosen: Any) -> Step:
    """A step on a machine; what is not chosen is chosen by lot."""
    options = {name: choose(random) for name, choose in OPTIONS.get(kind, {}).items()} | chosen
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
    "crash-at": {
        "calls": _number(1, 60),
        "of": _of(None, None, None, "answer", "chunk", "sqlite-done"),
        "power": _rarely(0.3),
    },
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
    "damage-log": {"how": _of("delete", "cut", "flip", "alone")},
    "move-journal": {"how": _of("journal", "lock")},
    "hostile": {"how": _of("submitted", "submitted", "planned", "twice", "shared")},
}
"""What is chosen of each step."""
