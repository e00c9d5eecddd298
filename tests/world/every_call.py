"""Each call of a story to disk, SQLite, gateway and media host goes wrong once, in every way."""

from collections.abc import Iterator
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


def failures(tale: Story, way: str) -> Iterator[tuple[int, str]]:
    """What is violated when the n-th call goes wrong, for n = 1, 2, … until there is none."""
    for number in count(1):
        seen = play(tale, fail_at=(number, way))
        for text in seen.violations:
            yield number, text
        if number > seen.calls:
            return
