"""`veogen export`: what is copied, under which names, and what is said of the rest."""

import csv
import hashlib
import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from veogen.cli import veogen
from veogen.errors import ExitCode, UsageError
from veogen.executor.journal import Header, Journal
from veogen.handover.export import Export, exports, list_text, plain_name
from veogen.planner.plan import Request
from veogen.results.events import (
    Event,
    SubmitIntended,
    TaskCompleted,
    TaskCreated,
    Video,
    VideoSaved,
)
from veogen.results.ledger import RequestState
from veogen.results.picks import Decision, Picks, picks_text
from veogen.results.record import Record

CLIP = b"\0\0\0\x18ftypmp42"


def entry(number: int, shot: str, output: str, **body: Any) -> Request:
    return Request(
        address=f"{shot}[n={number}]",
        hash=f"{number:x}".rjust(10, "a").ljust(64, "0"),
        shot=shot,
        take=1,
        variables={"n": number, "look": "noir"},
        output=output,
        body={"model": "m", "prompt": f'A "{shot}",\nat dusk', **body},
        credits=None,
    )


def video(path: str, content: bytes = CLIP) -> Video:
    return Video(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        duration=4.0,
        width=1280,
        height=720,
        fps=24.0,
        audio=True,
        warnings=(),
    )


def bought(one: Request) -> list[Event]:
    """Everything that happens to a request that is made and delivered."""
    links = tuple(f"https://m/{index}" for index in range(one.videos))
    return [
        SubmitIntended(one.hash, 1, "key", "{}", None, 0.0),
        TaskCreated(one.hash, 1, "task", None, 0.0),
        TaskCompleted(one.hash, "task", links, None, 0.0),
        *(VideoSaved(one.hash, i, video(one.path(i, one.videos))) for i in range(one.videos)),
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with a clip, two clips of one request, and a request without any."""
    path = tmp_path / "run"
    path.mkdir()
    entries = [
        entry(1, "opening", "opening/Tokyo", seed=7),
        entry(2, "detail", "detail/close", n=2),
        entry(3, "closing", "closing"),
    ]
    with Journal.create(path / "journal.db", Header("trip", "evolink")) as journal:
        journal.adopt("trip", entries)
        for one in entries[:2]:
            journal.append(bought(one), 0.0)
            for index in range(one.videos):
                place = path / one.path(index, one.videos)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(CLIP)
    return path


def export(*arguments: str | Path) -> Result:
    return CliRunner().invoke(veogen, ["export", *map(str, arguments)], standalone_mode=False)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_clips_are_copied_under_plain_names_with_a_list(run: Path, tmp_path: Path) -> None:
    result = export(run, tmp_path / "cut", "--select", "opening*", "--select", "detail*")

    assert files(tmp_path / "cut") == [
        "clips.csv",
        "detail/close-1.mp4",
        "detail/close-2.mp4",
        "opening/Tokyo.mp4",
    ]
    assert (tmp_path / "cut/opening/Tokyo.mp4").read_bytes() == CLIP
    with (tmp_path / "cut/clips.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "file": "opening/Tokyo.mp4",
        "address": "opening[n=1]",
        "shot": "opening",
        "take": "1",
        "variables": '{"look":"noir","n":1}',
        "prompt": 'A "opening",\nat dusk',
        "hash": "aaaaaaaaa1".ljust(64, "0"),
        "seed": "7",
        "duration": "4.0",
        "model": "m",
        "aspect_ratio": "",
        "quality": "",
        "credits": "",
        "clip": "aaaaaaaaa1",
        "state": "unreviewed",
        "notes": "",
    }
    assert [row["file"] for row in rows[1:]] == ["detail/close-1.mp4", "detail/close-2.mp4"]
    assert (result.return_value, result.stderr) == (ExitCode.DONE, "3 clips\n")
    assert Path(result.stdout.strip()).name == "clips.csv"


def test_a_chosen_request_without_a_clip_here_is_named(run: Path, tmp_path: Path) -> None:
    (run / entry(1, "opening", "opening/Tokyo").path(0, 1)).unlink()

    result = export(run, tmp_path / "cut")

    assert result.return_value == ExitCode.INCOMPLETE
    assert result.stderr == (
        "2 clips\n"
        "opening[n=1]: not here (videos/opening/Tokyo-aaaaaaaaa1.mp4)\n"
        "closing[n=3]: planned\n"
    )
    assert files(tmp_path / "cut") == ["clips.csv", "detail/close-1.mp4", "detail/close-2.mp4"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"opening[n=1]\n", id="as saved"),
        pytest.param(b"\xef\xbb\xbfopening[n=1]\r\n\r\n", id="from another editor"),
    ],
)
def test_picks_are_read_from_a_file(run: Path, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "picks.txt").write_bytes(text)

    result = export(run, tmp_path / "cut", "--select", f"@{tmp_path / 'picks.txt'}")

    assert result.return_value == ExitCode.DONE
    assert files(tmp_path / "cut") == ["clips.csv", "opening/Tokyo.mp4"]


def test_picks_that_are_none_are_not_everything(run: Path, tmp_path: Path) -> None:
    (tmp_path / "picks.txt").touch()

    result = export(run, tmp_path / "cut", "--select", f"@{tmp_path / 'picks.txt'}")

    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == f"--select @{tmp_path / 'picks.txt'} names no address"


def test_an_export_can_be_repeated(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "cut", "--select", "opening*")
    before = (tmp_path / "cut/opening/Tokyo.mp4").stat().st_mtime_ns

    result = export(run, tmp_path / "cut", "--deselect", "closing*")

    assert result.return_value == ExitCode.DONE
    assert (tmp_path / "cut/opening/Tokyo.mp4").stat().st_mtime_ns == before


def test_a_name_has_the_hash_where_another_file_has_it(run: Path, tmp_path: Path) -> None:
    (tmp_path / "cut/opening").mkdir(parents=True)
    (tmp_path / "cut/opening/Tokyo.mp4").write_bytes(b"the editor's own")
    (tmp_path / "cut/clips.csv").write_text("file,address\n")

    for _ in range(2):
        result = export(run, tmp_path / "cut", "--select", "opening*")

        assert result.return_value == ExitCode.DONE
        assert files(tmp_path / "cut") == [
            "clips.csv",
            "opening/Tokyo-aaaaaaaaa1.mp4",
            "opening/Tokyo.mp4",
        ]
    assert (tmp_path / "cut/opening/Tokyo.mp4").read_bytes() == b"the editor's own"
    assert "opening/Tokyo-aaaaaaaaa1.mp4,opening[n=1]" in (tmp_path / "cut/clips.csv").read_text()


def test_where_both_names_are_taken_it_is_said_and_the_rest_is_copied(
    run: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut/opening").mkdir(parents=True)
    for name in ("Tokyo.mp4", "Tokyo-aaaaaaaaa1.mp4"):
        (tmp_path / "cut/opening" / name).write_bytes(b"the editor's own")

    result = export(run, tmp_path / "cut", "--deselect", "closing*")

    assert result.return_value == ExitCode.INCOMPLETE
    assert "opening[n=1]: another file has its name" in result.stderr
    assert (tmp_path / "cut/detail/close-2.mp4").exists()


@pytest.mark.parametrize(
    ("prompt", "cell"),
    [
        pytest.param('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")', id="a formula"),
        pytest.param("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0", id="a command"),
        pytest.param("@SUM(1)", "'@SUM(1)", id="an old formula"),
        pytest.param("\uff1d1+1", "'\uff1d1+1", id="a formula in wide letters"),
        pytest.param("A boat = 1", "A boat = 1", id="text"),
        pytest.param("東京、夜", "東京、夜", id="text of any script"),
    ],
)
def test_a_prompt_is_no_formula_in_a_spreadsheet(prompt: str, cell: str) -> None:
    [one] = exported([entry(1, "a", "a", prompt=prompt)])

    [row] = csv.DictReader(io.StringIO(list_text([one])))

    assert row["prompt"] == cell


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"something else", "not whole: it is not what was delivered", id="changed"),
        pytest.param(CLIP[:5], "not whole: it is not what was delivered", id="cut"),
        pytest.param(b"", "not whole: it is not what was delivered", id="emptied"),
    ],
)
def test_a_clip_that_is_not_whole_is_said_and_the_rest_is_copied(
    run: Path, tmp_path: Path, content: bytes, why: str
) -> None:
    path = entry(1, "opening", "opening/Tokyo").path(0, 1)
    (run / path).write_bytes(content)

    result = export(run, tmp_path / "cut", "--deselect", "closing*")

    assert result.return_value == ExitCode.INCOMPLETE
    assert result.stderr == f"2 clips\nopening[n=1]: {why} ({path})\n"
    assert files(tmp_path / "cut") == ["clips.csv", "detail/close-1.mp4", "detail/close-2.mp4"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param("videos/a/b-aaaaaaaaaa.mp4", "a/b.mp4", id="one video"),
        pytest.param("videos/a/b-aaaaaaaaaa-12.mp4", "a/b-12.mp4", id="one of several"),
        pytest.param("videos/aaaaaaaaaa/b-aaaaaaaaaa.mp4", "aaaaaaaaaa/b.mp4", id="the last only"),
        pytest.param("videos/b-cccccccccc.mp4", "b-cccccccccc.mp4", id="not its hash"),
    ],
)
def test_a_plain_name_has_no_hash(path: str, name: str) -> None:
    assert plain_name(path, "a" * 64) == name


def test_clips_of_one_name_have_their_hashes() -> None:
    found = exported([entry(1, "a", "x"), entry(2, "b", "X"), entry(3, "c", "y")])

    assert [one.name for one in found] == ["x-aaaaaaaaa1.mp4", "X-aaaaaaaaa2.mp4", "y.mp4"]


def exported(entries: Iterable[Request]) -> tuple[Export, ...]:
    """Requests that were all delivered, as they are exported into an empty folder."""
    states = [
        RequestState(
            e, Record(hash=e.hash, videos={0: video(f"videos/{e.output}-{e.hash[:10]}.mp4")})
        )
        for e in entries
    ]
    return exports([(state, 0) for state in states], Picks({}), Path("/nonexistent"))


def write_picks(run: Path, *lines: Decision) -> None:
    """Picks of the run, beside a spec of its name."""
    (run.parent / "veogen.yaml").touch()
    (run.parent / "trip.yaml").write_text("veogen: 1\nname: trip\nshots: []\n")
    (run.parent / "trip.picks.anna.yaml").write_text(picks_text(lines))


def test_exactly_the_picked_clips_are_copied(run: Path, tmp_path: Path) -> None:
    write_picks(
        run,
        Decision("detail[n=2]", "aaaaaaaaa2-2", "pick", "=the second"),
        Decision("opening[n=1]", "aaaaaaaaa1", "reject"),
    )

    result = export(run, tmp_path / "cut", "--picked")

    assert (result.return_value, result.stderr) == (ExitCode.DONE, "1 clip\n")
    assert files(tmp_path / "cut") == ["clips.csv", "detail/close-2.mp4"]
    with (tmp_path / "cut/clips.csv").open(newline="", encoding="utf-8") as file:
        [row] = csv.DictReader(file)
    assert (row["clip"], row["state"], row["notes"]) == (
        "aaaaaaaaa2-2",
        "picked",
        "anna: =the second",
    )


def test_each_format_is_written_beside_the_clips_and_says_once_what_it_cannot_carry(
    run: Path, tmp_path: Path
) -> None:
    write_picks(run, Decision("opening[n=1]", "aaaaaaaaa1", "pick"))
    formats = [word for name in ("m3u", "otio", "xmp", "edl", "xml") for word in ("--as", name)]
    expected = [
        "clips.csv",
        "detail/close-1.mp4",
        "detail/close-1.xmp",
        "detail/close-2.mp4",
        "detail/close-2.xmp",
        "opening/Tokyo.mp4",
        "opening/Tokyo.xmp",
        "trip.edl",
        "trip.m3u",
        "trip.otio",
        "trip.xml",
    ]

    result = export(run, tmp_path / "cut", "--deselect", "closing*", *formats)

    assert result.return_value == ExitCode.DONE
    assert files(tmp_path / "cut") == expected
    told = [line.partition(":")[0] for line in result.stderr.splitlines()]
    assert told == ["otio", "xml", "edl", "xmp", "m3u", "3 clips"]

    (tmp_path / "cut/opening/Tokyo.xmp").write_text("by the editor")
    (tmp_path / "cut/trip.otio").write_text("of yesterday")
    export(run, tmp_path / "cut", "--deselect", "closing*", *formats)
    assert files(tmp_path / "cut") == expected
    assert (tmp_path / "cut/opening/Tokyo.xmp").read_text() == "by the editor"
    assert (tmp_path / "cut/trip.otio").read_text().startswith('{\n  "OTIO_SCHEMA": "Timeline.1"')


def test_a_clip_without_a_frame_is_said_and_the_rest_is_there(run: Path, tmp_path: Path) -> None:
    result = export(run, tmp_path / "cut", "--select", "opening*", "--frames", "first")

    assert result.return_value == ExitCode.INCOMPLETE
    assert "Tokyo.mp4: it has no frame that can be read" in result.stderr
    assert files(tmp_path / "cut") == ["clips.csv", "opening/Tokyo.mp4"]


def test_a_format_whose_library_is_missing_is_refused_before_anything_is_copied(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "otio_cmx3600_adapter", None)

    result = export(run, tmp_path / "cut", "--as", "edl")

    assert isinstance(result.exception, UsageError)
    assert "pip install 'veogen[edit]'" in str(result.exception)
    assert not (tmp_path / "cut").exists()


def test_where_nothing_is_picked_that_is_said(run: Path, tmp_path: Path) -> None:
    result = export(run, tmp_path / "cut", "--picked", "--as", "edl")

    assert result.return_value == ExitCode.DONE
    assert "no clip is picked: veogen picks " in result.stderr
    assert files(tmp_path / "cut") == ["clips.csv", "trip.edl"]


def test_a_request_of_which_a_clip_is_still_to_come_is_named(run: Path, tmp_path: Path) -> None:
    half = entry(4, "half", "half", n=2)
    with Journal.open(run / "journal.db") as journal:
        journal.adopt("trip", [half])
        journal.append(bought(half)[:-1], 0.0)
    place = run / half.path(0, 2)
    place.write_bytes(CLIP)

    result = export(run, tmp_path / "cut")

    assert result.return_value == ExitCode.INCOMPLETE
    assert result.stderr == "1 clip\nhalf[n=4]: undelivered\n"
    assert files(tmp_path / "cut") == ["clips.csv", "half-1.mp4"]
