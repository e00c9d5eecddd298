"""What is left of a download goes once nobody goes on with it."""

from pathlib import Path

import pytest
from support.virtual import World, cities

from veogen.executor.directory import partial_name
from veogen.executor.downloads import DownloadFailed

DAY = 24 * 3600.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "trip")


def leave_parts(world: World, clip: str) -> list[Path]:
    """As a process leaves them that is killed in the middle of a download."""
    target = world.path / clip
    part = target.with_name(partial_name(target.name))
    part.parent.mkdir(parents=True, exist_ok=True)
    parts = [part, part.with_name(f"{part.name}.json"), part.with_name(f"{part.name}.new")]
    for path in parts:
        path.write_bytes(b"half")
    return parts


def test_parts_of_what_is_completed_are_deleted(world: World) -> None:
    first = world.run(cities("Tokyo"))
    parts = leave_parts(world, next(first.ledger.planned).request.path(0, 1))
    parts += leave_parts(world, "videos/of-a-clip-of-no-request.mp4")

    world.run(cities("Tokyo"))

    assert [path for path in parts if path.exists()] == []


def test_parts_of_what_may_still_come_stay(world: World) -> None:
    broken = DownloadFailed("truncated", "half")
    world.downloader.answers.extend([broken] * 10)
    first = world.run(cities("Tokyo"))
    parts = leave_parts(world, next(first.ledger.planned).request.path(0, 1))

    world.run(cities("Tokyo"))

    assert [path for path in parts if path.exists()] == parts


@pytest.mark.parametrize(("age", "left"), [(DAY / 2, 3), (2 * DAY, 0)])
def test_parts_of_a_clip_that_was_deleted_stay_while_its_link_lives(
    age: float, left: int, world: World
) -> None:
    request = next(world.run(cities("Tokyo")).ledger.planned).request
    (world.path / request.path(0, 1)).unlink()
    parts = leave_parts(world, request.path(0, 1))
    world.clock.sleep(age)
    world.downloader.answers.extend([DownloadFailed("truncated", "half")] * 5)

    world.run(cities("Tokyo"))

    assert len([path for path in parts if path.exists()]) == left
