"""What the buying side of a run sends, when, under which key, and what an answer changes."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from support.virtual import (
    PRICE,
    START,
    Memory,
    NoUploads,
    VirtualClock,
    VirtualGateway,
    request,
    run_state,
)

from veogen.executor.intervals import DurationEstimator, task_kind
from veogen.executor.options import CallbackOptions, RunPolicy, time_of_day
from veogen.executor.state import CallbackUrl, RunState
from veogen.executor.submitter import GatewayRead, Submitted, Submitter, intent_for, key_for
from veogen.executor.transitions import NotPermitted, Step, Stop, SubmitAttempt
from veogen.executor.uploads import EvictableUpload, PreparedBody
from veogen.gateway.api import Accepted, NotAccepted, ReadError, Rejected, Submission, Unknown
from veogen.planner.identity import canonical
from veogen.planner.plan import Image, Request
from veogen.results.events import (
    Event,
    PurchaseImported,
    Status,
    SubmitFailed,
    SubmitIntended,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
)
from veogen.results.ledger import Ledger
from veogen.results.manifest import render

CITIES = [
    request(city) for city in ("Oslo", "Paris", "Rome", "Bern", "Riga", "Kiel", "Graz", "Linz")
]
OSLO, PARIS, ROME, *_ = CITIES
DRAWN = replace(request("Vaduz"), images=(Image("a.png", "a" * 64, 9),))

BUSY = NotAccepted(code="429", message="slow down", status=429, retry_after=60.0)
LATER = NotAccepted(code="refused", message="nobody there", reached=False)
BROKEN = NotAccepted(code="500", message="sorry", status=500, once=True, retry_after=60.0)
LOST = Unknown(code="lost", message="it broke")
PAUSED = "waits until the gateway answers: what was sent came to nothing"
BAD = Rejected(code="400", message="no", status=400)
BROKE = Rejected(code="402", message="no credits", status=402, stops=True)


@dataclass
class Images(NoUploads):
    """Where images are put: what is asked of it."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    def expect(self, request: Request) -> None:
        self.calls.append(("expect", request.hash))

    def pin(self, request: Request) -> None:
        self.calls.append(("pin", request.hash))

    def unpin(self, hash_: str) -> None:
        self.calls.append(("unpin", hash_))

    def prepare(self, request: Request, evicted: EvictableUpload | None = None) -> PreparedBody:
        assert evicted is None
        return PreparedBody(request.hash, {**request.body, "image_urls": ["https://files/a.png"]})


class Buying:
    """The buying side of a run; each call that it makes is answered when a test says so."""

    def __init__(self, state: RunState) -> None:
        assert isinstance(state.clock, VirtualClock)
        self.state, self.calls = state, deque[Callable[[], Any]]()
        self.gateway = VirtualGateway(state.clock)
        self.images, self.estimator = Images(), DurationEstimator()
        self.taken: list[str] = []
        self.submitter = Submitter(
            state,
            self.gateway,
            self.images,
            lambda: 1.0,
            self.calls.append,
            self.taken.append,
            self.estimator,
        )

    @property
    def now(self) -> float:
        return self.state.clock.monotonic()

    @property
    def in_flight(self) -> int:
        return self.submitter.slots + len(self.taken)

    def due(self) -> float | None:
        """When something can be sent next."""
        return self.submitter.next_due(self.now, self.in_flight)

    def why(self) -> str | None:
        """Why it waits."""
        return self.submitter.why

    @property
    def notes(self) -> list[str]:
        assert isinstance(self.state.listener, Memory)
        return self.state.listener.notes

    @property
    def sent(self) -> list[str]:
        """The keys of all POSTs that were answered, in order."""
        return [key for key, _ in self.gateway.submits]

    def dispatch(self) -> int:
        """Let it send what it may; how many calls it made."""
        before = len(self.calls)
        self._commit(self.submitter.dispatch(self.now, self.in_flight))
        return len(self.calls) - before

    def answer(self, answer: Submission | Callable[[], Submission] | None = None) -> Step:
        """Let the oldest call be made, with this answer of the gateway, and answered."""
        if answer is not None:
            self.gateway.answers.append(answer)
        message = self.calls.popleft()()
        step: Step
        match message:
            case Submitted():
                step = self.submitter.submitted(message)
            case PreparedBody():
                step = self.submitter.prepared(message)
            case GatewayRead():
                self.submitter.on_free_read(from_gateway=message.from_gateway)
                return Step()
            case _:
                raise AssertionError(message)
        self._commit([step])
        return step

    def passes(self, seconds: float) -> None:
        self.state.clock.sleep(seconds)

    def status(self, of: Request) -> str:
        return self.state.ledger.record(of.hash).status

    def learn(self, *events: Event) -> None:
        self.state.learn(events)

    def _commit(self, steps: Sequence[Step]) -> None:
        events = [event for step in steps for event in step.events]
        if events:
            self.state.record(events)
        for step in steps:
            step.after_commit()


@pytest.fixture
def buying(tmp_path: Path) -> Iterator[Buying]:
    with run_state(tmp_path / "trip", [*CITIES, DRAWN]) as state:
        yield Buying(state)


def hashes(*requests: Request) -> list[str]:
    return [one.hash for one in requests]


def with_policy(buying: Buying, **policy: Any) -> Buying:
    """The same run, begun with another policy."""
    buying.state.policy = RunPolicy(**policy)
    return Buying(buying.state)


def key(of: Request, attempt: int = 1) -> str:
    return f"veogen-{attempt}-{of.hash}"


def intent(of: Request, attempt: int = 1, at: float = 10.0) -> SubmitIntended:
    body = canonical(dict(of.body)).decode()
    return SubmitIntended(of.hash, attempt, key(of, attempt), body, of.credits, at)


def imported(of: Request, status: Status, task: str | None = "t-9") -> PurchaseImported:
    return PurchaseImported(of.hash, status, task, 1, None, None, None, (), PRICE, 20.0)


def paused(buying: Buying) -> Buying:
    """Three were lost, and the others are still to be sent."""
    buying.submitter.add(hashes(*CITIES))
    for _ in range(3):
        buying.dispatch()
        buying.answer(LOST)
    while buying.calls:
        buying.answer()
    return buying


def test_a_key_tells_the_attempt_first_and_stays_within_what_the_gateway_takes() -> None:
    assert key_for(OSLO.hash, 2) == f"veogen-2-{OSLO.hash}"
    assert 16 <= len(key_for(OSLO.hash, 99)) <= 96


def test_what_is_on_record_is_the_very_body_that_is_sent(buying: Buying) -> None:
    buying.submitter.add(hashes(OSLO))
    buying.dispatch()

    expected = intent_for(OSLO, 1, OSLO.body, START)
    assert expected == intent(OSLO, at=START)
    assert buying.state.ledger.record(OSLO.hash).pending == expected
    buying.answer()
    assert buying.gateway.submits == [(expected.key, expected.body)]


@pytest.mark.parametrize(
    ("models", "body", "sent"),
    [
        pytest.param({"veo-3.1-fast-generate-preview"}, {}, "https://a.example/h/s", id="taken"),
        pytest.param({"other"}, {}, None, id="a model that takes none"),
        pytest.param(
            {"veo-3.1-fast-generate-preview"},
            {"callback_url": "https://b.example"},
            "https://b.example",
            id="one of the request's own",
        ),
    ],
)
def test_the_callback_address_of_the_run_is_sent_where_one_is_taken(
    tmp_path: Path, models: set[str], body: dict[str, str], sent: str | None
) -> None:
    asked = replace(OSLO, body={**OSLO.body, **body})
    with run_state(tmp_path / "trip", [asked]) as state:
        callbacks = CallbackOptions("https://a.example/h", frozenset(models))
        state.callback_url = CallbackUrl(callbacks, "s")
        buying = Buying(state)
        buying.submitter.add(hashes(asked))
        buying.dispatch()
        buying.answer()

        ((_, text),) = buying.gateway.submits

    assert json.loads(text).get("callback_url") == sent


def test_four_are_sent_before_one_is_answered_and_then_two_more(buying: Buying) -> None:
    roomy = with_policy(buying, max_in_flight=64)
    assert roomy.due() is None, "nothing is to be sent"
    roomy.submitter.add(hashes(*CITIES))

    assert (roomy.due(), roomy.dispatch(), roomy.due()) == (0.0, 4, None)
    roomy.answer()
    assert (roomy.due(), roomy.dispatch(), roomy.submitter.slots) == (0.0, 2, 5)


def test_no_more_are_sent_than_may_be_in_flight(buying: Buying) -> None:
    two = with_policy(buying, max_in_flight=2)
    two.submitter.add(hashes(*CITIES))

    assert (two.due(), two.dispatch(), two.due()) == (0.0, 2, None)
    two.answer()
    assert (two.due(), two.dispatch()) == (None, 0), "its task is still being made"
    two.taken.clear()
    assert (two.due(), two.dispatch()) == (0.0, 1)


def test_a_rate_is_kept_to_from_the_first_on(buying: Buying) -> None:
    slow = with_policy(buying, submit_rate=2.0)
    slow.submitter.add(hashes(OSLO, PARIS))

    assert (slow.dispatch(), slow.due()) == (1, 30.0)
    slow.passes(29.9)
    assert slow.dispatch() == 0
    slow.passes(0.1)
    assert (slow.dispatch(), slow.due()) == (1, None)


def test_what_was_not_taken_is_sent_again_when_its_time_has_come(buying: Buying) -> None:
    buying.submitter.add(hashes(OSLO))
    buying.dispatch()
    buying.answer(BUSY)

    assert (buying.due(), buying.dispatch(), buying.submitter.idle) == (60.0, 0, False)
    until = time_of_day(START + 60.0)
    assert buying.why() == f"waits 60 s, until {until}: slow down (429)"
    assert buying.status(OSLO) == "planned"

    buying.passes(60.0)
    assert buying.dispatch() == 1
    pending = buying.state.ledger.record(OSLO.hash).pending
    assert pending == intent(OSLO, at=START + 60.0), "the same but for its time"
    buying.answer()
    assert buying.gateway.submits[0] == buying.gateway.submits[1]
    assert (buying.status(OSLO), buying.why()) == ("submitted", None)
    assert (buying.taken, buying.submitter.idle) == (hashes(OSLO), True)


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        pytest.param(BUSY, 2, id="no room: half as many"),
        pytest.param(LATER, 3, id="nobody there: as many"),
    ],
)
def test_only_a_gateway_without_room_is_sent_fewer_at_a_time(
    buying: Buying, answer: Submission, allowed: int
) -> None:
    buying.submitter.add(hashes(OSLO))
    buying.dispatch()
    buying.answer(answer)
    buying.passes(61.0)
    buying.submitter.add(hashes(*CITIES[1:]))

    assert buying.dispatch() == allowed


def test_of_four_that_found_no_room_two_are_sent_again_at_a_time(buying: Buying) -> None:
    buying.submitter.add(hashes(*CITIES[:4]))
    buying.dispatch()
    for _ in range(4):
        buying.answer(BUSY)
    buying.passes(60.0)

    assert (buying.dispatch(), buying.submitter.slots) == (2, 4)


def test_a_task_that_failed_for_lack_of_room_halves_what_is_in_flight_at_once(
    buying: Buying,
) -> None:
    buying.submitter.add(hashes(*CITIES))
    buying.submitter.throttled()

    assert (buying.due(), buying.dispatch()) == (0.0, 2)


def test_what_waits_to_be_sent_again_holds_up_nothing_else(buying: Buying) -> None:
    buying.submitter.add(hashes(OSLO))
    buying.dispatch()
    buying.answer(LATER)
    buying.submitter.add(hashes(PARIS))

    assert (buying.due(), buying.dispatch()) == (0.0, 1)


def test_a_resend_goes_before_what_was_never_sent_and_has_its_slot(buying: Buying) -> None:
    one = with_policy(buying, max_in_flight=1)
    one.submitter.add(hashes(OSLO, PARIS))
    one.dispatch()
    one.answer(LATER)

    assert (one.due(), one.dispatch()) == (1.0, 0)
    one.passes(1.0)
    assert one.dispatch() == 1
    one.answer()
    assert one.sent == [key(OSLO)] * 2


def test_a_resend_waits_while_the_tasks_of_others_fill_all_places(buying: Buying) -> None:
    one = with_policy(buying, max_in_flight=1)
    one.submitter.add(hashes(OSLO))
    one.dispatch()
    one.answer(LATER)
    one.taken.append(PARIS.hash)
    one.passes(1.0)

    assert (one.due(), one.dispatch()) == (None, 0)
    one.taken.clear()
    assert (one.due(), one.dispatch()) == (1.0, 1)


def test_a_failed_task_is_bought_anew_after_a_while(buying: Buying) -> None:
    buying.submitter.add(hashes(OSLO))
    buying.dispatch()
    buying.answer()
    failed = TaskFailed(OSLO.hash, "task-1", "service_error", "sorry")
    buying.state.record([failed])
    buying.taken.clear()

    buying.submitter.retry(OSLO.hash, 2)

    assert (buying.due(), buying.dispatch(), buying.submitter.idle) == (2.0, 0, False)
    buying.passes(2.0)
    assert buying.dispatch() == 1
    buying.answer()
    assert buying.sent == [key(OSLO), key(OSLO, 2)]
    assert buying.notes == []


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([], id="it waits for its turn"),
        pytest.param(["dispatch"], id="it is sent"),
        pytest.param(["dispatch", "refused"], id="it is to be sent again"),
        pytest.param(["failed before"], id="it waits a while"),
    ],
)
@pytest.mark.parametrize("wanted", [OSLO, DRAWN], ids=["", "with an image"])
def test_a_failure_that_is_read_while_a_person_has_it_bought_again_buys_it_once(
    buying: Buying, wanted: Request, before: list[str]
) -> None:
    """Each look at a store may bring the failure that `--retry-failed` has seen before."""
    buying.state.ledger.adopt([wanted])
    buying.learn(imported(wanted, "failed"))
    if before == ["failed before"]:
        buying.submitter.retry(wanted.hash, 2)
    else:
        buying.submitter.add(hashes(wanted))
    if "dispatch" in before:
        buying.dispatch()
    if "refused" in before:
        if wanted is DRAWN:
            buying.answer()
            buying.dispatch()
        buying.answer(BUSY)

    buying.submitter.retry(wanted.hash, 2)

    for _ in range(10):
        buying.passes(60.0)
        buying.dispatch()
    while buying.calls:
        buying.answer()
        buying.dispatch()
    assert (buying.sent[-1], len(set(buying.sent))) == (key(wanted, 2), 1)
    assert (buying.status(wanted), buying.submitter.idle) == ("submitted", True)


def test_nothing_is_sent_in_a_pause_and_one_request_after_it(buying: Buying) -> None:
    roomy = paused(with_policy(buying, max_in_flight=64))
    taken = len(roomy.taken)

    assert (roomy.due(), roomy.dispatch()) == (5.0, 0)
    assert roomy.why() == PAUSED
    roomy.passes(5.0)
    assert (roomy.dispatch(), roomy.dispatch()) == (1, 0), "it asks something that costs nothing"
    assert roomy.due() == 8.0
    web_page = ReadError(code="html", message="a page", from_gateway=False)
    roomy.gateway.model_ids = web_page
    roomy.answer()
    roomy.passes(3.0)
    assert roomy.dispatch() == 1

    roomy.gateway.model_ids = ReadError(code="500", message="sorry", status=500)
    roomy.answer()
    assert (roomy.due(), roomy.dispatch(), roomy.due(), roomy.why()) == (8.0, 1, None, None)
    roomy.answer()
    assert len(roomy.taken) == taken + 1
    assert roomy.due() == 8.0, "it goes on"


def test_the_one_request_after_a_pause_is_what_waits_to_be_sent_again(buying: Buying) -> None:
    roomy = with_policy(buying, max_in_flight=64)
    roomy.submitter.add(hashes(*CITIES))
    roomy.dispatch()
    roomy.answer(BROKEN)
    for _ in range(3):
        roomy.answer(LOST)
    roomy.passes(5.0)
    roomy.dispatch()
    roomy.answer()

    assert (roomy.due(), roomy.dispatch()) == (60.0, 0)
    roomy.passes(55.0)
    assert roomy.dispatch() == 1
    roomy.answer()
    assert roomy.sent[-1] == key(OSLO)


def test_a_pause_with_nothing_left_to_send_is_not_waited_for(buying: Buying) -> None:
    buying.submitter.add(hashes(OSLO, PARIS, ROME))
    buying.dispatch()
    for _ in range(3):
        buying.answer(LOST)

    assert (buying.due(), buying.submitter.idle, buying.why()) == (None, True, None)
    buying.passes(60.0)
    assert buying.dispatch() == 0


def test_the_third_pause_stops_the_buying(buying: Buying) -> None:
    roomy = with_policy(buying, max_in_flight=64)
    roomy.submitter.add(hashes(*CITIES))
    roomy.dispatch()
    for _ in range(3):
        roomy.answer(LOST)
    roomy.answer()
    roomy.passes(5.0)
    roomy.dispatch()
    roomy.answer()
    roomy.dispatch()
    roomy.answer(LOST)

    words = "the gateway answers reads, but of what was sent nobody knows what became"
    assert roomy.state.stop == Stop("outage", words)
    assert (roomy.dispatch(), roomy.submitter.idle) == (0, True)
    assert roomy.status(CITIES[-1]) == "planned"


def test_half_an_hour_in_which_nothing_was_taken_ends_the_buying(buying: Buying) -> None:
    buying.submitter.add(hashes(OSLO))
    buying.dispatch()
    buying.answer(BUSY)
    buying.passes(1799.0)
    buying.dispatch()
    buying.answer(BUSY)
    buying.passes(1.0)

    assert buying.dispatch() == 0
    assert buying.state.stop == Stop("outage", "nothing was taken for half an hour")
    assert (buying.status(OSLO), buying.submitter.idle) == ("planned", True)


def test_half_an_hour_in_which_nothing_was_tried_ends_nothing(buying: Buying) -> None:
    one = with_policy(buying, max_in_flight=1)
    one.submitter.add(hashes(OSLO, PARIS))
    one.dispatch()
    one.answer(LOST)
    one.taken.append(ROME.hash)
    one.passes(3600.0)

    assert (one.dispatch(), one.state.stop) == (0, None)
    one.taken.clear()
    assert one.dispatch() == 1


def test_an_error_that_comes_twice_is_one_of_an_outage(buying: Buying) -> None:
    roomy = with_policy(buying, max_in_flight=64)
    roomy.submitter.add(hashes(*CITIES))
    roomy.dispatch()
    for _ in range(4):
        roomy.answer(BROKEN)
    roomy.passes(60.0)
    while roomy.calls or roomy.dispatch():
        assert roomy.submitter.why != PAUSED
        roomy.answer(BROKEN)
        if roomy.status(OSLO) == "indeterminate":
            break

    assert roomy.why() == PAUSED


def test_what_may_have_been_accepted_is_held_when_the_buying_stops(buying: Buying) -> None:
    replaying = with_policy(buying, replay=True)
    replaying.submitter.add(hashes(OSLO, PARIS, ROME))
    replaying.dispatch()
    replaying.answer(LOST)
    replaying.answer(BUSY)
    replaying.answer(BROKE)
    replaying.submitter.retry(CITIES[3].hash, 1)

    assert replaying.state.stop == Stop("refused", "no credits (402)")
    assert (replaying.dispatch(), replaying.submitter.idle) == (0, True)
    assert [replaying.status(of) for of in (OSLO, PARIS, ROME)] == [
        "indeterminate",
        "planned",
        "planned",
    ]
    error = replaying.state.ledger.record(OSLO.hash).error
    assert error is not None
    assert (error.code, error.message) == ("stopped", "no credits (402)")


def test_a_replay_is_sent_with_the_bytes_and_the_key_on_record_and_not_recorded_anew(
    buying: Buying,
) -> None:
    old = structs.replace(intent(OSLO, 3), body='{"as": "it was"}')
    buying.learn(old)

    buying.submitter.replay(SubmitAttempt(intent=old, maybe_accepted=True))
    assert (buying.due(), buying.dispatch()) == (0.0, 1)
    assert buying.state.ledger.record(OSLO.hash).pending == old
    buying.answer()

    assert buying.gateway.submits == [(key(OSLO, 3), '{"as": "it was"}')]
    assert buying.status(OSLO) == "submitted"


def test_nothing_leaves_whose_intent_is_not_on_record_but_replays(
    buying: Buying, tmp_path: Path
) -> None:
    old = intent(OSLO)
    buying.learn(old)
    (tmp_path / "trip/journal.db").rename(tmp_path / "elsewhere.db")

    buying.submitter.replay(SubmitAttempt(intent=old, maybe_accepted=True))
    buying.submitter.add(hashes(PARIS))
    assert buying.dispatch() == 1
    buying.answer()

    assert buying.sent == [key(OSLO)]
    assert buying.state.stop is not None
    assert (buying.state.stop.kind, buying.status(PARIS)) == ("journal", "planned")


def test_a_task_of_another_request_is_no_answer(buying: Buying) -> None:
    buying.submitter.add(hashes(OSLO, PARIS))
    buying.dispatch()
    theirs = Accepted(task_id="task-1", credits=PRICE)

    buying.answer(theirs)
    buying.answer(theirs)

    assert (buying.status(OSLO), buying.status(PARIS)) == ("submitted", "indeterminate")
    error = buying.state.ledger.record(PARIS.hash).error
    assert error is not None
    words = "the answer names task-1, the task of attempt 1 of city[name=Oslo]"
    assert (error.code, error.message) == ("task-of-another", words)
    assert buying.taken == hashes(OSLO)


def test_of_two_answers_that_come_together_the_second_does_not_get_the_task_of_the_first(
    buying: Buying,
) -> None:
    buying.submitter.add(hashes(OSLO, PARIS))
    buying.dispatch()
    theirs = Accepted(task_id="task-1", credits=PRICE)
    buying.gateway.answers.extend([theirs, theirs])

    first, second = (buying.submitter.submitted(buying.calls.popleft()()) for _ in range(2))

    assert [type(event) for event in (*first.events, *second.events)] == [
        TaskCreated,
        SubmitUnknown,
    ]


def test_a_task_of_an_earlier_attempt_is_no_answer_and_one_of_this_attempt_is(
    buying: Buying,
) -> None:
    buying.learn(
        intent(OSLO),
        TaskCreated(OSLO.hash, 1, "task-1", PRICE, 20.0),
        TaskFailed(OSLO.hash, "task-1", "service_error", "sorry"),
        intent(PARIS),
        TaskCreated(PARIS.hash, 1, "task-2", PRICE, 20.0),
    )
    again, replayed = intent(OSLO, 2), intent(PARIS)
    for one in (again, replayed):
        buying.submitter.replay(SubmitAttempt(intent=one, maybe_accepted=True))
    buying.dispatch()

    step = buying.answer(Accepted(task_id="task-1"))
    assert [type(event) for event in step.events] == [SubmitUnknown]
    step = buying.answer(Accepted(task_id="task-2", replayed=True))
    assert [type(event) for event in step.events] == [TaskCreated]


def test_a_task_of_what_nobody_knows_is_named_by_the_hash(buying: Buying) -> None:
    buying.learn(TaskCreated("d" * 64, 1, "task-1", PRICE, 20.0))
    buying.submitter.add(hashes(OSLO))
    buying.dispatch()

    buying.answer(Accepted(task_id="task-1"))

    error = buying.state.ledger.record(OSLO.hash).error
    assert error is not None
    assert error.message == "the answer names task-1, the task of attempt 1 of dddddddddd"


def test_an_amount_is_read_in_the_unit_that_the_gateway_names_it_in(buying: Buying) -> None:
    buying.submitter.add(hashes(OSLO))
    buying.dispatch()

    (created,) = buying.answer(Accepted(task_id="task-1", credits=PRICE * 10_000)).events

    assert isinstance(created, TaskCreated)
    assert created.credits == PRICE


@pytest.mark.parametrize(
    ("status", "followed"),
    [("submitted", True), ("undelivered", True), ("failed", False), ("indeterminate", False)],
)
@pytest.mark.parametrize("waits", [True, False], ids=["to be sent again", "never sent"])
def test_what_was_bought_elsewhere_meanwhile_is_not_bought_again(
    buying: Buying, status: Status, followed: bool, waits: bool
) -> None:
    buying.submitter.add(hashes(OSLO))
    if waits:
        buying.dispatch()
        buying.answer(LATER)
        buying.passes(1.0)
    buying.learn(imported(OSLO, status, None if status == "indeterminate" else "t-9"))

    assert (buying.dispatch(), buying.submitter.idle) == (0, True)
    words = f"city[name=Oslo]: it was bought elsewhere meanwhile ({status}); not again"
    assert buying.notes == [words]
    assert buying.taken == (hashes(OSLO) if followed else [])


@pytest.mark.parametrize("waits", [True, False], ids=["to be sent again", "never sent"])
def test_what_a_pull_brings_in_is_seen_before_anything_is_sent(
    buying: Buying, tmp_path: Path, waits: bool
) -> None:
    buying.submitter.add(hashes(OSLO))
    if waits:
        buying.dispatch()
        buying.answer(LATER)
        buying.passes(1.0)
    theirs = Ledger("trip")
    theirs.adopt([OSLO])
    theirs.apply(imported(OSLO, "submitted"))
    (tmp_path / "trip/results.json").write_bytes(render(theirs, "evolink"))

    assert (buying.dispatch(), buying.taken) == (0, hashes(OSLO))


@pytest.mark.parametrize(
    ("policy", "order"),
    [
        pytest.param({}, [2, 0, 1], id="what takes longest comes first"),
        pytest.param({"max_credits": Decimal(1000)}, [0, 1, 2], id="under a ceiling"),
        pytest.param({"budget": Decimal(1000)}, [0, 1, 2], id="under a budget"),
    ],
)
def test_the_order_is_that_of_the_plan_where_money_has_a_limit(
    buying: Buying, policy: dict[str, Decimal], order: list[int]
) -> None:
    long = replace(request("Lima"), body={**OSLO.body, "duration": 8})
    planned = [OSLO, PARIS, long]
    buying.state.ledger.adopt(planned)
    buyer = with_policy(buying, max_in_flight=64, **policy)
    buyer.estimator.observe(task_kind(OSLO), 30.0)
    buyer.estimator.observe(task_kind(long), 60.0)
    buyer.submitter.add(hashes(*planned))

    while buyer.dispatch():
        buyer.answer()
    while buyer.calls:
        buyer.answer()

    assert buyer.sent == [key(planned[place]) for place in order]


def test_a_ceiling_waits_for_the_first_of_a_kind_and_then_goes_on(buying: Buying) -> None:
    limited = with_policy(buying, max_credits=3 * PRICE)
    limited.submitter.add(hashes(*CITIES))

    assert (limited.dispatch(), limited.due()) == (1, None)
    limited.answer()
    assert (limited.due(), limited.dispatch()) == (0.0, 2)
    limited.answer()
    limited.answer()

    assert limited.dispatch() == 0
    assert limited.state.stop is not None
    assert limited.state.stop.kind == "money"


def test_what_is_reserved_raises_what_the_next_may_cost(buying: Buying) -> None:
    limited = with_policy(buying, max_credits=3 * PRICE)
    limited.submitter.add(hashes(*CITIES))
    limited.dispatch()
    limited.answer(Accepted(task_id="task-1", credits=2 * PRICE))

    assert limited.dispatch() == 0
    assert limited.state.stop is not None
    assert limited.state.stop.message.endswith(f"city[name=Paris] ({2 * PRICE} credits)")


def test_what_earlier_runs_reserved_is_known_before_the_first_is_sent(buying: Buying) -> None:
    buying.learn(
        intent(OSLO),
        TaskCreated(OSLO.hash, 1, "task-1", 2 * PRICE, 20.0),
    )
    limited = with_policy(buying, max_credits=PRICE)

    limited.submitter.add(hashes(PARIS))

    assert limited.dispatch() == 0
    assert limited.state.stop is not None


def test_images_are_uploaded_first_and_then_their_request_is_sent(buying: Buying) -> None:
    buying.submitter.add(hashes(DRAWN))
    assert buying.images.calls == [("expect", DRAWN.hash)]

    assert buying.dispatch() == 1
    assert (buying.submitter.slots, buying.submitter.idle, buying.sent) == (1, False, [])
    buying.answer()
    assert (buying.due(), buying.dispatch()) == (0.0, 1)
    buying.answer()

    ((_, body),) = buying.gateway.submits
    assert json.loads(body)["image_urls"] == ["https://files/a.png"]
    assert buying.taken == hashes(DRAWN)


@pytest.mark.parametrize(
    ("unread", "due", "stop"),
    [
        pytest.param(ReadError(code="50001", message="try again"), 1.0, None, id="a passing one"),
        pytest.param(ReadError(code="40001", message="no image"), None, None, id="for good"),
        pytest.param(
            ReadError(code="401", message="no", status=401, denied=True),
            None,
            Stop("refused", "no (401)"),
            id="the key is no good",
        ),
    ],
)
def test_what_an_upload_that_failed_comes_to(
    buying: Buying, unread: ReadError, due: float | None, stop: Stop | None
) -> None:
    buying.submitter.add(hashes(DRAWN))
    buying.dispatch()
    buying.calls[0] = lambda: PreparedBody(DRAWN.hash, unread)

    buying.answer()

    assert (buying.due(), buying.state.stop, buying.dispatch()) == (due, stop, 0)
    assert buying.submitter.idle is (due is None)
    if due is not None:
        assert buying.why() == f"waits 1 s, until {time_of_day(START + due)}: try again (50001)"
        buying.passes(due)
        assert buying.dispatch() == 1


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        pytest.param(None, True, id="taken"),
        pytest.param(LOST, True, id="held"),
        pytest.param(LATER, True, id="to be sent again"),
        pytest.param(BAD, False, id="refused"),
        pytest.param(BROKE, False, id="refused, as all others"),
    ],
)
def test_images_are_kept_while_something_may_come_of_their_request(
    buying: Buying, answer: Submission | None, kept: bool
) -> None:
    buying.submitter.add(hashes(DRAWN))
    buying.dispatch()
    buying.answer()
    buying.dispatch()

    buying.answer(answer)

    assert (("unpin", DRAWN.hash) not in buying.images.calls) is kept


def test_images_are_kept_until_the_last_task_of_a_request_has_ended(buying: Buying) -> None:
    buying.learn(
        intent(DRAWN),
        TaskCreated(DRAWN.hash, 1, "task-1", PRICE, 20.0),
        intent(DRAWN, 2, at=11.0),
        TaskCreated(DRAWN.hash, 2, "task-2", PRICE, 20.0),
    )
    for task, unpinned in (("task-1", False), ("task-2", True)):
        buying.learn(TaskCompleted(DRAWN.hash, task, ("x",), PRICE, 30.0))
        buying.submitter.ended(DRAWN.hash)

        assert (("unpin", DRAWN.hash) in buying.images.calls) is unpinned


@dataclass
class Shared:
    """What the store says to this run; it stands in for the whole of a part in one."""

    refusals: dict[str, NotPermitted] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    claimed: dict[str, int] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    budget: None = None

    def may_claim(self, hash_: str, record: object) -> bool:
        del record
        return hash_ not in self.begun

    def next_attempt(self, hash_: str, attempts: int) -> int:
        return max(attempts, self.claimed.get(hash_, 0)) + 1

    def permit(self, attempt: SubmitAttempt, address: str) -> NotPermitted | None:
        assert address.startswith("city[name=")
        return self.refusals.get(attempt.intent.hash)

    def place_apart(self, waiting: Sequence[str]) -> str:
        return waiting[-1]

    def record(self, events: Sequence[Event], ledger: object) -> None:
        """What is recorded is on its way to the others."""


def sharing(buying: Buying, shared: Shared) -> Buying:
    parts: Any = shared
    buying.state.shared = parts
    return buying


def test_the_next_attempt_comes_after_all_that_were_ever_claimed(buying: Buying) -> None:
    sharing(buying, Shared(claimed={PARIS.hash: 4}))
    buying.state.record(
        [
            intent(ROME),
            TaskCreated(ROME.hash, 1, "task-0", PRICE, 20.0),
            TaskFailed(ROME.hash, "task-0", "content", "no"),
        ]
    )
    buying.submitter.add(hashes(OSLO, PARIS, ROME))
    buying.dispatch()
    while buying.calls:
        buying.answer()

    assert buying.sent == [key(OSLO), key(PARIS, 5), key(ROME, 2)]


def test_what_the_store_does_not_permit_is_not_sent(buying: Buying) -> None:
    gone = Stop("store", "it is gone")
    shared = Shared(
        {
            OSLO.hash: NotPermitted("claimed", "by ada"),
            PARIS.hash: NotPermitted("store", "gone", gone),
        }
    )
    sharing(buying, shared)
    buying.submitter.add(hashes(OSLO, PARIS, ROME))
    buying.dispatch()

    step = buying.answer()
    assert step.events == (SubmitFailed(OSLO.hash, 1, "claimed", "by ada", START),)
    assert (buying.state.stop, buying.status(OSLO), buying.submitter.slots) == (None, "planned", 2)
    buying.answer()
    assert (buying.state.stop, buying.sent) == (gone, [])
    buying.answer()
    assert buying.sent == [key(ROME)]


def test_what_others_have_begun_is_left_to_them_and_after_four_it_goes_on_elsewhere(
    buying: Buying,
) -> None:
    shared = Shared(begun=set(hashes(*CITIES[:4])))
    one = with_policy(sharing(buying, shared), max_in_flight=1)
    one.submitter.add(hashes(*CITIES))

    one.dispatch()
    one.answer()

    assert one.sent == [key(CITIES[-1])]
    assert shared.skipped == set(hashes(*CITIES[:4]))


def test_after_three_in_a_row_it_goes_on_where_it_is(buying: Buying) -> None:
    one = with_policy(sharing(buying, Shared(begun=set(hashes(*CITIES[1:4])))), max_in_flight=1)
    one.submitter.add(hashes(*CITIES))

    for _ in range(2):
        one.dispatch()
        one.answer()
        one.taken.clear()

    assert one.sent == [key(CITIES[0]), key(CITIES[4])]


def test_those_that_are_not_in_a_row_are_not_four(buying: Buying) -> None:
    begun = {CITIES[place].hash for place in (0, 1, 2, 4)}
    one = with_policy(sharing(buying, Shared(begun=begun)), max_in_flight=1)
    one.submitter.add(hashes(*CITIES))

    for _ in range(2):
        one.dispatch()
        one.answer()
        one.taken.clear()

    assert one.sent == [key(CITIES[3]), key(CITIES[5])]


def test_who_finds_a_claim_goes_on_elsewhere_at_once(buying: Buying) -> None:
    shared = Shared({OSLO.hash: NotPermitted("claimed", "by ada")})
    one = with_policy(sharing(buying, shared), max_in_flight=1)
    one.submitter.add(hashes(*CITIES))
    one.dispatch()
    one.answer()

    assert one.dispatch() == 1
    one.answer()
    assert one.sent == [key(CITIES[-1])]
