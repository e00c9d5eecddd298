"""Clips that were delivered and are not here: shown, fetched while they can be, never bought."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.virtual import TrueDownloader, World, cities, request, statuses
from support.virtual import plan as plan_of

from veogen.errors import ExitCode
from veogen.executor.directory import DirectoryError
from veogen.executor.downloads import DownloadFailed, DownloadResult
from veogen.planner.identity import request_hash
from veogen.planner.plan import Request

TOKYO, PARIS, ROME = request("Tokyo"), request("Paris"), request("Rome")
ALL = cities("Tokyo", "Paris", "Rome")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    os.truncate(path, 500)


def _delete(path: Path) -> None:
    path.unlink()


def _change(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("damage", [_empty, _cut, _delete, _change])
@pytest.mark.parametrize("plan", [ALL, None], ids=["run", "collect"])
def test_a_clip_that_was_damaged_since_is_fetched_again_and_stays_completed(
    tmp_path: Path, damage: Callable[[Path], None], plan: object
) -> None:
    world = World(tmp_path / "trip")
    world.run(ALL)
    clip = world.path / PARIS.paths[0]
    damage(clip)
    world.downloader.brought.clear()

    outcome = world.run(plan)  # type: ignore[arg-type]

    assert (outcome.code, set(statuses(outcome).values())) == (ExitCode.DONE, {"completed"})
    assert world.downloader.brought == ["https://media.example/task-2/0.mp4"]
    assert len(world.keys) == 3


class KilledError(BaseException):
    """The machine is gone."""


class DiesAtTheSecond(TrueDownloader):
    """The first of two clips comes; the second does not at first, and then the machine dies."""

    tries = 0

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        self.tries += index
        if self.tries == index == 1:
            return DownloadFailed("lost", "no answer")
        if self.tries == index + 1 == 2:
            raise KilledError
        return super().download(request, index, of, link)


@pytest.mark.parametrize("damage", [_empty, _cut, _delete, _change])
def test_a_clip_that_was_damaged_before_its_request_was_completed_is_fetched_again(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    world = World(tmp_path / "trip")
    world.gateway.links = 2
    world.downloader = downloader = DiesAtTheSecond(world.path)
    body = {**TOKYO.body, "n": 2}
    two = plan_of(replace(TOKYO, body=body, hash=request_hash(body, 1)))
    with pytest.raises(KilledError):
        world.run(two)
    damage(world.path / two.requests[0].paths[0])
    downloader.brought.clear()

    outcome = world.run(two)

    assert (outcome.code, set(statuses(outcome).values())) == (ExitCode.DONE, {"completed"})
    assert sorted(downloader.brought) == [
        "https://media.example/task-1/0.mp4",
        "https://media.example/task-1/1.mp4",
    ]


def test_what_cannot_be_fetched_again_stays_completed_and_is_said(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.run(ALL)
    (world.path / PARIS.paths[0]).unlink()
    world.clock.sleep(25 * 3600)
    world.downloader.answers.extend([DownloadFailed("link-expired", "status 410")] * 5)

    bought = world.run(ALL)
    collected = world.run(None)

    assert (bought.code, len(world.keys)) == (ExitCode.DONE, 3)
    assert statuses(collected) == statuses(bought)
    assert set(statuses(bought).values()) == {"completed"}
    assert collected.code == ExitCode.INCOMPLETE
    assert any("cannot be had here" in note for note in world.memory.notes)
    lines = json.loads((world.path / "results.json").read_text())["results"]
    assert [len(line["videos"]) for line in lines] == [1, 1, 1]


def clone(world: World, path: Path) -> World:
    other = World(path)
    other.gateway, other.clock = world.gateway, world.clock
    path.mkdir()
    shutil.copy(world.path / "results.json", path / "results.json")
    return other


def test_a_fresh_clone_brings_clips_home_by_collect_alone(tmp_path: Path) -> None:
    there = World(tmp_path / "there")
    there.run(ALL)
    here = clone(there, tmp_path / "here")

    bought = here.run(ALL)
    away = sum(len(state.record.remote_videos) for state in bought.ledger.planned)
    assert (bought.code, away, here.downloader.brought) == (ExitCode.DONE, 3, [])

    collected = here.run(None)

    assert collected.code == ExitCode.DONE
    assert len(here.downloader.brought) == 3
    assert here.run(None).code == ExitCode.DONE
    assert len(here.downloader.brought) == 3
    assert len(there.keys) == 3


def test_a_task_that_the_gateway_does_not_know_any_more_is_asked_for_once(tmp_path: Path) -> None:
    there = World(tmp_path / "there")
    there.run(ALL)
    here = clone(there, tmp_path / "here")
    here.gateway.born.clear()
    before = len(here.gateway.read_ids)

    outcome = here.run(None)

    assert outcome.code == ExitCode.INCOMPLETE
    assert set(statuses(outcome).values()) == {"completed"}
    assert len(here.gateway.read_ids) == before + 3
    assert any("whoever bought it may have it" in note for note in here.memory.notes)


@pytest.mark.parametrize("lost", [("journal.db", "results.json"), ("results.json",)])
def test_clips_of_exactly_these_requests_without_any_record_are_not_bought_again(
    tmp_path: Path, lost: tuple[str, ...]
) -> None:
    world = World(tmp_path / "trip")
    world.run(ALL)
    for name in lost:
        (world.path / name).unlink()

    if "journal.db" not in lost:
        assert world.run(ALL).code == ExitCode.DONE
        assert len(world.keys) == 3
        return
    for _ in range(2):
        with pytest.raises(DirectoryError, match=r"3 clips of exactly these requests"):
            world.run(ALL)
    assert len(world.keys) == 3
    (world.path / "videos").rename(world.path / "aside")
    assert world.run(ALL).code == ExitCode.DONE
