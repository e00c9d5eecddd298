"""Mends taken back, one at a time: how many seeds until the world finds the fault again.

`python -m tests.world.mends` prints a line for each. A mend keeps one row of the faults that were
found in use from coming back; it is taken back by a change of the running code, not of its files.
Found is what fails without the mend and holds with it. Last, from seed 0 on, after so many seeds:

    A1  93   A2   6   A3   5   A4   5   A5  12   A6  85   A7 113   A8  27   A9   7   A10   7
    B4   5   B5   1   B7   7
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

MOST = 2_000
"""Seeds within which each has to be found."""


class Mend(NamedTuple):
    """What is put in the place of what: names of modules with those of what is in them."""

    fault: str
    without: Mapping[str, Any]


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _none_of_them(*_: Any, **__: Any) -> Sequence[Any]:
    return ()


def _yes(*_: Any, **__: Any) -> bool:
    return True


def _no(*_: Any, **__: Any) -> bool:
    return False


def _kept_of_failed(event: Any, record: Any) -> bool:
    """A failure that is known here outweighs what others have bought since."""
    return bool(record.status not in ("failed", event.status))


def _without_record(attempt: Any, answer: Any, random: Any) -> Any:
    """What waits to be sent again is not on record as not sent."""
    step = _not_accepted(attempt, answer, random)
    return step._replace(events=()) if step.retry is not None else step


def _any_failure(account: Any, retries: int) -> bool:
    """Whoever submitted a task that failed, and whoever says so."""
    current = account.current
    return (
        current is not None
        and current.status == "failed"
        and current.error is not None
        and current.error.code in TEMPORARY
        and account.attempts <= retries
    )


TEMPORARY = import_module("veogen.results.facts").TEMPORARY

_not_accepted = vars(import_module("veogen.executor.transitions"))["_not_accepted"]

MENDS: Mapping[str, Mend] = {
    "A1": Mend(
        "a replay sends the bytes of an earlier attempt",
        {"veogen.results.record:Record.intent": property(lambda record: record.last_submit)},
    ),
    "A2": Mend(
        "a later attempt of another machine is no news",
        {"veogen.executor.reconcile:is_news": _kept_of_failed},
    ),
    "A3": Mend(
        "what a pull brings is overwritten",
        {
            "veogen.executor.state:RunState.take_in_results": _nothing,
            "veogen.executor.results_file:ResultsFile.changed": _nothing,
        },
    ),
    "A4": Mend(
        "a run buys on though its directory is gone",
        {"veogen.executor.state:RunState._is_in_place": _yes},
    ),
    "A5": Mend(
        "an older journal is taken for the whole truth",
        {"veogen.executor.journal_file:JournalFile.look": _nothing},
    ),
    "A6": Mend(
        "a line of a pull request makes a purchase",
        {"veogen.results.facts:Account.retries_left": _any_failure},
    ),
    "A7": Mend(
        "ceilings are judged by the price table",
        {
            "veogen.executor.ceilings:ReservedRatios.raised": lambda _, __, estimate: estimate,
            "veogen.executor.ceilings:ReservedRatios.may_send": _yes,
        },
    ),
    "A8": Mend(
        "an outage spends the plan",
        {"veogen.executor.breaker:_is_outage": _no},
    ),
    "A9": Mend(
        "a later look at a task's links counts alone",
        {"veogen.executor.transitions:all_links": lambda _, listed: tuple(listed)},
    ),
    "A10": Mend(
        "what waits after a 429 is held after a kill",
        {"veogen.executor.transitions:_not_accepted": _without_record},
    ),
    "B4": Mend(
        "a clip that was cut since is not fetched again",
        {"veogen.executor.reconcile:missing_clips": _none_of_them},
    ),
    "B5": Mend(
        "what is completed elsewhere is not brought",
        {
            "veogen.executor.run:Run._can_come": lambda _, record: (
                record.status in ("submitted", "undelivered")
            )
        },
    ),
    "B7": Mend(
        "parts stay for ever",
        {"veogen.executor.reconcile:remove_useless_parts": _nothing},
    ),
}


def take_back(patch: pytest.MonkeyPatch, mend: Mend) -> None:
    """Let the code be as it was without a mend, for as long as the patch lasts."""
    for place, value in mend.without.items():
        module, _, names = place.partition(":")
        *owners, name = names.split(".")
        owner: Any = import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        patch.setattr(owner, name, value)


def seeds_until_found(mend: Mend, most: int) -> tuple[int, str] | None:
    """How many seeds it takes until a story fails that holds with the mend, and how it fails."""
    play = import_module("world.play").play
    story = import_module("world.stories").story
    for seed in range(most):
        with pytest.MonkeyPatch.context() as patch:
            take_back(patch, mend)
            violations = play(story(seed)).violations
        if violations and not play(story(seed)).violations:
            return seed + 1, violations[0]
    return None


def main() -> None:
    """Say of each mend how many seeds it takes to miss it."""
    parser = argparse.ArgumentParser(prog="python -m tests.world.mends")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(MENDS)}; default: all")
    parser.add_argument("--most", type=int, default=MOST)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import_module("world.costs").keep_what_is_imported()
    for name in arguments.name or MENDS:
        found = seeds_until_found(MENDS[name], arguments.most)
        said = "not found" if found is None else f"{found[0]} seeds: {found[1]}"
        sys.stdout.write(f"{name} ({MENDS[name].fault}): {said}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
