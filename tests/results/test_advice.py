"""What people are told to type: exact commands, quoted for a shell."""

from dataclasses import replace
from decimal import Decimal

import pytest

from veogen.planner.plan import Request
from veogen.results.advice import (
    NextStep,
    RunCommands,
    advice,
    at_stake,
    doubt,
    duration_text,
    life,
    next_steps,
    reason,
)
from veogen.results.events import Status
from veogen.results.facts import Failure, Purchase
from veogen.results.ledger import Ledger, RequestState
from veogen.results.record import Record

NOW = 1_000_000.0
HOUR = 3600.0
NAMES = RunCommands("runs/a b", ("specs/trip.yaml", "--profile", "draft"))


def standing(
    status: Status, code: str | None = None, message: str = "", **fields: object
) -> RequestState:
    entry = Request(
        address="opening[city=Oslo]",
        hash="a" * 64,
        shot="opening",
        take=1,
        variables={"city": "Oslo"},
        output="x",
        body={},
        credits=Decimal("38.016"),
    )
    error = None if code is None else Failure(code, message)
    return RequestState(entry, Record(hash=entry.hash, status=status, error=error, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "steps"),
    [
        pytest.param(standing("planned"), [], id="planned"),
        pytest.param(standing("submitted"), [], id="submitted"),
        pytest.param(standing("completed"), [], id="completed"),
        pytest.param(
            standing("failed", "content_filter"),
            ["veogen run specs/trip.yaml --profile draft"],
            id="failed for its content",
        ),
        pytest.param(
            standing("failed", "service_error"),
            ["veogen run specs/trip.yaml --profile draft --retry-failed"],
            id="failed for a passing reason",
        ),
        pytest.param(
            standing("failed", "abandoned"),
            ["veogen resolve 'runs/a b' --rebuy 'opening[city=Oslo]'"],
            id="abandoned",
        ),
        pytest.param(
            standing("indeterminate", "lost"),
            [
                "veogen resolve 'runs/a b' --adopt 'opening[city=Oslo]=TASK_ID'",
                "veogen resolve 'runs/a b' --replay 'opening[city=Oslo]'",
                "veogen resolve 'runs/a b' --abandon 'opening[city=Oslo]'",
            ],
            id="in doubt",
        ),
        pytest.param(
            standing("undelivered", "truncated", made_at=NOW - HOUR),
            ["veogen collect 'runs/a b'"],
            id="undelivered",
        ),
        pytest.param(
            standing("undelivered", "truncated", made_at=NOW - 25 * HOUR),
            ["veogen resolve 'runs/a b' --rebuy 'opening[city=Oslo]'"],
            id="undelivered and expired",
        ),
    ],
)
def test_every_state_has_its_commands(one: RequestState, steps: list[str]) -> None:
    assert [step.command for step in advice(one, NAMES, NOW)] == steps


def test_what_left_the_plan_is_named_by_its_hash() -> None:
    held, ledger = standing("indeterminate", "lost"), Ledger("trip")
    name = ledger.name_of(held)

    assert name == held.record.hash[:10]
    assert [step.command for step in advice(held, NAMES, NOW, name)] == [
        f"veogen resolve 'runs/a b' --adopt {name}=TASK_ID",
        f"veogen resolve 'runs/a b' --replay {name}",
        f"veogen resolve 'runs/a b' --abandon {name}",
    ]


def test_what_comes_next_is_told_once_for_the_whole_run() -> None:
    found = [
        standing("planned"),
        standing("planned"),
        standing("submitted"),
        standing("undelivered", "truncated", made_at=NOW - 25 * HOUR),
        standing("failed", "content_filter"),
        standing("failed", "strange"),
        standing("indeterminate", "lost"),
    ]

    assert list(next_steps(found, NAMES, NOW)) == [
        NextStep("veogen collect 'runs/a b'", "brings home what was bought (1)"),
        NextStep(
            "veogen resolve 'runs/a b' --rebuy 'opening[city=Oslo]'",
            "its link has died: this pays once more",
        ),
        NextStep(NAMES.buy, "buys 2 requests for about 76.032 credits"),
        NextStep(NAMES.buy, "after an edit of 1 request that cannot be made as it is"),
        NextStep(NAMES.retry, "buys again what failed, as it is"),
    ]


def test_what_a_fresh_clone_would_buy_is_not_called_free() -> None:
    planned = standing("planned")
    unpriced = RequestState(replace(planned.request, credits=None), planned.record)

    assert list(next_steps([planned, unpriced], NAMES, NOW)) == [
        NextStep(NAMES.buy, "buys 2 requests")
    ]


def test_no_command_names_a_thousand_dead_links() -> None:
    dead = standing("undelivered", "truncated", made_at=NOW - 25 * HOUR)

    assert list(next_steps([dead] * 11, NAMES, NOW)) == [
        NextStep(
            "veogen resolve 'runs/a b' --rebuy ADDRESS",
            "the links of 11 have died: this pays once more, for those you name",
        )
    ]


def test_nothing_comes_next_when_nothing_is_open_and_nothing_is_there() -> None:
    assert list(next_steps([], NAMES, NOW)) == []


@pytest.mark.parametrize(
    ("one", "text"),
    [
        pytest.param(standing("failed", "no", "it broke"), "it broke (no)", id="both"),
        pytest.param(standing("failed", "no"), "no", id="a code alone"),
        pytest.param(standing("completed"), "", id="none"),
    ],
)
def test_a_reason_is_a_message_and_a_code(one: RequestState, text: str) -> None:
    assert reason(one.record) == text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        pytest.param(
            Decimal("38.016"),
            "it may have cost 38.016 credits",
            id="the estimate",
        ),
        pytest.param(
            None,
            "it may have cost an amount that is not known",
            id="an unknown price",
        ),
    ],
)
def test_what_is_in_doubt_may_have_cost_something(estimate: Decimal | None, text: str) -> None:
    held = Purchase(1, None, "indeterminate", estimate=estimate)
    assert at_stake(standing("indeterminate", attempts=1, current=held).record) == text


@pytest.mark.parametrize(
    ("one", "text"),
    [
        pytest.param(
            standing("undelivered", made_at=NOW - 20 * HOUR),
            "its link lives for 4 h more",
            id="alive",
        ),
        pytest.param(
            standing("undelivered", made_at=NOW - 24 * HOUR), "its link has died", id="dead"
        ),
        pytest.param(standing("undelivered"), "links live for 24 hours", id="of unknown age"),
        pytest.param(
            standing("undelivered", "link-expired", made_at=NOW),
            "the gateway may have another link",
            id="dead before its time",
        ),
        pytest.param(
            standing("undelivered", "no-links", made_at=NOW),
            "the gateway may name its links later",
            id="none was named",
        ),
    ],
)
def test_a_link_has_a_life(one: RequestState, text: str) -> None:
    assert life(one.record, NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.2, "1 s", id="a moment"),
        pytest.param(59, "59 s", id="seconds"),
        pytest.param(60, "1 min", id="a minute"),
        pytest.param(HOUR, "1 h", id="an hour"),
        pytest.param(HOUR + 61, "1 h 1 min", id="hours and minutes"),
        pytest.param(26 * HOUR, "1 day", id="a day"),
        pytest.param(60 * HOUR, "2 days", id="days"),
    ],
)
def test_time_is_told_as_people_say_it(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        pytest.param(
            "connection", "connection; it may have cost 38.016 credits", id="with a reason"
        ),
        pytest.param(
            None,
            "nobody knows whether it was accepted; it may have cost 38.016 credits",
            id="another machine's, without one",
        ),
    ],
)
def test_what_is_held_says_why_and_what_is_at_stake(code: str | None, text: str) -> None:
    held = Purchase(1, None, "indeterminate", estimate=Decimal("38.016"))

    assert doubt(standing("indeterminate", code, attempts=1, current=held).record) == text
