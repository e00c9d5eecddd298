"""A store opened: is it of our layout, what runs does it hold, and who may go on with one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from veogen.errors import UsageError
from veogen.store import layout
from veogen.store.clips import Clips
from veogen.store.history import History, HistoryReader
from veogen.store.layout import FORMAT, LIMIT, RunInfo, RunNames, Version, encode
from veogen.store.location import StoreLocation
from veogen.store.member import Identity, Member
from veogen.store.objects import Objects, StoreError
from veogen.store.signs import Patience, StoreTime

GatewayKind: TypeAlias = Literal["evolink", "simulated"]


class RunSummary(NamedTuple):
    """A run that a store holds: its claims, machines, and the bytes of its records."""

    name: str
    gateway: str
    claims: int
    machines: Sequence[str]
    bytes: int


class StoreSummary(NamedTuple):
    """What a store holds; `bytes` are those of its clips."""

    runs: Sequence[RunSummary]
    clips: int
    bytes: int


def _accept(history: History) -> None:
    del history


class Store:
    """A place that several machines see; nothing is asked before a method is called."""

    def __init__(
        self, objects: Objects, location: StoreLocation, time: StoreTime, patience: Patience
    ) -> None:
        self._objects = objects
        self._location = location
        self._time = time
        self._patience = patience
        self.clips = Clips(objects)

    @property
    def url(self) -> str:
        """Where it is, without credentials: they are never in it."""
        return self._location.url

    @property
    def patience(self) -> Patience:
        """How long machines may be silent here."""
        return self._patience

    @property
    def time(self) -> StoreTime:
        return self._time

    @property
    def objects(self) -> Objects:
        return self._objects

    def check_version(self) -> bool:
        """Whether there is a store yet; raises `StoreError` for one of another layout."""
        content = self._objects.read(layout.VERSION_NAME, LIMIT)
        if content is None:
            return False
        version = layout.decode(content, Version, f"{self.url}/{layout.VERSION_NAME}")
        if version.format != FORMAT:
            raise StoreError(
                f"{self.url}: another veogen made this store ({version.format[:80]!r}, and this "
                f"one reads {FORMAT!r}); nothing was sent"
            )
        return True

    def read(self, run: str, gateway: GatewayKind) -> History | None:
        """All records of a run, without writing anything; None where there is no such run."""
        if not self.check_version():
            return None
        history = HistoryReader(self._objects, RunNames(run)).open()
        if not self._is_of(run, gateway):
            self._refuse_lacking(run, history)
            return None
        return history

    def join(
        self,
        run: str,
        gateway: GatewayKind,
        identity: Identity,
        check: Callable[[History], None] = _accept,
    ) -> Member:
        """Become one of those that buy for a run; raises `StoreError` for a store that is refused.

        `check` may refuse what was read. Nothing is written before the process's own first record,
        which shows what the store does.
        """
        is_old = self.check_version()
        member = Member(self._objects, run, identity, self._time, self._patience)
        history = member.read()
        is_known = self._is_of(run, gateway)  # after its records: it is written before them
        if not is_known:
            self._refuse_lacking(run, history)
        check(history)
        member.join()
        if not is_known:
            self._write_info(run, gateway)
        if not is_old:
            self._write_version()
        return member

    def _is_of(self, run: str, gateway: GatewayKind) -> bool:
        """Whether the run is there; raises `StoreError` if it is of the other kind."""
        name = RunNames(run).info
        content = self._objects.read(name, LIMIT)
        if content is None:
            return False
        info = layout.decode(content, RunInfo, name)
        if (info.name, info.gateway) != (run, gateway):
            raise StoreError(
                f"{self.url}: {name} is of a run {info.name!r} with the gateway {info.gateway!r}, "
                f"not of {run!r} with {gateway!r}; nothing was sent"
            )
        return True

    def _refuse_lacking(self, run: str, history: History) -> None:
        if history.claims or history.unanswered:
            raise StoreError(
                f"{self.url}: {RunNames(run).info} is missing, and records of that run are there: "
                "this store lacks what it held (records never expire); nothing was sent"
            )

    def _write_info(self, run: str, gateway: GatewayKind) -> None:
        content = encode(RunInfo(name=run, gateway=gateway))
        there = self._objects.create(RunNames(run).info, content)
        if there is not None:
            self._is_of(run, gateway)

    def _write_version(self) -> None:
        if self._objects.create(layout.VERSION_NAME, encode(Version(FORMAT))) is not None:
            self.check_version()

    def summary(self) -> StoreSummary:
        """What the store holds; reads listings, and of each run a few small records."""
        self.check_version()
        clips = self._objects.list(layout.CLIPS)
        names = [name for name in self._objects.folders(layout.RUNS) if _is_run(name)]
        return StoreSummary(
            runs=[self._run(name) for name in names],
            clips=len(clips),
            bytes=sum(info.size for info in clips),
        )

    def _run(self, name: str) -> RunSummary:
        names = RunNames(name)
        content = self._objects.read(names.info, LIMIT)
        info = layout.decode(content, RunInfo, names.info) if content else None
        listed = self._objects.list(f"{layout.RUNS}/{name}")
        claims = names.folder("claims")
        processes = [self.machine_of(p) for p in self._objects.folders(names.folder("log"))]
        return RunSummary(
            name=name,
            gateway=info.gateway if info else "unknown",
            claims=sum(each.name.startswith(f"{claims}/") for each in listed),
            machines=sorted(set(processes)),
            bytes=sum(each.size for each in listed),
        )

    @staticmethod
    def machine_of(process: str) -> str:
        """The machine in a process's name."""
        return process.rpartition(".")[0] or process


def _is_run(name: str) -> bool:
    try:
        RunNames(name)
    except ValueError:
        return False
    return True


def open_store(
    url: str,
    environ: Mapping[str, str],
    time: StoreTime,
    *,
    patience: float | None = None,
    make: bool = False,
) -> Store:
    """The store at a URL, not asked yet; `patience` are seconds that a call is tried.

    With `make` a folder that is not there is made. Raises `UsageError` for the URL, or without the
    extra, and `StoreError`.
    """
    location = StoreLocation.of(url)
    try:
        from veogen.store import cloud  # noqa: PLC0415 - only who uses a store needs it
    except ModuleNotFoundError:
        raise UsageError("a store needs the extra: pip install 'veogen[store]'") from None
    seconds = cloud.PATIENCE if patience is None else patience
    objects = cloud.connect(location, environ, time, patience=seconds, make=make)
    return Store(objects, location, time, Patience.of(environ))
