"""An outage spends no plan: what the last outcomes and the clock allow."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.virtual import VirtualClock

from veogen.executor.breaker import Breaker, PostOutcome

TAKEN: PostOutcome = "taken"
NOT: PostOutcome = "not-taken"
REFUSED: PostOutcome = "refused"
UNKNOWN: PostOutcome = "unknown"
REST = 5.0
HALF_AN_HOUR = 1800.0


def after(breaker: Breaker, *outcomes: PostOutcome, now: float = 0.0) -> Breaker:
    for outcome in outcomes:
        breaker = breaker.sent().on_post(outcome, now)
    return breaker


def filled(breaker: Breaker) -> Breaker:
    """All is sent that may be."""
    while breaker.may_send:
        breaker = breaker.sent()
    return breaker


@pytest.mark.parametrize(
    ("most", "outcomes", "posts"),
    [
        pytest.param(64, [], 4, id="a run begins with four"),
        pytest.param(2, [], 2, id="never more than may be in flight"),
        pytest.param(64, [TAKEN] * 3, 7, id="each taken adds one"),
        pytest.param(5, [TAKEN] * 3, 5, id="to at most max-in-flight"),
        pytest.param(64, [TAKEN] * 6 + [UNKNOWN], 5, id="each unknown halves"),
        pytest.param(64, [UNKNOWN, TAKEN, UNKNOWN, TAKEN, UNKNOWN], 1, id="never below one"),
        pytest.param(64, [REFUSED] * 9, 4, id="refusals are answers"),
        pytest.param(64, [NOT] * 9, 4, id="no room is no outage"),
        pytest.param(64, [UNKNOWN] * 2, 1, id="two in a row are not yet one"),
        pytest.param(64, [UNKNOWN] * 3, 0, id="three unknown in a row"),
        pytest.param(64, [NOT, UNKNOWN, REFUSED], 0, id="none taken, and one unknown"),
        pytest.param(64, [UNKNOWN, UNKNOWN, TAKEN, UNKNOWN, UNKNOWN], 1, id="one of them taken"),
    ],
)
def test_how_many_may_be_open(most: int, outcomes: list[PostOutcome], posts: int) -> None:
    assert after(Breaker.of(most), *outcomes).posts == posts


@pytest.mark.parametrize(
    ("waits", "outcomes", "opened"),
    [
        pytest.param(0, [], 4, id="as a run begins"),
        pytest.param(0, [TAKEN], 5, id="one of four is taken"),
        pytest.param(0, [TAKEN] * 4, 3, id="all four at once"),
        pytest.param(0, [NOT], 4, id="one of four is sent again"),
        pytest.param(0, [UNKNOWN], 3, id="one of four is unknown"),
        pytest.param(9, [TAKEN] * 9, 3, id="nine of nine were taken while nothing was to be sent"),
        pytest.param(9, [TAKEN] * 8, 3, id="eight of nine"),
        pytest.param(9, [TAKEN, *[NOT] * 7], 3, id="one of nine is taken, seven are sent again"),
    ],
)
def test_before_one_is_answered_two_more_are_sent_or_three_where_none_is_open(
    waits: int, outcomes: list[PostOutcome], opened: int
) -> None:
    """So what is open when an outage begins is all that it holds, and three."""
    state = Breaker.of(64)
    for _ in range(waits):
        state = after(state, TAKEN)
    for _ in range(waits):
        state = state.sent()
    state = filled(state)
    for outcome in outcomes:
        state = state.on_post(outcome, 0.0)

    assert filled(state).open == opened


@given(
    steps=st.lists(st.sampled_from(["sent", TAKEN, NOT, REFUSED, UNKNOWN])),
    most=st.integers(1, 64),
)
def test_where_nothing_is_open_one_may_be_sent_or_it_is_paused(
    steps: list[PostOutcome | Literal["sent"]], most: int
) -> None:
    state = Breaker.of(most)
    for step in steps:
        if step == "sent":
            state = state.sent() if state.may_send else state
        elif state.open > 0:
            state = state.on_post(step, 0.0)
    while state.open > 0:
        state = state.on_post(UNKNOWN, 0.0)

    assert state.may_send or state.phase == "paused"


def test_a_pause_ends_with_a_free_read_and_one_request() -> None:
    paused = after(Breaker.of(8), UNKNOWN, UNKNOWN, UNKNOWN, now=100.0)

    assert not paused.wants_read(100.0)
    assert paused.wants_read(100.0 + REST)
    assert not paused.reading(100.0 + REST).wants_read(100.1 + REST)
    assert paused.on_read(own=True, now=100.1).posts == 0, "what was asked before it began"
    assert paused.on_read(own=False, now=110.0).posts == 0, "a web page"
    trial = paused.on_read(own=True, now=110.0)
    assert trial.posts == 1
    assert not Breaker.of(8).wants_read(100.0), "while nothing is amiss"
    assert not trial.wants_read(110.0)


def test_one_request_is_sent_after_a_pause_however_many_were_open_before() -> None:
    paused = after(Breaker.of(64), *[TAKEN] * 60, UNKNOWN, UNKNOWN, UNKNOWN)
    trial = paused.on_read(own=True, now=REST)

    assert (paused.limit, trial.posts) == (8, 1)


def test_a_gateway_that_answers_no_read_is_asked_again_every_three_seconds() -> None:
    paused = after(Breaker.of(8), UNKNOWN, UNKNOWN, UNKNOWN).reading(REST)

    assert not paused.wants_read(REST + 2.9)
    assert paused.wants_read(REST + 3.0)


@pytest.mark.parametrize(
    ("outcome", "phase", "posts"),
    [
        pytest.param(TAKEN, "open", 1, id="taken: from one at a time"),
        pytest.param(REFUSED, "open", 1, id="refused: from one at a time"),
        pytest.param(NOT, "trial", 1, id="not taken: it waits as always"),
        pytest.param(UNKNOWN, "trial", 0, id="unknown too: the run stops"),
    ],
)
def test_what_the_one_request_says(outcome: PostOutcome, phase: str, posts: int) -> None:
    trial = after(Breaker.of(8), UNKNOWN, UNKNOWN, UNKNOWN).on_read(own=True, now=REST)

    state = trial.on_post(outcome, REST, trial=True)

    assert (state.phase, state.posts) == (phase, posts)
    assert (state.stop is not None) is (outcome == UNKNOWN)


@pytest.mark.parametrize("outcomes", [[], [TAKEN], [UNKNOWN], [TAKEN, NOT]])
def test_what_was_about_to_be_sent_and_is_not_takes_nobodys_place(
    outcomes: list[PostOutcome],
) -> None:
    state = after(Breaker.of(8), *outcomes)

    assert state.sent().not_sent() == state


def test_what_was_sent_before_a_pause_begins_no_second_one() -> None:
    state = after(Breaker.of(8), TAKEN, TAKEN, TAKEN)
    for _ in range(6):
        state = state.sent()
    for now in (1.0, 1.0, 1.0, 2.0, 3.0, 4.0):
        state = state.on_post(UNKNOWN, now)

    assert (state.phase, state.pauses, state.read_at, state.open) == ("paused", (1.0,), 6.0, 0)


def test_what_was_sent_before_a_pause_does_not_end_it() -> None:
    paused = after(Breaker.of(8), UNKNOWN, UNKNOWN, UNKNOWN)

    assert after(paused, TAKEN, UNKNOWN, REFUSED).phase == "paused"
    assert after(paused.on_read(own=True, now=REST), UNKNOWN).stop is None


@pytest.mark.parametrize(
    ("apart", "stops"),
    [
        pytest.param(299.0, True, id="three within ten minutes"),
        pytest.param(300.0, False, id="three in ten minutes"),
    ],
)
def test_the_third_pause_stops_the_run(apart: float, stops: bool) -> None:
    state, now = Breaker.of(8), 0.0
    for _ in range(3):
        state = after(state, UNKNOWN, UNKNOWN, UNKNOWN, now=now)
        if state.stop is None:
            state = state.on_read(own=True, now=now + REST)
            state = state.on_post(TAKEN, now + REST, trial=True)
        now += apart

    assert (state.stop is not None) is stops
    assert not state.wants_read(now + REST), "nothing is sent any more, or it goes on"


@pytest.mark.parametrize(
    ("outcomes", "overdue"),
    [
        pytest.param([NOT], True, id="no room"),
        pytest.param([UNKNOWN], True, id="unknown"),
        pytest.param([NOT, TAKEN], False, id="taken since"),
        pytest.param([REFUSED], False, id="a refusal is an answer"),
        pytest.param([], False, id="nothing was tried"),
    ],
)
def test_half_an_hour_without_anything_taken(
    outcomes: list[PostOutcome],
    overdue: bool,
) -> None:
    state = after(Breaker.of(4), *outcomes, now=10.0)

    assert not state.is_overdue(HALF_AN_HOUR + 9.0)
    assert state.is_overdue(HALF_AN_HOUR + 10.0) is overdue


def test_half_an_hour_is_that_since_the_first_that_was_not_taken() -> None:
    state = after(after(Breaker.of(4), NOT, now=10.0), UNKNOWN, NOT, now=1000.0)

    assert state.is_overdue(HALF_AN_HOUR + 10.0)


@given(outcomes=st.lists(st.sampled_from([TAKEN, NOT, REFUSED, UNKNOWN])), most=st.integers(1, 64))
def test_the_limit_stays_within_bounds(outcomes: list[PostOutcome], most: int) -> None:
    state = after(Breaker.of(most), *outcomes)

    assert 0 <= state.posts <= most
    assert (state.posts == 0) is (state.phase == "paused")


@dataclass
class Line:
    """A gateway behind something that fails: POSTs take a moment, and reads as well."""

    outage: Callable[[float, int], PostOutcome | None]
    reads_fail: bool
    most: int
    clock: VirtualClock = field(default_factory=VirtualClock)
    held: int = 0
    taken: int = 0
    open_at_begin: int = 0
    sent: int = 0

    def run(self, requests: int) -> Breaker:
        """Send them until nothing is left, or the run stops; the state in the end."""
        breaker, waiting = Breaker.of(self.most), requests
        under_way: deque[tuple[float, PostOutcome, bool]] = deque()
        while (waiting or under_way) and breaker.stop is None and self.clock.monotonic() < 3600:
            now = self.clock.monotonic()
            while waiting and breaker.may_send:
                outcome = self.outage(now, self.sent) or TAKEN
                under_way.append((now + 0.2, outcome, breaker.phase == "trial"))
                breaker = breaker.sent()
                waiting, self.sent = waiting - 1, self.sent + 1
            if breaker.wants_read(now):
                breaker = breaker.reading(now)
                failing = self.reads_fail and self.outage(now, 0) is not None
                breaker = breaker.on_read(own=not failing, now=now)
            while under_way and under_way[0][0] <= now:
                _, outcome, trial = under_way.popleft()
                waiting += outcome == NOT
                self.held, self.taken = (
                    self.held + (outcome == UNKNOWN),
                    self.taken + (outcome == TAKEN),
                )
                breaker = breaker.on_post(outcome, now, trial=trial)
            self.clock.sleep(0.05)
        return breaker


def between(
    begin: float, end: float, outcome: PostOutcome = UNKNOWN
) -> Callable[[float, int], PostOutcome | None]:
    return lambda now, _: outcome if begin <= now < end else None


def every_second(begin: float, end: float) -> Callable[[float, int], PostOutcome | None]:
    return lambda now, place: UNKNOWN if begin <= now < end and place % 2 else None


@pytest.mark.parametrize("most", [4, 64])
@pytest.mark.parametrize("seconds", [1.0, 3.0, 30.0])
@pytest.mark.parametrize("begin", [0.0, 1.0])
@pytest.mark.parametrize("reads_fail", [True, False], ids=["everything", "POSTs alone"])
def test_an_outage_holds_what_was_open_when_it_began_and_three(
    most: int,
    seconds: float,
    begin: float,
    reads_fail: bool,
) -> None:
    line = Line(between(begin, begin + seconds), reads_fail=reads_fail, most=most)

    ended = line.run(200)

    outlasts = seconds > REST and not reads_fail
    assert (ended.stop is not None) is outlasts
    assert line.held <= most + 3
    assert line.sent == line.taken + line.held
    if begin == 0.0:
        assert line.held <= 4 + 3
    if not outlasts:
        assert line.taken == 200 - line.held


@pytest.mark.parametrize("most", [4, 64])
def test_of_every_second_post_those_are_held_that_were_unknown(most: int) -> None:
    line = Line(every_second(1.0, 10.0), reads_fail=False, most=most)

    ended = line.run(200)

    assert line.sent == line.taken + line.held
    assert ended.stop is None or len(ended.pauses) == 3
