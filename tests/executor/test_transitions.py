"""What each answer of the gateway makes of a request: what is on record, and what is done next."""

from decimal import Decimal
from typing import Any, get_args

import pytest
from support.virtual import PRICE, VIDEO

from veogen.executor.transitions import (
    NotPermitted,
    Retry,
    Step,
    Stop,
    StopKind,
    SubmitAttempt,
    on_poll,
    on_submit,
)
from veogen.gateway.api import (
    Accepted,
    NotAccepted,
    ReadError,
    Rejected,
    Submission,
    Task,
    Unknown,
)
from veogen.results.events import (
    PurchaseImported,
    SubmitFailed,
    SubmitIntended,
    SubmitRejected,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskProgressed,
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.record import Record, records

HASH, TASK, SENT_AT, NOW, INTERVAL = "0123456789" * 6, "task-1", 100.0, 101.0, 30.0
INTENT = SubmitIntended(HASH, 2, f"veogen-2-{HASH}", "{}", PRICE, SENT_AT)
A, B = "https://media.example/task-1/0.mp4", "https://media.example/task-1/1.mp4"
CHARGED = Decimal("37.5")

BUSY = NotAccepted(code="429", message="slow down", status=429)
LATER = NotAccepted(code="429", message="slow down", status=429, retry_after=7.0)
DOWN = NotAccepted(code="refused", message="no connection", reached=False)
BROKEN = NotAccepted(code="500", message="internal", status=500, once=True)
LOST = Unknown(code="lost", message="it broke")
BAD = Rejected(code="400", message="no", status=400)
BROKE = Rejected(code="402", message="no credits", status=402, stops=True)
CLAIMED = NotPermitted("claimed", "by another machine")
NO_STORE = Stop("store", "the store is gone")
OUTSIDE = NotPermitted("store", "no answer", NO_STORE)


def sent(**before: Any) -> SubmitAttempt:
    return SubmitAttempt(intent=INTENT, **before)


def not_sent(code: str, message: str, **more: Any) -> SubmitFailed:
    return SubmitFailed(HASH, 2, code, message, SENT_AT, **more)


def resent(answer: NotAccepted) -> SubmitFailed:
    return not_sent(answer.code, answer.message, resend=True)


@pytest.mark.parametrize(
    ("attempt", "answer", "step"),
    [
        pytest.param(
            sent(),
            Accepted(
                task_id=TASK,
                credits=CHARGED,
                estimated_seconds=40.0,
                replayed=True,
                request_id="r-1",
            ),
            Step(
                (TaskCreated(HASH, 2, TASK, CHARGED, NOW, 40.0, replayed=True, request_id="r-1"),)
            ),
            id="taken",
        ),
        pytest.param(
            sent(),
            BUSY,
            Step(
                (resent(BUSY),),
                Retry(1.0, "slow down (429)", throttled=True, attempt=sent(tries=1)),
            ),
            id="no room: sent again, with fewer at a time",
        ),
        pytest.param(
            sent(tries=2),
            BUSY,
            Step(
                (resent(BUSY),),
                Retry(4.0, "slow down (429)", throttled=True, attempt=sent(tries=3)),
            ),
            id="no room for the third time: four seconds at most",
        ),
        pytest.param(
            sent(),
            LATER,
            Step(
                (resent(LATER),),
                Retry(7.0, "slow down (429)", throttled=True, attempt=sent(tries=1)),
            ),
            id="no room for so long",
        ),
        pytest.param(
            sent(),
            DOWN,
            Step((resent(DOWN),), Retry(1.0, "no connection (refused)", attempt=sent(tries=1))),
            id="nobody there: sent again, with as many at a time",
        ),
        pytest.param(
            sent(maybe_accepted=True),
            BUSY,
            Step(
                retry=Retry(
                    1.0,
                    "slow down (429)",
                    throttled=True,
                    attempt=sent(tries=1, maybe_accepted=True),
                )
            ),
            id="no room for a replay: it is not on record as not sent",
        ),
        pytest.param(
            sent(),
            BROKEN,
            Step(
                (resent(BROKEN),),
                Retry(1.0, "internal (500)", attempt=sent(tries=1, had_error=True)),
            ),
            id="an error of its own: sent again once",
        ),
        pytest.param(
            sent(had_error=True),
            BUSY,
            Step(
                (resent(BUSY),),
                Retry(
                    1.0, "slow down (429)", throttled=True, attempt=sent(tries=1, had_error=True)
                ),
            ),
            id="no room after an error: there was one all the same",
        ),
        pytest.param(
            sent(had_error=True),
            BROKEN,
            Step((SubmitUnknown(HASH, 2, "500", "twice: internal"),)),
            id="an error of its own again: held",
        ),
        pytest.param(
            sent(had_error=True, replays=1),
            BROKEN,
            Step(
                retry=Retry(
                    1.0,
                    "twice: internal (500)",
                    attempt=sent(tries=1, had_error=True, maybe_accepted=True),
                )
            ),
            id="an error of its own again: replayed where that is wanted",
        ),
        pytest.param(
            sent(), LOST, Step((SubmitUnknown(HASH, 2, "lost", "it broke"),)), id="unknown: held"
        ),
        pytest.param(
            sent(replays=1),
            LOST,
            Step(retry=Retry(1.0, "it broke (lost)", attempt=sent(tries=1, maybe_accepted=True))),
            id="unknown: replayed where that is wanted",
        ),
        pytest.param(
            sent(maybe_accepted=True),
            LOST,
            Step((SubmitUnknown(HASH, 2, "lost", "it broke"),)),
            id="unknown after the replay: held",
        ),
        pytest.param(
            sent(), BAD, Step((SubmitRejected(HASH, 2, "400", "no", SENT_AT),)), id="refused"
        ),
        pytest.param(
            sent(maybe_accepted=True),
            BAD,
            Step((SubmitUnknown(HASH, 2, "400", "no"),)),
            id="a replay that is refused: of the first nobody knows",
        ),
        pytest.param(
            sent(),
            BROKE,
            Step((not_sent("402", "no credits"),), stop=Stop("refused", "no credits (402)")),
            id="refused, as all others would be: planned",
        ),
        pytest.param(
            sent(maybe_accepted=True),
            BROKE,
            Step(
                (SubmitUnknown(HASH, 2, "402", "no credits"),),
                stop=Stop("refused", "no credits (402)"),
            ),
            id="a replay that is refused as all others would be: held",
        ),
        pytest.param(
            sent(), CLAIMED, Step((not_sent("claimed", "by another machine"),)), id="not permitted"
        ),
        pytest.param(
            sent(),
            OUTSIDE,
            Step((not_sent("store", "no answer"),), stop=NO_STORE),
            id="nothing is permitted any more",
        ),
        pytest.param(
            sent(maybe_accepted=True),
            CLAIMED,
            Step((SubmitUnknown(HASH, 2, "claimed", "by another machine"),)),
            id="a replay that is not permitted: of the first nobody knows",
        ),
    ],
)
def test_what_the_answer_to_a_submit_comes_to(
    attempt: SubmitAttempt, answer: Submission | NotPermitted, step: Step
) -> None:
    assert on_submit(attempt, answer, now=NOW, random=lambda: 1.0) == step


def known(*events: Any) -> Record:
    """The record of a request of which a task is known, and then that."""
    (record,) = records([INTENT, TaskCreated(HASH, 2, TASK, PRICE, 20.0), *events])
    return record


ASKED = known()
LISTED = known(TaskCompleted(HASH, TASK, (A,), PRICE, 30.0))
HOME = known(
    TaskCompleted(HASH, TASK, (A,), PRICE, 30.0),
    VideoSaved(HASH, 0, VIDEO.at("videos/a.mp4"), TASK),
)
(ELSEWHERE,) = records(
    [
        PurchaseImported(
            HASH, "completed", TASK, 1, PRICE, None, None, (VIDEO.at("videos/a.mp4"),), PRICE, 20.0
        )
    ]
)


def test_records_that_the_cases_begin_with() -> None:
    assert [(r.status, r.links) for r in (ASKED, LISTED, HOME, ELSEWHERE)] == [
        ("submitted", ()),
        ("undelivered", (A,)),
        ("completed", (A,)),
        ("completed", ()),
    ]


def made(*links: str, credits_: Decimal | None = CHARGED) -> TaskCompleted:
    return TaskCompleted(HASH, TASK, links, credits_, NOW)


def done(*links: str) -> Task:
    return Task(TASK, "completed", links=links, credits=CHARGED)


def unread(status: int | None, **more: Any) -> ReadError:
    return ReadError(code=f"{status}", message="why", status=status, **more)


DENIED = unread(401, denied=True)
UNREACHED = unread(None, reached=False)
NO_VIDEO = VideoNotSaved(HASH, "no-links", "the task is completed but names no video", TASK)


@pytest.mark.parametrize(
    ("record", "answer", "empty_polls", "videos", "step"),
    [
        pytest.param(
            ASKED,
            Task(TASK, "processing", 50),
            2,
            1,
            Step((TaskProgressed(HASH, TASK, "processing", 50),), Retry(INTERVAL, empty_polls=2)),
            id="it goes on",
        ),
        pytest.param(
            ASKED,
            Task("task-0", "failed"),
            2,
            1,
            Step(retry=Retry(INTERVAL, empty_polls=2)),
            id="the end of another task is none",
        ),
        pytest.param(
            ASKED,
            done(),
            3,
            1,
            Step(retry=Retry(INTERVAL, empty_polls=4)),
            id="made without a link, the fourth time",
        ),
        pytest.param(
            ASKED, done(), 4, 1, Step((made(), NO_VIDEO)), id="made without a link, the fifth time"
        ),
        pytest.param(
            LISTED,
            done(),
            4,
            1,
            Step((made(A),)),
            id="made without a link, the fifth time, but once it had one",
        ),
        pytest.param(ASKED, done(A), 0, 1, Step((made(A),)), id="made"),
        pytest.param(ASKED, done(A, B), 0, 1, Step((made(A, B),)), id="made, more than asked for"),
        pytest.param(
            ASKED,
            done(A),
            1,
            2,
            Step((made(A),), Retry(2.0, empty_polls=1)),
            id="made, one of two: looked at once more, soon",
        ),
        pytest.param(LISTED, done(A), 0, 2, Step((made(A),)), id="made, one of two, as before"),
        pytest.param(
            ASKED,
            done(A),
            0,
            None,
            Step((made(A),), Retry(2.0)),
            id="made, nobody knows of how many",
        ),
        pytest.param(
            LISTED,
            done(B),
            0,
            None,
            Step((made(A, B),), Retry(2.0)),
            id="made, another of nobody knows how many",
        ),
        pytest.param(
            ASKED,
            Task(TASK, "failed", error_code="service_error", error_message="sorry"),
            0,
            1,
            Step((TaskFailed(HASH, TASK, "service_error", "sorry"),)),
            id="failed",
        ),
        pytest.param(
            ASKED,
            Task(TASK, "failed"),
            0,
            1,
            Step((TaskFailed(HASH, TASK, "unknown_error", "the task is failed"),)),
            id="failed without a word",
        ),
        pytest.param(
            ASKED,
            Task(TASK, "cancelled"),
            0,
            1,
            Step((TaskFailed(HASH, TASK, "request_cancelled", "the task is cancelled"),)),
            id="cancelled without a word",
        ),
        *(
            pytest.param(
                record,
                Task(TASK, "failed", error_code="service_error", error_message="sorry"),
                0,
                1,
                Step(
                    (
                        VideoNotSaved(
                            HASH,
                            "service_error",
                            "the task was completed, and is failed now: sorry",
                            TASK,
                        ),
                    )
                ),
                id=f"{record.status}, and failed afterwards: it was made and billed",
            )
            for record in (LISTED, HOME)
        ),
    ],
)
def test_what_a_look_at_a_task_comes_to(
    record: Record, answer: Task, empty_polls: int, videos: int | None, step: Step
) -> None:
    assert step == on_poll(
        record,
        answer,
        empty_polls=empty_polls,
        now=NOW,
        interval=lambda: INTERVAL,
        videos=videos,
    )


def test_a_task_that_is_looked_at_every_second_is_not_looked_at_less_often_for_its_links() -> None:
    step = on_poll(ASKED, done(A), empty_polls=0, now=NOW, interval=lambda: 1.0, videos=2)

    assert step == Step((made(A),), Retry(1.0))


LOST_CLIP = [VideoNotSaved(HASH, f"{status}", "why", TASK) for status in (401, 404, 500)]


@pytest.mark.parametrize(
    ("record", "answer", "empty_polls", "interval", "step"),
    [
        pytest.param(
            ASKED,
            unread(404),
            4,
            INTERVAL,
            Step(retry=Retry(INTERVAL, empty_polls=4)),
            id="nothing is known of it yet: asked again",
        ),
        pytest.param(
            ASKED,
            unread(429, retry_after=45.0),
            0,
            INTERVAL,
            Step(retry=Retry(45.0)),
            id="not before the gateway wants it",
        ),
        pytest.param(
            ASKED,
            unread(429, retry_after=7.0),
            0,
            INTERVAL,
            Step(retry=Retry(INTERVAL)),
            id="not sooner than always",
        ),
        pytest.param(
            ASKED, unread(404), 0, 0.5, Step(retry=Retry(0.5)), id="as often as somebody wants it"
        ),
        pytest.param(
            ASKED, UNREACHED, 0, INTERVAL, Step(retry=Retry(10.0)), id="nobody there: soon"
        ),
        pytest.param(
            ASKED, UNREACHED, 0, 5.0, Step(retry=Retry(5.0)), id="nobody there: as always"
        ),
        pytest.param(
            ASKED,
            DENIED,
            4,
            INTERVAL,
            Step(stop=Stop("denied", "why (401)")),
            id="denied: nothing can be asked",
        ),
        pytest.param(
            LISTED,
            unread(404),
            3,
            INTERVAL,
            Step(retry=Retry(INTERVAL, empty_polls=4)),
            id="made: asked again, four times",
        ),
        *(
            pytest.param(
                record,
                answer,
                empty_polls,
                INTERVAL,
                Step((made(A, credits_=None),)),
                id=f"{record.status}, {answer.code}: by the links that are known",
            )
            for record, answer, empty_polls in (
                (LISTED, unread(500), 4),
                (LISTED, DENIED, 0),
                (HOME, unread(404), 0),
            )
        ),
        pytest.param(
            ELSEWHERE,
            unread(500),
            3,
            INTERVAL,
            Step(retry=Retry(10.0, empty_polls=4)),
            id="a clip of a colleague: soon, four times",
        ),
        pytest.param(
            ELSEWHERE,
            unread(500),
            0,
            5.0,
            Step(retry=Retry(5.0, empty_polls=1)),
            id="a clip of a colleague: as always",
        ),
        *(
            pytest.param(
                ELSEWHERE,
                answer,
                empty_polls,
                INTERVAL,
                Step((lost,)),
                id=f"a clip of a colleague, {answer.code}: it cannot be had",
            )
            for (answer, empty_polls), lost in zip(
                ((DENIED, 0), (unread(404), 0), (unread(500), 4)), LOST_CLIP, strict=True
            )
        ),
    ],
)
def test_what_a_look_that_failed_comes_to(
    record: Record, answer: ReadError, empty_polls: int, interval: float, step: Step
) -> None:
    assert step == on_poll(
        record, answer, empty_polls=empty_polls, now=NOW, interval=lambda: interval, videos=1
    )


def test_only_after_some_stops_nothing_can_be_asked_either() -> None:
    kinds = [kind for kind in get_args(StopKind) if Stop(kind, "why").gateway_unreachable]

    assert kinds == ["denied", "silent"]
