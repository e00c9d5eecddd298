"""Objects in a bucket or a folder, by obstore."""

import contextlib
import errno
import functools
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeVar

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store

from veogen.store.location import StoreLocation, allows_http
from veogen.store.objects import ObjectInfo, StoreAwayError, StoreError, TooLargeError
from veogen.text import plain

T = TypeVar("T")

CALL = 10.0
"""Seconds that one call may take."""

PATIENCE = 60.0
"""Seconds for which a call is tried, first try included."""

_CLIP_CALL = "300s"  # a piece of a clip on a slow line
_PIECE = 1 << 20
SMALL = 8 << 20
"""Bytes of a clip of which several are sent at a time, each created whole in one request."""

WHOLE = 64 << 20
"""Bytes of a clip of which one is sent at a time, in the same way; it is held in memory.

A longer one is streamed. No bucket takes pieces only if nothing is there: it is asked for first.
Two machines that send one such clip in the same seconds write the same bytes, as its name says.
"""

_LONGEST_WAIT = 5.0
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_AGAIN = frozenset({408, 409, 425, 429})


class Waits(Protocol):
    """Lets time pass; the clock of a run is this."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


def connect(
    location: StoreLocation,
    environ: Mapping[str, str],
    clock: Waits,
    *,
    patience: float = PATIENCE,
    make: bool = False,
) -> "CloudObjects":
    """The objects at a location; with `make` a folder that is not there is made when it is used.

    Nothing is asked yet. Raises `StoreError` for what the provider's environment cannot mean.
    """
    options: dict[str, Any] = {"timeout": f"{min(CALL, patience):.0f}s"}
    clip_options: dict[str, Any] = {"timeout": _CLIP_CALL, "read_timeout": f"{CALL:.0f}s"}
    for each in (options, clip_options):
        each["allow_http"] = location.scheme != "file" and allows_http(environ)

    @functools.cache
    def opened() -> tuple[ObjectStore, ObjectStore]:
        try:
            if location.scheme == "file":
                folder = Path(location.path)
                if make and not folder.exists():
                    folder.mkdir(parents=True, exist_ok=True)
                if not folder.exists():
                    raise FileNotFoundError(errno.ENOENT, "there is no such folder")
                if not folder.is_dir():
                    raise NotADirectoryError(errno.ENOTDIR, "it is no folder")
            return _opened(location, options), _opened(location, clip_options)
        except (exceptions.BaseError, OSError, ValueError) as error:
            raise StoreError(f"{location.url}: {_said(error)}") from None

    if location.scheme != "file":
        opened()
    return CloudObjects(opened, location, clock, patience)


def _opened(location: StoreLocation, options: dict[str, Any]) -> ObjectStore:
    if location.scheme == "file":
        return LocalStore(location.path)
    kinds: Mapping[str, Any] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    bucket: ObjectStore = kinds[location.scheme].from_url(
        location.url, client_options=options, retry_config={"max_retries": 0}
    )
    return bucket


class CloudObjects:
    """Objects at one location. Obstore tries nothing again: what was lost is settled here."""

    def __init__(
        self,
        opened: Callable[[], tuple[ObjectStore, ObjectStore]],
        location: StoreLocation,
        clock: Waits,
        patience: float,
    ) -> None:
        self._opened = opened
        self._location = location
        self._clock = clock
        self._patience = patience
        self._large = threading.Lock()

    @property
    def _store(self) -> ObjectStore:
        """For records; raises `StoreError` where there is no folder."""
        return self._opened()[0]

    @property
    def _clips(self) -> ObjectStore:
        """For clips, which take longer."""
        return self._opened()[1]

    def create(self, name: str, content: bytes) -> bytes | None:
        def once() -> bytes | None:
            try:
                obstore.put(self._store, name, content, mode="create", use_multipart=False)
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
                there = self._read(name, len(content) + _PIECE)
                if there is None:  # two at once: the store has taken neither yet
                    raise _TakenByNobodyError from None
                return None if there == content else there
            return None

        return self._tried(name, once)

    def replace(self, name: str, content: bytes) -> None:
        self._tried(name, lambda: obstore.put(self._store, name, content, use_multipart=False))

    def read(self, name: str, limit: int) -> bytes | None:
        return self._tried(name, lambda: self._read(name, limit))

    def info(self, name: str) -> ObjectInfo | None:
        def once() -> ObjectInfo | None:
            try:
                return _info(obstore.head(self._store, name))
            except FileNotFoundError as error:
                self._refuse_without_bucket(error)
                return None

        return self._tried(name, once)

    def list(self, folder: str, after: str = "") -> Sequence[ObjectInfo]:
        def once() -> Sequence[ObjectInfo]:
            offset = f"{folder}/{after}" if after else None
            pages = obstore.list(self._store, folder, offset=offset)
            return sorted(_info(meta) for page in pages for meta in page)

        return self._tried(folder, once)

    def folders(self, folder: str) -> Sequence[str]:
        def once() -> Sequence[str]:
            listed = obstore.list_with_delimiter(self._store, folder)
            return sorted(path.rpartition("/")[2] for path in listed["common_prefixes"])

        return self._tried(folder, once)

    def send(self, name: str, path: Path) -> None:
        size = path.stat().st_size

        def once() -> None:
            with contextlib.suppress(exceptions.AlreadyExistsError, exceptions.PreconditionError):
                if size <= WHOLE:
                    with nullcontext() if size <= SMALL else self._large:
                        obstore.put(self._clips, name, path.read_bytes(), mode="create")
                elif self.info(name) is not None:
                    return
                elif not isinstance(self._clips, LocalStore):
                    obstore.put(self._clips, name, path)
                else:  # in a folder it takes its name only if that is free
                    draft = f"{name}.{os.urandom(6).hex()}"
                    obstore.put(self._clips, draft, path)
                    try:
                        obstore.rename(self._clips, draft, name, overwrite=False)
                    except exceptions.AlreadyExistsError:
                        obstore.delete(self._clips, draft)

        self._tried(name, once)

    def fetch(self, name: str, path: Path, limit: int) -> bool:
        def once() -> bool:
            try:
                got = obstore.get(self._clips, name)
            except FileNotFoundError as error:
                self._refuse_without_bucket(error)
                return False
            if got.meta["size"] > limit:
                raise TooLargeError(f"{self._of(name)}: it has more than {limit} bytes")
            with path.open("wb") as file:
                for piece in got.stream(min_chunk_size=_PIECE):
                    file.write(piece)
            return True

        return self._tried(name, once)

    def _read(self, name: str, limit: int) -> bytes | None:
        try:
            got = obstore.get(self._store, name)
        except FileNotFoundError as error:
            self._refuse_without_bucket(error)
            return None
        if got.meta["size"] > limit:
            raise TooLargeError(f"{self._of(name)}: it has more than {limit} bytes")
        return bytes(got.bytes())

    def _tried(self, name: str, call: Callable[[], T]) -> T:
        """Call until there is an answer, for a minute at most.

        What would be the same the next time is said at once.
        """
        began, tries = self._clock.monotonic(), 0
        while True:
            try:
                return call()
            except _TakenByNobodyError:
                reason = "two of the same name at once"
            except (exceptions.BaseError, OSError) as error:
                self._refuse_without_bucket(error)
                status = _STATUS.search(str(error))
                number = int(status[1]) if status else None
                if (number in _NOS and number not in _AGAIN) or isinstance(error, _FINAL):
                    raise StoreError(f"{self._of(name)}: {_said(error)}") from None
                reason = _said(error)
            tries += 1
            wait = min(_LONGEST_WAIT, 0.05 * 2**tries)
            if self._clock.monotonic() - began + wait >= self._patience:
                raise StoreAwayError(
                    f"{self._location.url}: the store does not answer ({reason})"
                ) from None
            self._clock.sleep(wait)

    def _refuse_without_bucket(self, error: Exception) -> None:
        if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
            raise StoreError(f"{self._location.url}: there is no such bucket") from None

    def _of(self, name: str) -> str:
        return f"{self._location.url}/{plain(name)}"


class _TakenByNobodyError(Exception):
    """A name is said to be taken, and nothing is there."""


_NOS = frozenset({*range(400, 500), 501})
_FINAL = (
    exceptions.NotSupportedError,
    exceptions.PermissionDeniedError,
    exceptions.UnauthenticatedError,
    exceptions.InvalidPathError,
    exceptions.UnknownConfigurationKeyError,
    PermissionError,
    NotADirectoryError,
)


def _info(meta: Mapping[str, Any]) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"].timestamp())


def _said(error: Exception) -> str:
    """What went wrong, without addresses: they may be signed."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    if status:
        return f"HTTP {status[1]}" + (f" {code[1]}" if code else "")
    if isinstance(error, OSError):
        return plain(error.strerror or error.__class__.__name__)
    kind = error.__class__.__name__.removesuffix("Error")
    return "no connection" if kind == "Generic" else kind
