"""The real parts that a run is made of: the gateway, the media host, threads, the clock."""

import errno
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from veogen.catalogue.known import default_catalogue
from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Json
from veogen.executor.clock import SystemClock, chance
from veogen.executor.crew import Threads
from veogen.executor.downloads import Downloads, Effective
from veogen.executor.journal import Journal
from veogen.executor.life import Stop
from veogen.executor.offline import Offline
from veogen.executor.policy import Policy
from veogen.executor.preflight import preflight
from veogen.executor.session import Services
from veogen.executor.uploads import Read, Uploader
from veogen.gateway.answers import Balance, Body, Unread, Upload
from veogen.gateway.client import Evolink
from veogen.gateway.media import Media
from veogen.gateway.settings import Settings
from veogen.results.manifest import GatewayName


def no_project(path: PurePosixPath, at_most: int) -> bytes:
    """No project is known: a request of an earlier run whose spec is not here."""
    del at_most
    raise FileNotFoundError(errno.ENOENT, "its project is known to veogen run only", str(path))


@dataclass(frozen=True, slots=True)
class Connection:
    """What a run talks to, and a reason to buy nothing, if the gateway gave one."""

    settings: Settings
    gateway: Evolink
    media: Media
    stop: Stop | None

    @property
    def simulated(self) -> bool:
        return bool(self.gateway.simulated)

    def balance(self) -> Balance | Unread:
        return self.gateway.balance()

    def services(
        self,
        read: Read = no_project,
        models: Mapping[str, Model] | None = None,
    ) -> Services:
        """The parts of one run; `read` gives the bytes of a file of its project."""
        clock = SystemClock()
        return Services(
            gateway=self.gateway,
            gateway_name="simulated" if self.simulated else "evolink",
            courier=lambda path: Downloads(self.media, path, effective(models)),
            uploads=lambda journal: self._uploader(journal, read),
            clock=clock,
            crew=Threads,
            chance=chance,
        )

    def _uploader(self, journal: Journal, read: Read) -> Uploader:
        tag = f"{secrets.token_hex(4)}-"
        return Uploader(self.gateway, read, self._known(journal), SystemClock(), tag)

    def _known(self, journal: Journal) -> dict[str, Upload]:
        """The uploads that are there; those of a simulator that has ended are gone with it."""
        known = journal.uploads()
        if not self.simulated:
            return known
        return {sha256: upload for sha256, upload in known.items() if self._is_there(upload)}

    def _is_there(self, upload: Upload) -> bool:
        with self.media.fetch(upload.url) as answer:
            return isinstance(answer, Body)


@contextmanager
def connected(
    settings: Settings,
    policy: Policy,
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
        media = stack.enter_context(Media.from_settings(settings, request_timeout=request_timeout))
        seen = preflight(
            gateway,
            models,
            clock=SystemClock(),
            chance=chance,
            silence=policy.silence,
            say=say,
        )
        yield Connection(settings, gateway, media, seen.stop)


def offline(gateway_name: GatewayName) -> Services:
    """The parts of what is decided without a network."""
    gateway = Offline()
    clock = SystemClock()
    return Services(
        gateway=gateway,
        gateway_name=gateway_name,
        courier=lambda path: Downloads(Media(local=False), path, effective()),
        uploads=lambda journal: Uploader(gateway, no_project, journal.uploads(), clock, ""),
        clock=clock,
        crew=Threads,
        chance=chance,
    )


def effective(models: Mapping[str, Model] | None = None) -> Effective:
    """Fills in the defaults of a request's model, as far as the model is known."""
    known = default_catalogue() if models is None else models

    def filled(body: Mapping[str, Json]) -> Mapping[str, Json]:
        model = known.get(str(body.get("model")))
        return model.effective(body) if model else body

    return filled
