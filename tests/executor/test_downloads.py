"""Which video is behind which link: its bytes tell, whatever order a look lists the links in."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.virtual import VIDEO, VirtualDownloader, World, cities, plan, request, statuses

from veogen.executor.downloads import DownloadFailed, DownloadResult
from veogen.gateway.api import Task
from veogen.planner.identity import request_hash
from veogen.planner.plan import Plan, Request

A, B, C = (f"https://media.example/task-1/{name}.mp4" for name in "abc")


def makes(videos: int) -> Plan:
    """A plan of one request that makes so many videos."""
    body = {**request("Tokyo").body, "n": videos}
    return plan(replace(request("Tokyo"), body=body, hash=request_hash(body, 1)))


@dataclass
class ByLink(VirtualDownloader):
    """Each link leads to a clip of its own; those that are `dead` to none."""

    dead: set[str] = field(default_factory=set)
    same: bool = False
    warnings: tuple[str, ...] = ()

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        self.brought.append(link)
        if link in self.dead:
            return DownloadFailed("link-expired", "the link has expired", retry=False)
        path = self.root / request.path(index, of)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = (b"alike" if self.same else link.encode()).ljust(VIDEO.bytes)
        path.write_bytes(content)
        return msgspec.structs.replace(
            VIDEO,
            path=request.path(index, of),
            sha256=sha256(content).hexdigest(),
            warnings=("fewer-videos",) if of < request.videos else (),
        )


def machine(path: Path, *, of: World | None = None, **settings: Any) -> World:
    """A machine, with the gateway and the results of another if there is one."""
    world = World(path)
    world.downloader = ByLink(path, **settings)
    if of is not None:
        world.gateway, world.clock = of.gateway, of.clock
        path.mkdir()
        (path / "results.json").write_bytes((of.path / "results.json").read_bytes())
    return world


def lists(*links: str) -> Task:
    return Task(id="task-1", state="completed", links=links)


def pull(here: World, there: World) -> None:
    (here.path / "results.json").write_bytes((there.path / "results.json").read_bytes())


def clips(world: World) -> Mapping[str, str]:
    """Each clip that the results tell of, by the end of its name, and the link it came from."""
    line = json.loads((world.path / "results.json").read_text())["results"][0]
    by_sha = {sha256(link.encode().ljust(VIDEO.bytes)).hexdigest(): link for link in (A, B, C)}
    told = {}
    for video in line["videos"]:
        path = world.path / video["path"]
        is_here = path.exists() and sha256(path.read_bytes()).hexdigest() == video["sha256"]
        name = by_sha[video["sha256"]]
        told["-1" if len(line["videos"]) == 1 else video["path"][-6:-4]] = (
            name if is_here else f"{name} elsewhere"
        )
    return told


@pytest.mark.parametrize(
    ("videos", "first", "second"),
    [
        pytest.param(2, (A, B), (B, A), id="in another order"),
        pytest.param(2, (A, B), (A, B), id="in the same order"),
        pytest.param(3, (A, B, C), (C, A, B), id="three in a circle"),
        pytest.param(3, (A, B, C), (C, B, A), id="three backwards"),
    ],
)
def test_a_video_keeps_its_place_on_a_machine_that_sees_its_links_in_another_order(
    tmp_path: Path, videos: int, first: Sequence[str], second: Sequence[str]
) -> None:
    there = machine(tmp_path / "there", dead=set(first[1:]))
    there.gateway.reads["task-1"] = deque([lists(*first)])
    assert statuses(there.run(makes(videos))) == {"city[name=Tokyo]": "undelivered"}
    here = machine(tmp_path / "here", of=there)
    here.gateway.reads["task-1"] = deque([lists(*second)] * 3)

    assert statuses(here.run(makes(videos))) == {"city[name=Tokyo]": "completed"}

    at_first = clips(here)
    assert at_first["-1"] == first[0], "it was the first, and its file is here"
    assert sorted(at_first.values()) == sorted(first)
    assert sorted(here.downloader.brought) == sorted(first), "each is fetched once"
    here.run(makes(videos))
    assert clips(here) == at_first
    assert sorted(here.downloader.brought) == sorted(first)
    pull(there, here)
    there.run(makes(videos))
    assert {name: link.split()[0] for name, link in clips(there).items()} == at_first


def test_a_clip_that_is_here_already_is_not_recorded_as_another_one(tmp_path: Path) -> None:
    """Its file came along, without the journal that knew the links."""
    there = machine(tmp_path / "there", dead={B})
    there.gateway.reads["task-1"] = deque([lists(A, B)])
    path = there.run(makes(2)).ledger
    here = machine(tmp_path / "here", of=there)
    first = next(path.planned).request.path(0, 2)
    (here.path / first).parent.mkdir(parents=True)
    (here.path / first).write_bytes((there.path / first).read_bytes())
    here.gateway.reads["task-1"] = deque([lists(B, A)] * 3)

    assert statuses(here.run(makes(2))) == {"city[name=Tokyo]": "completed"}

    assert clips(here) == {"-1": A, "-2": B}
    assert sorted(here.downloader.brought) == [A, B]


def test_two_machines_that_each_have_another_clip_have_both_between_them(tmp_path: Path) -> None:
    there = machine(tmp_path / "there", dead={B})
    there.gateway.reads["task-1"] = deque([lists(A, B)])
    there.run(makes(2))
    before = machine(tmp_path / "before", of=there)
    here = machine(tmp_path / "here", of=there, dead={A})
    here.gateway.reads["task-1"] = deque([lists(B, A)] * 9)
    here.run(makes(2))
    assert clips(here) == {"-1": f"{A} elsewhere", "-2": B}
    there.gateway.reads["task-1"] = deque([lists(A, B)] * 9)

    pull(there, here)
    there.run(makes(2))

    assert {link.split()[0] for link in clips(there).values()} == {A, B}
    assert clips(there)["-1"] == A
    before.gateway.reads["task-1"] = deque([lists(B)] * 9)
    before.run(makes(2))
    assert clips(before) == {"-1": f"{A} elsewhere", "-2": B}, "what it never saw is not lost"


@pytest.mark.parametrize("has_plan", [True, False], ids=["with a plan", "with results alone"])
@pytest.mark.parametrize(
    ("looks", "brought"),
    [
        pytest.param([[A], [A, B]], [A, B], id="the second a moment later"),
        pytest.param([[A], [B]], [A, B], id="another one a moment later"),
        pytest.param([[A, B]], [A, B], id="both at once"),
        pytest.param([[A], [A], [A, B]], [A], id="one, and no more"),
    ],
)
def test_a_task_that_lists_fewer_links_than_there_may_be_is_looked_at_once_more(
    tmp_path: Path, looks: Sequence[Sequence[str]], brought: Sequence[str], *, has_plan: bool
) -> None:
    there = machine(tmp_path / "there")
    there.run(makes(2))
    manifest = json.loads((there.path / "results.json").read_text())
    manifest["results"][0].update(status="submitted", videos=[])
    (there.path / "results.json").write_text(json.dumps(manifest))
    here = machine(tmp_path / "here", of=there)
    here.gateway.reads["task-1"] = deque([*[lists(*look) for look in looks], lists(*brought)])

    outcome = here.run(makes(2) if has_plan else None)

    assert statuses(outcome) == {"city[name=Tokyo]": "completed"}
    assert here.downloader.brought == brought
    assert list(clips(here).values()) == brought
    warnings = [video.warnings for video in next(outcome.ledger.planned).record.videos.values()]
    assert warnings == [("fewer-videos",) if has_plan and len(brought) < 2 else ()] * len(brought)


def test_clips_that_are_all_alike_are_as_many_as_their_links(tmp_path: Path) -> None:
    world = machine(tmp_path / "trip", same=True)
    world.gateway.links = 2

    outcome = world.run(makes(2))

    assert statuses(outcome) == {"city[name=Tokyo]": "completed"}
    assert sorted(next(outcome.ledger.planned).record.videos) == [0, 1]
    assert len(world.downloader.brought) == 2


def test_a_single_clip_that_was_made_anew_at_its_host_is_taken_as_it_is(tmp_path: Path) -> None:
    world = machine(tmp_path / "trip")
    first = world.run(cities("Tokyo"))
    standing = next(first.ledger.planned)
    (world.path / standing.request.path(0, 1)).unlink()
    world.downloader = ByLink(world.path, same=True)

    again = next(world.run(cities("Tokyo")).ledger.planned)

    assert list(again.record.videos) == [0]
    assert again.record.videos[0].sha256 != standing.record.videos[0].sha256
    assert (world.path / again.request.path(0, 1)).exists()
