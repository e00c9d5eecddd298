"""What the logs of several machines come to, of a task whose links each saw in its own order."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from msgspec import structs
from support.virtual import VIDEO

from veogen.executor.shared_facts import lacking, lacking_videos, news_for, shared_facts
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
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.facts import (
    REPORTED,
    UNFINISHED,
    AttemptFacts,
    Failure,
    RequestFacts,
    TaskFacts,
)
from veogen.results.ledger import Ledger
from veogen.results.record import Record
from veogen.store.history import History
from veogen.store.layout import AttemptId, Claim, Claimed, DecisionKind, Fact, StoredDecision

HASH, TASK = "a" * 64, "task-1"
A, B = (f"https://media.example/task-1/{name}.mp4" for name in "ab")


def made(*links: str) -> Event:
    signed = tuple(f"{link}?sig={len(links)}" for link in links)
    return TaskCompleted(HASH, TASK, signed, None, 5.0)


def saved(index: int, clip: str) -> Event:
    path = f"videos/city/x-{HASH[:10]}-{index + 1}.mp4"
    video = structs.replace(VIDEO, path=path, sha256=sha256(clip.encode()).hexdigest())
    return VideoSaved(HASH, index, video, TASK)


HERE_AB = [made(A, B), saved(0, A)]
THERE_BA = [made(B, A), saved(0, B)]


@pytest.mark.parametrize(
    ("events", "clips", "whole"),
    [
        pytest.param([*HERE_AB, saved(1, B)], [A, B], True, id="one machine"),
        pytest.param([*HERE_AB, *THERE_BA, saved(1, A)], [A, B], True, id="two, in two orders"),
        pytest.param([*THERE_BA, saved(1, A), *HERE_AB], [B, A], True, id="the other first"),
        pytest.param([*HERE_AB, *THERE_BA], [A, B], True, id="each has its first"),
        pytest.param([*HERE_AB, made(B, A), saved(1, A)], [A], False, id="both have one clip"),
        pytest.param([*HERE_AB, made(B), saved(0, B)], [A, B], True, id="one saw but one link"),
        pytest.param([made(A, B), saved(0, A), saved(1, A)], [A, A], True, id="all are alike"),
    ],
)
def test_a_clip_has_one_place(
    events: Sequence[Event], clips: Sequence[str], *, whole: bool
) -> None:
    history = History()
    for event in [TaskCreated(HASH, 1, TASK, None, 1.0), *events]:
        history.take(Fact.of(event, 1), "a record")

    task = shared_facts(history, HASH).tasks[0]

    wanted = [sha256(link.encode()).hexdigest() for link in clips]
    assert [task.videos[at].sha256 for at in sorted(task.videos)] == wanted
    assert task.whole is whole


ADA, PRICE, SAID = "ada.1", Decimal("38.016"), "given up by hand"
CLAIMED = Claimed(ADA, "city[name=rome]", PRICE)
CLAIM = Claim(ADA, f"veogen-{HASH}-1", "{}", CLAIMED.address, PRICE, "ada", 1.0)
CREATED = TaskCreated(HASH, 1, TASK, Decimal(25), 2.0, estimated_seconds=60.0)
ADOPTED = TaskAdopted(HASH, TASK, Decimal(30), 3.0, 1)
FAILED = TaskFailed(HASH, TASK, "service_error", "sorry")
NOT_SAVED = VideoNotSaved(HASH, "link_expired", "too late", TASK)
NO = Failure("no", "nothing was bought")
SENT = AttemptFacts(1, estimate=PRICE, sent=(ADA,))
OWN = TaskFacts(TASK, 1, own=True, reserved=Decimal(25), accepted_at=2.0, estimated_seconds=60.0)
CLIP = VIDEO.at(f"videos/city/x-{HASH[:10]}.mp4")
CLIP_OF = tuple(VIDEO.at(f"videos/city/x-{HASH[:10]}-{number}.mp4") for number in (1, 2))
LINKS = (f"{A}?sig=1", f"{B}?sig=1")


def history_of(*events: Event, claim: Claimed | None = None) -> History:
    history = History()
    for event in events:
        history.take(Fact.of(event, 1, claim=claim), "a record")
    return history


def with_(facts: TaskFacts, **changes: Any) -> TaskFacts:
    return structs.replace(facts, **changes)


@pytest.mark.parametrize(
    ("events", "attempt", "task"),
    [
        pytest.param([CREATED], SENT, OWN, id="accepted"),
        pytest.param(
            [ADOPTED],
            SENT,
            TaskFacts(TASK, 1, own=True, reserved=Decimal(30), accepted_at=3.0, adopted=True),
            id="adopted",
        ),
        pytest.param(
            [SubmitFailed(HASH, 1, "no", "")],
            structs.replace(SENT, not_sent=(ADA,)),
            None,
            id="surely not accepted",
        ),
        pytest.param(
            [SubmitRejected(HASH, 1, NO.code, NO.message)],
            structs.replace(SENT, not_sent=(ADA,), refused=NO),
            None,
            id="refused",
        ),
        pytest.param(
            [SubmitUnknown(HASH, 1, NO.code, NO.message)],
            structs.replace(SENT, unknown=NO),
            None,
            id="in doubt",
        ),
        pytest.param(
            [SubmitUnknown(HASH, 1, NO.code, NO.message), RequestAbandoned(HASH, SAID, 1)],
            structs.replace(SENT, unknown=NO, abandoned=SAID),
            None,
            id="given up",
        ),
        pytest.param(
            [RequestAbandoned(HASH, SAID)],
            structs.replace(SENT, abandoned=SAID),
            None,
            id="given up, in words of an earlier version",
        ),
        pytest.param(
            [CREATED, RequestAbandoned(HASH, SAID, task_id=TASK)],
            SENT,
            with_(OWN, abandoned=SAID),
            id="its task is given up",
        ),
        pytest.param(
            [CREATED, RequestAbandoned(HASH, SAID)],
            SENT,
            with_(OWN, abandoned=SAID),
            id="its task is given up, in words of an earlier version",
        ),
        pytest.param(
            [CREATED, FAILED],
            SENT,
            with_(OWN, failed=Failure("service_error", "sorry")),
            id="failed",
        ),
        pytest.param(
            [CREATED, TaskCompleted(HASH, TASK, LINKS, Decimal(20), 9.0)],
            SENT,
            with_(OWN, made=True, made_at=9.0, links=LINKS, charged=Decimal(20)),
            id="made",
        ),
        pytest.param(
            [
                CREATED,
                TaskCompleted(HASH, TASK, LINKS, Decimal(20), 9.0),
                TaskCompleted(HASH, TASK, LINKS[:1], None, 10.0),
            ],
            SENT,
            with_(OWN, made=True, made_at=10.0, links=LINKS, charged=Decimal(20)),
            id="made, and a look that lists less and names no amount",
        ),
        pytest.param(
            [CREATED, TaskCompleted(HASH, TASK, LINKS, None, 9.0), NOT_SAVED],
            SENT,
            with_(
                OWN,
                made=True,
                made_at=9.0,
                links=LINKS,
                undelivered=Failure("link_expired", "too late"),
            ),
            id="not delivered",
        ),
        pytest.param(
            [CREATED, VideoNotSaved(HASH, "link_expired", "too late")],
            SENT,
            with_(OWN, made=True, undelivered=Failure("link_expired", "too late")),
            id="not delivered, in words of an earlier version",
        ),
        pytest.param(
            [CREATED, VideoSaved(HASH, 0, CLIP, TASK)],
            SENT,
            with_(OWN, made=True, videos={0: CLIP}, whole=True),
            id="delivered",
        ),
        pytest.param(
            [CREATED, TaskCompleted(HASH, TASK, LINKS, None, 9.0), VideoSaved(HASH, 1, CLIP)],
            SENT,
            with_(OWN, made=True, made_at=9.0, links=LINKS, videos={1: CLIP}),
            id="one of two delivered",
        ),
        pytest.param(
            [VideoSaved(HASH, 0, CLIP, "task-0")],
            SENT,
            TaskFacts("task-0", 1, made=True, videos={0: CLIP}, whole=True),
            id="of a task of which nothing else is known",
        ),
        pytest.param([VideoSaved(HASH, 0, CLIP)], SENT, None, id="of no task that is known"),
        pytest.param([TaskProgressed(HASH, TASK, "processing", 5)], SENT, None, id="not shared"),
    ],
)
def test_what_the_records_of_a_claim_come_to(
    events: Sequence[Event], attempt: AttemptFacts, task: TaskFacts | None
) -> None:
    facts = shared_facts(history_of(*events, claim=CLAIMED), HASH)

    assert facts == RequestFacts((attempt,), () if task is None else (task,))


@pytest.mark.parametrize(
    ("events", "attempt", "task"),
    [
        pytest.param([CREATED], AttemptFacts(1), with_(OWN, own=False), id="accepted"),
        pytest.param(
            [SubmitFailed(HASH, 1, "no", "")], AttemptFacts(1), None, id="surely not accepted"
        ),
        pytest.param(
            [SubmitUnknown(HASH, 1, NO.code, NO.message)],
            AttemptFacts(1, sent=(REPORTED,), unknown=NO),
            None,
            id="in doubt",
        ),
        pytest.param(
            [SubmitUnknown(HASH, 1, NO.code, NO.message), ADOPTED],
            AttemptFacts(1, sent=(REPORTED,), unknown=NO),
            TaskFacts(TASK, 1, reserved=Decimal(30), accepted_at=3.0, adopted=True),
            id="in doubt, then adopted",
        ),
    ],
)
def test_what_was_bought_without_a_claim_is_nobodys_own(
    events: Sequence[Event], attempt: AttemptFacts, task: TaskFacts | None
) -> None:
    facts = shared_facts(history_of(*events), HASH)

    assert facts == RequestFacts((attempt,), () if task is None else (task,))


def test_of_a_claim_without_an_answer_it_is_not_known_what_became() -> None:
    history = History()
    history.take_claim(AttemptId(HASH, 1), CLAIM)

    assert shared_facts(history, HASH) == RequestFacts((SENT,), ())
    assert shared_facts(history, "b" * 64) == RequestFacts()


@pytest.mark.parametrize(
    ("decision", "events", "abandoned"),
    [
        pytest.param("abandon", [], True, id="given up"),
        pytest.param("rebuy", [], True, id="bought anew"),
        pytest.param("replay", [], False, id="sent again"),
        pytest.param("adopt", [], False, id="adopted"),
        pytest.param("abandon", [CREATED], False, id="its task is known"),
    ],
)
def test_what_a_person_decided_about_a_claim_counts_while_no_task_is_known(
    decision: DecisionKind, events: Sequence[Event], *, abandoned: bool
) -> None:
    history = history_of(*events, claim=CLAIMED)
    history.take_claim(AttemptId(HASH, 1), CLAIM)
    history.decisions[AttemptId(HASH, 1)][0] = StoredDecision(decision, "bob.1", "bob", 5.0)

    facts = shared_facts(history, HASH)

    why = "given up by hand on bob; what it may have cost stays counted"
    attempt = structs.replace(SENT, abandoned=why if abandoned else None)
    assert facts == RequestFacts((attempt,), (OWN,) if events else ())


def test_only_who_adopts_a_task_says_that_it_is_the_attempts() -> None:
    history = history_of(CREATED, claim=CLAIMED)
    decision = StoredDecision("abandon", "bob.1", "bob", 5.0, "task-9")
    history.take_decision(AttemptId(HASH, 1), 0, decision)

    assert shared_facts(history, HASH).tasks == (OWN,)


def test_an_adopted_task_was_accepted_when_its_adoption_says() -> None:
    history = history_of(ADOPTED, claim=CLAIMED)
    history.take_decision(AttemptId(HASH, 1), 0, StoredDecision("adopt", "bob.1", "bob", 5.0, TASK))

    [task] = shared_facts(history, HASH).tasks

    assert (task.accepted_at, task.adopted, task.own) == (3.0, True, True)


@pytest.mark.parametrize(
    ("claim", "sent"),
    [
        pytest.param(CLAIMED, ADA, id="claimed"),
        pytest.param(None, REPORTED, id="the decision is all that is known"),
    ],
)
def test_an_adopted_task_is_known_by_the_decision_alone(claim: Claimed | None, sent: str) -> None:
    """Who adopts may die before it records more."""
    of, history = AttemptId(HASH, 1), History()
    if claim is not None:
        history.take_claim(of, CLAIM)
    history.take_decision(of, 0, StoredDecision("adopt", "bob.1", "bob", 5.0, TASK))

    facts = shared_facts(history, HASH)

    own = claim is not None
    task = TaskFacts(TASK, 1, own=own, accepted_at=5.0, adopted=True)
    attempt = AttemptFacts(1, estimate=PRICE if own else None, sent=(sent,))
    assert facts == RequestFacts((attempt,), (task,))
    news = news_for(facts, journal(), 99.0)
    assert isinstance(news, PurchaseImported)
    assert (news.status, news.task_id, news.adopted) == ("submitted", TASK, (TASK,))
    assert news_for(facts, journal(news), 99.0) is None


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([CREATED, ADOPTED], id="who adopted it"),
        pytest.param([CREATED, RequestAbandoned(HASH, SAID, task_id=TASK)], id="of the task"),
        pytest.param([CREATED, RequestAbandoned(HASH, SAID, attempt=1)], id="of the attempt"),
        pytest.param([CREATED, FAILED], id="the end"),
        pytest.param([CREATED, VideoSaved(HASH, 0, CLIP, TASK)], id="the clip"),
        pytest.param([CREATED, NOT_SAVED], id="why there is no clip"),
        pytest.param([ADOPTED, SubmitUnknown(HASH, 1, "no", "")], id="a doubt"),
    ],
)
@pytest.mark.parametrize("claim", [CLAIMED, None], ids=["claimed", "not claimed"])
def test_in_which_order_the_logs_are_read_does_not_matter(
    events: Sequence[Event], claim: Claimed | None
) -> None:
    first, second = (
        shared_facts(history_of(*order, claim=claim), HASH) for order in (events, events[::-1])
    )

    assert first == second


def test_a_task_is_of_its_attempt_whichever_its_last_facts_are_filed_under() -> None:
    history = history_of(ADOPTED, claim=CLAIMED)
    history.take(Fact.of(TaskCreated(HASH, 2, "task-2", None, 4.0), 2), "a record")
    history.take(Fact.of(FAILED, 2), "a record")

    tasks = shared_facts(history, HASH).tasks

    assert [(task.id, task.attempt, task.status) for task in tasks] == [
        (TASK, 1, "failed"),
        ("task-2", 2, "submitted"),
    ]


def journal(*events: Event) -> Record:
    ledger = Ledger()
    for event in events:
        ledger.apply(event)
    return ledger.record(HASH)


INTENDED = SubmitIntended(HASH, 1, f"veogen-{HASH}-1", "{}", PRICE, 1.0)
NEWS = PurchaseImported(
    hash=HASH,
    status="submitted",
    task_id=TASK,
    attempts=1,
    credits=Decimal(25),
    error_code=None,
    error_message=None,
    videos=(),
    estimate=PRICE,
    at=99.0,
    others=(),
    claimed=(TASK,),
    not_sent=(),
)


@pytest.mark.parametrize(
    ("stored", "here", "news"),
    [
        pytest.param([CREATED], [], {}, id="a task"),
        pytest.param([CREATED], [INTENDED, CREATED], None, id="a task that is our own"),
        pytest.param(
            [CREATED, structs.replace(ADOPTED, credits=Decimal(25))],
            [INTENDED, CREATED],
            {"adopted": (TASK,)},
            id="that it was adopted",
        ),
        pytest.param(
            [CREATED],
            [
                structs.replace(NEWS, claimed=()),
            ],
            {},
            id="a task of which git told: its claim is news",
        ),
        pytest.param([CREATED], [NEWS], None, id="a task of which the store told"),
        pytest.param(
            [CREATED, FAILED],
            [INTENDED, CREATED],
            {"status": "failed", "error_code": "service_error", "error_message": "sorry"},
            id="its end",
        ),
        pytest.param(
            [CREATED, TaskCompleted(HASH, TASK, LINKS, None, 9.0)]
            + [VideoSaved(HASH, index, CLIP_OF[index], TASK) for index in (1, 0)],
            [INTENDED, CREATED],
            {"status": "completed", "videos": CLIP_OF},
            id="its clips, in their order",
        ),
        pytest.param(
            [SubmitUnknown(HASH, 1, "no", "no answer")],
            [],
            {
                "status": "indeterminate",
                "task_id": None,
                "credits": None,
                "error_code": "no",
                "error_message": "no answer",
                "claimed": (),
            },
            id="a doubt",
        ),
        pytest.param(
            [SubmitFailed(HASH, 1, "no", "nothing was sent")],
            [structs.replace(NEWS, status="indeterminate", task_id=None, claimed=())],
            {
                "status": "planned",
                "task_id": None,
                "attempts": 0,
                "credits": None,
                "estimate": None,
                "claimed": (),
                "not_sent": (1,),
            },
            id="that nothing was sent, where git told of a doubt",
        ),
        pytest.param(
            [SubmitFailed(HASH, 1, "no", "nothing was sent")], [INTENDED], None, id="nothing"
        ),
    ],
)
def test_what_the_store_tells_a_journal(
    stored: Sequence[Event], here: Sequence[Event], news: Mapping[str, Any] | None
) -> None:
    facts = shared_facts(history_of(*stored, claim=CLAIMED), HASH)

    event = news_for(facts, journal(*here), 99.0)

    assert event == (None if news is None else structs.replace(NEWS, **news))


def test_of_a_purchase_without_a_claim_nothing_is_told_but_what_it_is() -> None:
    facts = shared_facts(history_of(CREATED), HASH)

    assert news_for(facts, journal(), 99.0) == structs.replace(NEWS, estimate=None, claimed=())


def test_a_later_attempt_is_told_with_what_was_bought_before() -> None:
    history = history_of(CREATED, FAILED, claim=CLAIMED)
    again = structs.replace(CREATED, attempt=2, task_id="task-2", credits=None)
    history.take(Fact.of(again, 2, claim=CLAIMED), "a record")

    event = news_for(shared_facts(history, HASH), journal(), 99.0)

    before = OtherPurchase(1, TASK, "failed", Decimal(25), ())
    assert event == structs.replace(
        NEWS, task_id="task-2", attempts=2, credits=None, others=(before,), claimed=(TASK, "task-2")
    )


COMPLETED = TaskCompleted(HASH, TASK, LINKS, Decimal(20), 9.0)
BROUGHT = TaskCreated(HASH, 1, TASK, Decimal(25), 2.0)
UNFINISHED_DOUBT = SubmitUnknown(HASH, 1, UNFINISHED.code, UNFINISHED.message)


@pytest.mark.parametrize(
    ("here", "stored", "lacks"),
    [
        pytest.param([], [], [], id="nothing is known"),
        pytest.param([CREATED], [], [BROUGHT], id="a task"),
        pytest.param([CREATED], [CREATED], [], id="a task that it knows"),
        pytest.param([CREATED, FAILED], [], [BROUGHT, FAILED], id="a task that failed"),
        pytest.param([CREATED, FAILED], [CREATED], [FAILED], id="that it failed"),
        pytest.param([CREATED, FAILED], [CREATED, FAILED], [], id="it knows that it failed"),
        pytest.param(
            [CREATED, COMPLETED],
            [],
            [structs.replace(BROUGHT, credits=Decimal(20)), COMPLETED],
            id="a task that was made",
        ),
        pytest.param([CREATED, COMPLETED], [CREATED], [COMPLETED], id="that it was made"),
        pytest.param([CREATED, COMPLETED], [CREATED, COMPLETED], [], id="it knows what was made"),
        pytest.param(
            [CREATED, VideoSaved(HASH, 0, CLIP, TASK)],
            [CREATED],
            [TaskCompleted(HASH, TASK, (), None, 0.0)],
            id="made, and when is not known",
        ),
        pytest.param(
            [INTENDED, ADOPTED],
            [CREATED],
            [ADOPTED],
            id="that it was adopted",
        ),
        pytest.param([INTENDED, ADOPTED], [ADOPTED], [], id="it knows that it was adopted"),
        pytest.param(
            [CREATED, RequestAbandoned(HASH, SAID, task_id=TASK)],
            [],
            [BROUGHT, RequestAbandoned(HASH, SAID, task_id=TASK)],
            id="a task that was given up",
        ),
        pytest.param(
            [CREATED, RequestAbandoned(HASH, SAID, task_id=TASK)],
            [CREATED, RequestAbandoned(HASH, "another reason", task_id=TASK)],
            [],
            id="it knows that it was given up",
        ),
        pytest.param(
            [VideoSaved(HASH, 0, CLIP, TASK)],
            [],
            [TaskCreated(HASH, 1, TASK, None, 0.0), TaskCompleted(HASH, TASK, (), None, 0.0)],
            id="a task of which only the clip is known",
        ),
        pytest.param([INTENDED], [], [UNFINISHED_DOUBT], id="about to be sent"),
        pytest.param([INTENDED], [UNFINISHED_DOUBT], [], id="it knows of the doubt"),
        pytest.param(
            [INTENDED, SubmitUnknown(HASH, 1, "no", "no answer")],
            [],
            [SubmitUnknown(HASH, 1, "no", "no answer")],
            id="in doubt",
        ),
        pytest.param(
            [INTENDED, RequestAbandoned(HASH, SAID, attempt=1)],
            [],
            [RequestAbandoned(HASH, SAID, attempt=1)],
            id="given up",
        ),
        pytest.param(
            [structs.replace(NEWS, at=7.0)],
            [],
            [structs.replace(BROUGHT, at=7.0)],
            id="a task of which git told",
        ),
    ],
)
def test_what_a_store_lacks_of_what_a_journal_knows(
    here: Sequence[Event], stored: Sequence[Event], lacks: Sequence[Event]
) -> None:
    facts = shared_facts(history_of(*stored), HASH)

    assert list(lacking(facts, journal(*here))) == [(1, event) for event in lacks]


def test_what_a_store_lacks_is_of_its_attempt() -> None:
    doubt = structs.replace(INTENDED, attempt=2, at=5.0)
    record = journal(CREATED, FAILED, doubt)

    assert list(lacking(shared_facts(history_of(CREATED), HASH), record)) == [
        (2, structs.replace(UNFINISHED_DOUBT, attempt=2)),
        (1, FAILED),
    ]
    third = structs.replace(CREATED, attempt=3, task_id="task-3")
    assert list(lacking(RequestFacts(), journal(third))) == [
        (3, structs.replace(BROUGHT, attempt=3, task_id="task-3"))
    ]


@pytest.mark.parametrize(
    ("stored", "lacks"),
    [
        pytest.param([], [0, 1], id="both"),
        pytest.param([CREATED], [0, 1], id="both of a task that it knows"),
        pytest.param([CREATED, VideoSaved(HASH, 0, CLIP_OF[0], TASK)], [1], id="the second"),
    ],
)
def test_which_clips_a_store_lacks(stored: Sequence[Event], lacks: Sequence[int]) -> None:
    saved = [VideoSaved(HASH, index, clip, TASK) for index, clip in enumerate(CLIP_OF)]
    second = [structs.replace(each, task_id="task-2") for each in saved]
    of_second = structs.replace(CREATED, attempt=2, task_id="task-2")
    facts = shared_facts(history_of(*stored), HASH)

    found = list(lacking_videos(facts, journal(CREATED, *saved, of_second, *second)))

    assert found == [
        *((1, saved[index]) for index in lacks),
        *((2, each) for each in second),
    ]
