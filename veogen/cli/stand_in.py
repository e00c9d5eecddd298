"""The gateway of a command: the real one, or a simulator in this process."""

import json
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veogen.catalogue.models import Model, shipped
from veogen.cli.rundirs import shown
from veogen.errors import UsageError
from veogen.executor.clock import SystemClock
from veogen.executor.directory import RunDirectory
from veogen.executor.journal import Journal
from veogen.gateway.settings import KEY, Settings, from_environment
from veogen.results.records import Record

if TYPE_CHECKING:
    from veogen.simulator.options import Memory


@contextmanager
def gateway(
    given: dict[str, Any], directories: Sequence[Path], models: Mapping[str, Model]
) -> Iterator[Settings]:
    """Where the gateway is; a simulator has `models` too.

    Raises `UsageError` for no key, or no simulator.
    """
    if not given["simulate"]:
        yield from_environment(os.environ)
        return
    from veogen.simulator.options import check_installed  # noqa: PLC0415 - an extra

    check_installed()
    from veogen.simulator.scenario import options  # noqa: PLC0415
    from veogen.simulator.serve import running  # noqa: PLC0415

    told: dict[str, Any] = {
        "memories": tuple(_memories(directories)),
        "models": {**shipped(), **models},
    }
    if given["generation_time"] is not None:
        told["generation_time"] = given["generation_time"]
    with running(options(given["faults"], **told)) as simulator:
        yield Settings(key="simulated", base_url=simulator.base_url, files_url=simulator.files_url)


def gateway_of(directories: Iterable[Path]) -> Settings:
    """Where the gateway of runs is; raises `UsageError`."""
    if not os.environ.get(KEY, "").strip():
        _refuse_simulated(directories)
    return from_environment(os.environ)


def _refuse_simulated(directories: Iterable[Path]) -> None:
    for directory in directories:
        if RunDirectory(directory).gateway == "simulated":
            raise UsageError(
                f"{KEY} is not set, and {shown(directory)} is a simulated run; go on with it: "
                f"veogen run SPEC --simulate --dir {shlex.quote(shown(directory))}, and with "
                "--on-indeterminate replay to send again what is held"
            )


def _is_wanted(record: Record, directory: Path) -> bool:
    """Whether the run will ask for the task: it goes on, or a clip of it is not here."""
    if record.status == "completed":
        return any(not (directory / video.path).exists() for video in record.videos.values())
    return record.status in ("submitted", "undelivered")


def _memories(directories: Sequence[Path]) -> Iterator["Memory"]:
    """What an earlier simulated run has submitted: its simulator is gone, its tasks go on."""
    from veogen.simulator.options import Memory  # noqa: PLC0415

    now = SystemClock().now()
    for directory in map(RunDirectory, directories):
        if not directory.journal.exists():
            continue
        with Journal.read(directory.journal) as journal:
            ledger = journal.ledger()
        for standing in ledger.everything:
            record = standing.record
            if record.task_id and record.sent and _is_wanted(record, directory.path):
                yield Memory(
                    task_id=record.task_id,
                    body=json.loads(record.sent.body),
                    key=record.sent.key,
                    age=max(0.0, now - (record.accepted_at or now)),
                )
