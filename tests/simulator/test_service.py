import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from customer import MODEL, eventually

from veogen.simulator.scenario import AccountSettings, Options, RestoredTask
from veogen.simulator.service import Service
from veogen.simulator.task import SimulatedTask
from veogen.simulator.video import ClipEncoder

BODY = {"model": MODEL, "prompt": "a boat", "generate_audio": False}


def ended(
    folder: Path, gateway: AccountSettings, until: Callable[[SimulatedTask], bool]
) -> SimulatedTask:
    """A task of a gateway whose clips are made in `folder`, once it is as it should be."""

    async def live() -> SimulatedTask:
        encoder = ClipEncoder(folder)
        service = Service(Options(generation_time=0, gateway=gateway), encoder)
        task = service.submit(dict(BODY), None).task
        await asyncio.to_thread(eventually, lambda: until(task), bool)
        await service.close()
        encoder.close()
        return task

    return asyncio.run(live())


def test_clips_go_when_no_link_leads_to_them(tmp_path: Path) -> None:
    seen = []

    def gone(task: SimulatedTask) -> bool:
        seen.append(sorted(path.name for path in tmp_path.iterdir()))
        return task.state == "completed" and seen[-1] == []

    task = ended(tmp_path, AccountSettings(links_expire=0.1), gone)

    assert [f"{task.id}-1.mp4"] in seen


def test_a_clip_that_cannot_be_made_is_a_failed_task_that_is_not_billed(tmp_path: Path) -> None:
    task = ended(tmp_path / "none", AccountSettings(), lambda task: task.finished is not None)

    assert task.state == "failed"
    assert task.failure
    assert task.failure.code == "service_error"
    assert task.failure.message.startswith("the simulator could not make a clip: ")
    assert not task.charged


@pytest.mark.parametrize(
    ("body", "gateway"),
    [
        pytest.param(
            {**BODY, "model": "gone-1"}, AccountSettings(), id="of a model that nobody knows"
        ),
        pytest.param(
            {**BODY, "duration": 5}, AccountSettings(), id="that the model would refuse now"
        ),
        pytest.param(
            BODY, AccountSettings(models=()), id="of a model that the account may not use"
        ),
        pytest.param(
            BODY, AccountSettings(credits=Decimal(1)), id="that the balance is too small for"
        ),
    ],
)
def test_a_task_that_was_taken_goes_on(
    tmp_path: Path, body: dict[str, Any], gateway: AccountSettings
) -> None:
    async def live() -> SimulatedTask:
        encoder = ClipEncoder(tmp_path)
        service = Service(Options(generation_time=0, gateway=gateway), encoder)
        service.restore([RestoredTask(task_id="task-1", body=body, key="k", age=1)])
        task = service.tasks["task-1"]
        await asyncio.to_thread(eventually, lambda: task.finished is not None, bool)
        await service.close()
        encoder.close()
        return task

    assert asyncio.run(live()).state == "completed"
