"""What lies where in a store, and what no record may say."""

from decimal import Decimal

import pytest
from msgspec import Raw, json

from veogen.results.events import TaskCreated
from veogen.store.layout import (
    FORMAT,
    AttemptId,
    Batch,
    Checkpoint,
    Claim,
    Claimed,
    Closing,
    Fact,
    MoneyRecord,
    RunInfo,
    RunNames,
    Sign,
    StoredDecision,
    UnreadableError,
    Version,
    claimed,
    clip,
    decided,
    decode,
    encode,
    names_run,
    numbered,
    process_of,
)

HASH = "a" * 64
FIRST = AttemptId(HASH, 1)


def test_the_names_of_a_run() -> None:
    names = RunNames("trip.draft")

    assert [
        names.info,
        names.folder("claims"),
        names.claim(AttemptId(HASH, 12)),
        names.decision(FIRST, 3),
        names.batch("ada.1", 7),
        names.money(8),
        names.closing("ada.1"),
        names.sign("ada.1"),
        names.checkpoint("ada.1", 1_800_000_000.25),
    ] == [
        "runs/trip.draft/run.json",
        "runs/trip.draft/claims",
        f"runs/trip.draft/claims/{HASH}.0012",
        f"runs/trip.draft/decisions/{HASH}.0001.03",
        "runs/trip.draft/log/ada.1/00000007",
        "runs/trip.draft/money/00000008",
        "runs/trip.draft/closings/ada.1",
        "runs/trip.draft/signs/ada.1",
        "runs/trip.draft/checkpoints/0998199999999750-ada.1",
    ]
    assert clip(HASH) == f"clips/{HASH}.mp4"


@pytest.mark.parametrize("sha256", ["a" * 63, "A" * 64, f"{'a' * 64}\n", "../" + "a" * 61])
def test_no_clip_has_another_name(sha256: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - it has no words of its own
        clip(sha256)

    assert str(error.value) == sha256


@pytest.mark.parametrize(
    ("run", "named"),
    [
        pytest.param("trip", True, id="a word"),
        pytest.param("9.trip_2-a", True, id="all that may be in it"),
        pytest.param("t" * 201, True, id="the longest"),
        pytest.param("t" * 202, False, id="a longer one"),
        pytest.param(".trip", False, id="a dot at first"),
        pytest.param("Trip", False, id="upper case"),
        pytest.param("trip/x", False, id="a path"),
        pytest.param("trip\n", False, id="a line"),
        pytest.param("", False, id="none"),
    ],
)
def test_what_a_run_can_be_called(run: str, *, named: bool) -> None:
    assert names_run(run) is named
    if not named:
        with pytest.raises(ValueError) as error:  # noqa: PT011 - as above
            RunNames(run)
        assert str(error.value) == run


@pytest.mark.parametrize(
    ("name", "read"),
    [
        pytest.param(f"runs/run/x/{HASH}.0012", (AttemptId(HASH, 12), None, None), id="a claim"),
        pytest.param(
            f"runs/run/x/{HASH}.0012.03", (None, (AttemptId(HASH, 12), 3), None), id="a decision"
        ),
        pytest.param("runs/run/x/00000012", (None, None, 12), id="a number"),
        pytest.param("runs/run/x/0000012", (None, None, None), id="a shorter number"),
        pytest.param(f"runs/run/x/{HASH}.12", (None, None, None), id="a shorter attempt"),
        pytest.param(f"runs/run/x/{HASH}.0012.3", (None, None, None), id="a shorter decision"),
        pytest.param(f"runs/run/{HASH}.0012/x", (None, None, None), id="a folder"),
    ],
)
def test_what_a_name_is(
    name: str, read: tuple[AttemptId | None, tuple[AttemptId, int] | None, int | None]
) -> None:
    assert (claimed(name), decided(name), numbered(name)) == read


@pytest.mark.parametrize(
    ("name", "process"),
    [
        pytest.param("runs/run/log/ada.1", "ada.1", id="a process"),
        pytest.param("ada.1", "ada.1", id="without its folder"),
        pytest.param(f"runs/run/log/{'a' * 80}", "a" * 80, id="the longest"),
        pytest.param(f"runs/run/log/{'a' * 81}", None, id="a longer one"),
        pytest.param("runs/run/log/Ada", None, id="upper case"),
        pytest.param("runs/run/log/", None, id="none"),
    ],
)
def test_which_process_a_name_is(name: str, process: str | None) -> None:
    assert process_of(name) == process


def test_a_record_is_one_line_of_json() -> None:
    claim = Claim("ada.1", "key", "{}", "boat", Decimal("1.50"), "ada", 1.0)

    assert encode(claim) == (
        b'{"owner":"ada.1","key":"key","body":"{}","address":"boat","credits":"1.50",'
        b'"machine":"ada","at":1.0}'
    )
    assert decode(encode(claim), Claim, "name") == claim


def test_a_batch_says_no_more_than_it_has_to() -> None:
    created = TaskCreated(HASH, 1, "task-1", None, 1.0)

    assert json.decode(encode(Batch("ada.1", "ada", 1.0, (Fact.of(created, 1),)))) == {
        "process": "ada.1",
        "machine": "ada",
        "at": 1.0,
        "facts": [{"attempt": 1, "event": json.decode(json.encode(created))}],
    }
    assert Fact.of(created, 1).read() == created


CLAIM = {
    "owner": "ada.1",
    "key": "k",
    "body": "{}",
    "address": "boat",
    "credits": "0",
    "machine": "ada",
    "at": 1.0,
}
MONEY = {"process": "ada.1", "credits": "-5", "at": 1.0, "by": "ada.1", "taken": "0"}
DECISION = {"decision": "adopt", "owner": "ada.1", "machine": "ada", "at": 1.0}


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        pytest.param(Claim, CLAIM, id="a claim that costs nothing"),
        pytest.param(Claim, {**CLAIM, "credits": None}, id="a claim of no price that is known"),
        pytest.param(MoneyRecord, MONEY, id="all of it given back"),
        pytest.param(
            MoneyRecord, {k: v for k, v in MONEY.items() if k != "taken"}, id="an earlier version"
        ),
        pytest.param(StoredDecision, DECISION, id="a decision"),
        pytest.param(Sign, {"machine": "ada", "at": 0.0}, id="a sign"),
        pytest.param(Fact, {"attempt": 9999, "event": {}}, id="the last attempt"),
        pytest.param(Claimed, ["ada.1", "boat", None], id="what is known of a claim"),
    ],
)
def test_what_a_record_may_say(kind: type[object], record: object) -> None:
    assert isinstance(decode(json.encode(record), kind, "name"), kind)


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        pytest.param(Claim, {**CLAIM, "credits": "-0.0001"}, id="a claim below nothing"),
        pytest.param(Claim, {**CLAIM, "credits": "Infinity"}, id="a claim without end"),
        pytest.param(Claim, {**CLAIM, "owner": "ada.1\n"}, id="a line in a name"),
        pytest.param(Claim, {**CLAIM, "owner": "../x"}, id="a path in a name"),
        pytest.param(Claim, {**CLAIM, "more": 1}, id="a field that nobody knows"),
        pytest.param(Claim, {**CLAIM, "machine": "a" * 201}, id="a long name"),
        pytest.param(Claim, {**CLAIM, "key": "a" * 201}, id="a long key"),
        pytest.param(Claim, {**CLAIM, "address": "a" * 20_001}, id="a long address"),
        pytest.param(Claim, {**CLAIM, "at": -1.0}, id="before all time"),
        pytest.param(Claim, {**CLAIM, "at": 1e13}, id="after all time"),
        pytest.param(MoneyRecord, {**MONEY, "credits": "NaN"}, id="no number"),
        pytest.param(MoneyRecord, {**MONEY, "taken": "Infinity"}, id="a sum without end"),
        pytest.param(MoneyRecord, {**MONEY, "taken": "-1"}, id="a sum below nothing"),
        pytest.param(Claimed, ["ada.1", "boat", "Infinity"], id="a claim known without end"),
        pytest.param(StoredDecision, {**DECISION, "decision": "buy"}, id="no decision"),
        pytest.param(Fact, {"attempt": 10_000, "event": {}}, id="an attempt too many"),
        pytest.param(Fact, {"attempt": -1, "event": {}}, id="an attempt below none"),
    ],
)
def test_what_no_record_may_say(kind: type[object], record: object) -> None:
    with pytest.raises(UnreadableError, match=r"^runs/x: this record cannot be read: "):
        decode(Raw(json.encode(record)), kind, "runs/x")


CHECKPOINT = {"process": "ada.1", "at": 1.0, "read": {}, "ended": [], "machines": {}}


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        pytest.param(RunInfo, {"name": "trip", "gateway": "simulated"}, id="a run"),
        pytest.param(Claim, CLAIM, id="a claim"),
        pytest.param(StoredDecision, DECISION, id="a decision"),
        pytest.param(
            Closing, {"owner": "a", "machine": "a", "kind": "closed", "at": 1.0}, id="a closing"
        ),
        pytest.param(Sign, {"machine": "ada", "at": 0.0}, id="a sign"),
        pytest.param(Fact, {"attempt": 1, "event": {}}, id="a fact"),
        pytest.param(Batch, {"process": "ada.1", "machine": "ada", "at": 1.0}, id="a batch"),
        pytest.param(MoneyRecord, MONEY, id="money"),
        pytest.param(Checkpoint, CHECKPOINT, id="a checkpoint"),
    ],
)
def test_what_a_later_version_says_beside_is_not_passed_over(
    kind: type[object], record: dict[str, object]
) -> None:
    assert isinstance(decode(json.encode(record), kind, "runs/x"), kind)

    with pytest.raises(UnreadableError, match="unknown field `later`"):
        decode(json.encode({**record, "later": 1}), kind, "runs/x")
    with pytest.raises(AttributeError):
        setattr(decode(json.encode(record), kind, "runs/x"), next(iter(record)), None)


def test_what_is_known_of_a_claim_is_told_without_names() -> None:
    claimed_ = Claimed("ada.1", "boat", Decimal(5))

    assert encode(claimed_) == b'["ada.1","boat","5"]'
    with pytest.raises(UnreadableError, match="runs/x"):
        decode(b'["ada.1","boat","5","later"]', Claimed, "runs/x")


def test_the_version_of_a_store_may_say_more() -> None:
    assert decode(b'{"format":"veogen.store/1","later":1}', Version, "x").format == FORMAT


@pytest.mark.parametrize(
    ("earlier", "later"),
    [pytest.param(1.0, 1.001, id="a moment"), pytest.param(0.0, 1e12, id="all time")],
)
def test_the_newest_checkpoint_is_listed_first(earlier: float, later: float) -> None:
    names = [RunNames("trip").checkpoint("ada.1", at) for at in (later, earlier)]

    assert names == sorted(names)
    assert len({len(name) for name in names}) == 1
