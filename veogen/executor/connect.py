"""The real parts that a run is made of: the gateway, the media host, threads, the clock."""

import errno
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from veogen.document.files import OutsideRootError
from veogen.errors import ExitCode, VeogenError
from veogen.executor.journal import Journal
from veogen.executor.options import Clock, Random, RunPolicy, SystemClock, retry_wait, system_random
from veogen.executor.run import Dependencies
from veogen.executor.transfer import ClipDownloader, Expects
from veogen.executor.transitions import Stop
from veogen.executor.uploads import ReadFile, Uploader
from veogen.executor.workers import ThreadPool
from veogen.gateway.api import (
    Balance,
    Gateway,
    NotAccepted,
    OpenDownload,
    Quota,
    ReadError,
    Submission,
    Task,
    Upload,
)
from veogen.gateway.client import Evolink
from veogen.gateway.media_host import MediaClient
from veogen.gateway.settings import Settings
from veogen.models.model import Model, default_catalog, expected_clip
from veogen.planner.plan import Plan, Request
from veogen.results.manifest import GatewayName

if TYPE_CHECKING:
    from veogen.executor.batches import Cluster
    from veogen.executor.coordinator import ClusterWork
    from veogen.executor.joining import StoreChoice

_SILENT = ReadError(code="offline", message="nothing is asked here", reached=False)


_NO_KEY = 401


class OfflineGateway:
    """Answers everything with silence."""

    simulated: bool | None = None
    reads_at_once = 1

    def submit(self, body: bytes, key: str) -> Submission:
        del body, key
        return NotAccepted(code=_SILENT.code, message=_SILENT.message, reached=False)

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        return dict.fromkeys(task_ids, _SILENT)

    def recent_tasks(self, model: str) -> tuple[Task, ...] | ReadError:
        del model
        return _SILENT

    def balance(self) -> Balance | ReadError:
        return _SILENT

    def models(self) -> frozenset[str] | ReadError:
        return _SILENT

    def upload(self, name: str, content: bytes, mime: str) -> Upload | ReadError:
        del name, content, mime
        return _SILENT

    def quota(self) -> Quota | ReadError:
        return _SILENT

    def delete(self, file_id: str) -> ReadError | None:
        del file_id
        return _SILENT


class SilentGatewayError(VeogenError):
    """Nothing answered for a minute; nothing was sent."""

    exit_code = ExitCode.STOPPED


@dataclass(frozen=True, slots=True)
class Preflight:
    """Whether it is the gateway or a simulator, and a reason to buy nothing, if there is one."""

    gateway_name: GatewayName
    stop: Stop | None = None


def preflight(
    gateway: Gateway,
    models: Collection[str],
    *,
    clock: Clock,
    random: Random,
    silence: float,
    say: Callable[[str], None],
) -> Preflight:
    """Ask for the models of the key; raises `SilentGatewayError` when nothing answers.

    The endpoint is in no public document: an answer without a list proves nothing, nor does 403,
    which a key that may buy could get here; if it may not, that is what the first submit is told.
    """
    began, tries = clock.monotonic(), 0
    while isinstance(answer := gateway.models(), ReadError) and not answer.reached:
        tries += 1
        if tries == 1:
            say(f"the gateway does not answer ({answer.message}); trying for {silence:.0f} s")
        left = began + silence - clock.monotonic()
        if left <= 0:
            raise SilentGatewayError(
                f"the gateway has not answered for {silence:.0f} s ({answer.message}); "
                "nothing was sent"
            )
        clock.sleep(min(left, retry_wait(min(tries, 4), random)))
    name: GatewayName = "simulated" if gateway.simulated else "evolink"
    if isinstance(answer, ReadError):
        if answer.status == _NO_KEY:
            text = f"{answer.message} ({answer.code}); nothing was sent"
            return Preflight(name, Stop("refused", text))
        return Preflight(name)
    missing = sorted(set(models) - answer) if answer else []
    if missing:
        text = f"the key may not use {', '.join(missing)}; nothing was sent"
        return Preflight(name, Stop("model", text))
    return Preflight(name)


def no_project(path: PurePosixPath, at_most: int) -> bytes:
    """No project is known: a request of an earlier run whose spec is not here."""
    del at_most
    raise FileNotFoundError(errno.ENOENT, "its project is known to veogen run only", str(path))


@dataclass(frozen=True, slots=True)
class Connection:
    """What a run talks to, and a reason to buy nothing, if the gateway gave one."""

    settings: Settings
    gateway: Evolink
    media: MediaClient
    stop: Stop | None
    request_timeout: float

    @property
    def simulated(self) -> bool:
        return bool(self.gateway.simulated)

    def balance(self) -> Balance | ReadError:
        return self.gateway.balance()

    def dependencies(
        self,
        read: ReadFile = no_project,
        models: Mapping[str, Model] | None = None,
    ) -> Dependencies:
        """The parts of one run; `read` gives the bytes of a file of its project."""
        clock = SystemClock()
        return Dependencies(
            gateway=self.gateway,
            gateway_name="simulated" if self.simulated else "evolink",
            downloader=lambda path: ClipDownloader(self.media, path, expected_of(models)),
            uploads=lambda journal: self._uploader(journal, read),
            clock=clock,
            workers=ThreadPool,
            random=system_random,
            files_url=self.settings.files_url,
        )

    def work(
        self,
        cluster: "Cluster",
        plan: Plan,
        choice: "StoreChoice",
        *,
        read: ReadFile,
        models: Mapping[str, Model],
    ) -> "ClusterWork":
        """What workers of a cluster need to know of a run, but for the key, which is their own."""
        from veogen.executor.batches import ClusterTask  # noqa: PLC0415 - few have a cluster
        from veogen.executor.coordinator import ClusterWork  # noqa: PLC0415

        task = ClusterTask(
            run=choice.run,
            gateway="simulated" if self.simulated else "evolink",
            base_url=self.settings.base_url,
            files_url=self.settings.files_url,
            store_url=choice.store.url,
            plan=plan,
            models=models,
            request_timeout=self.request_timeout,
            read_images=partial(_read_images, read),
        )
        return ClusterWork(cluster, task)

    def _uploader(self, journal: Journal, read: ReadFile) -> Uploader:
        """Knows the uploads that are there; those of a simulator that has ended are gone."""
        uploads, tag = journal.uploads(), f"{secrets.token_hex(4)}-"
        for sha256, upload in list(uploads.items()) if self.simulated else ():
            with self.media.fetch(upload.url) as answer:
                if not isinstance(answer, OpenDownload):
                    del uploads[sha256]
        return Uploader(self.gateway, read, uploads, SystemClock(), tag)


def _read_images(read: ReadFile, request: Request) -> dict[str, bytes]:
    """The local images of a request by path; of a missing one who needs it will say so."""
    contents = {}
    for image in request.images:
        with suppress(OSError, OutsideRootError):
            contents[image.path] = read(PurePosixPath(image.path), image.bytes)
    return contents


@contextmanager
def connected(
    settings: Settings,
    policy: RunPolicy,
    *,
    models: Collection[str],
    request_timeout: float = 60.0,
    say: Callable[[str], None],
) -> Iterator[Connection]:
    """Talk to the gateway; raises `SilentGatewayError` when it does not answer."""
    with ExitStack() as stack:
        gateway = stack.enter_context(
            Evolink.from_settings(settings, request_timeout=request_timeout)
        )
        media = stack.enter_context(
            MediaClient.from_settings(settings, request_timeout=request_timeout)
        )
        seen = preflight(
            gateway,
            models,
            clock=SystemClock(),
            random=system_random,
            silence=policy.silence,
            say=say,
        )
        yield Connection(settings, gateway, media, seen.stop, request_timeout)


def offline_dependencies(gateway_name: GatewayName) -> Dependencies:
    """The parts of what is decided without a network."""
    gateway = OfflineGateway()
    clock = SystemClock()
    return Dependencies(
        gateway=gateway,
        gateway_name=gateway_name,
        downloader=lambda path: ClipDownloader(MediaClient(local=False), path, expected_of()),
        uploads=lambda journal: Uploader(gateway, no_project, journal.uploads(), clock, ""),
        clock=clock,
        workers=ThreadPool,
        random=system_random,
    )


def expected_of(models: Mapping[str, Model] | None = None) -> Expects:
    """What the clips of a request should be, as far as its model is known."""
    known = default_catalog() if models is None else models
    return lambda body: expected_clip(known.get(str(body.get("model"))), body)
