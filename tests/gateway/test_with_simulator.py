"""The client and the simulator: written apart from each other, after the same facts."""

import io
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image
from support.galleries import FAST

from veogen.executor.transfer import WholeClip, download
from veogen.gateway.api import Accepted, Balance, Quota, ReadError, Rejected, Task, Upload
from veogen.gateway.client import Evolink
from veogen.gateway.media_host import MediaClient
from veogen.simulator.scenario import Options
from veogen.simulator.server import running


@pytest.fixture
def gateway() -> Iterator[Evolink]:
    with (
        running(Options(generation_time=0.05)) as simulator,
        Evolink(simulator.base_url, simulator.files_url, "sk-evo-0123456789") as client,
    ):
        yield client


def body(**more: object) -> bytes:
    return json.dumps({"model": FAST, "prompt": "a boat", "duration": 4, **more}).encode()


def task_of(gateway: Evolink, task_id: str) -> Task:
    found = gateway.tasks([task_id])[task_id]
    assert isinstance(found, Task)
    return found


def ended(gateway: Evolink, task_id: str) -> Task:
    deadline = time.monotonic() + 30
    while (task := task_of(gateway, task_id)).state in ("pending", "processing"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return task


def test_a_clip_is_bought_watched_and_brought_home(gateway: Evolink, tmp_path: Path) -> None:
    taken = gateway.submit(body(n=2), "key-0123456789abcdef")
    assert isinstance(taken, Accepted)
    again = gateway.submit(body(n=2), "key-0123456789abcdef")
    assert isinstance(again, Accepted)

    task = ended(gateway, taken.task_id)

    assert (again.task_id, taken.replayed, again.replayed) == (taken.task_id, False, True)
    assert taken.credits == task.credits == Decimal("76.032")
    assert (task.state, task.progress, task.model, len(task.links)) == ("completed", 100, FAST, 2)
    with MediaClient(local=gateway.is_local) as media:
        clips = [
            download(media, link, tmp_path / f"{index}.mp4", root=tmp_path)
            for index, link in enumerate(task.links)
        ]
    assert all(isinstance(clip, WholeClip) for clip in clips)
    assert gateway.simulated


def test_tasks_are_read_many_at_a_time(gateway: Evolink) -> None:
    bought = [gateway.submit(body(seed=n), f"key-0123456789abcde{n}") for n in range(1, 4)]
    ids = [taken.task_id for taken in bought if isinstance(taken, Accepted)]

    found = gateway.tasks([*ids, "task-unified-of-nobody"])

    assert [task.id for task in found.values() if isinstance(task, Task)] == ids
    stranger = found["task-unified-of-nobody"]
    assert isinstance(stranger, ReadError)
    assert (stranger.status, stranger.denied) == (404, False)


def test_a_request_that_is_wrong_is_refused(gateway: Evolink) -> None:
    refused = gateway.submit(body(duration=5), "key-0123456789abcdef")

    assert isinstance(refused, Rejected)
    assert (refused.status, refused.stops) == (400, False)
    assert "duration" in refused.message


def test_the_account_can_be_looked_at(gateway: Evolink) -> None:
    gateway.submit(body(), "key-0123456789abcdef")
    balance, models, recent = gateway.balance(), gateway.models(), gateway.recent_tasks(FAST)

    assert isinstance(balance, Balance)
    assert balance.user_remaining < Decimal(1_000_000)
    assert isinstance(models, frozenset)
    assert FAST in models
    assert isinstance(recent, tuple)
    assert [task.model for task in recent] == [FAST]


def test_an_image_is_uploaded_counted_and_deleted(gateway: Evolink) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 36)).save(file, "PNG")
    before = gateway.quota()
    upload = gateway.upload("boat.png", file.getvalue(), "image/png")
    assert isinstance(upload, Upload)
    assert upload.expires_at is not None
    during = gateway.quota()
    deleted = gateway.delete(upload.file_id)

    assert (before, during) == (
        Quota(used=0, limit=100, remaining=100),
        Quota(used=1, limit=100, remaining=99),
    )
    assert deleted is None
    assert gateway.delete(upload.file_id) is None
    assert gateway.quota() == before
