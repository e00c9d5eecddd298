"""The gateway of a command: the real one, or a simulator in this process."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from veogen.cli.options import RunOptions
from veogen.cli.output import echo
from veogen.errors import UsageError
from veogen.executor.directory import SIMULATED, RunDirectory
from veogen.executor.journal import Journal
from veogen.executor.options import CallbackOptions, SystemClock
from veogen.executor.run import Run
from veogen.executor.state import SECRET_BYTES
from veogen.gateway import webhook as callbacks
from veogen.gateway import webhook as receiver
from veogen.gateway.settings import BASE_URL, KEY, Settings, from_environment, is_local
from veogen.models.model import Model, ModelsOver
from veogen.models.parameters import check_callback
from veogen.results.ledger import SHORT_HASH
from veogen.results.record import Record
from veogen.text import counted

if TYPE_CHECKING:
    from veogen.simulator.scenario import RestoredTask


@contextmanager
def gateway(
    run: RunOptions, directories: Sequence[Path], models: Mapping[str, Model]
) -> Iterator[Settings]:
    """Where the gateway is; a simulator has `models` too.

    Raises `UsageError` where there is no key.
    """
    if not run.simulate:
        real = from_environment(os.environ)
        for directory in map(RunDirectory, directories if real.base_url == BASE_URL else ()):
            if (kind := directory.gateway) is not None:  # before anything is asked there
                directory.refuse_other_kind(kind, "evolink")
        yield real
        return
    settings: dict[str, Any] = {"models": ModelsOver(models)}
    if run.generation_time is not None:
        settings["generation_time"] = run.generation_time
    with _simulator(directories, run.faults, **settings) as simulated:
        yield simulated


@contextmanager
def gateway_of_runs(
    directories: Sequence[Path], adopted: Mapping[str, str] | None = None
) -> Iterator[Settings]:
    """Where the gateway of runs is: those of `run --simulate` go on in this process too.

    A simulated one has the tasks that somebody means to have `adopted`, by address: whether that
    is right is the account's to say, and a simulated account is gone with its process.
    So does another simulated run where there is no key; with one it may be of a simulator that is
    served. Raises `UsageError` where there is no key.
    """
    has_key = bool(os.environ.get(KEY, "").strip())
    served = has_key and any(not path.name.endswith(SIMULATED) for path in directories)
    if served or any(RunDirectory(path).gateway != "simulated" for path in directories):
        yield from_environment(os.environ)
        return
    with _simulator(directories, adopted=adopted or {}) as settings:
        yield settings


@contextmanager
def _simulator(
    directories: Sequence[Path],
    faults: Path | None = None,
    *,
    adopted: Mapping[str, str] | None = None,
    **settings: Any,
) -> Iterator[Settings]:
    """A simulator in this process, which knows what these runs have submitted."""
    from veogen.simulator.scenario import options  # noqa: PLC0415 - dear
    from veogen.simulator.server import running  # noqa: PLC0415

    restored = tuple(_restored_tasks(directories, adopted or {}))
    with running(options(faults, restored_tasks=restored, **settings)) as simulator:
        yield Settings(key="simulated", base_url=simulator.base_url, files_url=simulator.files_url)


def _is_wanted(record: Record, directory: Path) -> bool:
    """Whether the run will ask for the task: it goes on, or a clip of it is not as it was here."""
    if record.status != "completed":
        return record.status in ("submitted", "undelivered")
    task = record.facts.task(record.task_id)
    mtimes = task.here if task else {}
    for index, video in record.videos.items():
        try:
            status = (directory / video.path).stat()
        except OSError:
            return True
        if status.st_size != video.bytes or mtimes.get(index, 0) not in (0, status.st_mtime_ns):
            return True
    return False


def _restored_tasks(
    directories: Sequence[Path], adopted: Mapping[str, str]
) -> Iterator["RestoredTask"]:
    """What an earlier simulated run has submitted: its simulator is gone, its tasks go on."""
    from veogen.simulator.scenario import RestoredTask  # noqa: PLC0415

    now = SystemClock().now()
    for directory in map(RunDirectory, directories):
        if not directory.journal.exists():
            continue
        with Journal.read(directory.journal) as journal:
            ledger = journal.ledger()
        for state in ledger.everything:
            record, task_id = state.record, state.record.task_id
            wanted = task_id is not None and _is_wanted(record, directory.path)
            if record.status == "indeterminate":
                names = (state.request.address, record.hash, record.hash[:SHORT_HASH])
                task_id = next((adopted[name] for name in names if name in adopted), None)
            if task_id and record.last_submit and (wanted or record.status == "indeterminate"):
                yield RestoredTask(
                    task_id=task_id,
                    body=json.loads(record.last_submit.body),
                    key=record.last_submit.key,
                    age=max(0.0, now - (record.accepted_at or now)),
                )


_EVERY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told, not listened on
_MAX_BASE = 2048 - 1 - SECRET_BYTES * 4 // 3 - 1


def check_listen_options(run: RunOptions) -> None:
    """Raise `UsageError` for one option without the other, or without what it needs."""
    if run.listen is None:
        if run.callback_base is not None:
            raise UsageError("--callback-base needs --listen")
        return
    if run.callback_base is None:
        if not run.simulate:
            raise UsageError(
                "--listen needs --callback-base: the public https address that leads there"
            )
        _own_base(*run.listen)
    receiver.check_installed()


@dataclass(slots=True)
class Webhooks:
    """What listens, and the address that the gateway is given."""

    at: str
    base: str
    callbacks: callbacks.WebhookApp
    expected: int = 0

    def callbacks_for(self, models: Mapping[str, Model]) -> CallbackOptions:
        """What a run has to know; `models` are those that it knows."""
        takes = {name for name, model in models.items() if "callback_url" in model.parameters}
        return CallbackOptions(self.base, frozenset(takes))

    def start(self, sessions: Sequence[Run]) -> None:
        """Pass on what comes in, and say what will not be told."""
        for session in sessions:
            if session.callback_url is not None:
                self.callbacks.register(session.callback_url.secret, session.scheduler.hint)
        echo(f"listening on {self.at} for callbacks to {self.base}/…; tasks are polled as well")
        by_callback = [
            session.callback_url is not None and session.callback_url.for_request(entry) is not None
            for session in sessions
            for entry in session.to_buy
        ]
        self.expected = sum(by_callback)
        if not all(by_callback):
            all_ = counted(len(by_callback), "request")
            echo(
                f"note: {by_callback.count(False)} of {all_} to buy will "
                "be polled only: with another callback_url, or a model that takes none"
            )

    def print_received(self) -> None:
        """Say what came in, as nothing else shows whether the way to us is open."""
        if self.callbacks.received:
            echo(f"callbacks received: {self.callbacks.received}")
        elif self.expected:
            echo(f"no callback came in: does {self.base} lead to {self.at}?")


@contextmanager
def webhooks_for(run: RunOptions, settings: Settings) -> Iterator[Webhooks | None]:
    """Listen until the block ends, if that is wanted."""
    if run.listen is None:
        yield None
        return
    base = run.callback_base
    if base is not None:
        base = base.rstrip("/")
        # A simulator on this machine may call this machine; the gateway public hosts only.
        own = is_local(settings.base_url) and is_local(base)
        wrong = None if own else check_callback(base)
        if wrong is None and (not base.isascii() or '"' in base):
            wrong = "is written in ASCII: a host in its xn-- form, the rest in %-escapes"
        elif wrong is None and (urlsplit(base).query or "?" in base or "#" in base):
            wrong = "has neither query nor fragment"
        elif wrong is None and len(base) > _MAX_BASE:
            wrong = f"is at most {_MAX_BASE} characters long, not {len(base)}"
        if wrong:
            raise UsageError(f"--callback-base {wrong}")
    host, port = run.listen
    hints = callbacks.WebhookApp(SystemClock().monotonic)
    with receiver.serving(hints, host, port) as bound:
        yield Webhooks(_host_port(host, bound), base or _own_base(host, bound), hints)


def _host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _own_base(host: str, port: int) -> str:
    """Where a simulator in this process finds us; raises `UsageError` where it does not."""
    base = f"http://{_host_port(_EVERY_HOST.get(host, host), port)}"
    if not is_local(base):
        raise UsageError(f"--listen {host}: a simulator calls this machine only: say 127.0.0.1")
    return base
