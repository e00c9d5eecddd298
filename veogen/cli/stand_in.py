"""The gateway of a command: the real one, or a simulator in this process."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veogen.catalogue.models import Model, shipped
from veogen.executor.clock import SystemClock
from veogen.executor.directory import RunDirectory
from veogen.executor.journal import Journal
from veogen.gateway.settings import KEY, Settings, from_environment
from veogen.results.records import Record

if TYPE_CHECKING:
    from veogen.simulator.options import Memory


@contextmanager
def gateway(
    given: Mapping[str, Any], directories: Sequence[Path], models: Mapping[str, Model]
) -> Iterator[Settings]:
    """Where the gateway is; a simulator has `models` too.

    Raises `UsageError` for no key, or no simulator.
    """
    if not given["simulate"]:
        yield from_environment(os.environ)
        return
    told: dict[str, Any] = {"models": {**shipped(), **models}}
    if given["generation_time"] is not None:
        told["generation_time"] = given["generation_time"]
    with _simulator(directories, given["faults"], **told) as settings:
        yield settings


@contextmanager
def gateway_of(directories: Sequence[Path]) -> Iterator[Settings]:
    """Where the gateway of runs is: without a key, simulated runs go on in this process too.

    Raises `UsageError` for no key, or no simulator.
    """
    if os.environ.get(KEY, "").strip() or not all(map(_is_simulated, directories)):
        yield from_environment(os.environ)
        return
    with _simulator(directories) as settings:
        yield settings


def _is_simulated(directory: Path) -> bool:
    return RunDirectory(directory).gateway == "simulated"


@contextmanager
def _simulator(
    directories: Sequence[Path], faults: Path | None = None, **told: Any
) -> Iterator[Settings]:
    """A simulator in this process, which knows what these runs have submitted."""
    from veogen.simulator.options import check_installed  # noqa: PLC0415 - an extra

    check_installed()
    from veogen.simulator.scenario import options  # noqa: PLC0415
    from veogen.simulator.serve import running  # noqa: PLC0415

    told["memories"] = tuple(_memories(directories))
    with running(options(faults, **told)) as simulator:
        yield Settings(key="simulated", base_url=simulator.base_url, files_url=simulator.files_url)


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
