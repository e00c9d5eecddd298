"""What the records of a run come to: who claimed what, what became of it, and who is silent."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import pytest
from msgspec import Raw, json, structs

from veogen.results.events import (
    Event,
    SubmitFailed,
    SubmitRejected,
    SubmitUnknown,
    TaskAdopted,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
)
from veogen.store.history import History, News, ProcessSeen, counted
from veogen.store.layout import (
    AttemptId,
    Checkpoint,
    Claim,
    Claimed,
    Closing,
    Fact,
    UnreadableError,
    encode,
)

HASH, OTHER = "a" * 64, "b" * 64
FIRST, SECOND = AttemptId(HASH, 1), AttemptId(HASH, 2)
ADA, BOB, EVE = "ada.1", "bob.1", "eve.1"
PRICE = Decimal(10)
CLAIM = Claim(ADA, "key", "{}", "boat", PRICE, "ada", 1.0)
CLAIMED = Claimed(ADA, "boat", PRICE)
CREATED = TaskCreated(HASH, 1, "task-1", Decimal(7), 2.0)
FAILED = TaskFailed(HASH, "task-1", "no", "sorry")


def completed(amount: int | None) -> TaskCompleted:
    return TaskCompleted(HASH, "task-1", (), None if amount is None else Decimal(amount), 3.0)


def adopted(amount: int | None) -> TaskAdopted:
    return TaskAdopted(HASH, "task-1", None if amount is None else Decimal(amount), 3.0, 1)


@pytest.mark.parametrize(
    ("estimate", "events", "amount"),
    [
        pytest.param(10, [], 10, id="not answered"),
        pytest.param(None, [], 0, id="of no price that is known"),
        pytest.param(10, [CREATED], 7, id="reserved"),
        pytest.param(10, [structs.replace(CREATED, credits=None)], 10, id="no amount was named"),
        pytest.param(
            None, [structs.replace(CREATED, credits=None)], 0, id="nobody has named any amount"
        ),
        pytest.param(10, [adopted(6)], 6, id="adopted"),
        pytest.param(10, [SubmitFailed(HASH, 1, "no", ""), CREATED], 7, id="sent again"),
        pytest.param(
            10,
            [SubmitFailed(HASH, 1, "no", ""), structs.replace(CREATED, credits=None)],
            10,
            id="sent again, and no amount was named",
        ),
        pytest.param(10, [CREATED, completed(8)], 8, id="charged"),
        pytest.param(10, [CREATED, completed(None)], 7, id="made, and no charge was named"),
        pytest.param(10, [CREATED, FAILED], 7, id="failed: what comes back is not counted on"),
        pytest.param(10, [SubmitFailed(HASH, 1, "no", "")], 0, id="surely not accepted"),
        pytest.param(10, [SubmitRejected(HASH, 1, "no", "")], 0, id="refused"),
        pytest.param(10, [SubmitUnknown(HASH, 1, "no", "")], 10, id="in doubt"),
    ],
)
def test_what_an_attempt_counts_for(
    estimate: int | None, events: Sequence[Event], amount: int
) -> None:
    assert counted(None if estimate is None else Decimal(estimate), events) == amount


def test_what_a_process_spent_is_what_its_own_claims_did() -> None:
    history = History()
    history.take(Fact.of(CREATED, 1, claim=CLAIMED), "log")
    history.take_claim(SECOND, structs.replace(CLAIM, credits=Decimal(3)))
    history.take_claim(AttemptId(OTHER, 1), structs.replace(CLAIM, owner=BOB, credits=Decimal(5)))
    history.take(Fact.of(structs.replace(CREATED, attempt=3), 3), "log")

    assert [history.spent_by(process) for process in (ADA, BOB, EVE)] == [10, 5, 0]


@pytest.mark.parametrize(
    ("seen", "now", "silent"),
    [
        pytest.param(None, 0.0, True, id="nobody saw it"),
        pytest.param(ProcessSeen(seen=100.0), 400.0, False, id="seen five minutes ago"),
        pytest.param(ProcessSeen(seen=100.0), 400.1, True, id="seen a moment more ago"),
        pytest.param(ProcessSeen(seen=100.0, ended=True), 100.0, True, id="it has ended"),
    ],
)
def test_who_is_silent(seen: ProcessSeen | None, now: float, *, silent: bool) -> None:
    history = History()
    if seen is not None:
        history.processes[ADA] = seen

    assert history.is_silent(ADA, now, 300.0) is silent


def closing(owner: str, kind: str = "next") -> Closing:
    return json.decode(
        json.encode({"owner": owner, "machine": "m", "kind": kind, "at": 1.0}), type=Closing
    )


@pytest.mark.parametrize(
    ("closings", "heir"),
    [
        pytest.param({}, ADA, id="nobody took it over"),
        pytest.param({ADA: closing(BOB)}, BOB, id="its journal's next"),
        pytest.param({ADA: closing(BOB), BOB: closing(EVE)}, EVE, id="and the one after"),
        pytest.param({ADA: closing(BOB, "closed")}, ADA, id="a person closed it: nobody goes on"),
        pytest.param({ADA: closing(BOB), BOB: closing(ADA)}, ADA, id="each took the other over"),
    ],
)
def test_who_goes_on_with_what_a_process_claimed(closings: dict[str, Closing], heir: str) -> None:
    history = History()
    history.closings.update(closings)

    assert history.heir(ADA) == heir


@pytest.mark.parametrize("answer_first", [False, True])
def test_a_claim_is_unanswered_until_something_is_known_of_it(*, answer_first: bool) -> None:
    history = History()
    assert (history.claim(FIRST), history.owner(FIRST)) == (None, None)
    if not answer_first:
        history.take_claim(FIRST, CLAIM)
        assert history.unanswered == {FIRST: CLAIM}
        assert (history.claim(FIRST), history.owner(FIRST)) == (CLAIM, ADA)
        assert history.attempts == {HASH: {1}}

    history.take(Fact.of(CREATED, 1, claim=CLAIMED), "log")
    history.take_claim(FIRST, CLAIM)

    assert history.unanswered == {}
    assert (history.claim(FIRST), history.owner(FIRST)) == (CLAIMED, ADA)
    assert (history.attempts, history.address(HASH)) == ({HASH: frozenset({1})}, "boat")


def test_the_claim_of_an_event_that_was_brought_before_is_kept() -> None:
    history = History()
    history.take_claim(FIRST, CLAIM)
    assert history.take(Fact.of(CREATED, 1), "bob's log") == News(1, CREATED)
    assert history.unanswered == {FIRST: CLAIM}

    assert history.take(Fact.of(CREATED, 1, claim=CLAIMED), "ada's log") is None

    assert history.unanswered == {}
    assert (history.claim(FIRST), history.count) == (CLAIMED, 1)
    assert history.events(FIRST) == [CREATED]


def test_of_two_accounts_of_a_claim_the_first_counts() -> None:
    history = History()
    history.take(Fact.of(CREATED, 1, claim=CLAIMED), "ada's log")
    history.take(Fact.of(FAILED, 1, claim=Claimed(BOB, "ship", Decimal(99))), "bob's log")

    assert (history.claim(FIRST), history.owner(FIRST)) == (CLAIMED, ADA)
    assert history.address(HASH) == "boat"


def test_a_purchase_without_a_claim_has_an_address_and_no_owner() -> None:
    history = History()

    history.take(Fact.of(CREATED, 1, address="boat"), "log")

    assert (history.address(HASH), history.owner(FIRST), history.claim(FIRST)) == (
        "boat",
        None,
        None,
    )
    assert history.address(OTHER) is None


def test_a_claim_that_was_seen_and_not_read_is_unread_until_it_is() -> None:
    history = History()
    assert not history.is_unread(HASH)

    assert [history.notice(FIRST), history.notice(FIRST), history.notice(SECOND)] == [
        True,
        False,
        True,
    ]
    assert history.is_unread(HASH)
    history.take_claim(FIRST, CLAIM)
    assert history.is_unread(HASH)
    history.take_own_claim(SECOND)
    assert not history.is_unread(HASH)
    assert history.notice(SECOND) is False
    assert not history.is_unread(OTHER)


def test_a_fact_that_is_no_event_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match=r"log/ada.1/00000001: .*not an event"):
        History().take(Fact(1, Raw(b'{"event":"Unheard"}')), "runs/run/log/ada.1/00000001")


def checkpoint(owner: str, name: str, facts: bytes) -> Checkpoint:
    return Checkpoint(EVE, 1.0, {}, frozenset(), {}, purchases={owner: {name: Raw(facts)}}, count=1)


@pytest.mark.parametrize(
    ("name", "facts", "reason"),
    [
        pytest.param(FIRST.name, b'[{"attempt":1,"event":{"event":"X"}}]', "not an event", id="X"),
        pytest.param(FIRST.name, b"[1]", "cannot be read", id="no fact"),
        pytest.param(
            FIRST.name,
            encode([Fact.of(CREATED, 2)]),
            "is of another attempt",
            id="another attempt",
        ),
        pytest.param(
            FIRST.name,
            encode([Fact.of(structs.replace(CREATED, hash=OTHER), 1)]),
            "is of another attempt",
            id="another request",
        ),
    ],
)
def test_what_a_checkpoint_cannot_hold_is_unreadable_once_it_is_asked_for(
    name: str, facts: bytes, reason: str
) -> None:
    history = History()
    history.take_checkpoint(checkpoint(ADA, name, facts), "runs/run/checkpoints/1")

    with pytest.raises(UnreadableError, match=rf"^runs/run/checkpoints/1: .*{reason}"):
        history.events(FIRST)


def test_a_checkpoint_of_names_that_are_no_claims_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match="is no name of a claim"):
        History().take_checkpoint(checkpoint(ADA, "x" * 69, b"[]"), "runs/run/checkpoints/1")


def told() -> History:
    """Two attempts of a request, the first claimed and the second not, and who wrote them."""
    history = History()
    again = structs.replace(CREATED, attempt=2, task_id="task-2")
    history.take(Fact.of(CREATED, 1, claim=CLAIMED), "log")
    history.take(Fact.of(again, 2, address="boat"), "log")
    history.processes[ADA] = ProcessSeen("ada", next=3, seen=50.0)
    history.processes[BOB] = ProcessSeen("bob", next=1, ended=True)
    return history


def test_what_a_checkpoint_says() -> None:
    again = structs.replace(CREATED, attempt=2, task_id="task-2")

    assert told().checkpoint(EVE, 9.0) == Checkpoint(
        process=EVE,
        at=9.0,
        read={ADA: 3, BOB: 1},
        ended=frozenset({BOB}),
        machines={ADA: "ada", BOB: "bob"},
        purchases={
            ADA: {FIRST.name: Raw(encode([Fact.of(CREATED, 1, claim=CLAIMED)]))},
            "-": {SECOND.name: Raw(encode([Fact.of(again, 2, address="boat")]))},
        },
        count=2,
    )


@pytest.mark.parametrize("known", [False, True], ids=["at first", "after something was read"])
def test_what_was_bought_without_a_claim_has_no_owner_in_a_checkpoint_either(
    *, known: bool
) -> None:
    history = History()
    if known:
        history.take_claim(AttemptId(OTHER, 1), CLAIM)

    news = history.take_checkpoint(told().checkpoint(EVE, 9.0), "runs/run/checkpoints/1")

    assert len(news) == (2 if known else 0)
    assert history.attempts[HASH] == {1, 2}
    assert (history.owner(FIRST), history.owner(SECOND)) == (ADA, None)
    assert (history.claim(FIRST), history.claim(SECOND)) == (CLAIMED, None)
    assert history.address(HASH) == "boat"
    assert history.count == 2


def test_what_is_new_to_a_checkpoint_is_in_the_next_with_what_it_held() -> None:
    history = History()
    history.take_checkpoint(told().checkpoint(EVE, 9.0), "runs/run/checkpoints/1")

    assert history.take(Fact.of(CREATED, 1), "log") is None
    assert history.take(Fact.of(FAILED, 1), "log") == News(1, FAILED)
    later = History()
    later.take_checkpoint(history.checkpoint(EVE, 10.0), "runs/run/checkpoints/2")

    assert later.events(FIRST) == history.events(FIRST) == [CREATED, FAILED]
    assert later.count == history.count == 3
    assert later.events(AttemptId(OTHER, 1)) == ()


def test_a_checkpoint_holds_every_attempt_whoever_made_which() -> None:
    """Bob bought it first; ada, who had claimed something before, bought it again."""
    written = History()
    written.take(Fact.of(structs.replace(CREATED, hash=OTHER), 1, claim=CLAIMED), "log")
    of_bob = structs.replace(CLAIMED, owner=BOB)
    written.take(Fact.of(CREATED, 1, claim=of_bob), "log")
    written.take(Fact.of(structs.replace(CREATED, attempt=2), 2, claim=CLAIMED), "log")
    history = History()

    history.take_checkpoint(written.checkpoint(EVE, 9.0), "runs/run/checkpoints/1")

    assert history.attempts == {OTHER: {1}, HASH: {1, 2}}
    assert [history.owner(of) for of in (FIRST, SECOND)] == [BOB, ADA]


def test_an_address_that_comes_later_is_kept() -> None:
    history = History()
    history.take(Fact.of(CREATED, 1), "log")
    history.take(Fact.of(FAILED, 1, address="boat"), "log")

    assert history.address(HASH) == "boat"


def test_a_claim_of_which_something_is_known_is_not_noticed() -> None:
    history = History()
    history.take_own_claim(FIRST)

    assert history.notice(FIRST) is False


def test_what_a_checkpoint_holds_is_left_as_it_came_though_it_was_asked_for() -> None:
    spelled = encode([Fact.of(CREATED, 1, claim=CLAIMED)]).replace(b",", b", ")
    history = History()
    history.take_checkpoint(checkpoint(ADA, FIRST.name, spelled), "runs/run/checkpoints/1")
    assert history.events(FIRST) == [CREATED]

    assert history.checkpoint(EVE, 9.0).purchases == {ADA: {FIRST.name: Raw(spelled)}}


def test_what_two_checkpoints_hold_alike_is_not_read_twice() -> None:
    history = History()
    for number in (1, 2):
        held = checkpoint(ADA, FIRST.name, b"[1]")
        assert history.take_checkpoint(held, f"runs/run/checkpoints/{number}") == []

    assert history.attempts == {HASH: {1}}


def test_what_two_threads_ask_for_at_once_is_read_once() -> None:
    history = History()
    facts = encode([Fact.of(CREATED, 1, claim=CLAIMED)])
    history.take_checkpoint(checkpoint(ADA, FIRST.name, facts), "runs/run/checkpoints/1")
    lock = history.lock

    class Waits:
        """Whoever has to wait for it comes after another one who asked for the same."""

        def __enter__(self) -> None:
            history.lock = lock
            history.events(FIRST)

        def __exit__(self, *_: object) -> None:
            """It was never held."""

    history.lock = cast(Any, Waits())

    assert history.events(FIRST) == [CREATED]
