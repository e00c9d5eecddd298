"""What results and files say beyond a journal, step by step: lines, names, clips, parts."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.virtual import PRICE, VIDEO, request

from veogen.executor.reconcile import (
    adopt_files,
    imported_purchases,
    missing_clips,
    missing_notes,
    move_clip,
    remove_useless_parts,
    rename_clips,
    unknown_request,
    unknown_requests,
)
from veogen.planner.plan import Request
from veogen.results.events import (
    Event,
    OtherPurchase,
    PurchaseImported,
    RequestAbandoned,
    SubmitFailed,
    SubmitIntended,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    Video,
    VideoMissing,
    VideoMoved,
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.facts import Failure
from veogen.results.ledger import Ledger
from veogen.results.manifest import Manifest, ManifestLine

TOKYO = request("Tokyo")
NINE, NOW = Decimal(9), 1000.0
BYTES = b"the clip".ljust(1000, b".")
CLIP = msgspec.structs.replace(
    VIDEO.at(TOKYO.paths[0]), sha256=hashlib.sha256(BYTES).hexdigest(), bytes=len(BYTES)
)
FIRST, SECOND = (CLIP.at(TOKYO.path(index, 2)) for index in (0, 1))


def intent(number: int = 1) -> SubmitIntended:
    return SubmitIntended(TOKYO.hash, number, "k", "{}", PRICE, 10.0 * number)


def taken(task: str = "t1", number: int = 1, at: float = 12.0) -> TaskCreated:
    return TaskCreated(TOKYO.hash, number, task, NINE, at)


def made(*links: str, task: str = "t1", at: float = 20.0) -> TaskCompleted:
    return TaskCompleted(TOKYO.hash, task, links, None, at)


def saved(video: Video = CLIP, index: int = 0, mtime: int = 7) -> VideoSaved:
    return VideoSaved(TOKYO.hash, index, video, "t1", mtime)


SUBMITTED: list[Event] = [intent(), taken()]
HOME: list[Event] = [*SUBMITTED, made("x"), saved()]
HELD: list[Event] = [intent(), SubmitUnknown(TOKYO.hash, 1, "lost", "it broke")]
FAILED: list[Event] = [*SUBMITTED, TaskFailed(TOKYO.hash, "t1", "service_error", "sorry")]
TWO: list[Event] = [*SUBMITTED, made("x", "y"), saved(FIRST), saved(SECOND, 1)]


def ledger_of(*events: Event, planned: Sequence[Request] = (TOKYO,)) -> Ledger:
    ledger = Ledger("trip")
    ledger.adopt(planned)
    for event in events:
        ledger.apply(event)
    return ledger


def line(status: str, **more: Any) -> ManifestLine:
    """The line of Tokyo; what is not said is as it is for one task at nine credits."""
    values: dict[str, Any] = {
        "address": TOKYO.address,
        "hash": TOKYO.hash,
        "shot": TOKYO.shot,
        "take": 1,
        "variables": TOKYO.variables,
        "status": status,
        "task_id": "t1",
        "attempts": 1,
        "credits": NINE,
        "error": None,
        "videos": (),
        **more,
    }
    return ManifestLine(**values)


def manifest(*lines: ManifestLine, former: Sequence[ManifestLine] = ()) -> Manifest:
    return Manifest(name="trip", gateway="evolink", results=lines, former=tuple(former))


LOST, SORRY = Failure("lost", "it broke"), Failure("service_error", "sorry")
THEIRS = OtherPurchase(1, "t0", "completed", NINE, ())


@pytest.mark.parametrize(
    ("known", "told", "is_news"),
    [
        pytest.param([], line("submitted"), True, id="a purchase that nobody knew here"),
        pytest.param(SUBMITTED, line("submitted"), False, id="as it is known"),
        pytest.param(SUBMITTED, line("submitted", credits=None), False, id="without the amount"),
        pytest.param(SUBMITTED, line("undelivered"), True, id="it was made"),
        pytest.param(HOME, line("submitted"), False, id="they have not heard that it was made"),
        pytest.param(HOME, line("completed", videos=(CLIP,)), False, id="completed, as known"),
        pytest.param(
            HOME, line("completed", task_id="t2", videos=(CLIP,)), True, id="by another task"
        ),
        pytest.param(
            SUBMITTED, line("submitted", task_id="t2"), True, id="another task is under way"
        ),
        pytest.param(
            SUBMITTED, line("submitted", attempts=2), False, id="they count another attempt for it"
        ),
        pytest.param(
            HELD,
            line("indeterminate", task_id=None, attempts=2, credits=None, error=LOST),
            True,
            id="a second attempt is held",
        ),
        pytest.param(
            FAILED, line("failed", error=Failure("content", "no")), True, id="failed for good"
        ),
        pytest.param(FAILED, line("failed", error=SORRY), False, id="failed, as known"),
        pytest.param(
            HELD,
            line("indeterminate", task_id=None, credits=None, error=LOST),
            False,
            id="held, as known",
        ),
        pytest.param(
            [*SUBMITTED, made("x", "y"), saved(FIRST)],
            line("undelivered", videos=(FIRST, msgspec.structs.replace(SECOND, sha256="1" * 64))),
            True,
            id="they have a second clip",
        ),
        pytest.param(
            HOME, line("completed", videos=(CLIP,), others=(THEIRS,)), True, id="another one beside"
        ),
        pytest.param(
            [*SUBMITTED, intent(2), taken("t2", 2)],
            line("submitted", task_id="t2", attempts=2),
            False,
            id="the later of two that are known",
        ),
        pytest.param(
            [], line("planned", task_id=None, attempts=0, credits=None), False, id="planned"
        ),
        pytest.param(
            [],
            line("planned", task_id=None, attempts=3, credits=None),
            True,
            id="planned after three attempts: their numbers are used",
        ),
        pytest.param(
            SUBMITTED,
            line("planned", task_id=None, attempts=1, credits=None),
            False,
            id="they have not heard of it yet",
        ),
    ],
)
def test_what_a_line_says_that_is_not_known(
    known: list[Event], told: ManifestLine, is_news: bool
) -> None:
    ledger = ledger_of(*known)

    for lines in (manifest(told), manifest(former=[told])):
        news = list(imported_purchases(lines, ledger, NOW))

        assert [event.hash for event in news] == [TOKYO.hash] * is_news
        assert list(imported_purchases(lines, ledger, NOW, lambda _: True)) == [], "our own words"


@pytest.mark.parametrize(
    ("priced", "estimate", "counted"),
    [
        pytest.param(PRICE, {}, PRICE, id="the line names none"),
        pytest.param(PRICE, {"estimate": Decimal(50)}, Decimal(50), id="the line names more"),
        pytest.param(PRICE, {"estimate": NINE}, PRICE, id="the line names less"),
        pytest.param(None, {"estimate": NINE}, NINE, id="the plan knows no price"),
        pytest.param(None, {}, None, id="nobody knows"),
    ],
)
def test_what_is_taken_in_is_all_of_a_line_and_the_greater_estimate(
    priced: Decimal | None, estimate: dict[str, Decimal], counted: Decimal | None
) -> None:
    told = line("undelivered", error=LOST, videos=(SECOND,), others=(THEIRS,), **estimate)
    ledger = ledger_of(planned=[replace(TOKYO, credits=priced)])

    assert list(imported_purchases(manifest(told), ledger, NOW)) == [
        PurchaseImported(
            TOKYO.hash,
            "undelivered",
            "t1",
            1,
            NINE,
            "lost",
            "it broke",
            (SECOND,),
            counted,
            NOW,
            others=(THEIRS,),
        )
    ]


def test_only_what_neither_plan_nor_journal_knows_is_a_request_of_the_results() -> None:
    told = line("completed", hash="d" * 64, address="far", shot="...", estimate=PRICE)
    lines = manifest(line("submitted"), former=[told])

    (unknown,) = unknown_requests(lines, ledger_of())

    assert unknown == Request(
        address="far",
        hash="d" * 64,
        shot="...",
        take=1,
        variables=TOKYO.variables,
        output="shot/Tokyo",
        body={},
        credits=PRICE,
    )
    assert unknown_request(line("completed")).credits == NINE


def written(folder: Path, video: Video = CLIP, content: bytes = BYTES) -> Path:
    path = folder / video.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def mtime(path: Path) -> int:
    return path.stat().st_mtime_ns


def test_a_clip_is_moved_to_the_name_that_its_request_has_now(tmp_path: Path) -> None:
    old = CLIP.at("videos/old-0123456789.mp4")
    ledger = ledger_of(*SUBMITTED, made("x"), saved(old))

    assert list(rename_clips(ledger, tmp_path)) == [], "it is not there"
    written(tmp_path, old)
    assert list(rename_clips(ledger, tmp_path)) == [
        VideoMoved(TOKYO.hash, 0, TOKYO.paths[0], task_id="t1")
    ]
    assert list(rename_clips(ledger_of(*HOME), tmp_path)) == [], "it has that name"


@pytest.mark.parametrize(
    ("at_old", "at_new", "moves", "left"),
    [
        pytest.param(BYTES, None, True, ["new"], id="moved"),
        pytest.param(None, None, False, [], id="nothing to be moved"),
        pytest.param(None, BYTES, True, ["new"], id="moved before, as the process died"),
        pytest.param(BYTES, b"another", False, ["new", "old"], id="another file has the name"),
        pytest.param(BYTES, BYTES, True, ["new", "old"], id="a copy has the name: both stay"),
    ],
)
def test_a_clip_that_is_moved_takes_the_place_of_nothing(
    tmp_path: Path, at_old: bytes | None, at_new: bytes | None, moves: bool, left: list[str]
) -> None:
    for name, content in (("old", at_old), ("new", at_new)):
        if content is not None:
            written(tmp_path, CLIP.at(f"videos/{name}.mp4"), content)

    assert move_clip(tmp_path, CLIP.at("videos/old.mp4"), "videos/new.mp4") is moves
    assert sorted(path.stem for path in tmp_path.rglob("*.mp4")) == left
    if at_new is not None:
        assert (tmp_path / "videos/new.mp4").read_bytes() == at_new


def test_of_two_names_of_one_file_the_old_one_goes(tmp_path: Path) -> None:
    old = written(tmp_path, CLIP.at("videos/old.mp4"))
    os.link(old, tmp_path / "videos/new.mp4")

    assert move_clip(tmp_path, CLIP.at("videos/old.mp4"), "videos/new.mp4")
    assert [path.stem for path in tmp_path.rglob("*.mp4")] == ["new"]


@pytest.mark.parametrize("names", [("out/old.mp4", "new.mp4"), ("old.mp4", "out/new.mp4")])
def test_no_clip_is_moved_through_a_link_that_leads_out(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    run, outside = tmp_path / "run", tmp_path / "outside"
    (run / "videos").mkdir(parents=True)
    outside.mkdir()
    (run / "videos/out").symlink_to(outside)
    old, new = (f"videos/{name}" for name in names)
    path = written(run, CLIP.at(old))

    assert not move_clip(run, CLIP.at(old), new)
    assert path.read_bytes() == BYTES
    assert not (run / new).exists()


def test_a_link_at_the_name_of_a_clip_is_not_moved(tmp_path: Path) -> None:
    outside, old = tmp_path / "outside.mp4", CLIP.at("videos/old.mp4")
    outside.write_bytes(BYTES)
    (tmp_path / "run/videos").mkdir(parents=True)
    (tmp_path / "run" / old.path).symlink_to(outside)

    assert not move_clip(tmp_path / "run", old, "videos/new.mp4")
    assert [path.stem for path in tmp_path.rglob("run/**/*.mp4")] == ["old"]


IMPORTED = PurchaseImported(TOKYO.hash, "completed", "t1", 1, NINE, None, None, (CLIP,), PRICE, NOW)


def test_the_clip_of_a_colleague_is_adopted_by_its_bytes(tmp_path: Path) -> None:
    theirs = ledger_of(IMPORTED)

    assert list(adopt_files(theirs, tmp_path)) == []
    written(tmp_path, content=b"another clip".ljust(1000, b"."))
    assert list(adopt_files(theirs, tmp_path)) == []
    path = written(tmp_path)
    assert list(adopt_files(theirs, tmp_path)) == [saved(mtime=mtime(path))]
    assert list(adopt_files(ledger_of(*HOME), tmp_path)) == []
    path.rename(tmp_path / "elsewhere.mp4")
    path.symlink_to(tmp_path / "elsewhere.mp4")
    assert list(adopt_files(theirs, tmp_path)) == [], "a link is no file of ours"


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def cut(path: Path) -> None:
    before = mtime(path)
    path.write_bytes(BYTES[:-1])
    os.utime(path, ns=(before, before))


def change(path: Path) -> None:
    path.write_bytes(BYTES[::-1])
    touch(path)


@pytest.mark.parametrize(
    ("happens", "notes_time", "said"),
    [
        pytest.param(lambda _: None, True, None, id="it is as it was"),
        pytest.param(touch, True, "saved", id="touched: its time is noted"),
        pytest.param(touch, False, None, id="nobody noted a time"),
        pytest.param(Path.unlink, True, "missing", id="deleted"),
        pytest.param(Path.unlink, False, "missing", id="deleted, nobody noted a time"),
        pytest.param(lambda p: p.write_bytes(BYTES[:-1]), True, "missing", id="cut"),
        pytest.param(cut, True, "missing", id="cut, and its time put back"),
        pytest.param(change, True, "missing", id="changed"),
        pytest.param(
            lambda p: (p.rename(f"{p}.x"), p.symlink_to(f"{p}.x")), True, "missing", id="a link"
        ),
    ],
)
def test_a_clip_that_was_delivered_is_looked_at(
    tmp_path: Path, happens: Callable[[Path], object], notes_time: bool, said: str | None
) -> None:
    path = written(tmp_path)
    ledger = ledger_of(*SUBMITTED, made("x"), saved(mtime=mtime(path) * notes_time))
    happens(path)

    missing = VideoMissing(TOKYO.hash, 0, task_id="t1")
    events = {None: [], "saved": [saved(mtime=1)], "missing": [missing]}
    assert list(missing_clips(ledger, tmp_path)) == events[said]


def test_of_a_task_that_is_not_all_home_the_clips_that_are_here_are_looked_at_too(
    tmp_path: Path,
) -> None:
    half = ledger_of(*SUBMITTED, made("x", "y"), saved(SECOND, 1))

    assert list(missing_clips(half, tmp_path)) == [VideoMissing(TOKYO.hash, 1, task_id="t1")]
    assert list(missing_clips(ledger_of(*SUBMITTED), tmp_path)) == []
    assert list(missing_clips(ledger_of(), tmp_path)) == []


CANNOT, NOBODY = "cannot be had here any more", "no other machine is known to have it"
OURS_GONE: list[Event] = [*HOME, VideoMissing(TOKYO.hash, 0, "t1")]


@pytest.mark.parametrize(
    ("events", "notes"),
    [
        pytest.param(HOME, [], id="it is here"),
        pytest.param(
            [IMPORTED],
            [f"city[name=Tokyo]: 1 clip {CANNOT}; whoever bought it may have it"],
            id="a colleague bought it",
        ),
        pytest.param(
            OURS_GONE,
            [f"city[name=Tokyo]: 1 clip {CANNOT}; {NOBODY}"],
            id="it was ours",
        ),
        pytest.param(
            [*OURS_GONE, VideoNotSaved(TOKYO.hash, "404", "it is gone", "t1")],
            [f"city[name=Tokyo]: 1 clip {CANNOT} (it is gone); {NOBODY}"],
            id="it was ours, and why it cannot be had",
        ),
        pytest.param(
            [*TWO, VideoMissing(TOKYO.hash, 0, "t1"), VideoMissing(TOKYO.hash, 1, "t1")],
            [f"city[name=Tokyo]: 2 clips {CANNOT}; {NOBODY}"],
            id="both of two",
        ),
        pytest.param([*SUBMITTED, made("x")], [], id="it was never here"),
    ],
)
def test_clips_that_cannot_be_had_are_named(events: list[Event], notes: list[str]) -> None:
    assert list(missing_notes(ledger_of(*events))) == notes


@pytest.mark.parametrize(
    ("gone", "last"),
    [
        (10, "city[name=9]: 1 clip cannot be had here any more; whoever bought it may have it"),
        (11, "clips of 1 request more cannot be had here any more: veogen status names them"),
        (13, "clips of 3 requests more cannot be had here any more: veogen status names them"),
    ],
)
def test_ten_requests_are_named_and_the_others_counted(gone: int, last: str) -> None:
    requests = [request(f"{number}") for number in range(gone)]
    lost = [
        msgspec.structs.replace(IMPORTED, hash=one.hash, videos=(CLIP.at(one.paths[0]),))
        for one in requests
    ]

    notes = list(missing_notes(ledger_of(*lost, planned=requests)))

    assert (len(notes), notes[-1]) == (min(gone, 11), last)


DAY = 86_400.0
SECOND_TASK: list[Event] = [intent(2), taken("t2", 2, at=30.0)]
PLAIN, OF_T1, OF_T2 = "", "-t1", "-t2"


@pytest.mark.parametrize(
    ("events", "now", "kept"),
    [
        pytest.param([], NOW, [], id="nothing was bought"),
        pytest.param(SUBMITTED, NOW, [PLAIN], id="being made"),
        pytest.param([*SUBMITTED, made("x")], 20 + DAY - 1, [PLAIN], id="its link lives"),
        pytest.param([*SUBMITTED, made("x")], 20 + DAY, [], id="its link has died"),
        pytest.param(HOME, NOW, [], id="it is here"),
        pytest.param(OURS_GONE, 20 + DAY - 1, [PLAIN], id="it is gone, and its link lives"),
        pytest.param(OURS_GONE, 20 + DAY, [], id="it is gone, and its link has died"),
        pytest.param(FAILED, NOW, [], id="failed"),
        pytest.param(HELD, NOW, [], id="held"),
        pytest.param(
            [*SUBMITTED, *SECOND_TASK],
            NOW,
            [PLAIN, OF_T1, OF_T2],
            id="two tasks are being made: each under both names",
        ),
        pytest.param(
            [*SUBMITTED, *SECOND_TASK],
            12 + DAY,
            [PLAIN, OF_T2],
            id="the first of two was taken a day ago",
        ),
        pytest.param(
            [*SUBMITTED, made("x", at=1000.0), *SECOND_TASK],
            12 + DAY,
            [PLAIN, OF_T1, OF_T2],
            id="the first of two was made later",
        ),
        pytest.param(
            [*FAILED, *SECOND_TASK], NOW, [PLAIN, OF_T2], id="the first of two has failed"
        ),
        pytest.param([*HOME, *SECOND_TASK], NOW, [PLAIN, OF_T2], id="the first of two is here"),
        pytest.param([*HELD, *SECOND_TASK], NOW, [PLAIN, OF_T2], id="the first of two is held"),
        pytest.param(
            [*SUBMITTED, intent(2)], NOW, [PLAIN, OF_T1], id="of the second no task is known"
        ),
        pytest.param(
            [intent(), RequestAbandoned(TOKYO.hash, "by hand", 1), *SECOND_TASK],
            NOW,
            [PLAIN, OF_T2],
            id="of the first no task is known",
        ),
    ],
)
def test_parts_are_kept_while_somebody_may_go_on_with_them(
    tmp_path: Path, events: list[Event], now: float, kept: list[str]
) -> None:
    path = tmp_path / TOKYO.paths[0]
    names = {
        ending: path.with_name(f".{path.stem.replace('-', f'{ending}-', 1)}.mp4.part")
        for ending in (PLAIN, OF_T1, OF_T2)
    }
    path.parent.mkdir(parents=True)
    for part in names.values():
        part.write_text("half")
        part.with_name(f"{part.name}.json").write_text("its note")
    folder = path.parent / ".folder.part"
    folder.mkdir()
    path.write_text("a clip")

    remove_useless_parts(ledger_of(*events), tmp_path, now)

    assert [ending for ending, part in names.items() if part.exists()] == kept
    notes = {part.with_name(f"{part.name}.json") for part in names.values() if part.exists()}
    assert set(path.parent.iterdir()) == {path, folder, *notes} | {
        part for part in names.values() if part.exists()
    }


def test_no_part_is_deleted_where_a_link_leads_out(tmp_path: Path) -> None:
    outside, run = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    run.mkdir()
    part = outside / ".clip.mp4.part"
    part.write_text("half")
    (run / "videos").symlink_to(outside)

    remove_useless_parts(ledger_of(), run, NOW)

    assert part.exists()


def test_what_was_not_sent_has_no_parts(tmp_path: Path) -> None:
    unsent = ledger_of(intent(), SubmitFailed(TOKYO.hash, 1, "429", "slow down", 10.0))

    remove_useless_parts(unsent, tmp_path, NOW)

    assert list(tmp_path.iterdir()) == []
