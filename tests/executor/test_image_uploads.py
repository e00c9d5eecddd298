"""Local images: uploaded once, from the bytes that were planned, and only for what is bought."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from support.images import BLUE, GREEN, RED, FileGateway, Project, shot
from support.virtual import PRICE, START, VirtualClock, plan, records, request, statuses

from veogen.errors import ExitCode
from veogen.executor.breaker import PATIENCE
from veogen.executor.options import RunPolicy
from veogen.executor.uploads import LIFE, MARGIN, PreparedBody, Uploader, is_final
from veogen.gateway.api import (
    ReadError,
    Rejected,
    Unknown,
)
from veogen.planner.identity import canonical
from veogen.planner.plan import Request
from veogen.results.facts import Failure


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "run")


def test_each_content_is_uploaded_once_over_a_run_and_over_two(project: Project) -> None:
    (project.root / "again.png").write_bytes(RED)
    twin = shot("Oslo", "red").images[0]._replace(path="again.png")
    oslo = shot("Oslo", "red")
    oslo = replace(oslo, images=(twin,), body={**oslo.body, "image_urls": ["file:again.png"]})
    first = plan(shot("Tokyo", "red", "blue"), shot("Paris", "blue"), oslo)

    outcome = project.run(first)
    project.run(plan(*first.requests, shot("Rome", "red"), shot("Bonn", "green")))

    assert outcome.code == ExitCode.DONE
    assert sorted(project.gateway.uploaded) == sorted([RED, BLUE, GREEN])
    red, blue, green = (
        f'"https://files.example/file-{project.gateway.uploaded.index(c) + 1}"'
        for c in (RED, BLUE, GREEN)
    )
    assert project.urls == [f"[{u}" for u in (f"{red},{blue}", blue, red, red, green)]


def test_what_is_sent_is_in_plan_order_though_some_have_to_be_uploaded_first(
    project: Project,
) -> None:
    whole = plan(shot("a", "red"), request("b"), shot("c", "blue"), shot("d", "green"))

    project.run(whole, RunPolicy(max_in_flight=3))

    assert [key.split("-")[2] for key in project.keys[1:3]] == [
        r.hash for r in (whole.requests[0], whole.requests[2])
    ]
    assert len(project.keys) == 4


def test_the_ceiling_counts_what_is_still_being_uploaded(project: Project) -> None:
    whole = plan(shot("a", "red"), request("b"), shot("c", "blue"))

    outcome = project.run(whole, RunPolicy(max_credits=PRICE))

    assert list(statuses(outcome).values()) == ["completed", "planned", "planned"]
    assert (outcome.code, outcome.spent) == (ExitCode.STOPPED, PRICE)


@pytest.mark.parametrize(
    ("passes", "uploads"),
    [
        pytest.param(LIFE - MARGIN - 1000, 1, id="alive"),
        pytest.param(LIFE - MARGIN + 1, 2, id="nearly gone"),
        pytest.param(LIFE + 1, 2, id="gone"),
    ],
)
@pytest.mark.parametrize("life", [LIFE, None], ids=["told", "not told"])
def test_an_upload_that_expires_is_made_again(
    project: Project, life: float | None, passes: float, uploads: int
) -> None:
    project.gateway.life = life
    project.run(plan(shot("Tokyo", "red")))
    project.clock.jump = passes

    project.run(plan(shot("Tokyo", "red"), shot("Paris", "red")))

    assert len(project.gateway.uploaded) == uploads
    assert project.urls[1] == f'["https://files.example/file-{uploads}"'


def test_what_is_bought_is_never_uploaded_again(project: Project) -> None:
    project.run(plan(shot("Tokyo", "red")))
    project.clock.jump = LIFE + 1

    outcome = project.run(plan(shot("Tokyo", "red")))

    assert (outcome.code, len(project.gateway.uploaded)) == (ExitCode.DONE, 1)


def test_a_replay_sends_the_recorded_addresses_and_uploads_nothing(project: Project) -> None:
    project.gateway.answers.append(Unknown(code="lost", message="the connection broke"))
    project.run(plan(shot("Tokyo", "red")))
    (project.root / "red.png").unlink()

    outcome = project.run(plan(shot("Tokyo", "red")), RunPolicy(replay=True))

    assert (outcome.code, len(project.gateway.uploaded)) == (ExitCode.DONE, 1)
    assert project.sent[0] == project.sent[1]


def test_a_new_attempt_uses_the_upload_of_the_first(project: Project) -> None:
    project.gateway.doomed["task-1"] = "service_error"

    outcome = project.run(plan(shot("Tokyo", "red")))

    assert (outcome.code, len(project.keys)) == (ExitCode.DONE, 2)
    assert len(project.gateway.uploaded) == 1


def swapped(project: Project) -> None:
    (project.root / "red.png").write_bytes(BLUE)


def grown(project: Project) -> None:
    (project.root / "red.png").write_bytes(RED + b"\0" * 10_000_000)


def gone(project: Project) -> None:
    (project.root / "red.png").unlink()


def led_out(project: Project) -> None:
    (project.root / "red.png").unlink()
    (project.root.parent / "secret.png").write_bytes(RED)
    (project.root / "red.png").symlink_to(project.root.parent / "secret.png")


CHANGED = Failure("image-changed", "red.png has changed since it was planned: plan it again")


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        pytest.param(swapped, CHANGED, id="another image"),
        pytest.param(grown, CHANGED, id="more bytes"),
        pytest.param(
            gone, Failure("image-unreadable", "red.png: No such file or directory"), id="gone"
        ),
        pytest.param(
            led_out, Failure("image-unreadable", "red.png leaves the project"), id="a link out"
        ),
    ],
)
def test_an_image_that_is_not_the_planned_one_is_never_sent(
    project: Project, change: Callable[[Project], None], failure: Failure
) -> None:
    change(project)

    outcome = project.run(plan(shot("Tokyo", "red"), request("Paris")))

    assert list(statuses(outcome).values()) == ["failed", "completed"]
    assert records(outcome)[0].error == failure
    assert (project.gateway.uploaded, len(project.keys)) == ([], 1)
    assert outcome.spent == PRICE


def refusal(code: str, status: int | None = 200) -> ReadError:
    return ReadError(code=code, message="sorry", status=status)


@pytest.mark.parametrize(
    ("unread", "final"),
    [
        pytest.param(refusal("40001"), True, id="too large"),
        pytest.param(refusal("40002"), True, id="the type"),
        pytest.param(refusal("40004"), True, id="not fetched"),
        pytest.param(refusal("image-changed", None), True, id="changed"),
        pytest.param(refusal("http_413", 413), True, id="413"),
        pytest.param(refusal("invalid", 422), True, id="422"),
        pytest.param(refusal("http_400", 400), True, id="400"),
        pytest.param(refusal("http_415", 415), True, id="415"),
        pytest.param(refusal("http_404", 404), False, id="no file API there"),
        pytest.param(refusal("http_405", 405), False, id="another API there"),
        pytest.param(refusal("40003", 400), False, id="the quota"),
        pytest.param(refusal("50001"), False, id="not stored"),
        pytest.param(refusal("40099"), False, id="a code that nobody knows"),
        pytest.param(refusal("http_408", 408), False, id="408"),
        pytest.param(refusal("rate_limit", 429), False, id="429"),
        pytest.param(refusal("http_502", 502), False, id="502"),
        pytest.param(refusal("timeout", None), False, id="no answer"),
    ],
)
def test_which_refusals_are_final(project: Project, unread: ReadError, *, final: bool) -> None:
    project.gateway.refusals.append(unread)

    outcome = project.run(plan(shot("Tokyo", "red"), request("Paris")))

    assert is_final(unread) is final
    status = "failed" if final else "completed"
    assert list(statuses(outcome).values()) == [status, "completed"]


def test_tries_come_to_an_end_and_leave_the_request_planned(project: Project) -> None:
    project.gateway.refusals.extend([refusal("50001")] * 100)

    outcome = project.run(plan(shot("Tokyo", "red"), request("Paris")))

    assert list(statuses(outcome).values()) == ["planned", "completed"]
    assert len(project.gateway.refusals) == 95
    assert project.memory.notes == [
        "city[name=Tokyo]: an image could not be uploaded, it stays planned: sorry (50001)"
    ]
    assert (outcome.code, outcome.spent) == (ExitCode.INCOMPLETE, PRICE)

    project.gateway.refusals.clear()
    assert project.run(plan(shot("Tokyo", "red"))).code == ExitCode.DONE


def test_a_gateway_that_wants_to_wait_is_waited_for(project: Project) -> None:
    slow = ReadError(code="429", message="slow down", status=429, retry_after=40.0)
    project.gateway.refusals.append(slow)

    project.run(plan(shot("Tokyo", "red")))

    assert project.clock.monotonic() >= 40


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(
            ReadError(code="401", message="key expired", status=401, denied=True), id="the key"
        ),
        pytest.param(ReadError(code="402", message="no credits", status=402), id="the balance"),
    ],
)
def test_a_key_that_may_not_upload_stops_the_run(project: Project, refused: ReadError) -> None:
    project.gateway.refusals.append(refused)

    outcome = project.run(plan(shot("Tokyo", "red"), request("Paris")), RunPolicy(max_in_flight=1))

    assert list(statuses(outcome).values()) == ["planned", "planned"]
    assert outcome.code == ExitCode.STOPPED


@pytest.mark.parametrize("shows_quota", [True, False], ids=["by the quota", "by a refusal"])
def test_when_it_is_full_our_own_uploads_that_nobody_needs_make_room(
    project: Project, *, shows_quota: bool
) -> None:
    project.gateway.shows_quota = shows_quota
    project.gateway.files["theirs"] = b"not ours"
    project.gateway.limit = 3
    project.run(plan(shot("Tokyo", "red"), shot("Oslo", "blue")))

    outcome = project.run(plan(shot("Paris", "green"), shot("Rome", "blue")))

    assert outcome.code == ExitCode.DONE
    assert project.gateway.deleted == ["file-1"]  # the red one: the blue one is wanted
    assert sorted(project.gateway.files) == ["file-2", "file-3", "theirs"]

    again = project.run(plan(shot("Bonn", "red")))
    assert (again.code, project.gateway.uploaded.count(RED)) == (ExitCode.DONE, 2)


def test_what_a_task_in_flight_needs_is_waited_for(project: Project) -> None:
    project.gateway.limit = 1
    colours = ["red", "blue", "red", "blue"]

    outcome = project.run(plan(*(shot(f"city {n}", c) for n, c in enumerate(colours))))

    assert outcome.code == ExitCode.DONE
    assert project.gateway.deleted == ["file-1"]  # the red one, once both tasks that need it ended
    assert project.gateway.most_in_flight == 2


def test_two_requests_that_want_all_the_room_do_not_keep_it_from_each_other(
    project: Project,
) -> None:
    project.gateway.limit = 2

    outcome = project.run(plan(shot("Tokyo", "red", "blue"), shot("Paris", "green", "red")))

    assert outcome.code == ExitCode.DONE


def test_files_of_others_are_never_deleted(project: Project) -> None:
    project.gateway.limit = 1
    project.gateway.files["theirs"] = b"not ours"

    outcome = project.run(plan(shot("Tokyo", "red"), request("Paris")))

    assert list(statuses(outcome).values()) == ["planned", "completed"]
    assert (project.gateway.deleted, list(project.gateway.files)) == ([], ["theirs"])
    assert "delete some, or wait till they expire (40003)" in project.memory.notes[0]
    assert project.clock.monotonic() < PATIENCE


def test_images_of_a_task_that_does_not_end_are_not_waited_for_for_ever(project: Project) -> None:
    project.gateway.limit = 1
    project.gateway.takes = 10 * PATIENCE
    policy = RunPolicy(task_timeout=60.0)

    outcome = project.run(plan(shot("Tokyo", "red"), shot("Paris", "blue")), policy)

    assert list(statuses(outcome).values()) == ["submitted", "planned"]
    assert project.gateway.deleted == []
    assert PATIENCE <= project.clock.monotonic() < 2 * PATIENCE

    later = project.run(plan(shot("Paris", "blue")), policy)  # Tokyo is a former purchase now
    assert list(statuses(later).values()) == ["planned"]
    assert project.gateway.deleted == []


def test_an_upload_that_cannot_be_deleted_is_still_ours(project: Project) -> None:
    project.gateway.limit = 1
    project.run(plan(shot("Tokyo", "red")))
    project.gateway.deaf_to_deletes = True
    outcome = project.run(plan(shot("Paris", "blue")))
    assert list(statuses(outcome).values()) == ["planned"]

    project.gateway.deaf_to_deletes = False
    assert project.run(plan(shot("Paris", "blue"))).code == ExitCode.DONE
    assert project.gateway.deleted == ["file-1"]


def test_a_request_that_is_refused_needs_its_images_no_more(project: Project) -> None:
    project.gateway.limit = 1
    project.gateway.answers.append(Rejected(code="invalid_parameters", message="no", status=400))

    outcome = project.run(plan(shot("Tokyo", "red"), shot("Paris", "blue")))

    assert list(statuses(outcome).values())[1] == "completed"
    assert project.gateway.deleted == ["file-1"]


@pytest.fixture
def gateway() -> FileGateway:
    return FileGateway(VirtualClock())


def test_threads_that_want_one_content_upload_it_once(gateway: FileGateway) -> None:
    begun = threading.Barrier(8, timeout=10)

    def read(path: PurePosixPath, at_most: int) -> bytes:
        assert (path, at_most) == (PurePosixPath("red.png"), len(RED))
        return RED

    uploads = Uploader(gateway, read, {}, gateway.clock, "tag")
    entries = [shot(f"city {n}", "red") for n in range(8)]

    def prepare(entry: Request) -> PreparedBody:
        begun.wait()
        return uploads.prepare(entry)

    with ThreadPoolExecutor(8) as pool:
        prepared = list(pool.map(prepare, entries))

    body = {**request("city 0").body, "image_urls": ["https://files.example/file-1"]}
    assert canonical(prepared[0].body) == canonical(body)
    assert gateway.uploaded == [RED]
    assert sum(len(p.uploads) for p in prepared) == 1


def test_no_two_uploads_share_a_name_which_would_overwrite(gateway: FileGateway) -> None:
    entry = shot("Tokyo", "red")
    for tag in ("a", "b"):
        uploads = Uploader(gateway, lambda *_: RED, {}, gateway.clock, tag)
        uploads.prepare(entry)
        uploads.unpin(entry.hash)
        spare = uploads.evict()
        assert spare is not None
        uploads.prepare(entry, spare)

    digest = hashlib.sha256(RED).hexdigest()[:16]
    assert gateway.names == [f"{digest}-{end}.png" for end in ("a0", "a1", "b0", "b1")]
    assert gateway.clock.now() == START
