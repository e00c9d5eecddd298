"""`veogen export`: what is copied, under which names, and what is said of the rest."""

import csv
import hashlib
import io
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from veogen.cli import veogen
from veogen.errors import ExitCode, UsageError
from veogen.executor.export import Export, exports, listed, plain_name
from veogen.executor.journal import Header, Journal
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
from veogen.results.record import Record

CLIP = b"\0\0\0\x18ftypmp42"


def entry(number: int, shot: str, output: str, **body: Any) -> Request:
    return Request(
        address=f"{shot}[n={number}]",
        hash=f"{number:x}".rjust(64, "a"),
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
        "hash": "1".rjust(64, "a"),
        "seed": "7",
        "duration": "4.0",
    }
    assert [row["file"] for row in rows[1:]] == ["detail/close-1.mp4", "detail/close-2.mp4"]
    assert (result.return_value, result.stderr) == (ExitCode.DONE, "3 clips\n")
    assert Path(result.stdout.strip()).name == "clips.csv"


def test_a_chosen_request_without_a_clip_here_is_named(run: Path, tmp_path: Path) -> None:
    (run / entry(1, "opening", "opening/Tokyo").path(0, 1)).unlink()

    result = export(run, tmp_path / "cut")

    assert result.return_value == ExitCode.INCOMPLETE
    assert result.stderr == ("2 clips\nopening[n=1]: completed, not here\nclosing[n=3]: planned\n")


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


def test_nothing_is_replaced_and_then_nothing_is_copied(run: Path, tmp_path: Path) -> None:
    (tmp_path / "cut/opening").mkdir(parents=True)
    (tmp_path / "cut/opening/Tokyo.mp4").write_bytes(b"the editor's own")

    result = export(run, tmp_path / "cut")

    assert isinstance(result.exception, UsageError)
    assert files(tmp_path / "cut") == ["opening/Tokyo.mp4"]
    assert (tmp_path / "cut/opening/Tokyo.mp4").read_bytes() == b"the editor's own"


def test_a_list_that_somebody_wrote_is_not_replaced(run: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut/clips.csv").write_text("file,address,my notes\n")

    result = export(run, tmp_path / "cut", "--select", "opening*")

    assert isinstance(result.exception, UsageError)
    assert files(tmp_path / "cut") == ["clips.csv"]
    assert (tmp_path / "cut/clips.csv").read_text() == "file,address,my notes\n"


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
    one = Export(
        request=entry(1, "a", "a", prompt=prompt), video=video("videos/a.mp4"), name="a.mp4"
    )

    [row] = csv.DictReader(io.StringIO(listed([one])))

    assert row["prompt"] == cell


def test_a_clip_that_was_changed_since_is_not_passed_on(run: Path, tmp_path: Path) -> None:
    (run / entry(1, "opening", "opening/Tokyo").path(0, 1)).write_bytes(b"something else")

    result = export(run, tmp_path / "cut")

    assert "somebody changed it" in str(result.exception)
    assert files(tmp_path / "cut") == []


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


def test_clips_of_one_name_are_numbered() -> None:
    entries = [entry(1, "a", "x"), entry(2, "b", "X"), entry(3, "c", "x-2")]

    assert exported(entries) == ["x.mp4", "X-2.mp4", "x-2-2.mp4"]


def test_thousands_of_clips_of_one_name_are_numbered_in_good_time() -> None:
    entries = [entry(number, "a", "x") for number in range(20_000)]
    start = time.process_time()

    names = exported(entries)

    assert time.process_time() - start < 5
    assert names == ["x.mp4", *(f"x-{number}.mp4" for number in range(2, 20_001))]


def exported(entries: Iterable[Request]) -> list[str]:
    """The plain names of requests that were all delivered."""
    standings = [
        RequestState(
            e, Record(hash=e.hash, videos={0: video(f"videos/{e.output}-{e.hash[:10]}.mp4")})
        )
        for e in entries
    ]
    return [export.name for export in exports(standings)]
