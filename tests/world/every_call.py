"""Each call of a story to disk, SQLite, gateway and media host goes wrong once, in every way."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count

from world.play import play
from world.steps import Step
from world.stories import Story

WAYS = ("before", "after", "cut", "late", "killed", "power")
"""It fails before it did anything, or after it did; is cut; comes 50 s late; is the last one."""

_BUY = (("replay", False), ("retry", False), ("ceiling", None), ("flight", 4), ("wait", 4000.0))

TALE = Story(
    seed=12,
    machines=2,
    requests=3,
    disjoint=False,
    honours_keys=False,
    ratio=Decimal(1),
    names_amounts=True,
    trouble=0.0,
    budget=None,
    steps=(
        Step("buy", 0, 1, _BUY),
        Step("push", 0, 2),
        Step("pull", 1, 3, (("conflicts", "theirs"),)),
        Step("collect", 1, 4, (("wait", 4000.0),)),
        Step("edit", 1, 5, (("how", "reword"), ("which", 1))),
        Step("buy", 1, 6, _BUY),
    ),
)
"""One buys, a colleague collects, and buys what was changed since."""

_LOST = (
    Step("crash-at", 0, 1, (("calls", 1), ("of", "answer"), ("power", False))),
    Step("buy", 0, 2, _BUY),
    Step("wait", 0, 3, (("seconds", 600.0),)),
    Step("buy", 1, 4, _BUY),
    Step("buy", 2, 5, _BUY),
)
"""A machine dies as it is told a task id; two others find its claim."""

DECISIONS = ("adopt", "replay", "abandon", "rebuy")


def decided(first: str, second: str, *, wait: float = 4000.0) -> Story:
    """Somebody decides about a claim of a machine that is gone, and then somebody else does.

    `wait` is how many seconds later, if the first has not ended by then.
    """
    steps = (
        *_LOST,
        Step("resolve", 1, 6, (("decision", first), ("which", 0), ("wait", wait))),
        Step("resolve", 2, 7, (("decision", second), ("which", 0))),
        Step("buy", 1, 8, _BUY),
        Step("collect", 2, 9, (("wait", 4000.0),)),
    )
    return replace(TALE, machines=3, requests=1, store=True, steps=steps)


def calls_of_decision(tale: Story) -> range:
    """The calls of `decided` by which the first decision is made: after those of the opening."""
    begin, end = (play(replace(tale, steps=tale.steps[: len(_LOST) + n])).calls for n in (0, 1))
    return range((begin + end) // 2, end + 1)


def failures(
    tale: Story, way: str, calls: Iterable[int] | None = None
) -> Iterator[tuple[int, str]]:
    """What is violated when the n-th call goes wrong: each of these, or until there is none."""
    for number in calls or count(1):
        seen = play(tale, fail_at=(number, way))
        for text in seen.violations:
            yield number, text
        if number > seen.calls:
            return
