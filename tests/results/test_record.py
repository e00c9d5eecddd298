"""What each event adds to the facts of a request, and where it stands by them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from support.virtual import PRICE, VIDEO

from veogen.results.events import (
    Event,
    OtherPurchase,
    PurchaseImported,
    RequestAbandoned,
    SubmitFailed,
    SubmitIntended,
    SubmitRejected,
    SubmitUnknown,
    TaskAdopted,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskProgressed,
    VideoMissing,
    VideoMoved,
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.facts import AttemptFacts, Failure, Purchase, RequestFacts, TaskFacts
from veogen.results.record import Record, after, links_may_live, records

HASH = "0123456789" * 6
FORTY, NINE = Decimal(40), Decimal(9)
CLIP, CLIP_1, CLIP_2 = (VIDEO.at(f"videos/a-0123456789{number}.mp4") for number in ("", "-1", "-2"))
NO, LOST, SORRY = Failure("400", "no"), Failure("lost", "it broke"), Failure("service", "sorry")


def intent(number: int = 1, at: float = 10.0, estimate: Decimal | None = PRICE) -> SubmitIntended:
    return SubmitIntended(HASH, number, f"veogen-{number}-{HASH}", "{}", estimate, at)


def created(
    task: str = "t1", number: int = 1, credits_: Decimal | None = FORTY, at: float = 12.0
) -> TaskCreated:
    return TaskCreated(HASH, number, task, credits_, at, 30.0)


def sent(number: int = 1, *names: str, **more: Any) -> AttemptFacts:
    facts = AttemptFacts(number, PRICE, names or ("10.0",))
    for name, value in more.items():
        setattr(facts, name, value)
    return facts


def taken(task: str = "t1", number: int = 1, **more: Any) -> TaskFacts:
    facts = TaskFacts(
        task, number, own=True, reserved=FORTY, accepted_at=12.0, estimated_seconds=30.0
    )
    for name, value in more.items():
        setattr(facts, name, value)
    return facts


@dataclass
class Facts:
    """What is known afterwards; `pending`: whether an answer is to come."""

    attempts: list[AttemptFacts] = field(default_factory=list)
    tasks: list[TaskFacts] = field(default_factory=list)
    pending: SubmitIntended | None = None
    last_task: str | None = None
    least: int = 0


def made(*links: str, credits_: Decimal | None = NINE, at: float = 20.0) -> TaskCompleted:
    return TaskCompleted(HASH, "t1", links, credits_, at)


def imported(status: str, task: str | None = "t1", attempts: int = 1, **more: Any) -> Event:
    values: dict[str, Any] = {
        "status": status,
        "task_id": task,
        "attempts": attempts,
        "credits": None,
        "error_code": None,
        "error_message": None,
        "videos": (),
        "estimate": PRICE,
        "at": 50.0,
        **more,
    }
    return PurchaseImported(HASH, **values)


MADE: dict[str, Any] = {"made": True, "made_at": 20.0, "charged": NINE}


@pytest.mark.parametrize(
    ("events", "facts"),
    [
        pytest.param([intent()], Facts([sent()], pending=intent()), id="about to be sent"),
        pytest.param(
            [intent(at=10.0), intent(at=9.0)],
            Facts([sent(1, "10.0", "9.0")], pending=intent(at=9.0)),
            id="sent again, by a clock that was set back",
        ),
        pytest.param(
            [intent(), intent()], Facts([sent()], pending=intent()), id="the same sending twice"
        ),
        pytest.param(
            [intent(), SubmitFailed(HASH, 1, "429", "slow down", 10.0, resend=True)],
            Facts([sent(not_sent=("10.0",))]),
            id="not sent",
        ),
        pytest.param(
            [intent(), intent(at=20.0), SubmitFailed(HASH, 1, "429", "slow down", 20.0)],
            Facts([sent(1, "10.0", "20.0", not_sent=("20.0",))]),
            id="the second sending was not, of the first nobody knows",
        ),
        pytest.param(
            [intent(), intent(at=20.0), SubmitFailed(HASH, 1, "429", "slow down")],
            Facts([sent(1, "10.0", "20.0", not_sent=("10.0", "20.0"))]),
            id="none was sent, as an old journal says it",
        ),
        pytest.param(
            [intent(), SubmitRejected(HASH, 1, "400", "no", 10.0)],
            Facts([sent(not_sent=("10.0",), refused=NO)]),
            id="refused",
        ),
        pytest.param(
            [intent(), SubmitUnknown(HASH, 1, "lost", "it broke")],
            Facts([sent(unknown=LOST)]),
            id="nobody knows",
        ),
        pytest.param([intent(), created()], Facts([sent()], [taken()], last_task="t1"), id="taken"),
        pytest.param(
            [intent(), created(), created(credits_=None, at=15.0)],
            Facts([sent()], [taken(accepted_at=15.0)], last_task="t1"),
            id="taken again, without an amount",
        ),
        pytest.param(
            [intent(), created(), intent(2, at=20.0)],
            Facts([sent(), sent(2, "20.0")], [taken()], pending=intent(2, at=20.0)),
            id="a second attempt: no task is spoken of",
        ),
        pytest.param(
            [intent(), intent(2, at=20.0), TaskAdopted(HASH, "t1", NINE, 30.0)],
            Facts(
                [sent(), sent(2, "20.0")],
                [TaskFacts("t1", 2, reserved=NINE, accepted_at=30.0, adopted=True)],
                last_task="t1",
            ),
            id="adopted for the last attempt",
        ),
        pytest.param(
            [TaskAdopted(HASH, "t1", None, 30.0)],
            Facts([], [TaskFacts("t1", 1, accepted_at=30.0, adopted=True)], last_task="t1"),
            id="adopted though nothing was sent from here",
        ),
        pytest.param(
            [intent(), created(), intent(2, at=20.0), TaskAdopted(HASH, "t1", None, 30.0)],
            Facts(
                [sent(), sent(2, "20.0")], [taken(accepted_at=30.0, adopted=True)], last_task="t1"
            ),
            id="a task of the first attempt adopted: it stays that of the first",
        ),
        pytest.param(
            [intent(2), intent(at=20.0), created("t2", 2), created("t1", 1)],
            Facts([sent(1, "20.0"), sent(2)], [taken("t1"), taken("t2", 2)], last_task="t1"),
            id="attempts and tasks of which one hears in another order",
        ),
        pytest.param(
            [intent(2), created(number=2), TaskAdopted(HASH, "t1", None, 30.0, attempt=1)],
            Facts([sent(2)], [taken(accepted_at=30.0, adopted=True)], last_task="t1"),
            id="adopted for an earlier attempt",
        ),
        pytest.param(
            [TaskAdopted(HASH, "t1", None, 30.0, attempt=2), created()],
            Facts([], [taken(adopted=True)], last_task="t1"),
            id="adopted, and then taken for an earlier attempt",
        ),
        pytest.param(
            [intent(), created(), TaskFailed(HASH, "t1", "service", "sorry")],
            Facts([sent()], [taken(failed=SORRY, end_read=True)], last_task="t1"),
            id="failed",
        ),
        pytest.param(
            [intent(), created(), made("x")],
            Facts([sent()], [taken(links=("x",), **MADE)], last_task="t1"),
            id="made",
        ),
        pytest.param(
            [intent(), created(), made("x"), made("y", "z", credits_=None, at=40.0)],
            Facts([sent()], [taken(links=("y", "z"), **MADE)], last_task="t1"),
            id="made, and looked at again: since when stays, and what it cost",
        ),
        pytest.param(
            [intent(), created(), VideoNotSaved(HASH, "lost", "it broke"), made("x")],
            Facts([sent()], [taken(links=("x",), **MADE)], last_task="t1"),
            id="a clip that was not saved, and a new link to it",
        ),
        pytest.param(
            [intent(), created(), made("x"), VideoNotSaved(HASH, "lost", "it broke")],
            Facts([sent()], [taken(links=("x",), undelivered=LOST, **MADE)], last_task="t1"),
            id="a clip that was not saved",
        ),
        pytest.param(
            [intent(), created(), VideoNotSaved(HASH, "lost", "it broke", "t1")],
            Facts([sent()], [taken(made=True, undelivered=LOST)], last_task="t1"),
            id="a clip that was not saved: the task was made",
        ),
        pytest.param(
            [intent(), created(), VideoSaved(HASH, 0, CLIP, "t1", 7)],
            Facts(
                [sent()],
                [taken(made=True, videos={0: CLIP}, here={0: 7}, whole=True)],
                last_task="t1",
            ),
            id="saved",
        ),
        pytest.param(
            [intent(), created(), made("x", "y"), VideoSaved(HASH, 1, CLIP_2)],
            Facts(
                [sent()],
                [taken(links=("x", "y"), videos={1: CLIP_2}, here={1: 0}, **MADE)],
                last_task="t1",
            ),
            id="one of two saved",
        ),
        pytest.param(
            [
                intent(),
                created(),
                made("x", "y"),
                VideoSaved(HASH, 1, CLIP_2, "t1", 7),
                VideoSaved(HASH, 0, CLIP_1, "t1", 8),
            ],
            Facts(
                [sent()],
                [
                    taken(
                        links=("x", "y"),
                        videos={0: CLIP_1, 1: CLIP_2},
                        here={0: 8, 1: 7},
                        whole=True,
                        **MADE,
                    )
                ],
                last_task="t1",
            ),
            id="both saved",
        ),
        pytest.param(
            [intent(), created(), VideoSaved(HASH, 0, CLIP, "t1", 7), made("x", "y")],
            Facts(
                [sent()],
                [taken(links=("x", "y"), videos={0: CLIP}, here={0: 7}, whole=True, **MADE)],
                last_task="t1",
            ),
            id="all were saved; that more is listed later undoes nothing",
        ),
        pytest.param(
            [
                intent(),
                created(),
                VideoSaved(HASH, 0, CLIP_1, "t1", 7),
                VideoSaved(HASH, 1, CLIP_2, "t1", 8),
                VideoMissing(HASH, 0, "t1"),
            ],
            Facts(
                [sent()],
                [taken(made=True, videos={0: CLIP_1, 1: CLIP_2}, here={1: 8}, whole=True)],
                last_task="t1",
            ),
            id="one of two is missing",
        ),
        pytest.param(
            [
                intent(),
                created(),
                VideoSaved(HASH, 0, CLIP, "t1", 7),
                VideoMissing(HASH, 0, "t1", put_away=True),
            ],
            Facts(
                [sent()],
                [taken(made=True, videos={0: CLIP}, here={}, whole=True, put_away=True)],
                last_task="t1",
            ),
            id="put away",
        ),
        pytest.param(
            [
                intent(),
                created(),
                VideoSaved(HASH, 0, CLIP, "t1", 7),
                VideoMissing(HASH, 0, "t1", put_away=False),
            ],
            Facts(
                [sent()],
                [taken(made=True, videos={0: CLIP}, here={}, whole=True)],
                last_task="t1",
            ),
            id="missing, and nobody put it away",
        ),
        pytest.param(
            [
                intent(),
                created(),
                VideoSaved(HASH, 0, CLIP, "t1", 7),
                VideoMoved(HASH, 0, "videos/b.mp4", "t1"),
                VideoMoved(HASH, 1, "videos/c.mp4", "t1"),
            ],
            Facts(
                [sent()],
                [
                    taken(
                        made=True,
                        videos={0: CLIP.at("videos/b.mp4")},
                        here={0: 7},
                        whole=True,
                    )
                ],
                last_task="t1",
            ),
            id="moved, and one that was never here",
        ),
        pytest.param(
            [VideoSaved(HASH, 0, CLIP), VideoNotSaved(HASH, "lost", "it broke")],
            Facts(),
            id="a clip of no task",
        ),
        pytest.param(
            [
                intent(),
                created(),
                intent(2, at=20.0),
                created("t2", 2),
                VideoNotSaved(HASH, "lost", "it broke", "t1"),
            ],
            Facts(
                [sent(), sent(2, "20.0")],
                [taken(made=True, undelivered=LOST), taken("t2", 2)],
                last_task="t2",
            ),
            id="a clip of the first task of two",
        ),
        pytest.param(
            [intent(), RequestAbandoned(HASH, "by hand")],
            Facts([sent(abandoned="by hand")]),
            id="given up, without a task",
        ),
        pytest.param(
            [RequestAbandoned(HASH, "by hand")],
            Facts([AttemptFacts(1, abandoned="by hand")]),
            id="given up, though nothing was sent from here",
        ),
        pytest.param(
            [intent(), intent(2, at=20.0), RequestAbandoned(HASH, "by hand")],
            Facts([sent(), sent(2, "20.0", abandoned="by hand")]),
            id="given up, the last attempt",
        ),
        pytest.param(
            [intent(), created(), RequestAbandoned(HASH, "by hand")],
            Facts([sent()], [taken(abandoned="by hand")], last_task="t1"),
            id="given up, the task",
        ),
        pytest.param(
            [intent(), created(), intent(2, at=20.0), RequestAbandoned(HASH, "by hand", 2)],
            Facts([sent(), sent(2, "20.0", abandoned="by hand")], [taken()]),
            id="given up, an attempt by its number",
        ),
        pytest.param(
            [
                intent(),
                created(),
                intent(2, at=20.0),
                RequestAbandoned(HASH, "by hand", task_id="t1"),
            ],
            Facts([sent(), sent(2, "20.0")], [taken(abandoned="by hand")]),
            id="given up, a task by its id",
        ),
        pytest.param(
            [intent(), created(), TaskProgressed(HASH, "t1", "processing", 5)],
            Facts([sent()], [taken()], last_task="t1"),
            id="it goes on",
        ),
        pytest.param(
            [imported("submitted", credits=NINE)],
            Facts(
                [],
                [TaskFacts("t1", 1, estimate=PRICE, reserved=NINE, accepted_at=50.0)],
                last_task="t1",
            ),
            id="a task of others",
        ),
        pytest.param(
            [intent(), created(), imported("submitted", credits=NINE)],
            Facts([sent()], [taken(estimate=PRICE)], last_task="t1"),
            id="a task of ours that others know too: its amount stays, and its time",
        ),
        pytest.param(
            [imported("planned", None, 3)],
            Facts(least=3),
            id="three attempts of others came to nothing",
        ),
        pytest.param(
            [imported("submitted", claimed=("t1",))],
            Facts(
                [],
                [TaskFacts("t1", 1, own=True, estimate=PRICE, accepted_at=50.0)],
                last_task="t1",
            ),
            id="a task of others whose claim is known",
        ),
        pytest.param(
            [imported("submitted", claimed=("t2",), adopted=("t1",))],
            Facts(
                [],
                [TaskFacts("t1", 1, estimate=PRICE, accepted_at=50.0, adopted=True)],
                last_task="t1",
            ),
            id="a task that somebody has adopted elsewhere",
        ),
        pytest.param(
            [imported("submitted", adopted=("t2",))],
            Facts([], [TaskFacts("t1", 1, estimate=PRICE, accepted_at=50.0)], last_task="t1"),
            id="a task of others, and another one was adopted",
        ),
        pytest.param(
            [intent(), created(), imported("planned", None)],
            Facts([sent()], [taken()], last_task="t1", least=1),
            id="nothing that others know: the last task is still ours",
        ),
        pytest.param(
            [intent(2), imported("planned", None, 2, not_sent=(1,))],
            Facts(
                [
                    AttemptFacts(1, sent=("reported",), not_sent=("reported",)),
                    sent(2),
                ],
                pending=intent(2),
                least=2,
            ),
            id="an attempt that surely was not sent",
        ),
    ],
)
def test_what_events_add_to_the_facts(events: list[Event], facts: Facts) -> None:
    (record,) = records(events)

    assert record.facts == RequestFacts(tuple(facts.attempts), tuple(facts.tasks), facts.least)
    assert record.last_task == facts.last_task
    assert record.last_submit == next(
        (event for event in reversed(events) if isinstance(event, SubmitIntended)), None
    )
    assert record.pending == (None if record.current is None else facts.pending)


OTHER = OtherPurchase(1, "t0", "completed", NINE, (CLIP_2,))


@pytest.mark.parametrize(
    ("line", "purchases"),
    [
        pytest.param(imported("planned", None, 3), [], id="nothing"),
        pytest.param(
            imported("completed", credits=NINE, videos=(CLIP,)),
            [Purchase(1, "t1", "completed", NINE, PRICE, None, {0: CLIP})],
            id="completed",
        ),
        pytest.param(
            imported("undelivered", error_code="lost", error_message="it broke", videos=(CLIP_2,)),
            [Purchase(1, "t1", "undelivered", None, PRICE, LOST, {1: CLIP_2})],
            id="of two clips the second is there",
        ),
        pytest.param(
            imported("undelivered"),
            [Purchase(1, "t1", "undelivered", None, PRICE)],
            id="undelivered, nobody says why",
        ),
        pytest.param(
            imported("failed", None, 2, error_code="400", error_message="no"),
            [],
            id="refused: no money has moved",
        ),
        pytest.param(
            imported("failed", "t1", 2, error_code="lost"),
            [Purchase(2, "t1", "failed", None, PRICE, Failure("lost", ""))],
            id="failed, nobody says why",
        ),
        pytest.param(
            imported("indeterminate", None, 0, error_code="lost", error_message="it broke"),
            [Purchase(1, None, "indeterminate", None, PRICE, LOST)],
            id="held; an attempt that is not counted is the first",
        ),
        pytest.param(
            imported("submitted", "t1", 2, others=(OTHER,)),
            [
                Purchase(1, "t0", "completed", NINE, PRICE, None, {1: CLIP_2}),
                Purchase(2, "t1", "submitted", None, PRICE),
            ],
            id="with another one beside it",
        ),
        pytest.param(
            imported("planned", None, 1, others=(OTHER,)),
            [Purchase(1, "t0", "completed", NINE, PRICE, None, {1: CLIP_2})],
            id="with another one alone",
        ),
    ],
)
def test_what_a_line_of_results_says_was_bought(line: Event, purchases: list[Purchase]) -> None:
    (record,) = records([line])

    assert sorted(record.purchases, key=lambda purchase: purchase.attempt) == purchases


BOTH_HOME: list[Event] = [
    intent(),
    created(),
    made("x", "y"),
    VideoSaved(HASH, 0, CLIP_1, "t1", 7),
    VideoSaved(HASH, 1, CLIP_2, "t1", 8),
]


def test_a_record_says_where_its_request_stands() -> None:
    (record,) = records([intent(), created(at=11.0), intent(2, at=15.0), *BOTH_HOME[1:]])
    (unsent,) = records([intent(), SubmitRejected(HASH, 1, "400", "no", 10.0), imported("planned")])

    assert record == Record(
        HASH,
        status="completed",
        attempts=2,
        task_id="t1",
        credits=NINE,
        error=None,
        videos={0: CLIP_1, 1: CLIP_2},
        pending=None,
        last_submit=intent(2, at=15.0),
        accepted_at=12.0,
        estimated_seconds=30.0,
        made_at=20.0,
        links=("x", "y"),
        purchases=record.purchases,
        remote_videos=frozenset(),
        current=record.current,
        facts=record.facts,
        last_task="t1",
    )
    assert unsent.status == "failed"


@pytest.mark.parametrize(
    ("events", "stands"),
    [
        pytest.param([], ("planned", 0, None, None), id="nothing has happened"),
        pytest.param(
            [intent(), SubmitFailed(HASH, 1, "429", "slow down", 10.0)],
            ("planned", 0, None, None),
            id="not sent: planned, and its number is free",
        ),
        pytest.param(
            [intent(), SubmitRejected(HASH, 1, "400", "no", 10.0)],
            ("failed", 1, None, NO),
            id="refused",
        ),
        pytest.param(
            [intent(), SubmitUnknown(HASH, 1, "lost", "it broke")],
            ("indeterminate", 1, None, LOST),
            id="held",
        ),
        pytest.param([intent(), created()], ("submitted", 1, "t1", None), id="taken"),
        pytest.param(
            [intent(), created(), TaskFailed(HASH, "t1", "service", "sorry")],
            ("failed", 1, "t1", SORRY),
            id="failed",
        ),
        pytest.param([intent(), created(), made("x")], ("undelivered", 1, "t1", None), id="made"),
        pytest.param(BOTH_HOME, ("completed", 1, "t1", None), id="saved"),
    ],
)
def test_where_a_request_stands(
    events: list[Event], stands: tuple[str, int, str | None, Failure | None]
) -> None:
    record = Record(HASH)
    for event in events:
        record = after(record, event)

    assert (record.status, record.attempts, record.task_id, record.error) == stands


@pytest.mark.parametrize(
    ("events", "money"),
    [
        pytest.param([], (0, 0, 0), id="nothing was sent"),
        pytest.param([intent()], (PRICE, PRICE, 0), id="in doubt"),
        pytest.param([intent(estimate=None)], (0, 0, 0), id="in doubt, at a price nobody knows"),
        pytest.param([intent(), created()], (FORTY, 0, 0), id="reserved"),
        pytest.param(
            [intent(), created(credits_=None)], (PRICE, 0, PRICE), id="taken without an amount"
        ),
        pytest.param([intent(), created(), made("x")], (NINE, 0, 0), id="charged"),
        pytest.param(
            [intent(), created(), intent(2, at=20.0)],
            (FORTY + PRICE, PRICE, 0),
            id="reserved once, and in doubt once",
        ),
        pytest.param(
            [intent(), created(), intent(2, at=20.0), created("t2", 2, None)],
            (FORTY + PRICE, 0, PRICE),
            id="two tasks, one without an amount",
        ),
    ],
)
def test_what_a_request_costs(events: list[Event], money: tuple[Decimal, ...]) -> None:
    record = Record(HASH)
    for event in events:
        record = after(record, event)

    assert (record.spent, record.in_doubt, record.estimated) == money
    assert record.bought is (events != [])


def test_a_video_that_is_missing_here_is_somewhere_else() -> None:
    (record,) = records([*BOTH_HOME, VideoMissing(HASH, 0, "t1")])

    assert record.status == "completed"
    assert record.remote_videos == frozenset({0})


def test_what_was_sent_last_serves_no_other_attempt() -> None:
    (second,) = records(
        [intent(), created(), intent(2, at=20.0), SubmitFailed(HASH, 2, "429", "", 20.0)]
    )
    (first,) = records([intent()])
    (nothing,) = records([imported("submitted")])
    (unsent,) = records([intent(), SubmitFailed(HASH, 1, "429", "", 10.0)])

    assert (first.intent, second.intent) == (intent(), None)
    assert (nothing.intent, unsent.intent) == (None, None)


def test_every_other_purchase_is_none_that_counts() -> None:
    (record,) = records([intent(), created(), intent(2, at=20.0), created("t2", 2)])

    assert record.current is not None
    assert (record.current.task_id, [other.task_id for other in record.others]) == ("t2", ["t1"])


@pytest.mark.parametrize(
    ("events", "at", "live"),
    [
        pytest.param([intent(), created()], 12.0 + 86_399, True, id="taken, for nearly a day"),
        pytest.param([intent(), created()], 12.0 + 86_400, False, id="taken, for a day"),
        pytest.param([intent(), created(), made("x")], 20.0 + 86_399, True, id="made"),
        pytest.param([intent(), created(), made("x")], 20.0 + 86_400, False, id="made a day ago"),
        pytest.param([intent()], 1e9, True, id="nobody knows when"),
    ],
)
def test_links_live_for_a_day(events: list[Event], at: float, live: bool) -> None:
    (record,) = records(events)

    assert links_may_live(record, at) is live


def test_links_die_a_day_after_a_task_was_made() -> None:
    (asked,) = records([intent(), created()])
    (done,) = records([intent(), created(), made("x")])

    assert (asked.expires_at, done.expires_at) == (None, 20.0 + 86_400)


def test_warnings_of_videos_are_named_once_in_their_order() -> None:
    first = msgspec.structs.replace(CLIP_1, warnings=("size", "audio"))
    second = msgspec.structs.replace(CLIP_2, warnings=("audio", "ratio"))
    saved = [VideoSaved(HASH, 1, second, "t1"), VideoSaved(HASH, 0, first, "t1")]
    (record,) = records([intent(), created(), *saved])

    assert record.warnings == ("size", "audio", "ratio")


@pytest.mark.parametrize(
    ("code", "retries", "left"),
    [
        pytest.param("service_error", 1, True, id="a passing reason"),
        pytest.param("service_error", 0, False, id="no more retries"),
        pytest.param("content_policy", 1, False, id="another reason"),
        pytest.param(None, 1, False, id="not failed"),
    ],
)
def test_only_what_failed_for_a_passing_reason_is_bought_again(
    code: str | None, retries: int, left: bool
) -> None:
    ended = [] if code is None else [TaskFailed(HASH, "t1", code, "sorry")]
    (record,) = records([intent(), created(), *ended])

    assert record.retries_left(retries) is left
