"""What one process of several takes from a store: who is at a request, and whether it may send."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs
from support.stores import MemoryObjects, NoRecords, StoreTimeOfTests, no_faults
from support.virtual import VIDEO, cities

from veogen.errors import UsageError
from veogen.executor.others import ClipMoved, Followed, PieceTaken
from veogen.executor.shared import SharedRun
from veogen.executor.shared_clips import AT_ONCE
from veogen.executor.transitions import NotPermitted, Stop, SubmitAttempt
from veogen.results.events import (
    Event,
    PurchaseImported,
    RequestAbandoned,
    SubmitFailed,
    SubmitIntended,
    SubmitRejected,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskProgressed,
    VideoMissing,
    VideoMoved,
    VideoSaved,
)
from veogen.results.ledger import Ledger
from veogen.store.history import News
from veogen.store.layout import AttemptId, Claimed, DecisionKind, StoredDecision
from veogen.store.location import StoreLocation
from veogen.store.member import DecidedError, Identity, Member
from veogen.store.objects import StoreError
from veogen.store.opening import Store
from veogen.store.signs import Patience

PLANNED = cities("Oslo", "Paris", "Rome", "Lima", "Cairo", "Delhi", "Quito").requests
REQUEST = PLANNED[0]
HASH = REQUEST.hash
FIRST = AttemptId(HASH, 1)
PRICE = Decimal("38.016")
MINUTE = 60.0
SILENT = 301.0
CREATED = TaskCreated(HASH, 1, "task-1", PRICE, 2.0)
FAILED = TaskFailed(HASH, "task-1", "service_error", "sorry")
COMPLETED = TaskCompleted(HASH, "task-1", ("https://a/b.mp4",), PRICE, 3.0)
SAVED = VideoSaved(HASH, 0, VIDEO, "task-1")
GIVEN_UP = RequestAbandoned(HASH, "given up", 1)


def intended(attempt: int = 1, hash_: str = HASH) -> SubmitIntended:
    return SubmitIntended(hash_, attempt, f"veogen-{hash_}-{attempt}", '{"a":1}', PRICE, 1.0)


class Team:
    """A store in memory, and machines that join it."""

    def __init__(self, folder: Path) -> None:
        self.time = StoreTimeOfTests()
        self.objects = MemoryObjects(self.time)
        self.store = Store(self.objects, StoreLocation("s3", "clips", ""), self.time, Patience())
        self.folder = folder

    def member(self, name: str) -> Member:
        return self.store.join("trip", "evolink", Identity(f"{name}.00000000000f", name))

    def run(self, name: str, *, takes_up_all: bool = False) -> SharedRun:
        return SharedRun(
            self.member(name), self.store, self.time, self.folder, takes_up_all=takes_up_all
        )

    def written(self) -> list[str]:
        """What was written since the last time."""
        names = [name for kind, name in self.objects.calls if kind in ("create", "replace")]
        del self.objects.calls[:]
        return [name.removeprefix("runs/trip/") for name in names]


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setattr("veogen.store.log._PAUSE", 0.01)
    return Team(tmp_path)


def knowing(*events: Event) -> Ledger:
    ledger = Ledger()
    ledger.adopt(PLANNED, [])
    for event in events:
        ledger.apply(event)
    return ledger


def permit(run: SharedRun, attempt: int = 1, hash_: str = HASH) -> NotPermitted | None:
    return run.permit(SubmitAttempt(intent=intended(attempt, hash_)), "city")


def buys(run: SharedRun, *events: Event) -> None:
    """It claims the first attempt, and tells what became of it."""
    assert permit(run) is None
    run.record(events, knowing(intended()))
    assert run.look_now().error is None
    assert run._member.flush(60.0)  # noqa: SLF001 - what it wrote is there


@pytest.mark.parametrize(
    ("events", "passes", "whose"),
    [
        pytest.param([], 0.0, "others", id="claimed by who lives"),
        pytest.param([], SILENT, "nobody", id="claimed by who is silent"),
        pytest.param([CREATED], 0.0, "others", id="bought by who lives"),
        pytest.param([CREATED], SILENT, "nobody", id="bought by who is silent"),
        pytest.param([CREATED, FAILED], 0.0, "nobody", id="it failed"),
        pytest.param([CREATED, COMPLETED, SAVED], 0.0, "nobody", id="it is completed"),
        pytest.param([SubmitFailed(HASH, 1, "no", "")], 0.0, "free", id="surely not accepted"),
        pytest.param([SubmitRejected(HASH, 1, "no", "")], 0.0, "nobody", id="refused"),
        pytest.param([SubmitUnknown(HASH, 1, "no", "")], 0.0, "others", id="in doubt"),
        pytest.param([SubmitUnknown(HASH, 1, "no", "")], SILENT, "nobody", id="left in doubt"),
    ],
)
def test_who_is_at_work_on_what_another_machine_claimed(
    team: Team, events: Sequence[Event], passes: float, whose: str
) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    buys(bob, *events)
    team.time.sleep(passes)

    assert ada.look_now().error is None

    assert ada.whose(HASH) == whose
    assert ada.whose(PLANNED[1].hash) == "free"
    wanted = ada.own(PLANNED[:2])
    assert (REQUEST in wanted) is (whose != "others")
    if whose == "others":  # it is being bought: what becomes of it is heard later
        assert ada.news(HASH, knowing().record(HASH)) is None


def test_what_a_process_claimed_is_its_own_and_its_successors(team: Team) -> None:
    ada = team.run("ada")
    buys(ada, CREATED)
    assert (ada.whose(HASH), ada.last_seen(HASH, 1)) == ("ours", None)
    member = team.member("ada-2")
    assert member.succeed(ada.process, is_surely_over=True)
    again = SharedRun(member, team.store, team.time, team.folder)

    again.look_now()

    assert again.whose(HASH) == "ours"
    assert again.take_over(HASH, 1) is True


def test_what_was_bought_without_a_claim_is_nobodys(team: Team) -> None:
    bob, ada = team.member("bob"), team.run("ada")
    bob.bring([(1, CREATED, "city")])
    assert bob.flush(60.0)

    assert ada.look_now() == Followed({HASH})

    assert ada.whose(HASH) == "nobody"
    assert (ada.machine(HASH), ada.last_seen(HASH, 1)) == (None, None)
    assert ada.take_over(HASH, 1) is True


@pytest.mark.parametrize(
    ("events", "whose"),
    [
        pytest.param([CREATED], "nobody", id="a task: twice does no harm"),
        pytest.param([], "others", id="a claim: it is being sent"),
    ],
)
def test_who_takes_up_all_follows_the_tasks_of_others(
    team: Team, events: Sequence[Event], whose: str
) -> None:
    buys(team.run("bob"), *events)
    ada = team.run("ada", takes_up_all=True)

    ada.look_now()

    assert ada.whose(HASH) == whose


def test_a_claim_that_was_seen_and_not_read_is_anothers_and_keeps_from_claiming(
    team: Team,
) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    assert permit(bob) is None
    record = knowing().record(HASH)
    assert ada.may_claim(HASH, record) is True

    call = ada.glance()
    assert call is not None
    assert (ada.next_look, ada.glance(), ada.follow(idle=True, at_once=True)) == (2, None, None)
    del team.objects.calls[:]
    assert call() == Followed({HASH})
    assert "read" not in {kind for kind, _ in team.objects.calls}

    assert (ada.whose(HASH), ada.may_claim(HASH, record)) == ("others", False)
    assert ada.news(HASH, record) is None


def test_a_claim_that_kept_from_sending_is_anothers_until_its_answer_was_looked_for(
    team: Team,
) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    buys(bob, CREATED)
    team.time.sleep(SILENT)

    assert permit(ada) == NotPermitted("claimed", "bob is buying it")

    record = knowing().record(HASH)
    assert (ada.whose(HASH), ada.news(HASH, record)) == ("others", None)
    assert ada.look_now() == Followed({HASH})
    assert ada.whose(HASH) == "nobody"
    news = ada.news(HASH, record)
    assert isinstance(news, PurchaseImported)
    assert (news.status, news.task_id) == ("submitted", "task-1")


def test_nothing_is_claimed_before_the_journal_knows_what_the_store_does(team: Team) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    buys(bob, CREATED, FAILED)
    ada.look_now()
    ledger = knowing()
    assert ada.may_claim(HASH, ledger.record(HASH)) is False

    news = ada.news(HASH, ledger.record(HASH))
    assert isinstance(news, PurchaseImported)
    assert (news.status, news.task_id, news.attempts) == ("failed", "task-1", 1)
    ledger.apply(news)

    assert ada.may_claim(HASH, ledger.record(HASH)) is True
    assert ada.next_attempt(HASH, 1) == 2


def test_the_machine_of_a_request_is_that_of_its_last_attempt(team: Team) -> None:
    bob, eve, ada = (team.run(name) for name in ("bob", "eve", "ada"))
    assert permit(bob) is None
    assert permit(eve, 2) is None

    ada.look_now()

    assert (ada.machine(HASH), ada.machine(PLANNED[1].hash)) == ("eve", None)


@pytest.mark.parametrize(
    ("attempts", "claimed", "following"),
    [
        pytest.param(0, [], 1, id="the first"),
        pytest.param(3, [], 4, id="after what the journal counts"),
        pytest.param(0, [1, 2], 3, id="after all that were claimed"),
        pytest.param(5, [1, 2], 6, id="after both"),
    ],
)
def test_the_number_of_the_next_attempt(
    team: Team, attempts: int, claimed: list[int], following: int
) -> None:
    ada = team.run("ada")
    for number in claimed:
        assert permit(ada, number) is None

    assert ada.next_attempt(HASH, attempts) == following


def test_a_permit_is_claimed_once_and_looked_at_again_after_a_minute(team: Team) -> None:
    ada = team.run("ada")
    team.written()

    assert permit(ada) is None
    assert team.written() == [f"claims/{FIRST.name}"]
    team.time.sleep(MINUTE)
    assert permit(ada) is None
    assert team.written() == []
    team.time.sleep(1.0)
    assert permit(ada) is None
    assert team.written() == [f"signs/{ada.process}"]
    assert permit(ada) is None
    assert team.written() == []
    assert ada.last_seen(HASH, 1) is None
    assert ada.claimed_body(HASH, 1) == '{"a":1}'
    assert ada.claimed_body(HASH, 2) is None


def test_what_another_machine_claimed_is_not_sent(team: Team) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    assert permit(bob) is None

    assert ada.look_now() == Followed({HASH})
    assert ada.look_now() == Followed(set())
    assert permit(ada) == NotPermitted("claimed", "bob is buying it")

    assert (ada.whose(HASH), ada.history.owner(FIRST)) == ("others", bob.process)
    assert ada.take_over(HASH, 1) is False


def test_a_machine_that_was_closed_sends_nothing_more(team: Team) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    assert permit(ada) is None
    team.time.sleep(MINUTE + 1)

    assert list(bob.close("ada")) == [
        "ada.00000000000f: it was seen a moment ago; it stops buying within a minute"
    ]

    why = "this machine was closed by bob: it buys no more"
    assert permit(ada, 2) == NotPermitted("closed", why, Stop("store", why))
    assert permit(ada) == NotPermitted("decided", why)
    assert ada.followed(Followed()) == Stop("store", why)


def test_what_comes_back_of_a_closed_machine_is_said(team: Team) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    ada.limit(Decimal(100), knowing())
    assert ada.budget is not None
    asks: list[object] = []
    ada.budget.affords(PRICE, Decimal(0), [], lambda ask: asks.append(ask()))
    team.time.sleep(SILENT)

    assert list(bob.close("ada")) == [
        "ada.00000000000f: closed; 38.016 credits of the budget came back"
    ]
    with pytest.raises(UsageError) as error:
        list(bob.close("eve"))
    assert str(error.value) == "no machine 'eve' is in this store: ada, bob"


def test_where_the_store_does_not_answer_nothing_is_sent(team: Team) -> None:
    ada = team.run("ada")
    team.objects.faults = lambda _number, _kind, name: "before" if "/claims/" in name else None

    message = f"memory: no answer to create runs/trip/claims/{FIRST.name}"
    stop = Stop("store", f"{message}; nothing more is bought")
    assert permit(ada) == NotPermitted("store", message, stop)
    team.objects.faults = no_faults
    assert permit(ada) is None


def test_what_somebody_decided_about_is_not_sent(team: Team) -> None:
    ada, bob, eve = (team.run(name) for name in ("ada", "bob", "eve"))
    assert permit(ada) is None
    team.time.sleep(SILENT)
    bob.look_now()
    assert bob.last_seen(HASH, 1) == "ada, last seen at 2027-01-15 08:00:00 UTC"
    assert bob.machine(HASH) == "ada"

    assert bob.decide(HASH, 1, "rebuy") is None

    assert bob.may_claim(HASH, knowing().record(HASH)) is True
    assert permit(ada) == NotPermitted("decided", "bob decided about it meanwhile (rebuy)")
    decision = StoredDecision("rebuy", bob.process, "bob", team.time.now())
    assert (bob.decided(HASH, 1), bob.decided(HASH, 2)) == (decision, None)
    assert ada.look_now() == Followed({HASH})
    assert ada.decided(HASH, 1) == decision
    with pytest.raises(DecidedError):
        eve.decide(HASH, 1, "abandon")


def test_what_is_sent_again_is_sent_by_who_decided_that(team: Team) -> None:
    ada, bob = team.run("ada"), team.run("bob")
    assert permit(ada) is None
    bob.look_now()
    assert bob.decide(HASH, 1, "replay") == "ada lives and may still send it"
    team.time.sleep(SILENT)
    team.written()

    assert bob.decide(HASH, 1, "replay") is None

    assert bob.look_now().error is None
    assert bob.decided(HASH, 1) is None  # nothing was decided for good
    assert permit(bob) is None
    assert [name for name in team.written() if "claims" in name] == []
    assert bob.may_claim(HASH, knowing().record(HASH)) is False


@pytest.mark.parametrize(
    ("kind", "passes", "counts"),
    [
        pytest.param("replay", 0.0, True, id="who sends it again lives"),
        pytest.param("replay", SILENT, False, id="who sends it again is silent"),
        pytest.param("abandon", SILENT, True, id="what was given up stays so"),
    ],
)
def test_what_another_machine_decided_counts(
    team: Team, kind: DecisionKind, passes: float, *, counts: bool
) -> None:
    ada, bob = team.run("ada"), team.run("bob")
    assert permit(ada) is None
    team.time.sleep(SILENT)
    bob.look_now()
    assert bob.decide(HASH, 1, kind) is None
    team.time.sleep(passes)

    ada.look_now()

    assert (ada.decided(HASH, 1) is not None) is counts


def test_what_was_taken_over_is_sent_after_a_look_at_the_store(team: Team) -> None:
    ada = team.run("ada")
    assert permit(ada) is None
    again = team.member("ada-2")
    assert again.succeed(ada.process, is_surely_over=True)
    again.follow()
    run = SharedRun(again, team.store, team.time, team.folder)
    assert run.take_over(HASH, 1)
    team.written()

    assert permit(run) is None
    assert team.written() == [f"signs/{run.process}"]


def test_what_was_decided_since_somebody_looked_is_told(team: Team) -> None:
    ada, bob = team.run("ada"), team.run("bob")
    assert permit(ada) is None
    assert bob.decided_meanwhile(HASH) is None
    bob.look_now()
    bob.was_held[HASH] = 1
    assert bob.decided_meanwhile(HASH) is None
    ada.decide(HASH, 1, "replay")
    ada.decide(HASH, 1, "abandon")
    assert ada.decided_meanwhile(HASH) is None  # it has seen nothing held

    bob.look_now()

    decided = bob.decided_meanwhile(HASH)
    assert decided is not None
    assert decided.decision == "abandon"


def test_a_claim_of_which_the_journal_knows_that_nothing_was_sent_is_told_once(
    team: Team,
) -> None:
    before, bob = team.run("ada"), team.run("bob")
    assert permit(before) is None
    member = team.member("ada-2")
    assert member.succeed(before.process, is_surely_over=True)
    ada = SharedRun(member, team.store, team.time, team.folder)
    ada.look_now()
    not_sent = SubmitFailed(HASH, 1, "not-claimed", "veogen stopped before it was claimed")
    record = knowing(intended(), not_sent).record(HASH)

    assert [ada.news(HASH, record) for _ in range(2)] == [None, None]

    assert member.flush(60.0)
    told = SubmitFailed(HASH, 1, "store", "its claim was made, it was not sent")
    assert ada.history.events(FIRST) == [told]
    assert bob.look_now() == Followed({HASH})
    assert bob.whose(HASH) == "free"
    assert bob.history.claim(FIRST) == CLAIM


@pytest.mark.parametrize(
    ("events", "news"),
    [
        pytest.param([], "indeterminate", id="nothing is known of it"),
        pytest.param([intended()], None, id="it was about to be sent"),
        pytest.param([intended(), SubmitUnknown(HASH, 1, "no", "")], None, id="it is in doubt"),
        pytest.param([GIVEN_UP], None, id="somebody gave it up, and no sending is known here"),
    ],
)
def test_a_claim_that_may_have_been_sent_stays_in_doubt(
    team: Team, events: Sequence[Event], news: str | None
) -> None:
    ada = team.run("ada")
    assert permit(ada) is None
    ada.look_now()

    event = ada.news(HASH, knowing(*events).record(HASH))

    assert (event.status if isinstance(event, PurchaseImported) else None) == news
    assert ada.history.events(FIRST) == ()


def test_a_claim_of_another_machine_is_not_told_to_be_unsent(team: Team) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    assert permit(bob) is None
    team.time.sleep(SILENT)
    ada.look_now()
    not_sent = SubmitFailed(HASH, 1, "not-claimed", "veogen stopped before it was claimed")

    news = ada.news(HASH, knowing(intended(), not_sent).record(HASH))

    assert isinstance(news, PurchaseImported)
    assert news.status == "indeterminate"
    assert ada.history.events(FIRST) == ()


CLAIM = Claimed("ada.00000000000f", "city", PRICE)


@pytest.mark.parametrize(
    ("event", "claimed", "told"),
    [
        pytest.param(CREATED, True, True, id="a task"),
        pytest.param(CREATED, False, True, id="a task of another claim"),
        pytest.param(SubmitFailed(HASH, 1, "no", ""), True, True, id="surely not accepted"),
        pytest.param(SubmitFailed(HASH, 1, "no", ""), False, False, id="of another claim"),
        pytest.param(SubmitRejected(HASH, 1, "no", ""), True, True, id="refused"),
        pytest.param(SubmitRejected(HASH, 1, "no", ""), False, False, id="refused elsewhere"),
        pytest.param(
            SubmitFailed(HASH, 1, "no", "", resend=True), True, False, id="it is sent again"
        ),
        pytest.param(
            SubmitFailed(HASH, 1, "no", "", resend=False), True, True, id="it is not sent again"
        ),
        pytest.param(SubmitUnknown(HASH, 1, "no", ""), True, True, id="in doubt"),
        pytest.param(SubmitUnknown(HASH, 1, "no", ""), False, True, id="in doubt, no claim"),
        pytest.param(intended(), True, False, id="an intent is its journal's"),
        pytest.param(TaskProgressed(HASH, "task-1", "x", 5), True, False, id="it goes on"),
        pytest.param(VideoMissing(HASH, 0, "task-1"), True, False, id="a file of this disk"),
        pytest.param(VideoMoved(HASH, 0, "videos/a.mp4"), True, False, id="a name on this disk"),
    ],
)
def test_what_is_told_of_what_happened_here(
    team: Team, event: Event, *, claimed: bool, told: bool
) -> None:
    ada, bob = team.run("ada"), team.member("bob")
    if claimed:
        assert permit(ada) is None
    bob.follow()

    ada.record([event], knowing(intended()))

    assert ada.leave() is None
    assert bob.follow() == ([News(1, event)] if told else [])
    events_have_claim = isinstance(event, TaskCreated | SubmitFailed | SubmitRejected)
    if told and claimed and events_have_claim:
        assert bob.history.claim(FIRST) == CLAIM


def test_the_end_of_a_task_is_filed_under_its_attempt(team: Team) -> None:
    ada = team.run("ada")
    second, doubt = TaskCreated(HASH, 2, "task-2", None, 4.0), SubmitUnknown(HASH, 2, "no", "")
    ledger = knowing(CREATED, doubt, second)
    ada.record([CREATED, doubt, second], ledger)
    unnamed = structs.replace(SAVED, task_id="task-9")

    ada.record([FAILED, unnamed], ledger)

    history = ada.history
    assert [list(history.events(AttemptId(HASH, number))) for number in (1, 2)] == [
        [CREATED, FAILED],
        [doubt, second, unnamed],  # of a task that nobody knows: the last attempt
    ]


def test_others_are_looked_at_every_minute_and_more_often_while_nothing_else_is_to_do(
    team: Team,
) -> None:
    ada = team.run("ada")
    began = team.time.monotonic()
    assert (ada.sign_every, ada.next_look, ada.looks) == (MINUTE, 1, 0)
    assert [ada.next_due(idle=idle) - began for idle in (False, True)] == [60.0, 15.0]
    assert ada.follow(idle=True) is None
    team.time.sleep(15.0)
    assert ada.follow(idle=False) is None
    look = ada.follow(idle=True)
    assert look is not None

    assert (ada.next_due(idle=True), ada.next_look) == (float("inf"), 2)
    assert (ada.follow(idle=True, at_once=True), ada.glance()) == (None, None)
    assert ada.look_now() == Followed()
    assert look() == Followed(set())
    team.time.sleep(5.0)
    assert ada.followed(Followed(set())) is None

    assert (ada.looks, ada.next_look, ada.heard_at) == (1, 2, began)
    assert ada.next_due(idle=True) - began == 20.0 + 15.0
    assert ada.follow(idle=False, at_once=True) is not None
    ada.followed(Followed({HASH}))
    assert ada.heard_at == began + 20.0


def test_who_buys_without_pause_only_gives_a_sign(team: Team) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    ada.limit(2 * PRICE, knowing())
    assert permit(bob) is None
    assert permit(ada, hash_=PLANNED[1].hash) is None
    team.time.sleep(MINUTE)
    team.written()

    look = ada.follow(idle=False)
    assert look is not None
    assert look() == Followed(())
    assert team.written() == [f"signs/{ada.process}"]
    ada.followed(Followed(()))
    team.time.sleep(MINUTE)
    look = ada.follow(idle=False)  # it claimed nothing meanwhile: it may be that others did
    assert look is not None

    assert look() == Followed({HASH})


def test_a_store_that_cannot_be_read_stops_all_purchases(team: Team) -> None:
    ada = team.run("ada")
    team.objects.faults = lambda _number, kind, _name: "before" if kind == "list" else None

    answer = ada.look_now()

    assert isinstance(answer.error, StoreError)
    assert ada.followed(answer) == Stop("store", f"{answer.error}; nothing more is bought")


def test_a_store_that_takes_no_record_for_a_minute_stops_all_purchases(team: Team) -> None:
    ada = team.run("ada")
    team.objects.faults = refuses = NoRecords()
    ada.record([CREATED], knowing(intended()))
    refuses.noticed()
    team.time.sleep(MINUTE - 1)
    assert ada.trouble() is None
    team.time.sleep(1.0)

    stop = Stop("store", "the store has taken no record for a minute; nothing more is bought")
    assert (ada.trouble(), ada.followed(Followed())) == (stop, stop)
    team.objects.faults = no_faults
    assert ada.leave() is None
    assert ada.has_left


def test_who_leaves_says_what_the_store_does_not_know(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("veogen.executor.shared.LAST_WORDS", 0.01)
    ada, bob = team.run("ada"), team.run("bob")
    team.objects.faults = NoRecords()
    ada.record([CREATED], knowing(intended()))

    message = "the store did not take everything; the next run or collect puts it there"
    assert ada.leave() == message
    team.objects.faults = lambda *_: "before"
    assert bob.leave() == (
        "memory: no answer to create runs/trip/log/bob.00000000000f/00000001; the journal has "
        "everything: the next run or collect puts it there"
    )
    assert [run.has_left for run in (ada, bob)] == [False, False]


def test_several_machines_begin_at_places_of_their_own(team: Team) -> None:
    ada = SharedRun(
        team.store.join("trip", "evolink", Identity("ada.00000000000a", "ada")),
        team.store,
        team.time,
        team.folder,
    )

    assert ada.own(PLANNED) == [*PLANNED[3:], *PLANNED[:3]]  # 10 of 7
    assert ada.own([]) == []


@pytest.mark.parametrize(
    ("claimed", "place"),
    [
        pytest.param([], 3, id="nobody has begun: the middle"),
        pytest.param([0, 1], 4, id="the middle of the rest"),
        pytest.param([3], 1, id="the first of two that are alike"),
        pytest.param([2, 6], 4, id="the longest"),
        pytest.param([0, 1, 2, 3, 4, 5], 6, id="the only one"),
        pytest.param([0, 1, 2, 3, 4, 5, 6], 0, id="all are begun"),
    ],
)
@pytest.mark.parametrize("reads", [False, True], ids=["seen", "read"])
def test_who_met_another_goes_on_in_the_middle_of_what_nobody_has_begun(
    team: Team, claimed: list[int], place: int, *, reads: bool
) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    for number in claimed:
        assert permit(bob, hash_=PLANNED[number].hash) is None
    call = ada.follow(idle=True, at_once=True) if reads else ada.glance()
    assert call is not None
    call()
    hashes = [request.hash for request in PLANNED]

    assert ada.place_apart(hashes) == hashes[place]


@pytest.mark.parametrize(
    ("done", "fetched", "told"),
    [
        pytest.param(True, False, True, id="it was put there"),
        pytest.param(True, True, False, id="it came from there"),
        pytest.param(False, False, False, id="it could not be moved"),
    ],
)
def test_a_clip_that_is_in_the_store_is_told(
    team: Team, *, done: bool, fetched: bool, told: bool
) -> None:
    ada, bob = team.run("ada"), team.member("bob")

    ada.clip_moved(ClipMoved(SAVED, done, fetched=fetched), knowing(CREATED))

    assert ada.leave() is None
    assert bob.follow() == ([News(1, SAVED)] if told else [])
    assert bob.history.address(HASH) == (REQUEST.address if told else None)


@pytest.mark.parametrize(
    ("buyer", "everything", "comes"),
    [
        pytest.param("ada", False, True, id="what this machine bought"),
        pytest.param("bob", False, False, id="what another did"),
        pytest.param("bob", True, True, id="all is asked for"),
    ],
)
def test_which_clips_come_home(team: Team, buyer: str, *, everything: bool, comes: bool) -> None:
    runs = {name: team.run(name) for name in ("ada", "bob")}
    buys(runs[buyer], CREATED, COMPLETED, SAVED)
    ada = runs["ada"]
    ada.look_now()
    ledger = knowing()
    news = ada.news(HASH, ledger.record(HASH))
    assert news is not None
    ledger.apply(news)

    ada.want_clips(ledger, everything=everything)

    assert ada.clips.idle is not comes


def test_a_clip_that_is_here_does_not_come_home_nor_one_that_was_put_away(team: Team) -> None:
    ada = team.run("ada")
    buys(ada, CREATED)
    here = knowing(intended(), CREATED, COMPLETED, SAVED)

    ada.want_clips(here, everything=True)
    assert ada.clips.idle
    here.apply(VideoMissing(HASH, 0, "task-1", put_away=True))
    ada.want_clips(here, everything=False)
    assert ada.clips.idle
    ada.want_clips(here, everything=True)
    assert not ada.clips.idle


def test_nobody_is_told_of_a_clip_that_the_store_did_not_take(team: Team) -> None:
    ada, bob = team.run("ada"), team.member("bob")
    other = structs.replace(SAVED, index=1, video=structs.replace(VIDEO, sha256="1" * 64))
    assert ada.clips.put(team.folder / "missing.mp4", VIDEO) is False
    ada.clips.hold_back(HASH, VIDEO.sha256)

    ada.record([CREATED, SAVED, other], knowing(CREATED))

    assert ada.leave() is None
    assert bob.follow() == [News(1, CREATED), News(1, other)]


@pytest.mark.parametrize("kind", ["adopt", "abandon"])
def test_only_who_has_it_bought_anew_may_claim_what_is_not_known(
    team: Team, kind: DecisionKind
) -> None:
    ada, bob = team.run("ada"), team.run("bob")
    assert permit(ada) is None
    team.time.sleep(SILENT)
    bob.look_now()

    assert bob.decide(HASH, 1, kind, "task-1" if kind == "adopt" else None) is None

    assert bob.may_claim(HASH, knowing().record(HASH)) is False
    assert permit(bob) == NotPermitted("claimed", "ada is buying it")


CLIP = b"a clip"
MADE = structs.replace(
    VIDEO, path="videos/city/oslo.mp4", sha256=sha256(CLIP).hexdigest(), bytes=len(CLIP)
)


MADE_ELSEWHERE: tuple[Event, ...] = (CREATED, COMPLETED, SAVED, VideoMissing(HASH, 0, "task-1"))


def test_clips_that_the_store_lacks_go_there_and_those_that_are_wanted_come_home(
    team: Team,
) -> None:
    ada, bob = team.run("ada"), team.run("bob")
    path = team.folder / MADE.path
    path.parent.mkdir(parents=True)
    path.write_bytes(CLIP)
    ada.clips.lacking.append(structs.replace(SAVED, video=MADE))
    put = ada.clips.next()
    assert put is not None
    assert (ada.clips.next(), ada.clips.idle) == (None, False)
    assert put() == ClipMoved(structs.replace(SAVED, video=MADE), done=True)
    ada.clips.moved()
    assert ada.clips.idle
    path.write_bytes(b"something else")

    ledger = knowing(*(structs.replace(e, video=MADE) if e is SAVED else e for e in MADE_ELSEWHERE))
    bob.want_clips(ledger, everything=True)
    fetch = bob.clips.next()
    assert fetch is not None
    moved = fetch()

    assert (moved.done, moved.fetched) == (True, True)
    assert (team.folder / moved.event.video.path).read_bytes() == CLIP
    assert b"something else" in {p.read_bytes() for p in team.folder.rglob("*") if p.is_file()}


def test_a_clip_that_is_not_in_the_store_does_not_come_home(team: Team) -> None:
    ada = team.run("ada")
    ada.want_clips(knowing(*MADE_ELSEWHERE), everything=True)
    fetch = ada.clips.next()
    assert fetch is not None

    moved = fetch()

    assert (moved.done, moved.fetched, moved.event.index) == (False, True, 0)
    assert [p for p in team.folder.rglob("*") if p.is_file()] == []
    ada.clips.moved()
    ada.want_clips(knowing(*MADE_ELSEWHERE), everything=True)
    assert not ada.clips.idle
    ada.clips.drop()
    assert ada.clips.idle


def test_no_more_clips_move_at_once_than_may(team: Team) -> None:
    ada = team.run("ada")
    ada.clips.lacking.extend([SAVED] * (AT_ONCE + 1))

    calls = [ada.clips.next() for _ in range(AT_ONCE + 1)]
    assert [call is None for call in calls] == [False] * AT_ONCE + [True]
    ada.clips.moved()

    assert ada.clips.next() is not None


def test_who_is_refused_money_sees_what_others_claimed_then_what_they_spent(team: Team) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    asks: list[Callable[[], PieceTaken]] = []
    for run in (bob, ada):
        run.limit(PRICE, knowing())
    assert bob.budget is not None
    bob.budget.affords(PRICE, Decimal(0), [PRICE], asks.append)
    assert asks.pop()().granted
    buys(bob, CREATED)
    assert permit(ada, hash_=PLANNED[1].hash) is None  # of an earlier piece
    budget, seen = ada.budget, []
    assert budget is not None
    assert ada.next_due(idle=False) - team.time.monotonic() == MINUTE

    for _ in range(3):
        budget.affords(PRICE, Decimal(0), [PRICE], asks.append)
        assert budget.taken(asks.pop()()) is None
        wait = ada.next_due(idle=False) - team.time.monotonic()
        look = ada.follow(idle=False)
        if look is not None:
            assert ada.followed(look()) is None
        seen.append((wait, ada.history.is_unread(HASH), len(ada.history.events(FIRST))))

    assert seen == [(float("-inf"), True, 0), (float("-inf"), False, 1), (15.0, False, 1)]


@pytest.mark.parametrize(
    ("at_once", "read"), [pytest.param(True, 21, id="at once"), pytest.param(False, 0, id="lazily")]
)
def test_whoever_looks_at_once_reads_all_that_who_lives_wrote(
    team: Team, read: int, *, at_once: bool
) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    for number in range(21):
        bob.record([TaskCreated(HASH, 1, f"task-{number}", None, 1.0)], knowing())
        assert bob._member.flush(60.0)  # noqa: SLF001 - each is a record of its own
    team.time.sleep(MINUTE)

    look = ada.follow(idle=True, at_once=at_once)
    assert look is not None
    assert look().error is None

    assert len(ada.history.events(FIRST)) == read
    ada.followed(Followed())
    ada.look_now()  # everything, as whoever opens a run needs it
    assert len(ada.history.events(FIRST)) == 21


def test_who_leaves_gives_back_what_it_did_not_spend(team: Team) -> None:
    ada, bob = team.run("ada"), team.run("bob")
    for run in (ada, bob):
        run.limit(2 * PRICE, knowing())
    asks: list[Callable[[], PieceTaken]] = []
    assert ada.budget is not None
    ada.budget.affords(2 * PRICE, Decimal(0), [], asks.append)
    assert asks.pop()().granted
    ada.budget.intend([intended()])

    assert ada.leave() is None

    chain = bob._member.chain  # noqa: SLF001 - what is there of the budget
    chain.open()
    assert chain.pieces == {ada.process: PRICE}


def test_clips_of_what_is_not_completed_do_not_come_home_yet(team: Team) -> None:
    ada = team.run("ada")
    two = structs.replace(COMPLETED, links=("https://a/b.mp4", "https://a/c.mp4"))
    ledger = knowing(CREATED, two, SAVED, VideoMissing(HASH, 0, "task-1"))
    record = ledger.record(HASH)
    assert (record.status, set(record.remote_videos)) == ("undelivered", {0})

    ada.want_clips(ledger, everything=True)

    assert ada.clips.idle


def test_what_happened_counts_in_the_budget(team: Team) -> None:
    ada = team.run("ada")
    ada.limit(Decimal(100), knowing())
    assert ada.budget is not None
    assert permit(ada) is None
    ada.budget.intend([intended()])

    ada.record([structs.replace(CREATED, credits=Decimal(25))], knowing(intended()))

    assert ada.budget.spent == Decimal(25)


def test_what_waits_and_was_not_refused_is_no_trouble(team: Team) -> None:
    ada = team.run("ada")
    ada.record([COMPLETED], knowing(CREATED))
    team.time.sleep(MINUTE)

    assert ada.trouble() is None


def test_clips_of_a_later_attempt_come_home_to_who_made_that(team: Team) -> None:
    bob, ada = team.run("bob"), team.run("ada")
    buys(bob, CREATED, FAILED)
    again = TaskCreated(HASH, 2, "task-2", None, 4.0)
    made = structs.replace(COMPLETED, task_id="task-2")
    saved = structs.replace(SAVED, task_id="task-2")
    assert permit(ada, 2) is None
    ada.record([again, made, saved], knowing(CREATED, FAILED, again))
    ada.look_now()
    bob.look_now()
    ledger = knowing(CREATED, FAILED, again, made, saved, VideoMissing(HASH, 0, "task-2"))

    for run in (ada, bob):
        run.want_clips(ledger, everything=False)

    assert (ada.clips.idle, bob.clips.idle) == (False, True)
