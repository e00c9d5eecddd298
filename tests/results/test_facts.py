"""What is known of a request merges as a union: nothing bought is lost, or bought again."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace
from support.virtual import VIDEO

from veogen.results.events import Video
from veogen.results.facts import (
    ABANDONED,
    NOTHING_KNOWN,
    REPORTED,
    UNFINISHED,
    Account,
    AttemptFacts,
    Failure,
    Purchase,
    RequestFacts,
    TaskFacts,
    account,
    learn,
    merge,
    reported,
    united_videos,
)

PASSING = Failure("service_error", "sorry")
FOR_AN_EDIT = Failure("content_policy_violation", "no")
PRICE = Decimal("38.016")
MANY = 1_000
ATTEMPTS = {"task-1": 1, "task-2": 2, "task-3": 2, "task-4": 3}
"""Of which attempt a task is; of the second there are two."""

amounts = st.none() | st.sampled_from([Decimal(25), PRICE, Decimal(100)])
reasons = st.none() | st.sampled_from([PASSING, FOR_AN_EDIT, Failure("lost", "no answer")])
names = st.lists(st.sampled_from("abc"), unique=True).map(lambda found: tuple(sorted(found)))
times = st.none() | st.sampled_from([10.0, 20.0])
clips = st.sampled_from(
    [{}, {0: VIDEO}, {0: VIDEO, 1: VIDEO.at("videos/2.mp4")}, {1: VIDEO.at("videos/b.mp4")}]
)

attempts = st.builds(
    AttemptFacts,
    number=st.integers(1, 3),
    estimate=amounts,
    sent=names,
    not_sent=names,
    refused=reasons,
    unknown=reasons,
    abandoned=st.none() | st.sampled_from(["", "given up"]),
)


@st.composite
def tasks(draw: st.DrawFn) -> TaskFacts:
    """A task of which this machine may know everything or next to nothing."""
    whole = draw(st.booleans())
    task_id = draw(st.sampled_from(sorted(ATTEMPTS)))
    return TaskFacts(
        id=task_id,
        attempt=ATTEMPTS[task_id],
        own=draw(st.booleans()),
        end_read=draw(st.booleans()),
        estimate=draw(amounts),
        reserved=draw(amounts),
        charged=draw(amounts),
        accepted_at=draw(times),
        failed=draw(reasons),
        abandoned=draw(st.none() | st.just("given up")),
        made=whole or draw(st.booleans()),
        made_at=draw(times),
        links=draw(st.sampled_from([(), ("https://a",), ("https://a", "https://b")])),
        undelivered=draw(reasons),
        videos=draw(clips.filter(bool)) if whole else draw(clips),
        whole=whole,
    )


def facts_of(
    some_attempts: Iterable[AttemptFacts], some_tasks: Iterable[TaskFacts], least: int
) -> RequestFacts:
    singles = chain(
        (RequestFacts(attempts=(attempt,)) for attempt in some_attempts),
        (RequestFacts(tasks=(task,)) for task in some_tasks),
    )
    found = RequestFacts(least=least)
    for single in singles:
        found = merge(found, single)
    return found


histories = st.builds(
    facts_of, st.lists(attempts, max_size=3), st.lists(tasks(), max_size=3), st.integers(0, 3)
)


def told(facts: RequestFacts) -> RequestFacts:
    """What another machine learns of these facts from the committed results."""
    stands = account(facts)
    everything = [*stands.others, *([stands.current] if stands.current else [])]
    return reported(everything, stands.attempts)


def ids(stands: Account) -> list[str]:
    return sorted(p.task_id for p in stands.purchases if p.task_id is not None)


@given(one=histories, two=histories, three=histories)
def test_the_order_in_which_things_are_learned_does_not_matter(
    one: RequestFacts, two: RequestFacts, three: RequestFacts
) -> None:
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert merge(one, one) == one
    assert merge(merge(one, two), two) == merge(one, two)
    assert merge(one, NOTHING_KNOWN) == one


@given(one=histories, two=histories, three=histories)
def test_no_task_id_vanishes_and_no_attempt_counts_twice(
    one: RequestFacts, two: RequestFacts, three: RequestFacts
) -> None:
    stands = account(merge(merge(one, told(two)), told(merge(three, told(one)))))

    everything = {task.id for facts in (one, two, three) for task in facts.tasks}
    assert ids(stands) == sorted(everything)
    counted = [(p.attempt, p.task_id) for p in stands.purchases]
    assert len(set(counted)) == len(counted)
    without_task = {attempt for attempt, task_id in counted if task_id is None}
    with_task = {attempt for attempt, task_id in counted if task_id is not None}
    assert without_task.isdisjoint(with_task)


@given(one=histories, two=histories)
def test_what_one_side_owns_is_never_bought_by_the_other(
    one: RequestFacts, two: RequestFacts
) -> None:
    theirs, stands = account(one), account(merge(two, told(one)))

    if any(p.is_open or p.status == "completed" for p in theirs.purchases):
        assert stands.status != "planned"
    if theirs.current is not None and theirs.status != "failed":
        assert not stands.retries_left(MANY) or stands.attempts > theirs.attempts
    if not any(task.own and task.end_read for task in two.tasks):
        assert not stands.retries_left(MANY)
    if any(p.status == "completed" for p in theirs.purchases):
        assert stands.status == "completed"


@given(one=histories)
def test_results_that_come_back_say_nothing_new(one: RequestFacts) -> None:
    assert account(merge(one, told(one))) == account(one)


@given(one=histories, two=histories)
def test_two_machines_that_read_of_each_other_agree(one: RequestFacts, two: RequestFacts) -> None:
    here, there = account(merge(one, told(two))), account(merge(two, told(one)))

    assert here.status == there.status
    assert here.attempts == there.attempts
    assert [(p.attempt, p.task_id, p.status) for p in here.purchases] == [
        (p.attempt, p.task_id, p.status) for p in there.purchases
    ]


def sent(
    number: int,
    name: str = "here",
    *,
    not_sent: tuple[str, ...] = (),
    refused: Failure | None = None,
    abandoned: str | None = None,
) -> AttemptFacts:
    return AttemptFacts(number, PRICE, (name,), not_sent, refused=refused, abandoned=abandoned)


def failed(task_id: str, attempt: int, reason: Failure = PASSING, *, own: bool = True) -> TaskFacts:
    return TaskFacts(task_id, attempt, own=own, end_read=own, reserved=PRICE, failed=reason)


def completed(task_id: str, attempt: int) -> TaskFacts:
    return TaskFacts(task_id, attempt, charged=PRICE, made=True, videos={0: VIDEO}, whole=True)


@pytest.mark.parametrize(
    ("facts", "status", "task_id", "attempts", "others"),
    [
        pytest.param(NOTHING_KNOWN, "planned", None, 0, [], id="nothing was sent"),
        pytest.param(
            RequestFacts((sent(1, not_sent=("here",)),)), "planned", None, 0, [], id="not sent"
        ),
        pytest.param(RequestFacts((sent(1),)), "indeterminate", None, 1, [], id="in doubt"),
        pytest.param(
            RequestFacts((sent(1, refused=FOR_AN_EDIT, not_sent=("here",)),)),
            "failed",
            None,
            1,
            [],
            id="refused",
        ),
        pytest.param(
            merge(
                RequestFacts((sent(1, not_sent=("here",)),)), RequestFacts((sent(1, "elsewhere"),))
            ),
            "indeterminate",
            None,
            1,
            [],
            id="not sent here, in doubt elsewhere",
        ),
        pytest.param(
            RequestFacts((sent(1), sent(2, not_sent=("here",))), (failed("a", 1),)),
            "failed",
            "a",
            1,
            [],
            id="the attempt that was not sent does not count",
        ),
        pytest.param(
            RequestFacts((sent(1), sent(2)), (failed("a", 1),)),
            "indeterminate",
            None,
            2,
            [(1, "a", "failed")],
            id="the latest counts",
        ),
        pytest.param(
            RequestFacts((sent(1),), (TaskFacts("a", 2),)),
            "submitted",
            "a",
            2,
            [(1, None, "indeterminate")],
            id="a task settles no doubt of another attempt",
        ),
        pytest.param(
            RequestFacts((sent(1),), (TaskFacts("a"),)),
            "submitted",
            "a",
            1,
            [],
            id="a task of no known attempt is of the first",
        ),
        pytest.param(
            RequestFacts((sent(1, refused=FOR_AN_EDIT, not_sent=("here",)),), (completed("a", 2),)),
            "completed",
            "a",
            2,
            [],
            id="what was refused is no other purchase",
        ),
        pytest.param(
            RequestFacts((sent(1), sent(2)), (failed("a", 1), failed("b", 2))),
            "failed",
            "b",
            2,
            [(1, "a", "failed")],
            id="each attempt has its task",
        ),
        pytest.param(
            RequestFacts((), (completed("a", 1), failed("b", 2))),
            "completed",
            "a",
            2,
            [(2, "b", "failed")],
            id="a completed one counts before a later one",
        ),
        pytest.param(
            RequestFacts((), (completed("a", 1), completed("b", 2))),
            "completed",
            "b",
            2,
            [(1, "a", "completed")],
            id="of several completed the latest",
        ),
        pytest.param(
            RequestFacts((), (TaskFacts("a", 1), completed("b", 1))),
            "completed",
            "b",
            1,
            [(1, "a", "submitted")],
            id="of two tasks of one attempt the completed one",
        ),
        pytest.param(
            RequestFacts((), (TaskFacts("a", 1), TaskFacts("b", 1))),
            "submitted",
            "a",
            1,
            [(1, "b", "submitted")],
            id="else the smaller",
        ),
        pytest.param(
            RequestFacts((sent(1, abandoned="given up"),)), "failed", None, 1, [], id="abandoned"
        ),
        pytest.param(
            RequestFacts((sent(1, abandoned="given up"),), (TaskFacts("a", 1),)),
            "submitted",
            "a",
            1,
            [],
            id="a task id that arrives for what was abandoned",
        ),
        pytest.param(
            RequestFacts((sent(1, abandoned="given up"), sent(2)), (TaskFacts("a", 1),)),
            "indeterminate",
            None,
            2,
            [(1, "a", "submitted")],
            id="paid twice, by decision: both are kept",
        ),
        pytest.param(RequestFacts(least=2), "planned", None, 2, [], id="attempts that are counted"),
    ],
)
def test_where_it_stands_is_computed_from_the_facts(
    facts: RequestFacts,
    status: str,
    task_id: str | None,
    attempts: int,
    others: list[tuple[int, str | None, str]],
) -> None:
    stands = account(facts)

    assert stands.status == status
    assert (stands.current.task_id if stands.current else None) == task_id
    assert stands.attempts == attempts
    assert [(p.attempt, p.task_id, p.status) for p in stands.others] == others


@pytest.mark.parametrize(
    ("facts", "bought_again"),
    [
        pytest.param(RequestFacts((), (failed("a", 1),)), True, id="read here"),
        pytest.param(RequestFacts((), (failed("a", 1, own=False),)), False, id="only told"),
        pytest.param(RequestFacts((), (failed("a", 1, FOR_AN_EDIT),)), False, id="for an edit"),
        pytest.param(RequestFacts((), (failed("a", 3),)), False, id="no retries left"),
        pytest.param(
            merge(RequestFacts((), (failed("a", 1),)), RequestFacts((sent(2),))),
            False,
            id="a later attempt is in doubt",
        ),
        pytest.param(
            RequestFacts((), (failed("a", 1), TaskFacts("b", 1))),
            False,
            id="another task of the attempt is under way",
        ),
        pytest.param(
            merge(
                RequestFacts((), (failed("a", 1, FOR_AN_EDIT),)),
                reported([Purchase(1, "a", "failed", error=PASSING)]),
            ),
            False,
            id="somebody says that the reason was a passing one",
        ),
        pytest.param(
            merge(
                RequestFacts((), (TaskFacts("a", 1, own=True),)),
                reported([Purchase(1, "a", "failed", error=PASSING)]),
            ),
            False,
            id="somebody says that it has failed",
        ),
    ],
)
def test_only_what_was_submitted_and_read_here_is_bought_again(
    facts: RequestFacts, bought_again: bool
) -> None:
    assert account(facts).retries_left(2) is bought_again


@pytest.mark.parametrize(
    ("code", "bought_again"),
    [
        ("generation_timeout", True),
        ("service_error", True),
        ("service_unavailable", True),
        ("resource_exhausted", True),
        ("quota_exceeded", True),
        ("content_policy_violation", False),
        ("lost", False),
        ("", False),
        (ABANDONED, False),
    ],
)
def test_five_reasons_are_passing_ones(code: str, bought_again: bool) -> None:
    stands = account(RequestFacts((), (failed("a", 2, Failure(code, "sorry")),)))

    assert stands.retries_left(2) is bought_again
    assert not stands.retries_left(1)


@pytest.mark.parametrize(
    ("own", "end_read"), [(True, False), (False, True)], ids=["the end is told", "never submitted"]
)
def test_what_was_not_both_submitted_and_read_here_is_not_bought_again(
    own: bool, end_read: bool
) -> None:
    ended = TaskFacts("a", 1, own=own, end_read=end_read, failed=PASSING)

    assert not account(RequestFacts((), (ended,))).retries_left(2)


def test_an_attempt_without_an_answer_says_so() -> None:
    stands = account(RequestFacts((sent(1),)))

    assert stands.current == Purchase(1, None, "indeterminate", None, PRICE, UNFINISHED)
    assert stands.purchases == (stands.current,)
    assert stands.current.counted == PRICE


def clip(letter: str, path: str = "videos/city/x-0123456789-1.mp4") -> Video:
    return structs.replace(VIDEO, sha256=letter * 64, path=path)


FIRST, SECOND = (f"videos/city/x-0123456789-{number}.mp4" for number in (1, 2))


@pytest.mark.parametrize(
    ("own", "others", "places", "united"),
    [
        pytest.param("", "ab", 2, "ab", id="theirs alone"),
        pytest.param("ab", "", 2, "ab", id="ours alone"),
        pytest.param("a", "ab", 2, "ab", id="one more"),
        pytest.param("a", "ba", 2, "ab", id="in another order"),
        pytest.param("a", "b", 2, "ab", id="each has another"),
        pytest.param("a", "b", 1, "a", id="there is but one, made anew"),
        pytest.param("ab", "cd", 2, "ab", id="all places are taken"),
        pytest.param("aa", "aa", 2, "aa", id="a host whose clips are all alike"),
        pytest.param("a", "aa", 2, "aa", id="one of those"),
        pytest.param("ab", "ca", 3, "abc", id="a third"),
        pytest.param("aa", "aab", 3, "aab", id="a third beside two that are alike"),
    ],
)
def test_videos_of_two_machines_are_united_by_their_bytes(
    own: str, others: str, places: int, united: str
) -> None:
    ours = {at: clip(letter) for at, letter in enumerate(own)}
    theirs = {at: clip(letter) for at, letter in enumerate(others)}

    videos = united_videos(ours, theirs, places)

    assert [videos[at].sha256[0] for at in range(len(videos))] == list(united)


def test_a_video_that_goes_to_another_place_is_called_after_it() -> None:
    videos = united_videos({0: clip("a", FIRST)}, {0: clip("b", FIRST)}, 2)

    assert videos == {0: clip("a", FIRST), 1: clip("b", SECOND)}


def task(task_id: str = "a", **facts: Any) -> TaskFacts:
    return TaskFacts(task_id, 1, **facts)


HERE = task(reserved=PRICE, links=("https://a",), videos={0: VIDEO})
ELSEWHERE = task(reserved=Decimal(100), charged=Decimal(40), links=("https://a", "https://b"))


@pytest.mark.parametrize(
    ("own", "others", "learned"),
    [
        pytest.param(HERE, ELSEWHERE, HERE, id="own amounts and links stay"),
        pytest.param(task(), ELSEWHERE, replace(ELSEWHERE, links=()), id="amounts that are news"),
        pytest.param(
            task(charged=PRICE), ELSEWHERE, task(charged=PRICE), id="a charge of one's own is all"
        ),
        pytest.param(
            HERE, task(failed=PASSING), replace(HERE, failed=PASSING), id="an end that is news"
        ),
    ],
)
def test_what_a_journal_knows_of_a_task_others_cannot_change(
    own: TaskFacts, others: TaskFacts, learned: TaskFacts
) -> None:
    assert learn(RequestFacts(tasks=(own,)), RequestFacts(tasks=(others,))).tasks == (learned,)


def test_a_task_that_a_journal_does_not_know_is_as_others_say() -> None:
    stranger = replace(ELSEWHERE, id="b")

    assert learn(NOTHING_KNOWN, RequestFacts(tasks=(stranger,))).tasks == (stranger,)
    assert learn(RequestFacts(tasks=(HERE,)), RequestFacts(tasks=(stranger,))).tasks == (
        HERE,
        stranger,
    )


@pytest.mark.parametrize(
    ("purchase", "attempts", "tasks"),
    [
        pytest.param(
            Purchase(1, None, "indeterminate", None, PRICE, UNFINISHED),
            (AttemptFacts(1, PRICE, (REPORTED,)),),
            (),
            id="in doubt",
        ),
        pytest.param(
            Purchase(2, None, "indeterminate", None, PRICE, PASSING),
            (AttemptFacts(2, PRICE, (REPORTED,), unknown=PASSING),),
            (),
            id="in doubt for a reason",
        ),
        pytest.param(
            Purchase(1, None, "failed", None, PRICE, Failure(ABANDONED, "enough")),
            (AttemptFacts(1, PRICE, abandoned="enough"),),
            (),
            id="given up",
        ),
        pytest.param(
            Purchase(1, None, "failed", None, PRICE),
            (AttemptFacts(1, PRICE, abandoned=""),),
            (),
            id="given up without a word",
        ),
        pytest.param(
            Purchase(1, None, "failed", None, PRICE, FOR_AN_EDIT),
            (AttemptFacts(1, PRICE, refused=FOR_AN_EDIT),),
            (),
            id="refused",
        ),
        pytest.param(
            Purchase(1, "a", "submitted", PRICE, Decimal(40)),
            (),
            (task(estimate=Decimal(40), reserved=PRICE),),
            id="under way",
        ),
        pytest.param(
            Purchase(1, "a", "submitted", PRICE, error=Failure(ABANDONED, "enough")),
            (),
            (task(reserved=PRICE),),
            id="under way, whatever is said of an error",
        ),
        pytest.param(
            Purchase(1, "a", "completed", PRICE, videos={0: VIDEO}),
            (),
            (task(charged=PRICE, made=True, whole=True, videos={0: VIDEO}),),
            id="completed",
        ),
        pytest.param(
            Purchase(1, "a", "undelivered", PRICE, error=PASSING, videos={0: VIDEO}),
            (),
            (task(reserved=PRICE, made=True, undelivered=PASSING, videos={0: VIDEO}),),
            id="not delivered",
        ),
        pytest.param(
            Purchase(1, "a", "failed", PRICE, error=Failure(ABANDONED, "enough")),
            (),
            (task(reserved=PRICE, abandoned="enough"),),
            id="a task that was given up",
        ),
        pytest.param(
            Purchase(1, "a", "failed", PRICE, error=PASSING),
            (),
            (task(reserved=PRICE, failed=PASSING),),
            id="a task that failed",
        ),
        pytest.param(
            Purchase(1, "a", "failed", PRICE),
            (),
            (task(reserved=PRICE, failed=Failure("", "")),),
            id="a task that failed, nobody says why",
        ),
    ],
)
def test_what_others_say_of_a_purchase_is_facts_and_nothing_of_it_was_read_here(
    purchase: Purchase, attempts: tuple[AttemptFacts, ...], tasks: tuple[TaskFacts, ...]
) -> None:
    assert reported([purchase], 3) == RequestFacts(attempts, tasks, 3)


OTHER_VIDEO = replace(VIDEO, path="videos/b.mp4", sha256="1" * 64)


def test_of_two_accounts_of_an_attempt_the_greater_amount_and_the_graver_reason_count() -> None:
    one = AttemptFacts(1, Decimal(25), ("a",), (), PASSING, Failure("lost", "no"), "")
    two = AttemptFacts(1, PRICE, ("b",), ("b",), FOR_AN_EDIT, PASSING, "given up")

    merged = AttemptFacts(
        1, PRICE, ("a", "b"), ("b",), FOR_AN_EDIT, Failure("lost", "no"), "given up"
    )
    assert one.merge(two) == two.merge(one) == merged


@pytest.mark.parametrize(
    ("one", "two", "merged"),
    [
        pytest.param(
            TaskFacts(
                "a",
                attempt=1,
                own=True,
                estimate=Decimal(25),
                reserved=PRICE,
                charged=Decimal(30),
                abandoned="",
                accepted_at=20.0,
                estimated_seconds=90.0,
                failed=PASSING,
                made_at=30.0,
                links=("https://a",),
                undelivered=Failure("", "lost"),
                videos={0: VIDEO},
                here={0: 5},
                put_away=True,
                adopted=True,
                least=2,
            ),
            TaskFacts(
                "a",
                attempt=2,
                end_read=True,
                estimate=PRICE,
                reserved=Decimal(25),
                charged=Decimal(40),
                accepted_at=10.0,
                estimated_seconds=60.0,
                failed=FOR_AN_EDIT,
                abandoned="given up",
                made=True,
                made_at=40.0,
                links=("https://0", "https://1"),
                undelivered=PASSING,
                videos={0: OTHER_VIDEO, 1: VIDEO},
                whole=True,
                here={1: 7},
            ),
            TaskFacts(
                "a",
                attempt=1,
                own=True,
                end_read=True,
                estimate=PRICE,
                reserved=PRICE,
                charged=Decimal(40),
                accepted_at=10.0,
                estimated_seconds=60.0,
                failed=FOR_AN_EDIT,
                abandoned="given up",
                made=True,
                made_at=30.0,
                links=("https://0", "https://1"),
                undelivered=PASSING,
                videos={0: VIDEO, 1: VIDEO},
                whole=True,
                here={0: 5, 1: 7},
                put_away=True,
                adopted=True,
                least=2,
            ),
            id="everything",
        ),
        pytest.param(TaskFacts("a", 0), TaskFacts("a", 2), TaskFacts("a", 2), id="its attempt"),
        pytest.param(
            TaskFacts("a", 1, failed=Failure("service_error", "b")),
            TaskFacts("a", 1, failed=Failure("service_error", "a")),
            TaskFacts("a", 1, failed=Failure("service_error", "b")),
            id="one reason in two wordings",
        ),
    ],
)
def test_of_two_accounts_of_a_task_always_the_same_values_count(
    one: TaskFacts, two: TaskFacts, merged: TaskFacts
) -> None:
    assert one.merge(two) == two.merge(one) == merged


@pytest.mark.parametrize(
    ("links", "status"),
    [
        pytest.param(("https://a",), "completed", id="all that this journal has seen"),
        pytest.param(("https://a", "https://b"), "undelivered", id="one of two"),
    ],
)
def test_who_has_seen_fewer_links_does_not_complete_a_task(
    links: tuple[str, ...], status: str
) -> None:
    own = task(made=True, links=links, videos={0: VIDEO})
    others = task(made=True, whole=True, links=("https://a",), videos={0: VIDEO})

    [learned] = learn(RequestFacts(tasks=(own,)), RequestFacts(tasks=(others,))).tasks

    assert learned.status == status


@pytest.mark.parametrize(
    ("warnings", "status"),
    [
        pytest.param((), "completed", id="all that were asked for"),
        pytest.param(("fewer-videos",), "undelivered", id="fewer than were asked for"),
    ],
)
def test_who_lacks_a_clip_tells_whoever_had_seen_fewer_links(
    warnings: tuple[str, ...], status: str
) -> None:
    video = structs.replace(VIDEO, warnings=warnings)
    own = task(made=True, whole=True, links=("https://a",), videos={0: video})
    others = task(made=True, least=2, videos={0: VIDEO})

    [learned] = learn(RequestFacts(tasks=(own,)), RequestFacts(tasks=(others,))).tasks

    assert learned.status == status


@pytest.mark.parametrize(
    ("facts", "purchase"),
    [
        pytest.param(task(), Purchase(1, "a", "submitted", None, PRICE), id="under way"),
        pytest.param(
            task(reserved=Decimal(25), estimate=Decimal(10)),
            Purchase(1, "a", "submitted", Decimal(25), PRICE),
            id="the greater estimate",
        ),
        pytest.param(
            task(estimate=Decimal(100)),
            Purchase(1, "a", "submitted", None, Decimal(100)),
            id="the greater estimate, that of the task",
        ),
        pytest.param(
            task(reserved=Decimal(25), charged=Decimal(20), made=True, undelivered=PASSING),
            Purchase(1, "a", "undelivered", Decimal(20), PRICE, PASSING),
            id="charged, and not here",
        ),
        pytest.param(
            task(charged=Decimal(20), made=True, whole=True, videos={0: VIDEO}, failed=PASSING),
            Purchase(1, "a", "completed", Decimal(20), PRICE, None, {0: VIDEO}),
            id="what is whole has not failed",
        ),
        pytest.param(
            task(made=True, failed=PASSING),
            Purchase(1, "a", "undelivered", None, PRICE),
            id="what was made has not failed",
        ),
        pytest.param(
            task(own=True, end_read=True, failed=PASSING),
            Purchase(1, "a", "failed", None, PRICE, PASSING, own=True),
            id="failed, read here",
        ),
        pytest.param(
            task(end_read=True, failed=PASSING, abandoned="enough", made=True),
            Purchase(1, "a", "failed", None, PRICE, Failure(ABANDONED, "enough")),
            id="given up",
        ),
        pytest.param(
            TaskFacts("a"), Purchase(1, "a", "submitted", None, PRICE), id="of no known attempt"
        ),
    ],
)
def test_a_task_comes_to_a_purchase(facts: TaskFacts, purchase: Purchase) -> None:
    assert facts.purchase(PRICE) == purchase


@pytest.mark.parametrize(
    ("purchase", "counted", "is_refused", "is_open"),
    [
        pytest.param(Purchase(1, "a", "submitted", PRICE, Decimal(9)), PRICE, False, True, id="1"),
        pytest.param(Purchase(1, "a", "undelivered", PRICE), PRICE, False, True, id="2"),
        pytest.param(
            Purchase(1, None, "indeterminate", None, PRICE), PRICE, False, True, id="in doubt"
        ),
        pytest.param(Purchase(1, "a", "completed", PRICE), PRICE, False, False, id="completed"),
        pytest.param(Purchase(1, "a", "failed", PRICE), PRICE, False, False, id="failed"),
        pytest.param(
            Purchase(1, None, "failed", error=FOR_AN_EDIT), None, True, False, id="refused"
        ),
        pytest.param(Purchase(1, None, "failed"), None, True, False, id="refused, nobody says why"),
        pytest.param(
            Purchase(1, None, "failed", None, PRICE, Failure(ABANDONED, "")),
            PRICE,
            False,
            False,
            id="given up",
        ),
    ],
)
def test_what_a_purchase_counts_for(
    purchase: Purchase, counted: Decimal | None, is_refused: bool, is_open: bool
) -> None:
    assert (purchase.counted, purchase.is_refused, purchase.is_open) == (
        counted,
        is_refused,
        is_open,
    )


def test_what_was_refused_is_no_purchase_and_everything_else_is() -> None:
    refused = sent(2, refused=FOR_AN_EDIT, not_sent=("here",))
    stands = account(RequestFacts((sent(1), refused), (failed("a", 1),)))

    assert stands.current == Purchase(2, None, "failed", error=FOR_AN_EDIT)
    assert [purchase.task_id for purchase in stands.purchases] == ["a"]


def test_the_videos_that_a_machine_has_not_seen_are_away() -> None:
    two = task(videos={0: VIDEO, 1: OTHER_VIDEO}, here={0: 5})

    assert two.away == {1}
    assert not two.put_away
    assert not two.adopted
    assert task().away == set()


def test_nobody_who_says_nothing_has_counted_an_attempt() -> None:
    assert reported([]) == NOTHING_KNOWN


def test_facts_are_found_by_number_and_by_id() -> None:
    first, second, other = sent(1), sent(2), task("b")
    facts = RequestFacts((first, second), (HERE, other))

    assert (facts.attempt(2), facts.attempt(3)) == (second, None)
    assert (facts.task("b"), facts.task("c"), facts.task(None)) == (other, None, None)


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        pytest.param(task(), None, id="under way"),
        pytest.param(task(made=True, undelivered=PASSING), PASSING, id="not delivered"),
        pytest.param(task(made=True, undelivered=PASSING, whole=True), None, id="whole elsewhere"),
        pytest.param(task(failed=PASSING), PASSING, id="failed"),
        pytest.param(
            task(failed=PASSING, abandoned="enough"), Failure(ABANDONED, "enough"), id="given up"
        ),
    ],
)
def test_why_a_task_is_not_completed(facts: TaskFacts, error: Failure | None) -> None:
    assert facts.error == error


def test_who_knows_nothing_changes_nothing() -> None:
    attempt = AttemptFacts(1, PRICE, ("a",), ("b",), PASSING, PASSING, "given up")
    told = task(
        estimate=PRICE,
        reserved=PRICE,
        charged=PRICE,
        accepted_at=1.0,
        estimated_seconds=2.0,
        failed=PASSING,
        abandoned="given up",
        made_at=3.0,
        undelivered=PASSING,
    )

    counted = [RequestFacts(least=2), RequestFacts(least=3)]
    assert merge(counted[0], counted[0]) == counted[0]
    assert merge(*counted) == merge(*counted[::-1]) == RequestFacts(least=3)
    assert attempt.merge(AttemptFacts(1)) == AttemptFacts(1).merge(attempt) == attempt
    assert told.merge(task()) == task().merge(told) == told


@pytest.mark.parametrize(
    "stands",
    [
        pytest.param(account(NOTHING_KNOWN), id="nothing was sent"),
        pytest.param(Account(Purchase(1, "a", "failed", own=True), (), 1), id="nobody says why"),
        pytest.param(
            account(
                RequestFacts((), (task(own=True, end_read=True, made=True, undelivered=PASSING),))
            ),
            id="made, and not here for a passing reason",
        ),
    ],
)
def test_what_has_not_failed_for_a_passing_reason_is_not_bought_again(stands: Account) -> None:
    assert not stands.retries_left(2)
    assert account(NOTHING_KNOWN).purchases == ()


@pytest.mark.parametrize(
    ("others", "videos"),
    [
        pytest.param({}, {0: VIDEO}, id="none"),
        pytest.param({0: VIDEO}, {0: VIDEO}, id="the same"),
        pytest.param({1: VIDEO}, {0: VIDEO}, id="the same, at another place"),
        pytest.param({1: OTHER_VIDEO}, {0: VIDEO, 1: OTHER_VIDEO}, id="another"),
        pytest.param({0: OTHER_VIDEO}, {0: VIDEO}, id="another where there is one place"),
        pytest.param({0: OTHER_VIDEO, 1: VIDEO}, {0: VIDEO, 1: OTHER_VIDEO}, id="the other order"),
    ],
)
def test_videos_stay_where_a_journal_has_them_and_others_find_a_place(
    others: dict[int, Video], videos: dict[int, Video]
) -> None:
    [learned] = learn(RequestFacts(tasks=(HERE,)), RequestFacts(tasks=(task(videos=others),))).tasks

    assert learned.videos == videos


@pytest.mark.parametrize(
    ("facts", "purchase"),
    [
        pytest.param(AttemptFacts(1, PRICE), None, id="never sent"),
        pytest.param(sent(1, not_sent=("here",)), None, id="not sent"),
        pytest.param(
            sent(1), Purchase(1, None, "indeterminate", None, PRICE, UNFINISHED), id="no answer"
        ),
        pytest.param(
            replace(sent(1), unknown=PASSING),
            Purchase(1, None, "indeterminate", None, PRICE, PASSING),
            id="an answer that nobody understands",
        ),
        pytest.param(
            sent(1, refused=FOR_AN_EDIT),
            Purchase(1, None, "indeterminate", None, PRICE, UNFINISHED),
            id="refused here, and once more in doubt",
        ),
        pytest.param(
            sent(1, refused=FOR_AN_EDIT, not_sent=("here",)),
            Purchase(1, None, "failed", error=FOR_AN_EDIT),
            id="refused",
        ),
        pytest.param(
            sent(1, refused=FOR_AN_EDIT, abandoned="enough"),
            Purchase(1, None, "failed", None, PRICE, Failure(ABANDONED, "enough")),
            id="given up",
        ),
    ],
)
def test_an_attempt_without_a_task_comes_to_a_purchase_or_to_none(
    facts: AttemptFacts, purchase: Purchase | None
) -> None:
    assert facts.purchase() == purchase


def test_what_two_say_of_one_attempt_and_of_one_task_is_merged() -> None:
    said = [
        Purchase(1, None, "indeterminate", None, PRICE, UNFINISHED),
        Purchase(1, None, "failed", error=FOR_AN_EDIT),
        Purchase(2, "a", "completed", PRICE, videos={0: VIDEO}),
        Purchase(2, "a", "submitted", Decimal(40)),
    ]

    assert reported(said) == RequestFacts(
        (AttemptFacts(1, PRICE, (REPORTED,), refused=FOR_AN_EDIT),),
        (
            TaskFacts(
                "a",
                2,
                reserved=Decimal(40),
                charged=PRICE,
                made=True,
                whole=True,
                videos={0: VIDEO},
            ),
        ),
    )


@pytest.mark.parametrize(
    ("attempts", "tasks", "estimates"),
    [
        pytest.param((1, 2), (1, 2), {"1": 10, "2": 20}, id="of each attempt its own"),
        pytest.param((1, 2), (0,), {"0": 10, None: 20}, id="a task of no known attempt"),
        pytest.param((2,), (0,), {"0": None, None: 20}, id="which is not of the second"),
    ],
)
def test_an_estimate_is_that_of_its_attempt(
    attempts: tuple[int, ...], tasks: tuple[int, ...], estimates: dict[str | None, int | None]
) -> None:
    stands = account(
        RequestFacts(
            tuple(AttemptFacts(number, Decimal(10 * number), ("here",)) for number in attempts),
            tuple(TaskFacts(str(number), number) for number in tasks),
        )
    )

    assert {purchase.task_id: purchase.estimate for purchase in stands.purchases} == estimates
