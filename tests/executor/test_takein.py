"""The committed results are input: they can prevent a purchase, never cause one or reach outside."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.sessions import World, cities, request, statuses

from veogen.errors import ExitCode
from veogen.executor.policy import Policy
from veogen.results.manifest import ManifestError

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
            1,
            id="failed: a retry is left",
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

    world.run(cities("Tokyo", "Paris"), Policy(task_timeout=1.0))

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


def test_a_former_purchase_of_another_machine_stays_on_record(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    world = clone(tmp_path, bought)

    outcome = world.run(cities("Paris"))

    assert world.keys == []
    assert [s.entry.address for s in outcome.ledger.former] == [TOKYO.address]
    written = json.loads((world.path / "results.json").read_text())
    assert written["former"] == [bought["results"][0]]


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
    "variables that are a list": lambda line: line.update(variables=[1]),
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


def test_one_request_standing_there_twice_is_an_error(
    tmp_path: Path, bought: Mapping[str, Any]
) -> None:
    world = clone(tmp_path, {**bought, "former": [bought["results"][0]]})

    with pytest.raises(ManifestError, match="stands in it twice"):
        world.run(cities("Tokyo", "Paris"))


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
