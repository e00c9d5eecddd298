"""What the gateway named is compared with what was estimated, request by request and in sum."""

from decimal import Decimal

import pytest

from veogen.planner.plan import Request
from veogen.results.facts import Failure, RequestFacts, TaskFacts
from veogen.results.ledger import Charge, ChargeTotals, RequestState, charge_of, difference_notes
from veogen.results.record import Record

NOTHING = Decimal(0)


def credits_of(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def state(
    estimate: float | None,
    reserved: float | None = None,
    charged: float | None = None,
    **task: object,
) -> RequestState:
    """A request with one task, of which the gateway named these amounts."""
    facts = TaskFacts("task-1", 1, reserved=credits_of(reserved), charged=credits_of(charged))
    for name, value in task.items():
        setattr(facts, name, value)
    request = Request(
        address="boat",
        hash="a" * 64,
        shot="boat",
        take=1,
        variables={},
        output="x",
        body={},
        credits=credits_of(estimate),
    )
    record = Record(
        request.hash, facts.status, task_id="task-1", facts=RequestFacts(tasks=(facts,))
    )
    return RequestState(request, record)


def test_of_a_request_that_was_never_sent_the_estimate_alone_is_known() -> None:
    unsent = state(16)._replace(record=Record("a" * 64))

    assert charge_of(unsent) == Charge(Decimal(16), None, None)


@pytest.mark.parametrize(
    ("bought", "charge"),
    [
        pytest.param(state(16), Charge(Decimal(16), None, None), id="without an amount"),
        pytest.param(state(16, 17), Charge(Decimal(16), Decimal(17), None), id="reserved"),
        pytest.param(
            state(16, 17, 18), Charge(Decimal(16), Decimal(17), Decimal(18)), id="charged"
        ),
        pytest.param(
            state(16, 17, 18, failed=Failure("lost", "no")),
            Charge(Decimal(16), Decimal(17), None),
            id="a task that failed is not charged",
        ),
        pytest.param(state(None, 17), Charge(None, Decimal(17), None), id="without an estimate"),
    ],
)
def test_the_amounts_of_a_request_are_those_of_its_task(
    bought: RequestState, charge: Charge
) -> None:
    assert charge_of(bought) == charge


@pytest.mark.parametrize(
    ("charge", "differs"),
    [
        pytest.param((16, None, None), False, id="nothing is named"),
        pytest.param((16, 16, 16), False, id="the estimate is named"),
        pytest.param((16, 17, None), True, id="more is reserved"),
        pytest.param((16, 16, 15), True, id="less is charged"),
        pytest.param((None, 16, None), False, id="there was no estimate"),
        pytest.param((None, None, None), False, id="nothing at all is known"),
    ],
)
def test_a_charge_differs_where_any_named_amount_is_not_the_estimate_that_there_was(
    charge: tuple[float | None, ...], differs: bool
) -> None:
    assert Charge(*map(credits_of, charge)).differs is differs


def test_each_sum_stands_beside_the_estimates_of_those_that_it_is_of() -> None:
    amounts = [(16, 17, 18), (16, 20, None), (32, None, None), (None, 5, 5)]

    totals = ChargeTotals.of(Charge(*map(credits_of, charge)) for charge in amounts)

    assert totals == ChargeTotals(
        requests=3,
        estimate=Decimal(64),
        reserved=Decimal(37),
        reserved_estimate=Decimal(32),
        charged=Decimal(18),
        charged_estimate=Decimal(16),
    )


def test_of_nothing_the_sums_are_nothing() -> None:
    assert ChargeTotals.of([]) == ChargeTotals(0, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)


@pytest.mark.parametrize(
    ("bought", "notes"),
    [
        pytest.param([], [], id="nothing was bought"),
        pytest.param([state(16, 16, 16), state(16)], [], id="as estimated"),
        pytest.param(
            [state(16, 24)],
            ["reserved 24.000 where 16.000 were estimated, 1.50 times as much"],
            id="more is reserved",
        ),
        pytest.param(
            [state(16, 16, 8)],
            ["charged 8.000 where 16.000 were estimated, 0.50 times as much"],
            id="less is charged than was reserved",
        ),
        pytest.param(
            [state(16, 24, 24), state(16, 16)],
            [
                "reserved 40.000 where 32.000 were estimated, 1.25 times as much",
                "charged 24.000 where 16.000 were estimated, 1.50 times as much",
            ],
            id="both",
        ),
        pytest.param(
            [state(0, 24)], ["reserved 24.000 where 0.000 were estimated"], id="it was to be free"
        ),
        pytest.param(
            [state(16, 17), state(16, 15), state(16, 16)],
            ["2 requests at another amount than was estimated, the same in all"],
            id="the differences make each other up",
        ),
        pytest.param([state(None, 17)], [], id="what had no estimate differs from none"),
    ],
)
def test_where_amounts_differ_it_is_said_in_sums(
    bought: list[RequestState], notes: list[str]
) -> None:
    assert list(difference_notes(bought)) == notes
