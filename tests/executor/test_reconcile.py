"""The committed results are input: they can prevent a purchase, never cause one or reach outside."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.virtual import PRICE, VIDEO, VirtualDownloader, World, cities, plan, request, statuses

from veogen.errors import ExitCode, UsageError
from veogen.executor.directory import DirectoryError
from veogen.executor.downloads import DownloadFailed, DownloadResult
from veogen.executor.options import RunPolicy
from veogen.gateway.api import Accepted, Submission, Unknown
from veogen.planner.identity import request_hash
from veogen.planner.plan import Plan, Request, video_paths
from veogen.results.events import is_video_path
from veogen.results.manifest import ManifestError, parse

TOKYO, PARIS = request("Tokyo"), request("Paris")
Line = dict[str, Any]


@pytest.fixture
def bought(tmp_path: Path) -> Mapping[str, Any]:
    """What a colleague committed after buying both."""
    world = World(tmp_path / "colleague")
    assert world.run(cities("Tokyo", "Paris")).code == ExitCode.DONE
    manifest: Mapping[str, Any] = json.loads((world.path / "results.json").read_text())
    return manifest


def clone(tmp_path: Path, manifest: Mapping[str, Any]) -> World:
    world = World(tmp_path / "clone")
    world.path.mkdir()
    (world.path / "results.json").write_text(json.dumps(manifest))
    return world


def edited(manifest: Mapping[str, Any], edit: Callable[[Line], object]) -> Mapping[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(manifest))
    edit(changed["results"][0])
    return changed


@pytest.mark.parametrize(
    ("edit", "bought_here"),
    [
        pytest.param({}, 0, id="completed: its file is elsewhere"),
        pytest.param({"status": "submitted", "videos": []}, 0, id="submitted: collected"),
        pytest.param({"status": "undelivered", "videos": []}, 0, id="undelivered: collected"),
        pytest.param({"status": "indeterminate", "task_id": None}, 0, id="indeterminate: held"),
        pytest.param(
            {"status": "failed", "error": {"code": "content_policy_violation", "message": ""}},
            0,
            id="failed: waits for an edit",
        ),
        pytest.param(
            {"status": "failed", "attempts": 3, "error": {"code": "service_error", "message": ""}},
            0,
            id="failed: no retries left",
        ),
        pytest.param(
            {"status": "failed", "error": {"code": "service_error", "message": ""}},
            0,
            id="failed for a passing reason: what others say is no ground to buy",
        ),
        pytest.param(
            {"status": "planned", "task_id": None, "attempts": 0, "videos": []},
            1,
            id="planned: as the spec says",
        ),
    ],
)
def test_a_purchase_of_another_machine_counts_as_it_stands(
    tmp_path: Path, bought: Mapping[str, Any], edit: Line, bought_here: int
) -> None:
    world = clone(tmp_path, edited(bought, lambda line: line.update(edit)))

    world.run(cities("Tokyo", "Paris"), RunPolicy(task_timeout=1.0))

    assert len(world.keys) == bought_here


def test_what_our_journal_knows_is_not_unsaid(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.run(cities("Tokyo", "Paris"))
    path = world.path / "results.json"
    fields: Line = {
        "status": "planned",
        "task_id": None,
        "attempts": 0,
        "videos": [],
        "credits": None,
    }
    path.write_text(json.dumps(edited(json.loads(path.read_text()), lambda x: x.update(fields))))

    outcome = world.run(cities("Tokyo", "Paris"))

    assert len(world.keys) == 2
    assert set(statuses(outcome).values()) == {"completed"}


TEMPORARY = {"code": "service_error", "message": "sorry"}
FOR_AN_EDIT = {"code": "content_policy_violation", "message": "no"}


@pytest.mark.parametrize(
    ("ours", "theirs", "bought_here"),
    [
        pytest.param(
            "service_error",
            {"status": "indeterminate", "task_id": None, "attempts": 2, "videos": []},
            0,
            id="a later attempt is in doubt: held here too",
        ),
        pytest.param(
            "service_error",
            {"status": "failed", "task_id": "task-8", "attempts": 3, "error": TEMPORARY},
            0,
            id="later attempts failed: no retries left",
        ),
        pytest.param(
            "service_error",
            {"status": "failed", "task_id": "task-1", "attempts": 1, "error": TEMPORARY},
            1,
            id="the attempt that we know: a retry is left",
        ),
        pytest.param(
            "content_policy_violation",
            {"status": "failed", "task_id": "task-8", "attempts": 2, "error": TEMPORARY},
            0,
            id="a line cannot make a refused request be bought again",
        ),
        pytest.param(
            "service_error",
            {"status": "failed", "task_id": "task-8", "attempts": 2, "error": FOR_AN_EDIT},
            0,
            id="a later attempt was refused: it waits for an edit",
        ),
    ],
)
def test_a_later_attempt_of_another_machine_is_taken_in(
    tmp_path: Path, ours: str, theirs: Line, bought_here: int
) -> None:
    world = World(tmp_path / "trip")
    world.gateway.doomed["task-1"] = ours
    world.run(cities("Tokyo"), RunPolicy(task_retries=0))
    path = world.path / "results.json"
    path.write_text(json.dumps(edited(json.loads(path.read_text()), lambda x: x.update(theirs))))

    world.run(cities("Tokyo"))

    assert len(world.keys) == 1 + bought_here


@pytest.mark.parametrize("hours", [0.5, 25.0], ids=["links live", "links are dead"])
def test_a_clip_that_a_colleague_has_is_not_said_to_be_lost(tmp_path: Path, hours: float) -> None:
    """Bought here, brought home there: while its links live it is brought home here as well."""
    here = World(tmp_path / "here")
    here.gateway.takes = 600.0
    here.run(cities("Tokyo"), RunPolicy(task_timeout=60.0))
    there = clone(tmp_path, json.loads((here.path / "results.json").read_text()))
    there.gateway, there.clock = here.gateway, here.clock
    assert there.run(cities("Tokyo")).code == ExitCode.DONE
    shutil.copy(there.path / "results.json", here.path / "results.json")
    here.clock.sleep(hours * 3600)
    here.downloader.answers.extend(
        [DownloadFailed("link-expired", "status 410")] * (5 if hours > 24 else 0)
    )

    outcome = here.run(cities("Tokyo"))

    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, {TOKYO.address: "completed"})
    assert len(here.downloader.brought) == (0 if hours > 24 else 1)


def test_what_a_task_of_ours_cost_is_not_counted_as_less_because_results_say_so(
    tmp_path: Path,
) -> None:
    """Else a budget would have room again, and a pull request could cause a purchase."""
    world = World(tmp_path / "trip")
    world.downloader.answers.extend([DownloadFailed("link-expired", "status 410")] * 5)
    world.run(cities("Tokyo"))
    world.clock.sleep(25 * 3600)
    path = world.path / "results.json"
    clip = json.loads(msgspec.json.encode(VIDEO))
    cheap = {"status": "completed", "error": None, "credits": "0.001", "videos": [clip]}
    path.write_text(json.dumps(edited(json.loads(path.read_text()), lambda x: x.update(cheap))))

    outcome = world.run(cities("Tokyo"))

    assert statuses(outcome) == {TOKYO.address: "completed"}
    assert outcome.ledger.spent == PRICE


def test_what_a_task_of_ours_cost_stays_counted_when_another_machine_has_the_clip(
    tmp_path: Path,
) -> None:
    """Both bought a first attempt, and ours failed."""
    world = World(tmp_path / "trip")
    world.gateway.doomed["task-1"] = "service_error"
    world.run(cities("Tokyo"), RunPolicy(task_retries=0))
    path = world.path / "results.json"
    clip = json.loads(msgspec.json.encode(VIDEO))
    theirs = {"status": "completed", "task_id": "task-8", "error": None, "videos": [clip]}
    path.write_text(json.dumps(edited(json.loads(path.read_text()), lambda x: x.update(theirs))))

    for _ in range(2):
        outcome = world.run(cities("Tokyo"))

        assert statuses(outcome) == {TOKYO.address: "completed"}
        assert outcome.ledger.spent == 2 * PRICE
        assert json.loads(path.read_text())["results"][0]["attempts"] == 1


def test_a_former_purchase_of_another_machine_stays_on_record(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    world = clone(tmp_path, bought)

    outcome = world.run(cities("Paris"))

    assert world.keys == []
    assert [s.request.address for s in outcome.ledger.former] == [TOKYO.address]
    written = json.loads((world.path / "results.json").read_text())
    assert written["former"] == [bought["results"][0]]


@pytest.mark.parametrize("collects_first", [False, True])
@pytest.mark.parametrize(
    ("answer", "amount"),
    [
        pytest.param(Unknown(code="lost", message="lost"), None, id="it may have been bought"),
        pytest.param(Accepted(task_id="task-9", credits=None), None, id="no amount was named"),
        pytest.param(Accepted(task_id="task-9", credits=PRICE), str(PRICE), id="its amount"),
    ],
)
def test_what_another_machine_may_have_paid_counts_though_it_left_the_plan(
    answer: Submission, amount: str | None, *, collects_first: bool, tmp_path: Path
) -> None:
    colleague = World(tmp_path / "colleague")
    colleague.gateway.answers.append(answer)
    colleague.run(cities("Tokyo"), RunPolicy(task_timeout=60.0))
    manifest = json.loads((colleague.path / "results.json").read_text())
    [line] = manifest["results"]
    world = clone(tmp_path, manifest)
    if collects_first:  # without a spec nothing tells its price but the results
        world.run(None, RunPolicy(task_timeout=60.0))

    with pytest.raises(UsageError, match=f"{PRICE} already counted pass the budget"):
        world.run(cities("Paris"), RunPolicy(budget=PRICE))

    assert (line["credits"], line.get("estimate")) == (amount, None if amount else str(PRICE))
    assert world.keys == []


@pytest.mark.parametrize("estimate", ["0.001", "900.000"])
def test_no_estimate_in_results_makes_a_price_less(tmp_path: Path, estimate: str) -> None:
    """Else a budget would have room, and a pull request could cause a purchase."""
    colleague = World(tmp_path / "colleague")
    colleague.gateway.answers.append(Unknown(code="lost", message="lost"))
    colleague.run(cities("Tokyo"))
    manifest = json.loads((colleague.path / "results.json").read_text())

    world = clone(tmp_path, edited(manifest, lambda line: line.update(estimate=estimate)))

    assert world.run(cities("Tokyo")).ledger.spent == max(PRICE, Decimal(estimate))


def test_a_request_that_comes_back_has_its_clip_again(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    world = clone(tmp_path, bought)
    world.run(cities("Paris"))

    outcome = world.run(cities("Tokyo", "Paris"))

    assert (world.keys, outcome.code) == ([], ExitCode.DONE)
    assert list(outcome.ledger.former) == []


def _video(**fields: Any) -> Callable[[Line], object]:
    return lambda line: line["videos"][0].update(fields)


HOSTILE: Mapping[str, Callable[[Line], object]] = {
    "a path above": _video(path="../../evil.mp4"),
    "an absolute path": _video(path="/etc/passwd"),
    "a path beside videos": _video(path="results.json"),
    "a path with a detour": _video(path="videos/../../x.mp4"),
    "a path with a backslash": _video(path="videos\\..\\x.mp4"),
    "a path with a line end": _video(path="videos/a\n.mp4"),
    "a hash that is none": _video(sha256="zz"),
    "a negative size": _video(bytes=-1),
    "a size that is true": _video(bytes=True),
    "a duration that is no number": _video(duration=float("nan")),
    "an unknown field": _video(onload="x"),
    "another status": lambda line: line.update(status="bought"),
    "no task": lambda line: line.update(task_id=None),
    "a task id with a space": lambda line: line.update(task_id="a b"),
    "attempts below zero": lambda line: line.update(attempts=-1),
    "attempts beyond counting": lambda line: line.update(attempts=10**9),
    "credits below zero": lambda line: line.update(credits="-5"),
    "credits without end": lambda line: line.update(credits="Infinity"),
    "credits as a number": lambda line: line.update(credits=5),
    "an address with a control character": lambda line: line.update(address="a\x1b[2J"),
    "a hash in capitals": lambda line: line.update(hash=line["hash"].upper()),
    "credits beyond counting": lambda line: line.update(credits="1E+999999999999"),
    "a size beyond counting": _video(bytes=10**400),
    "a duration beyond counting": _video(duration=10**400),
    "a path longer than any disk takes": _video(path=f"videos/{'x' * 4000}.mp4"),
    "a warning that is half a character": _video(warnings=["\ud800"]),
    "warnings that are a text": _video(warnings="abc"),
    "an address that is half a character": lambda line: line.update(address="\ud800"),
    "an error that is half a character": lambda line: line.update(
        error={"code": "x", "message": "\udfff"}
    ),
    "an error that is a number": lambda line: line.update(error={"code": "x", "message": 5}),
    "variables that are a list": lambda line: line.update(variables=[1]),
    "variables that are pairs": lambda line: line.update(variables=[["name", "Tokyo"]]),
    "a variable that is no number": lambda line: line.update(variables={"a": float("nan")}),
    "a variable without end": lambda line: line.update(variables={"a": float("inf")}),
    "a hash that is a number": lambda line: line.update(hash=5),
    "a status that is a list": lambda line: line.update(status=["completed"]),
    "videos that are a mapping": lambda line: line.update(videos={}),
    "no videos": lambda line: line.update(videos=None),
}


@pytest.mark.parametrize("edit", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_manifest_is_an_error_and_nothing_is_sent(
    tmp_path: Path, bought: Mapping[str, Any], edit: Callable[[Line], object]
) -> None:
    world = clone(tmp_path, edited(bought, edit))

    with pytest.raises(ManifestError, match=r"results\.json"):
        world.run(cities("Tokyo", "Paris", "Oslo"))

    assert world.gateway.submits == []
    assert sorted(path.name for path in world.path.iterdir()) == ["results.json"]


UNREADABLE: Mapping[str, bytes] = {
    "empty": b"",
    "a merge that was not resolved": b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n",
    "cut off": b'{"format": "veogen.results/1", "name": "trip", "resu',
    "not UTF-8": b'{"format": "\xff"}',
    "a list": b"[]",
    "of a depth without end": b"[" * 100_000,
    "a number without end": b'{"format": "veogen.results/1", "name": 1e999}',
    "a later format": b'{"format": "veogen.results/2"}',
    "results that are a mapping": b'{"format": "veogen.results/1", "name": "trip", '
    b'"gateway": "evolink", "results": {}, "former": []}',
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_results_that_cannot_be_read_are_a_short_error(tmp_path: Path, raw: bytes) -> None:
    world = clone(tmp_path, {})
    (world.path / "results.json").write_bytes(raw)

    with pytest.raises(ManifestError, match=r"results\.json") as error:
        world.run(cities("Tokyo"))

    assert world.gateway.submits == []
    assert len(str(error.value)) < 600
    assert "indices" not in str(error.value)


@pytest.mark.parametrize("lure", [os.mkfifo, Path.mkdir], ids=["a pipe", "a folder"])
def test_results_that_are_no_file_are_an_error(
    tmp_path: Path, lure: Callable[[Path], None]
) -> None:
    world = World(tmp_path / "trip")
    world.path.mkdir()
    lure(world.path / "results.json")

    with pytest.raises(
        DirectoryError, match=r"results\.json: it cannot be read: this is not a file"
    ):
        world.run(cities("Tokyo"))


@pytest.mark.parametrize("name", [".lock", ".ballast", ".results.json.PID.part"])
def test_no_planted_link_makes_a_run_write_elsewhere(tmp_path: Path, name: str) -> None:
    world = World(tmp_path / "trip")
    world.path.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (world.path / name.replace("PID", str(os.getpid()))).symlink_to(precious)

    with contextlib.suppress(DirectoryError):
        world.run(cities("Tokyo"))

    assert precious.read_text() == "mine"


def test_in_a_clone_of_its_project_git_sees_nothing_of_a_run_but_its_results(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    there = clone(tmp_path, bought)
    (there.path / "gallery.html").write_text("looked at before")

    there.run(cities("Tokyo"))

    rules = (there.path / ".gitignore").read_text().splitlines()
    assert [rule for rule in rules if not rule.startswith("#")] == ["/*", "!/results.json"]


def test_a_folder_of_other_things_is_hidden_from_nobody(tmp_path: Path) -> None:
    world = World(tmp_path / "project")
    (world.path / "specs").mkdir(parents=True)

    world.run(cities("Tokyo"))

    assert not (world.path / ".gitignore").exists()


def test_a_planted_link_to_nowhere_is_not_written_through(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.path.mkdir()
    (world.path / ".gitignore").symlink_to(tmp_path / "nowhere")

    world.run(cities("Tokyo"))

    assert not (tmp_path / "nowhere").exists()


def one_of_two(tmp_path: Path) -> tuple[Plan, World]:
    """A clone whose results hold the second of two videos: its name says so, not its place."""
    body = {**TOKYO.body, "n": 2}
    both = plan(replace(TOKYO, body=body, hash=request_hash(body, 1)))
    there = World(tmp_path / "there")
    there.gateway.links = 2
    broken = DownloadFailed("in-the-way", "something is in the way", retry=False)
    path = video_paths(TOKYO.output, both.requests[0].hash, 2)[1]
    second = msgspec.structs.replace(VIDEO, path=path, sha256="1" * 64)
    there.downloader.answers.extend([broken, second, broken])
    there.run(both)
    manifest = json.loads((there.path / "results.json").read_text())
    assert [(line["status"], len(line["videos"])) for line in manifest["results"]] == [
        ("undelivered", 1)
    ]
    here = clone(tmp_path, manifest)
    here.gateway, here.clock = there.gateway, there.clock
    return both, here


def test_of_two_videos_the_one_that_was_not_delivered_is_collected_here(tmp_path: Path) -> None:
    both, here = one_of_two(tmp_path)

    outcome = here.run(both)

    links = [f"https://media.example/task-1/{n}.mp4" for n in range(2)]
    assert here.downloader.brought == links, "what comes with it is brought home as well"
    found = next(outcome.ledger.planned)
    assert [found.record.videos[n].path for n in range(2)] == [
        found.request.path(n, 2) for n in range(2)
    ]

    assert here.run(both).code == ExitCode.DONE
    assert here.downloader.brought == links

    first, second_clip = (here.path / found.request.path(n, 2) for n in range(2))
    first.unlink()
    second_clip.write_bytes(b"of another")
    assert here.run(both).code == ExitCode.DONE, "it was bought elsewhere: it is shown as not here"
    assert here.downloader.brought == links
    here.run(None)
    assert here.downloader.brought == links * 2, "collect brings it"


def test_of_two_videos_the_one_that_was_not_delivered_is_collected_without_a_spec(
    tmp_path: Path,
) -> None:
    both, here = one_of_two(tmp_path)

    found = next(here.run(None).ledger.planned)

    assert here.downloader.brought == [f"https://media.example/task-1/{n}.mp4" for n in range(2)]
    assert [found.record.videos[n].path for n in range(2)] == list(both.requests[0].paths)
    assert found.record.status == "completed"


def test_what_is_known_of_a_request_stays_when_results_are_collected_without_a_spec(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    here = World(tmp_path / "here")
    planned = cities("Tokyo", "Paris")
    here.run(planned, RunPolicy(max_credits=PRICE))
    (here.path / "results.json").write_text(json.dumps(bought))

    outcome = here.run(None)

    found = {state.request.hash: state.request.body for state in outcome.ledger.planned}
    assert found == {request.hash: request.body for request in planned.requests}


CLIP = b"the bytes of a clip"


@pytest.mark.parametrize(
    ("content", "adopted"),
    [
        pytest.param(CLIP, True, id="the very file"),
        pytest.param(CLIP[::-1], False, id="other bytes"),
        pytest.param(CLIP[:5], False, id="a part of it"),
        pytest.param(None, False, id="not here"),
    ],
)
def test_the_file_of_another_machine_is_adopted_by_its_bytes(
    tmp_path: Path, bought: Mapping[str, Any], content: bytes | None, *, adopted: bool
) -> None:
    facts = {"sha256": hashlib.sha256(CLIP).hexdigest(), "bytes": len(CLIP)}
    world = clone(tmp_path, edited(bought, _video(**facts)))
    path = world.path / bought["results"][0]["videos"][0]["path"]
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)

    outcome = world.run(cities("Tokyo", "Paris"))

    assert statuses(outcome)[TOKYO.address] == "completed"
    assert bool(next(outcome.ledger.planned).record.remote_videos) is not adopted
    assert world.keys == []


STRANGE: Mapping[str, Line] = {
    "a shot that leads up": {"shot": "..", "variables": {}},
    "a value that leads up": {"variables": {"name": "../../x"}},
    "a name longer than any disk takes": {"variables": {"name": "x" * 400}},
    "no name at all": {"shot": "", "variables": {}},
}


@pytest.mark.parametrize("fields", STRANGE.values(), ids=STRANGE)
def test_a_clip_is_collected_below_videos_whatever_its_request_is_called(
    tmp_path: Path, bought: Mapping[str, Any], fields: Line
) -> None:
    strange = {"status": "submitted", "videos": [], **fields}
    world = clone(tmp_path, edited(bought, lambda line: line.update(strange)))
    world.gateway.born["task-1"] = 0.0
    world.clock.sleep(60.0)

    outcome = world.run(None)

    video = next(outcome.ledger.planned).record.videos[0]
    assert is_video_path(video.path)
    assert (world.path / video.path).is_file()
    assert parse((world.path / "results.json").read_bytes(), "results.json").name == "trip"


def test_one_request_standing_there_twice_is_an_error(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    """In one list, that is: a merge may leave it in both."""
    world = clone(tmp_path, {**bought, "results": [*bought["results"], bought["results"][0]]})

    with pytest.raises(ManifestError, match="stands in it twice"):
        world.run(cities("Tokyo", "Paris"))


class FirstOnly(VirtualDownloader):
    """Brings the first video of a task home, and no other."""

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        if index > 0:
            return DownloadFailed("lost", "the connection broke")
        return super().download(request, index, of, link)


def test_a_clip_that_a_later_look_listed_is_brought_home_by_a_later_collect(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    """A colleague has seen one link of two, and so called it whole."""
    world = clone(tmp_path, {**bought, "results": bought["results"][:1]})
    world.gateway.links = 2
    world.gateway.take("the task that the colleague had")
    world.downloader = FirstOnly(world.path)
    world.run(None)
    world.downloader = VirtualDownloader(world.path)

    outcome = world.run(None)

    [standing] = outcome.ledger.everything
    assert len(standing.record.videos) == 2
    assert world.keys == []


NOT_SENT: Line = {
    "status": "planned",
    "task_id": None,
    "attempts": 0,
    "credits": None,
    "videos": [],
}


def test_a_planned_request_that_git_has_merged_in_twice_is_read_once(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    tokyo, paris = bought["results"]
    planned = {**paris, **NOT_SENT}
    world = clone(tmp_path, {**bought, "results": [tokyo, planned, planned]})
    world.gateway.take("the task that the colleague had")

    outcome = world.run(cities("Tokyo", "Paris"))

    assert statuses(outcome) == {TOKYO.address: "completed", PARIS.address: "completed"}
    assert len(world.keys) == 1


@pytest.mark.parametrize("first", ["bought", "planned"])
def test_a_planned_request_that_git_has_merged_in_beside_the_bought_one_is_bought(
    tmp_path: Path, bought: Mapping[str, Any], first: str
) -> None:
    tokyo, paris = bought["results"]
    both = [paris, {**paris, **NOT_SENT}]
    world = clone(
        tmp_path, {**bought, "results": [tokyo, *(both if first == "bought" else both[::-1])]}
    )

    outcome = world.run(cities("Tokyo", "Paris"))

    assert statuses(outcome) == {TOKYO.address: "completed", PARIS.address: "completed"}
    assert world.keys == []


@pytest.mark.parametrize("differs", [{"attempts": 1}, {"take": 2}])
def test_a_planned_request_standing_there_in_two_ways_is_an_error(
    tmp_path: Path, bought: Mapping[str, Any], differs: Mapping[str, Any]
) -> None:
    tokyo, paris = bought["results"]
    planned = {**paris, **NOT_SENT}
    world = clone(tmp_path, {**bought, "results": [tokyo, planned, {**planned, **differs}]})

    with pytest.raises(ManifestError, match="stands in it twice"):
        world.run(cities("Tokyo", "Paris"))


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EACCES], ids=["no links", "refused"])
def test_a_renamed_request_keeps_its_clip_on_any_disk(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it cannot be moved it keeps its old name, on disk and on record."""

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    world = World(tmp_path / "trip")
    world.run(cities("Tokyo"))
    monkeypatch.setattr(os, "link", refuse)

    outcome = world.run(plan(replace(TOKYO, output="city/Edo")))

    video = next(outcome.ledger.planned).record.videos[0]
    assert (world.path / video.path).is_file()
    assert ("Edo" in video.path) is (code == errno.EOPNOTSUPP)
    assert len(list(world.path.rglob("*.mp4"))) == len(world.keys) == 1


@pytest.mark.parametrize(
    ("output", "other_name"),
    [
        pytest.param(
            "town/Tokyo", lambda videos: (videos / "town").symlink_to("city"), id="a folder's link"
        ),
        pytest.param(
            "city/TOKYO", lambda videos: _hard_link(videos / "city"), id="a disk that ignores case"
        ),
    ],
)
def test_a_renamed_request_keeps_a_clip_whose_names_are_both_of_one_file(
    tmp_path: Path,
    bought: Mapping[str, Any],
    output: str,
    other_name: Callable[[Path], object],
) -> None:
    """Where one of the names was taken away, both would be gone, and the clip with them."""
    sha256 = hashlib.sha256(b"clip").hexdigest()
    world = clone(tmp_path, edited(bought, _video(sha256=sha256, bytes=4)))
    clip = world.path / str(bought["results"][0]["videos"][0]["path"])
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"clip")
    other_name(world.path / "videos")

    outcome = world.run(plan(replace(TOKYO, output=output)))

    record = next(outcome.ledger.planned).record
    assert (record.status, record.remote_videos) == ("completed", frozenset())
    assert record.videos[0].path.startswith(f"videos/{output}-")
    assert (world.path / record.videos[0].path).read_bytes() == clip.read_bytes() == b"clip"


def _hard_link(folder: Path) -> None:
    """Show a file of the folder in capitals as well, as such a disk does."""
    (clip,) = folder.iterdir()
    (folder / clip.name.replace("Tokyo", "TOKYO")).hardlink_to(clip)


def test_a_link_that_leads_in_a_circle_ends_no_run(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    world = clone(tmp_path, bought)
    (world.path / "videos").symlink_to("videos")

    outcome = world.run(plan(replace(TOKYO, output="city/Edo")))

    assert statuses(outcome) == {TOKYO.address: "completed"}


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param(lambda videos: videos.symlink_to(".."), id="a link that leads outside"),
        pytest.param(lambda videos: videos.symlink_to("videos"), id="a link in a circle"),
        pytest.param(lambda videos: videos.symlink_to("nowhere"), id="a link to nowhere"),
        pytest.param(lambda videos: videos.touch(), id="a file"),
    ],
)
def test_nothing_is_bought_where_no_clip_could_be_brought_home(
    tmp_path: Path, plant: Callable[[Path], object]
) -> None:
    world = World(tmp_path / "trip")
    world.path.mkdir()
    plant(world.path / "videos")

    with pytest.raises(DirectoryError, match="no folder of the run directory; nothing was sent"):
        world.run(cities("Tokyo"))

    assert world.keys == []


def test_a_clip_is_not_moved_through_a_link_that_leads_outside(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    """A renamed request moves its clip: not a file that a link points to."""
    world = clone(tmp_path, bought)
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "x.mp4").write_text("not ours")
    (world.path / "videos").symlink_to(outside)
    manifest = edited(bought, _video(path="videos/x.mp4"))
    (world.path / "results.json").write_text(json.dumps(manifest))

    world.run(cities("Tokyo", "Paris"))

    assert [path.name for path in outside.iterdir()] == ["x.mp4"]
