"""Ceilings are judged by what is really reserved."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from support.virtual import NoUploads, request, run_state

from veogen.executor.ceilings import ReservedRatios, SpendingLimit, money_notes
from veogen.executor.options import RunPolicy
from veogen.executor.others import Afford
from veogen.executor.state import RunState
from veogen.executor.submit_queue import DelayQueue
from veogen.executor.transitions import SubmitAttempt
from veogen.executor.uploads import UploadQueue
from veogen.planner.plan import Request
from veogen.results.events import (
    Event,
    RequestAbandoned,
    SubmitFailed,
    SubmitIntended,
    TaskAdopted,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
)
from veogen.results.ledger import Ledger

FAST, PRO = "veo-fast", "veo-pro"
PRICE = Decimal("38.016")


@pytest.mark.parametrize(
    ("seen", "raised"),
    [
        pytest.param([], "38.016", id="nothing was seen"),
        pytest.param(["100"], "100.000", id="it reserves more than we think"),
        pytest.param(["100", "40"], "100.000", id="the largest counts"),
        pytest.param(["20"], "38.016", id="never lowered"),
    ],
)
def test_an_estimate_is_raised_by_the_largest_ratio_of_its_model(
    seen: list[str], raised: str
) -> None:
    ratios = ReservedRatios()
    for amount in seen:
        ratios.observe(FAST, PRICE, Decimal(amount))

    assert ratios.raised(FAST, PRICE) == Decimal(raised)
    assert ratios.raised(FAST, 2 * PRICE) >= 2 * PRICE
    assert ratios.raised(PRO, PRICE) == PRICE, "of another model nothing was seen"


def test_a_raised_estimate_is_never_less_than_what_is_reserved() -> None:
    ratios = ReservedRatios()
    ratios.observe(FAST, Decimal(3), Decimal(10))

    assert ratios.raised(FAST, Decimal(3)) >= Decimal(10)
    assert ratios.raised(FAST, Decimal(1)) == Decimal("3.334")


@pytest.mark.parametrize("reserved", [Decimal(100), None], ids=["an amount", "no amount, or held"])
def test_the_second_of_a_kind_waits_for_the_first(reserved: Decimal | None) -> None:
    ratios = ReservedRatios()
    assert ratios.may_send(FAST, PRICE)

    ratios.sent(FAST, PRICE, "first")
    assert not ratios.may_send(FAST, PRICE)
    assert ratios.may_send(FAST, 2 * PRICE), "another estimate"
    assert ratios.may_send(PRO, PRICE), "another model"
    ratios.answered(FAST, PRICE, "another")
    assert not ratios.may_send(FAST, PRICE)

    assert not ratios.is_answered(FAST, PRICE)

    ratios.answered(FAST, PRICE, "first", reserved)
    assert ratios.may_send(FAST, PRICE)
    assert ratios.is_answered(FAST, PRICE)
    assert ratios.raised(FAST, PRICE) == (PRICE if reserved is None else Decimal("100.000"))


@pytest.mark.parametrize("estimate", [Decimal(0), None], ids=["to be free", "unknown"])
def test_what_had_no_price_says_nothing_of_other_estimates(estimate: Decimal | None) -> None:
    ratios = ReservedRatios()
    ratios.observe(FAST, estimate or Decimal(0), Decimal(5))
    ratios.sent(FAST, estimate, "free")
    ratios.answered(FAST, estimate, "free", Decimal(5))

    assert ratios.raised(FAST, PRICE) == PRICE


@pytest.mark.parametrize(
    ("estimate", "reserved"),
    [
        pytest.param("37.3674", "37.3674", id="as the price says, to the fourth place"),
        pytest.param("0.5", "0.75", id="less than a credit"),
    ],
)
def test_small_amounts_are_learned_from_and_none_is_rounded_without_need(
    estimate: str, reserved: str
) -> None:
    ratios = ReservedRatios()
    ratios.observe(FAST, Decimal(estimate), Decimal(reserved))

    assert ratios.raised(FAST, Decimal(estimate)) == Decimal(reserved)


OSLO, PARIS, ROME = (
    request(city, credits_=Decimal(credits_))
    for city, credits_ in (("Oslo", 10), ("Paris", 20), ("Rome", 40))
)
EARLIER = request("Bergen", credits_=Decimal(5))
NEXT = "city[name=Rome] (40 credits)"


def intent(of: Request, attempt: int = 1, estimate: Decimal | None = None) -> SubmitIntended:
    key = f"veogen-{attempt}-{of.hash}"
    return SubmitIntended(of.hash, attempt, key, "{}", estimate or of.credits, 10.0)


def attempt(of: Request, **more: Any) -> SubmitAttempt:
    return SubmitAttempt(intent=intent(of), **more)


def reserves(of: Request, amount: int, number: int = 1) -> list[Event]:
    task = f"{of.variables['name']}-{number}"
    return [
        intent(of, number),
        TaskCreated(of.hash, number, task, Decimal(amount), 20.0),
    ]


class Till:
    """A run that is about to buy Rome, with what was bought before and is under way beside it."""

    def __init__(self, state: RunState) -> None:
        self.state, self.ledger = state, state.ledger
        self.posting: dict[str, SubmitAttempt] = {}
        self.resends: DelayQueue[SubmitAttempt] = DelayQueue()
        self.uploads = UploadQueue(self.state, NoUploads(), lambda: 1.0, self.start)
        self.started: list[object] = []
        self.limit = SpendingLimit(self.state, self.posting, self.resends, self.uploads, self.start)

    def start(self, call: Callable[[], object]) -> None:
        self.started.append(call)

    def happens(self, *events: Event) -> None:
        for event in events:
            self.ledger.apply(event)

    def bought_before(self, *events: Event) -> None:
        """By an earlier run of this directory."""
        self.happens(*events)
        self.state.spent_before = self.ledger.spent

    def posts(self, of: Request) -> None:
        self.happens(intent(of))
        self.posting[of.hash] = attempt(of)

    def ends(self, policy: RunPolicy, pending: Sequence[SubmitAttempt] = ()) -> tuple[str, str]:
        """Whether Rome is bought, is to wait, or the run stops, and the words of that."""
        self.state.policy = policy
        if self.limit.affords(ROME.hash, pending):
            return "waits" if self.limit.waits else "bought", ""
        if self.state.stop is None:
            return "waits" if self.limit.waits else "neither", ""
        assert self.state.stop.kind == "money"
        return "stops", self.state.stop.message


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with run_state(tmp_path / "trip", [OSLO, PARIS, ROME], [EARLIER]) as state:
        yield Till(state)


def ceiling(amount: str, **more: Any) -> RunPolicy:
    return RunPolicy(max_credits=Decimal(amount), **more)


def budget(amount: str, **more: Any) -> RunPolicy:
    return RunPolicy(budget=Decimal(amount), **more)


@pytest.mark.parametrize(
    ("policy", "end"),
    [
        pytest.param(RunPolicy(), ("bought", ""), id="no limit"),
        pytest.param(ceiling("60"), ("bought", ""), id="the ceiling to the last credit"),
        pytest.param(
            ceiling("59.999"),
            ("stops", f"--max-credits 59.999 would be passed by {NEXT}"),
            id="a thousandth beyond the ceiling",
        ),
        pytest.param(budget("160"), ("bought", ""), id="the budget to the last credit"),
        pytest.param(
            budget("159.999"),
            ("stops", f"the budget of 159.999 credits would be passed by {NEXT}"),
            id="a thousandth beyond the budget",
        ),
        pytest.param(
            ceiling("60", budget=Decimal(159)),
            ("stops", f"the budget of 159 credits would be passed by {NEXT}"),
            id="within the ceiling, beyond the budget",
        ),
        pytest.param(
            ceiling("59", budget=Decimal(160)),
            ("stops", f"--max-credits 59 would be passed by {NEXT}"),
            id="within the budget, beyond the ceiling",
        ),
    ],
)
def test_a_ceiling_counts_what_this_command_spent_and_a_budget_all(
    till: Till, policy: RunPolicy, end: tuple[str, str]
) -> None:
    till.bought_before(*reserves(EARLIER, 100))
    till.happens(*reserves(OSLO, 20))

    assert till.ends(policy) == end


@dataclass
class Beside:
    """What is under way, and what it and Rome come to together."""

    come_to: str
    posting: list[Request] = field(default_factory=list)
    resends: list[Request] = field(default_factory=list)
    replays: list[Request] = field(default_factory=list)
    uploads: list[Request] = field(default_factory=list)
    pending: list[Request] = field(default_factory=list)
    ratio: int = 1


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(Beside("50", posting=[OSLO]), id="on the wire"),
        pytest.param(
            Beside("100", posting=[OSLO], ratio=2), id="on the wire, reserved at twice as much"
        ),
        pytest.param(Beside("50", resends=[OSLO]), id="to be sent again"),
        pytest.param(
            Beside("100", resends=[OSLO], ratio=2), id="to be sent again, at twice as much"
        ),
        pytest.param(Beside("50", replays=[OSLO]), id="in doubt: it counts already"),
        pytest.param(Beside("60", uploads=[PARIS]), id="images on their way"),
        pytest.param(Beside("50", pending=[OSLO]), id="about to be sent"),
        pytest.param(Beside("100", pending=[OSLO], ratio=2), id="about to be, at twice as much"),
        pytest.param(
            Beside("70", posting=[OSLO], pending=[PARIS]), id="on the wire and about to be sent"
        ),
    ],
)
def test_what_is_under_way_counts_once_and_is_waited_for(till: Till, beside: Beside) -> None:
    if beside.ratio > 1:
        till.bought_before(*reserves(EARLIER, beside.ratio * 5))
        till.state.policy = ceiling("1")
        till.limit.observe()
    for of in beside.posting:
        till.posts(of)
    for of in beside.resends:
        failed = SubmitFailed(of.hash, 1, "429", "slow down", 10.0, resend=True)
        till.happens(intent(of), failed)
        till.resends.put(60.0, attempt(of))
    for of in beside.replays:
        till.happens(intent(of))
        till.resends.put(60.0, attempt(of, maybe_accepted=True))
    for of in beside.uploads:
        till.uploads.begin(of)
    pending = [attempt(of) for of in beside.pending]

    most = Decimal(beside.come_to)
    assert till.ends(ceiling(f"{most}"), pending) == ("bought", "")
    assert till.ends(ceiling(f"{most - 1}"), pending) == ("waits", "")

    till.limit.go_on()
    assert not till.limit.waits


def test_a_replay_whose_price_nobody_knew_counts_as_nothing(till: Till) -> None:
    unpriced = structs.replace(intent(OSLO), estimate=None)
    till.happens(unpriced)
    till.posting[OSLO.hash] = SubmitAttempt(intent=unpriced, maybe_accepted=True)

    assert till.ends(ceiling("40")) == ("bought", "")
    assert till.ends(ceiling("39")) == ("waits", "")


def test_the_second_of_a_kind_waits_for_the_answer_to_the_first(till: Till) -> None:
    first = SubmitAttempt(intent=intent(OSLO, estimate=ROME.credits))
    roomy = ceiling("1000")

    assert till.ends(roomy, [first]) == ("waits", "")
    till.limit.go_on()
    till.limit.sent(OSLO.hash, ROME.credits)
    assert till.ends(roomy) == ("waits", "")
    till.limit.go_on()
    till.limit.answered(OSLO.hash, ROME.credits, None)
    assert till.ends(roomy, [first]) == ("bought", "")


def test_what_the_first_of_a_kind_reserves_is_expected_of_the_second(till: Till) -> None:
    till.limit.sent(OSLO.hash, ROME.credits)
    till.limit.answered(OSLO.hash, ROME.credits, Decimal(60))

    assert till.ends(ceiling("60")) == ("bought", "")
    assert till.ends(ceiling("59")) == (
        "stops",
        "--max-credits 59 would be passed by city[name=Rome] (60.000 credits)",
    )


@pytest.mark.parametrize(
    ("events", "raised"),
    [
        pytest.param(reserves(OSLO, 20), 80, id="twice as much"),
        pytest.param(
            [intent(OSLO), TaskCreated(OSLO.hash, 1, "t", None, 20.0)], 40, id="no amount"
        ),
        pytest.param(
            [intent(OSLO), TaskAdopted(OSLO.hash, "t", Decimal(20), 20.0, 1)],
            40,
            id="a task that somebody says is ours",
        ),
        pytest.param(
            [TaskCreated(OSLO.hash, 1, "t", Decimal(20), 20.0)],
            40,
            id="an attempt whose estimate nobody knows",
        ),
        pytest.param(
            [
                *reserves(OSLO, 10),
                TaskFailed(OSLO.hash, "Oslo-1", "service_error", "sorry"),
                intent(OSLO, 2, Decimal(5)),
                TaskCreated(OSLO.hash, 2, "Oslo-2", Decimal(15), 20.0),
            ],
            120,
            id="thrice what the second attempt was to cost",
        ),
    ],
)
def test_what_earlier_runs_have_seen_raises_estimates(
    till: Till, events: list[Event], raised: int
) -> None:
    till.bought_before(*events)
    till.state.policy = ceiling("1")

    till.limit.observe()

    assert till.ends(ceiling(f"{raised}"))[0] == "bought"
    assert till.ends(ceiling(f"{raised - 1}"))[0] == "stops"


@dataclass
class Pieces:
    """The budget that machines share, as one of them sees it."""

    answer: Afford
    waits: bool = False
    silent: list[str] = field(default_factory=list)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def affords(self, *asked: object) -> Afford:
        self.asked.append(asked)
        return self.answer

    def silent_holders(self) -> list[str]:
        return self.silent


@dataclass
class Shared:
    budget: Pieces | None


SILENT = "{0} is silent: if it is gone for good, veogen resolve RUN --close {0}"
TAKEN = f"the budget of 1000 credits would be passed by {NEXT}: other machines have taken the rest"


@pytest.mark.parametrize(
    ("pieces", "end"),
    [
        pytest.param(Pieces(Afford(granted=True)), ("bought", ""), id="its piece covers it"),
        pytest.param(
            Pieces(Afford(granted=False, wait=True), waits=True),
            ("waits", ""),
            id="another piece is asked for",
        ),
        pytest.param(Pieces(Afford(granted=False)), ("stops", TAKEN), id="nothing is left"),
        pytest.param(
            Pieces(Afford(granted=False), silent=["ada-1", "bob-2"]),
            (
                "stops",
                f"{TAKEN}; {SILENT.format('ada-1')}; {SILENT.format('bob-2')}",
            ),
            id="silent machines hold some",
        ),
        pytest.param(None, ("bought", ""), id="a store without a budget"),
    ],
)
def test_a_machine_buys_within_its_piece_of_the_budget(
    till: Till, pieces: Pieces | None, end: tuple[str, str]
) -> None:
    parts: Any = Shared(pieces)  # it stands in for the whole of a part in a store
    till.state.shared = parts
    till.posts(OSLO)

    assert till.ends(budget("1000", max_in_flight=4), [attempt(PARIS)]) == end
    if pieces is not None:
        assert pieces.asked == [(Decimal(40), Decimal(20), [Decimal(40)] * 3, till.start)]


def test_a_machine_with_all_it_may_send_asks_for_the_price_of_one_more(till: Till) -> None:
    pieces = Pieces(Afford(granted=True))
    parts: Any = Shared(pieces)
    till.state.shared = parts

    assert till.ends(budget("1000", max_in_flight=1), [attempt(PARIS)])[0] == "bought"
    assert pieces.asked == [(Decimal(40), Decimal(20), [Decimal(40)], till.start)]


BEYOND = (
    "credits count, which is more than {}: for what was already sent the gateway reserved more "
    "than its price says"
)
PAID_TWICE = (
    "city[name=Oslo]: paid for 2 times: Oslo-2 (attempt 2, submitted); "
    "Oslo-1 (attempt 1, submitted, given up by hand)"
)
TWICE = [
    *reserves(OSLO, 10),
    RequestAbandoned(OSLO.hash, "given up by hand", 1),
    *reserves(OSLO, 10, 2),
]


@pytest.mark.parametrize(
    ("policy", "before", "events", "notes"),
    [
        pytest.param(RunPolicy(), 0, reserves(OSLO, 900), [], id="no limit"),
        pytest.param(ceiling("900"), 0, reserves(OSLO, 900), [], id="all of the ceiling"),
        pytest.param(
            ceiling("460"),
            0,
            reserves(OSLO, 900),
            [f"900.000 {BEYOND.format('--max-credits 460.000')}"],
            id="beyond the ceiling",
        ),
        pytest.param(ceiling("460"), 500, reserves(OSLO, 900), [], id="some was spent before"),
        pytest.param(
            ceiling("460"),
            400,
            reserves(OSLO, 900),
            [f"500.000 {BEYOND.format('--max-credits 460.000')}"],
            id="beyond it, though some was spent before",
        ),
        pytest.param(budget("900"), 500, reserves(OSLO, 900), [], id="all of the budget"),
        pytest.param(
            budget("460"),
            500,
            reserves(OSLO, 900),
            [f"900.000 {BEYOND.format('the budget of 460.000')}"],
            id="beyond the budget",
        ),
        pytest.param(
            RunPolicy(),
            0,
            TWICE,
            [PAID_TWICE],
            id="given up, bought again, and there after all",
        ),
        pytest.param(
            RunPolicy(),
            0,
            [
                *reserves(OSLO, 10),
                TaskFailed(OSLO.hash, "Oslo-1", "service_error", "sorry"),
                *reserves(OSLO, 10, 2),
                TaskCompleted(OSLO.hash, "Oslo-2", ("x",), None, 30.0),
            ],
            [],
            id="the first one failed",
        ),
        pytest.param(
            RunPolicy(),
            0,
            [
                intent(OSLO),
                RequestAbandoned(OSLO.hash, "given up by hand", 1),
                *reserves(OSLO, 9, 2),
            ],
            [],
            id="of the first one no task is known",
        ),
    ],
)
def test_what_was_paid_beyond_a_limit_or_twice_is_said(
    policy: RunPolicy, before: int, events: list[Event], notes: list[str]
) -> None:
    ledger = Ledger("trip")
    ledger.adopt([OSLO])
    for event in events:
        ledger.apply(event)

    assert list(money_notes(ledger, policy, Decimal(before))) == notes
