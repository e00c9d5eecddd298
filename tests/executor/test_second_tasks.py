"""Two tasks of one request: both are followed to their ends, and the clips of both come home."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.virtual import (
    NoUploads,
    VirtualClock,
    VirtualDownloader,
    World,
    plan,
    request,
    statuses,
)

from veogen.executor.decisions import Resolution
from veogen.executor.directory import partial_name
from veogen.executor.downloads import DownloadFailed, DownloadResult
from veogen.executor.options import RunPolicy
from veogen.executor.run import Selection
from veogen.gateway.api import Unknown
from veogen.planner.plan import Request

TOKYO = request("Tokyo")
ADDRESS = TOKYO.address
FIRST, SECOND = "task-1", "task-2"


def line_of(world: World) -> dict[str, Any]:
    line: dict[str, Any] = json.loads((world.path / "results.json").read_text())["results"][0]
    return line


def with_two_tasks(tmp_path: Path) -> World:
    """A run whose task goes on, and whose results name a second one of the same attempt."""
    world = World(tmp_path / "trip")
    world.gateway.takes = 100.0
    world.run(plan(TOKYO), RunPolicy(task_timeout=1.0))
    world.gateway.take("as it was sent by another machine")
    path = world.path / "results.json"
    manifest = json.loads(path.read_text())
    manifest["results"][0]["others"] = [
        {"attempt": 1, "task_id": SECOND, "status": "submitted", "credits": None, "videos": []}
    ]
    path.write_text(json.dumps(manifest))
    return world


@dataclass
class BreaksOff(VirtualDownloader):
    """Leaves parts while it `breaks_off`; then it notes of which links it finds the part."""

    breaks_off: bool = True
    went_on: set[str] = field(default_factory=set)

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        path = self.root / request.path(index, of)
        part = path.with_name(partial_name(path.name))
        if self.breaks_off:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(link)
            return DownloadFailed("interrupted", "the download broke off", retry=False)
        if part.exists() and part.read_text() == link:
            self.went_on.add(link)
        part.unlink(missing_ok=True)
        return super().download(request, index, of, link)


@pytest.mark.parametrize("first", [FIRST, SECOND])
def test_a_part_of_either_is_gone_on_with_by_the_next_run(tmp_path: Path, first: str) -> None:
    """Whichever was made first, and whether that one counts or not."""
    world = with_two_tasks(tmp_path)
    brings = BreaksOff(world.path)
    world.downloader = brings
    now = world.clock.monotonic()
    world.gateway.born = {task: now - (90 if task == first else 80) for task in (FIRST, SECOND)}
    world.run(plan(TOKYO), RunPolicy(poll_interval=1.0))
    brings.breaks_off = False

    world.run(plan(TOKYO))
    world.run(None, selection=Selection(buy=False))

    assert brings.went_on == {f"https://media.example/{task}/0.mp4" for task in (FIRST, SECOND)}
    assert purchases(world) == {FIRST: ("completed", 1), SECOND: ("completed", 1)}


@pytest.mark.parametrize(
    ("passes", "status"),
    [
        pytest.param(60.0, "completed", id="its link lives"),
        pytest.param(25 * 3600.0, "failed", id="its link has died"),
    ],
)
@pytest.mark.parametrize("again", [Resolution("abandon", ADDRESS), None], ids=["abandoned", "held"])
def test_what_was_made_is_fetched_though_the_attempt_in_its_place_came_to_nothing(
    tmp_path: Path, passes: float, status: str, again: Resolution | None
) -> None:
    world = World(tmp_path / "trip")
    world.downloader.answers.append(DownloadFailed("interrupted", "it broke off", retry=False))
    world.run(plan(TOKYO))
    assert purchases(world) == {FIRST: ("undelivered", 0)}
    world.gateway.answers.append(Unknown(code="lost", message="the connection broke"))
    world.decide(Resolution("rebuy", ADDRESS))
    if again is not None:
        world.decide(again)
    world.clock.sleep(passes)
    world.gateway.links = int(status == "completed")

    outcome = world.run(None, selection=Selection(buy=False))

    wanted = "indeterminate" if again is None and status == "failed" else status
    assert (statuses(outcome), len(world.keys)) == ({ADDRESS: wanted}, 2)


class Pins(NoUploads):
    """Takes note of which images are still held at the gateway, and until when."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.until: dict[str, float] = {}

    def unpin(self, hash_: str) -> None:
        self.until.setdefault(hash_, self._clock.monotonic())


@pytest.mark.parametrize(
    "doomed", [{}, {FIRST: "service_error"}, {SECOND: "content_policy_violation"}]
)
def test_images_are_held_until_both_have_ended(tmp_path: Path, doomed: dict[str, str]) -> None:
    world = with_two_tasks(tmp_path)
    pins = Pins(world.clock)
    world.uploads = pins
    world.gateway.doomed = doomed
    now = world.clock.monotonic()
    world.gateway.born = {FIRST: now - 80.0, SECOND: now + 200.0}

    world.run(plan(TOKYO))

    assert pins.until[TOKYO.hash] >= now + 300.0


def purchases(world: World) -> dict[str, tuple[str, int]]:
    """Of each task where it stands, and how many clips of it are on record."""
    line = line_of(world)
    every = [line, *line.get("others", [])]
    return {one["task_id"]: (one["status"], len(one["videos"])) for one in every}


@pytest.mark.parametrize(
    ("seconds", "doomed", "counts", "ends"),
    [
        pytest.param(
            {FIRST: 50.0, SECOND: 50.0},
            {},
            FIRST,
            {FIRST: ("completed", 1), SECOND: ("completed", 1)},
            id="both are made: the smaller id counts",
        ),
        pytest.param(
            {FIRST: 20.0, SECOND: 300.0},
            {},
            FIRST,
            {FIRST: ("completed", 1), SECOND: ("completed", 1)},
            id="the first one long before the second",
        ),
        pytest.param(
            {FIRST: 300.0, SECOND: 20.0},
            {},
            FIRST,
            {FIRST: ("completed", 1), SECOND: ("completed", 1)},
            id="the second one long before the first",
        ),
        pytest.param(
            {FIRST: 20.0, SECOND: 300.0},
            {FIRST: "content_policy_violation"},
            SECOND,
            {FIRST: ("failed", 0), SECOND: ("completed", 1)},
            id="the first one fails",
        ),
        pytest.param(
            {FIRST: 20.0, SECOND: 300.0},
            {FIRST: "service_error"},
            SECOND,
            {FIRST: ("failed", 0), SECOND: ("completed", 1)},
            id="the first one fails for a passing reason: nothing is bought beside the second",
        ),
        pytest.param(
            {FIRST: 300.0, SECOND: 20.0},
            {SECOND: "service_error"},
            FIRST,
            {FIRST: ("completed", 1), SECOND: ("failed", 0)},
            id="the second one fails",
        ),
    ],
)
def test_both_tasks_are_followed_to_their_ends(
    tmp_path: Path,
    seconds: dict[str, float],
    doomed: dict[str, str],
    counts: str,
    ends: dict[str, tuple[str, int]],
) -> None:
    world = with_two_tasks(tmp_path)
    world.gateway.doomed = doomed
    now = world.clock.monotonic()
    world.gateway.born = {task: now + took - 100.0 for task, took in seconds.items()}

    outcome = world.run(plan(TOKYO))

    assert (statuses(outcome), len(world.keys)) == ({ADDRESS: "completed"}, 1)
    assert (line_of(world)["task_id"], purchases(world)) == (counts, ends)


def test_the_clips_of_both_lie_beside_each_other(tmp_path: Path) -> None:
    """Neither takes the name of the other, and each is that of its own task."""
    world = with_two_tasks(tmp_path)

    world.run(plan(TOKYO))
    first = {path.name: path.read_text().strip() for path in world.path.rglob("*.mp4")}
    world.run(plan(TOKYO))

    line = line_of(world)
    paths = {one["task_id"]: one["videos"][0]["path"] for one in (line, *line["others"])}
    clips = {task: (world.path / path).read_text().strip() for task, path in paths.items()}
    assert clips == {task: f"https://media.example/{task}/0.mp4" for task in (FIRST, SECOND)}
    assert sorted(first.values()) == sorted(clips.values())
    assert TOKYO.paths[0] in paths.values()


def test_a_request_is_bought_anew_once_both_have_failed(tmp_path: Path) -> None:
    world = with_two_tasks(tmp_path)
    world.gateway.doomed = {FIRST: "service_error", SECOND: "service_error"}
    now = world.clock.monotonic()
    world.gateway.born = {FIRST: now - 100.0, SECOND: now + 3600.0}

    for _ in range(2):
        world.run(plan(TOKYO))
        assert purchases(world) == {FIRST: ("failed", 0), SECOND: ("submitted", 0)}
        assert len(world.keys) == 1, "not while the second one goes on"
    world.clock.sleep(7200.0)

    outcome = world.run(plan(TOKYO))

    assert (statuses(outcome), len(world.keys)) == ({ADDRESS: "completed"}, 2)
    assert purchases(world) == {
        FIRST: ("failed", 0),
        SECOND: ("failed", 0),
        "task-3": ("completed", 1),
    }
    assert line_of(world)["attempts"] == 2


def test_what_failed_is_not_bought_anew_on_request_while_another_task_goes_on(
    tmp_path: Path,
) -> None:
    world = with_two_tasks(tmp_path)
    world.gateway.doomed = {FIRST: "content_policy_violation"}
    now = world.clock.monotonic()
    world.gateway.born = {FIRST: now - 100.0, SECOND: now + 3600.0}
    world.run(plan(TOKYO))
    assert purchases(world) == {FIRST: ("failed", 0), SECOND: ("submitted", 0)}

    world.run(plan(TOKYO), RunPolicy(retry_failed=True))

    assert len(world.keys) == 1
    world.clock.sleep(7200.0)
    outcome = world.run(plan(TOKYO), RunPolicy(retry_failed=True))
    assert (statuses(outcome), len(world.keys)) == ({ADDRESS: "completed"}, 1)
    assert purchases(world) == {FIRST: ("failed", 0), SECOND: ("completed", 1)}


def test_what_is_paid_for_twice_is_said(tmp_path: Path) -> None:
    world = with_two_tasks(tmp_path)

    world.run(plan(TOKYO))

    assert world.memory.notes[-1] == (
        f"{ADDRESS}: paid for 2 times: {FIRST} (attempt 1, completed); "
        f"{SECOND} (attempt 1, completed)"
    )


def test_one_that_goes_on_is_brought_home_by_collect(tmp_path: Path) -> None:
    world = with_two_tasks(tmp_path)
    now = world.clock.monotonic()
    world.gateway.born = {FIRST: now - 100.0, SECOND: now + 3600.0}
    world.run(plan(TOKYO))
    assert purchases(world) == {FIRST: ("completed", 1), SECOND: ("submitted", 0)}
    world.clock.sleep(7200.0)

    outcome = world.run(None, selection=Selection(buy=False))

    assert statuses(outcome) == {ADDRESS: "completed"}
    assert purchases(world) == {FIRST: ("completed", 1), SECOND: ("completed", 1)}
