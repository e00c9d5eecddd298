"""A store opened: is it of our layout, what clips and runs does it hold, who may go on with one."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from veogen.errors import UsageError
from veogen.store import layout
from veogen.store.history import History
from veogen.store.layout import CLIP_LIMIT, FORMAT, LIMIT, RunInfo, RunNames, Version, clip, encode
from veogen.store.location import StoreLocation
from veogen.store.member import Identity, Member
from veogen.store.objects import Objects, StoreError, TooLargeError
from veogen.store.reading import HistoryReader
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


class Clips:
    """Clips by the SHA-256 of their bytes, for all runs of a store; fetched ones are checked."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, path: Path, sha256: str) -> None:
        """Have a clip in the store that was verified here; one that is there stays."""
        self._objects.send(clip(sha256), path)

    def has(self, sha256: str, size: int) -> bool:
        """Whether a clip of this size is there."""
        info = self._objects.info(clip(sha256))
        return info is not None and info.size == size

    def fetch(self, sha256: str, size: int, path: Path) -> bool:
        """Write a clip to a new file; False, and no file, if it is not there or not that clip."""
        part = path.with_name(f".{path.name}.store.part")
        try:
            if not self._objects.fetch(clip(sha256), part, min(size, CLIP_LIMIT)):
                return False
            with part.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    return False
            os.replace(part, path)
        except TooLargeError:
            return False
        finally:
            part.unlink(missing_ok=True)
        return True


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
        check: Callable[[History], None] | None = None,
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
        if check is not None:
            check(history)
        member.join()
        if not is_known:
            info = encode(RunInfo(name=run, gateway=gateway))
            if self._objects.create(RunNames(run).info, info) is not None:
                self._is_of(run, gateway)  # somebody else was quicker
        if (
            not is_old
            and self._objects.create(layout.VERSION_NAME, encode(Version(FORMAT))) is not None
        ):
            self.check_version()
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
        if history.owners:
            raise StoreError(
                f"{self.url}: {RunNames(run).info} is missing, and records of that run are there: "
                "this store lacks what it held (records never expire); nothing was sent"
            )

    def summary(self) -> StoreSummary:
        """What the store holds; reads listings, and of each run a few small records."""
        self.check_version()
        clips = self._objects.list(layout.CLIPS)
        runs = []
        for name in filter(layout.names_run, self._objects.folders(layout.RUNS)):
            names = RunNames(name)
            content = self._objects.read(names.info, LIMIT)
            info = layout.decode(content, RunInfo, names.info) if content else None
            listed = self._objects.list(f"{layout.RUNS}/{name}")
            claims = names.folder("claims")
            processes = self._objects.folders(names.folder("log"))
            run = RunSummary(
                name=name,
                gateway=info.gateway if info else "unknown",
                claims=sum(each.name.startswith(f"{claims}/") for each in listed),
                machines=sorted({p.rpartition(".")[0] or p for p in processes}),
                bytes=sum(each.size for each in listed),
            )
            runs.append(run)
        return StoreSummary(runs, len(clips), sum(each.size for each in clips))


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
