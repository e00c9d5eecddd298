"""What people and machines do one after the other, and the world in which it can go wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from types import MappingProxyType
from typing import Any, TypeAlias

from world.steps import Step, of_kind


@dataclass(frozen=True)
class Passage:
    """Steps; how many machines they take at least, and what else of the world they need."""

    steps: Sequence[Step]
    machines: int = 1
    world: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


Maker: TypeAlias = Callable[[Random, int], Passage]

_PLAIN = {"replay": False, "retry": False, "ceiling": None}
_TO_ITS_END = {**_PLAIN, "wait": 4000.0}


def _handover(random: Random, machines: int) -> Passage:
    """One buys to the end, another buys again what failed and dies; the first decides."""
    machines = max(machines, 2)
    first, second = random.sample(range(machines), 2)
    deaths = (Step("crash", second, 0), of_kind("crash-at", random, second))
    return Passage(
        (
            of_kind("buy", random, first, **_TO_ITS_END, flight=16),
            of_kind("buy", random, second, **{**_PLAIN, "retry": True}, flight=16, wait=0.5),
            random.choice(deaths),
            of_kind("resolve", random, first, decision="replay"),
            of_kind("resolve", random, first),
        ),
        machines=2,
        world={"disjoint": False, "store": False, "requests": random.choice((6, 12))},
    )


def _pull_in_a_run(random: Random, machines: int) -> Passage:
    """A colleague's purchases come with a pull while a run is on, which writes after that."""
    machines = max(machines, 2)
    first, second = random.sample(range(machines), 2)
    return Passage(
        (
            of_kind("buy", random, first, **_PLAIN, flight=1, wait=random.choice((0.5, 5.0))),
            of_kind("buy", random, second, **_PLAIN, wait=random.choice((5.0, 60.0))),
            of_kind("push", random, second),
            of_kind("pull", random, first),
            of_kind("wait", random, first, seconds=random.choice((10.0, 60.0, 600.0))),
            of_kind("push", random, first),
        ),
        machines=2,
        world={"disjoint": True, "store": False, "requests": random.choice((6, 12))},
    )


def _gone(random: Random, machines: int) -> Passage:
    """Somebody cleans up while a run is on."""
    machine = random.randrange(machines)
    wait = random.choice((0.5, 2.0, 5.0))
    return Passage(
        (
            of_kind("buy", random, machine, **_PLAIN, flight=random.choice((1, 4)), wait=wait),
            of_kind(random.choice(("remove-run", "move-journal")), random, machine),
        ),
        world={"requests": 12},
    )


def _damaged(random: Random, machines: int) -> Passage:
    """A run is killed when the results tell of nothing yet, and its log is harmed."""
    machine = random.randrange(machines)
    wait = random.choice((0.5, 1.5, 2.5, 5.0))
    return Passage(
        (
            of_kind("buy", random, machine, **_PLAIN, flight=random.choice((4, 16)), wait=wait),
            of_kind("crash", random, machine),
            of_kind("damage-log", random, machine),
        ),
        world={"requests": random.choice((3, 6, 12))},
    )


def _storm(random: Random, machines: int) -> Passage:
    """The gateway is out when many are to be bought, or while they are."""
    machine = random.randrange(machines)
    how, seconds = random.choice(("page", "lost-before", "quiet")), random.choice((30.0, 200.0))
    outage = of_kind("outage", random, machine, how=how, seconds=seconds)
    flight = random.choice((1, 4, 16))
    before = of_kind("buy", random, machine, **_PLAIN, flight=flight, wait=0.5)
    after = of_kind("buy", random, machine, **_TO_ITS_END, flight=flight)
    return Passage(
        random.choice(((outage, after), (before, outage, after))), world={"requests": 15}
    )


def _dear(random: Random, machines: int) -> Passage:
    """The gateway reserves more than the table says, where money has a limit."""
    machine = random.randrange(machines)
    ceiling = random.choice((None, 2, 8))
    buy = {**_TO_ITS_END, "ceiling": ceiling}
    return Passage(
        (of_kind("buy", random, machine, **buy, flight=random.choice((1, 4, 16))),),
        world={
            "requests": 12,
            "ratio": Decimal(random.choice(("1.5", "2.63"))),
            "names_amounts": True,
            "budget": Decimal(1) if ceiling is None else None,
            "disjoint": False,
        },
    )


def _cut_download(random: Random, machines: int) -> Passage:
    """A run dies in the middle of a clip, of which the link dies, or which comes otherwise."""
    machine = random.randrange(machines)
    rest = (
        (of_kind("wait", random, machine, seconds=90_000.0),),
        (of_kind("push", random, machine), of_kind("collect", random, 0, wait=4000.0)),
        (of_kind("edit", random, machine, how="reword"),),
        (),
    )
    return Passage(
        (
            of_kind("crash-at", random, machine, calls=random.randint(1, 4), of="chunk"),
            of_kind("buy", random, machine, **_TO_ITS_END),
            *random.choice(rest),
        )
    )


def _believed(random: Random, machines: int) -> Passage:
    """Some are refused and some in doubt; then a pull request says otherwise."""
    machine = random.randrange(machines)
    return Passage(
        (
            of_kind("buy", random, machine, **_TO_ITS_END),
            of_kind("hostile", random, random.randrange(machines)),
            of_kind("buy", random, machine, **_TO_ITS_END),
        ),
        world={"store": False, "disjoint": False, "trouble": 0.35, "requests": 6},
    )


PASSAGES: Sequence[Maker] = (
    _handover,
    _handover,
    _pull_in_a_run,
    _gone,
    _damaged,
    _storm,
    _dear,
    _cut_download,
    _believed,
)
"""Each as often as it stands here."""
