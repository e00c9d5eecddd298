"""`veogen status`: what it says of a run, of a fresh clone and of a run that goes on."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from support.virtual import START, VIDEO, World, cities, request

from veogen.cli import veogen
from veogen.cli.status_text import lines
from veogen.errors import ExitCode
from veogen.executor.directory import DirectoryError, RunDirectory
from veogen.executor.downloads import DownloadFailed
from veogen.executor.journal import Journal
from veogen.executor.snapshot import read_snapshot
from veogen.executor.transitions import Stop
from veogen.gateway.api import Rejected, Unknown
from veogen.results.advice import RunCommands
from veogen.results.events import SubmitIntended

HOUR = 3600.0
STOP = Stop("money", "nothing is bought")


@pytest.fixture
def mixed(world: World) -> World:
    """Tokyo is refused, of Paris nobody knows, Oslo's clip did not come, Rome's is elsewhere."""
    world.gateway.answers.extend(
        [
            Rejected(code="content_filter", message="no \x1b[2Jfaces", status=400),
            Unknown(code="lost", message="the connection broke"),
        ]
    )
    world.downloader.answers.extend([DownloadFailed("404", "gone", retry=False)])
    world.run(cities("Tokyo", "Paris", "Oslo", "Rome", "Bern"))
    remove(world, "Rome")
    return world


def remove(world: World, city: str) -> None:
    """Take the clip of a city away: it is on another machine."""
    for standing in read_snapshot(world.path, START).ledger.planned:
        if standing.request.variables["name"] == city:
            for video in standing.record.videos.values():
                (world.path / video.path).unlink()


def told(world: World, now: float = START) -> str:
    names = RunCommands("runs/trip", ("specs/trip.yaml",))
    snapshot = read_snapshot(world.path, now)
    return "\n".join(lines(snapshot, names, now, lambda text, _: text))


def status(*arguments: str | Path) -> Result:
    return CliRunner().invoke(veogen, ["status", *map(str, arguments)], standalone_mode=False)


def test_a_table_counts_by_shot_and_axis_and_says_what_to_type(mixed: World) -> None:
    assert (
        told(mixed, now=START + 2 * HOUR)
        == """\
trip: runs/trip

              requests  completed  failed  indeterminate  undelivered  not here  credits
city                 5          2       1              1            1         1  114.048
  name=Tokyo         1                  1                                          0.000
  name=Paris         1                                 1                           0.000
  name=Oslo          1                                              1             38.016
  name=Rome          1          1                                             1   38.016
  name=Bern          1          1                                                 38.016
total                5          2       1              1            1         1  114.048

2 videos, 114.048 credits reserved or charged
152.064 credits count against a budget: all that may have been charged

failed (1)
  city[name=Tokyo]: no \\x1b[2Jfaces (content_filter)

indeterminate (1)
  city[name=Paris]: the connection broke (lost); it may have cost 38.016 credits
    veogen resolve runs/trip --adopt 'city[name=Paris]=TASK_ID'   if the account's list has the task
    veogen resolve runs/trip --replay 'city[name=Paris]'   sends it once more with the same key
    veogen resolve runs/trip --abandon 'city[name=Paris]'   counts it as spent

undelivered (1)
  city[name=Oslo]: gone (404); made 1 h 59 min ago; its link lives for 22 h 1 min more

not here (1)
  city[name=Rome]: videos/city/Rome-c61b5800c4.mp4

next
    veogen collect runs/trip   brings home what was bought (1)
    veogen run specs/trip.yaml   after an edit of 1 request that cannot be made as it is
    veogen gallery runs/trip   writes a page to look at the clips"""
    )


def test_clips_that_are_not_what_was_asked_for_are_named(world: World) -> None:
    warned = replace(VIDEO, path="videos/clip.mp4", warnings=("duration", "audio"))
    world.downloader.answers.append(warned)
    world.run(cities("Tokyo", "Oslo"))

    assert (
        told(world)
        == """\
trip: runs/trip

              requests  completed  warnings  not here  credits
city                 2          2         1         1   76.032
  name=Tokyo         1          1         1         1   38.016
  name=Oslo          1          1                       38.016
total                2          2         1         1   76.032

2 videos, 76.032 credits reserved or charged

warnings (1)
  city[name=Tokyo]: duration, audio

not here (1)
  city[name=Tokyo]: videos/clip.mp4

next
    veogen collect runs/trip   brings home what is not here (1)
    veogen gallery runs/trip   writes a page to look at the clips"""
    )


PRICE_TEXT = "38.016"
NOTHING: dict[str, str | None] = {"estimate": PRICE_TEXT, "reserved": None, "charged": None}
CHARGED: dict[str, str | None] = {
    "estimate": PRICE_TEXT,
    "reserved": PRICE_TEXT,
    "charged": PRICE_TEXT,
}
MONEY = [NOTHING, NOTHING, CHARGED, CHARGED, CHARGED]
"""Of the five requests of `mixed`, in order."""


def test_json_holds_the_results_as_they_are_committed(mixed: World) -> None:
    result = status(mixed.path, "--format", "json")

    data = json.loads(result.stdout)
    committed = json.loads((mixed.path / "results.json").read_text())
    assert data == {
        "summary": {
            "requests": 5,
            "planned": 0,
            "submitted": 0,
            "completed": 2,
            "failed": 1,
            "indeterminate": 1,
            "undelivered": 1,
            "videos": 2,
            "credits": "114.048",
        },
        "results": [
            {**line, "model": "veo-3.1-fast-generate-preview", "profile": None, **money}
            for line, money in zip(committed["results"], MONEY, strict=True)
        ],
    }
    assert (result.return_value, result.stderr) == (ExitCode.DONE, "")


@pytest.mark.parametrize(
    ("hours", "line"),
    [
        pytest.param(
            23.5, "gone (404); made 23 h 29 min ago; its link lives for 31 min more", id="alive"
        ),
        pytest.param(30, "gone (404); made 1 day ago; its link has died", id="dead"),
    ],
)
def test_an_undelivered_clip_says_how_long_it_can_be_had(
    mixed: World, hours: float, line: str
) -> None:
    assert line in told(mixed, now=START + hours * HOUR)


def test_a_clip_whose_link_has_died_can_only_be_bought_anew(mixed: World) -> None:
    text = told(mixed, now=START + 25 * HOUR)

    assert "    veogen resolve runs/trip --rebuy 'city[name=Oslo]'   its link has died" in text
    assert "veogen collect" not in text


def test_a_fresh_clone_has_the_results_and_nothing_else(mixed: World, tmp_path: Path) -> None:
    clone = World(tmp_path / "clone")
    clone.path.mkdir()
    shutil.copy(mixed.path / "results.json", clone.path)

    data = json.loads(status(clone.path, "--format", "json").stdout)

    committed = json.loads((mixed.path / "results.json").read_text())["results"]
    assert [
        {key: told[key] for key in line}
        for told, line in zip(data["results"], committed, strict=True)
    ] == committed
    assert {line["model"] for line in data["results"]} == {None}
    assert "not here (2)" in told(clone)


def test_a_journal_of_which_only_the_log_is_left_is_no_empty_one(mixed: World) -> None:
    journal = mixed.path / "journal.db"
    journal.rename(mixed.path / "journal.db-wal")

    with pytest.raises(DirectoryError, match=r"it is gone, but journal\.db-wal is there"):
        read_snapshot(mixed.path, START)


def test_purchases_of_others_are_seen_before_a_run_takes_them_in(
    world: World, tmp_path: Path
) -> None:
    other = World(tmp_path / "other")
    other.run(cities("Tokyo", "Oslo"))
    world.run(cities("Tokyo", "Oslo"), stop=STOP)
    shutil.copy(other.path / "results.json", world.path)

    data = json.loads(status(world.path, "--format", "json").stdout)

    assert [line["status"] for line in data["results"]] == ["completed", "completed"]
    with Journal.read(world.path / "journal.db") as journal:
        assert [s.record.status for s in journal.ledger().planned] == ["planned", "planned"]


def test_purchases_that_left_the_plan_are_counted_apart(world: World) -> None:
    world.run(cities("Tokyo", "Oslo"))
    world.run(cities("Oslo"))

    assert "1 request bought that left the plan, 38.016 credits" in told(world)


def test_a_failure_that_left_the_plan_needs_nothing_more(world: World) -> None:
    world.gateway.doomed["task-1"] = "content_policy_violation"
    world.run(cities("Tokyo", "Oslo"))
    world.run(cities("Oslo"))

    said = told(world)

    assert "1 request bought that left the plan, 38.016 credits" in said
    assert "failed (" not in said
    assert "veogen run" not in said


def test_a_copy_that_cannot_be_written_is_read(mixed: World) -> None:
    before = {path.name: path.read_bytes() for path in mixed.path.iterdir() if path.is_file()}
    mixed.path.chmod(0o555)
    try:
        result = status(mixed.path)
    finally:
        mixed.path.chmod(0o755)

    assert result.return_value == ExitCode.DONE
    assert {p.name: p.read_bytes() for p in mixed.path.iterdir() if p.is_file()} == before


@pytest.fixture
def sending(world: World) -> Iterator[World]:
    """A run that goes on: Tokyo is on the wire, Oslo is made."""
    world.run(cities("Oslo", "Tokyo"), stop=STOP)
    tokyo = request("Tokyo")
    with RunDirectory(world.path).locked(), Journal.open(world.path / "journal.db") as journal:
        journal.append([SubmitIntended(tokyo.hash, 1, "key", "{}", tokyo.credits, START)], START)
        yield world


def test_while_a_run_goes_on_nothing_is_held_and_nothing_is_to_be_typed(sending: World) -> None:
    text = told(sending)

    assert text.startswith("trip: runs/trip (a run is going on)\n")
    assert "sending" in text
    assert "indeterminate" not in text
    assert "next" not in text
    assert status(sending.path, "--exit-code").return_value == ExitCode.INCOMPLETE


def test_a_run_that_was_killed_is_not_going_on(world: World, sending: World) -> None:
    shutil.copytree(sending.path, world.path.parent / "killed")
    killed = World(world.path.parent / "killed")
    RunDirectory(killed.path).lock.write_text(json.dumps({"pid": 2**22 + 1, "host": "here"}))

    assert "indeterminate (1)" in told(killed)
    assert status(killed.path, "--exit-code").return_value == ExitCode.INDETERMINATE


@pytest.mark.parametrize(
    ("cities_", "refused", "code"),
    [
        pytest.param(["Tokyo"], False, ExitCode.DONE, id="all completed"),
        pytest.param(["Tokyo", "Oslo"], True, ExitCode.INCOMPLETE, id="one failed"),
    ],
)
def test_the_exit_code_is_that_of_a_run_when_it_is_asked_for(
    world: World, cities_: list[str], code: ExitCode, *, refused: bool
) -> None:
    if refused:
        world.gateway.answers.append(Rejected(code="content_filter", message="no", status=400))
    world.run(cities(*cities_))

    assert status(world.path, "--exit-code").return_value == code
    assert status(world.path).return_value == ExitCode.DONE


def test_json_holds_no_control_characters_and_says_the_same(world: World) -> None:
    message = "a\x9b31m\u202eb\u2028c"
    world.gateway.answers.append(Rejected(code="no", message=message, status=400))
    world.run(cities("Tokyo"))

    text = status(world.path, "--format", "json").stdout

    assert text.replace("\n", "").isprintable()
    assert json.loads(text)["results"][0]["error"]["message"] == message


def test_requests_in_many_values_are_counted_by_shot_alone(world: World) -> None:
    world.run(cities(*(f"c{number}" for number in range(40))))

    assert [line.split()[0] for line in told(world).splitlines()[3:5]] == ["city", "total"]
