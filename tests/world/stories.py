"""Stories: what people, machines and the network do, made from a seed; and shorter ones of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from world.gateway import PRICE
from world.passages import PASSAGES
from world.steps import Step, any_step

STORES = 0.3
"""The share of worlds in which the machines have a store."""

PASSED = 0.5
"""The share of stories in which something happens as people, or machines, do it one by one."""


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
    requests = random.choice((1, 2, 3, 4, 5, 6, 12))
    store = random.random() < STORES
    plain = Story(
        seed=seed,
        machines=machines,
        requests=requests,
        disjoint=machines > 1 and not store and random.random() < 0.4,
        store=store,
        honours_keys=random.random() < 0.3,
        ratio=Decimal(random.choice(("1", "1", "1", "2.63"))),
        names_amounts=random.random() < 0.8,
        trouble=random.choice((0.0, 0.05, 0.15, 0.35)),
        budget=random.choice((None, None, budget_of(requests), budget_of(requests) * 2)),
        steps=tuple(any_step(random, machines) for _ in range(random.randint(5, 24))),
    )
    return _with_passage(plain, random) if random.random() < PASSED else plain


def budget_of(requests: int) -> Decimal:
    """What so many requests cost: every third makes two videos."""
    return PRICE * (requests + requests // 3)


def _with_passage(plain: Story, random: Random) -> Story:
    """What a passage takes is so from the beginning; it comes first, or somewhere."""
    passage = random.choice(PASSAGES)(random, plain.machines)
    machines = max(plain.machines, passage.machines)
    changed = replace(plain, machines=machines, **passage.world)
    if changed.budget is not None:
        changed = replace(changed, budget=budget_of(changed.requests))
    at = random.choice((0, random.randint(0, len(plain.steps))))
    steps = (*plain.steps[:at], *passage.steps, *plain.steps[at:])
    return replace(changed, steps=steps)


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
