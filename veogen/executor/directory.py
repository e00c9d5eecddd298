"""A run directory: what is in it, who may use it, and files written whole or not at all."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from veogen.document.files import read_file
from veogen.errors import ExitCode, VeogenError
from veogen.planner.plan import Request
from veogen.results.ledger import Ledger
from veogen.results.manifest import GatewayName, Manifest, ManifestRenderer, parse

_RESERVE = 1 << 20
_IGNORE: dict[GatewayName, str] = {
    "evolink": "# The clips and the journal stay on this machine; the results are the team's.\n"
    "/*\n!/results.json\n",
    "simulated": "# A simulated run is nobody's.\n*\n",
}


SIMULATED = ".simulated"
"""How the directory of a simulated run ends, unless somebody calls it otherwise."""


class DirectoryError(VeogenError):
    """The run directory is unreadable, in use, or of the other kind."""


class DiskFullError(VeogenError):
    """There is no room to write down what was bought; nothing more is bought."""

    exit_code = ExitCode.STOPPED


JOURNAL_FILES = ("", "-wal", "-shm", "-mark")
"""How the files of a journal end: itself, its log, the index of that, and how far it went."""


def profile_of(path: Path, name: str) -> str | None:
    """The profile that a run directory of the plan `name` is called after, if it is."""
    folder = path.absolute().name.removesuffix(SIMULATED)
    return folder.removeprefix(f"{name}.") if folder.startswith(f"{name}.") else None


def check_names(requests: Iterable[Request]) -> None:
    """Before money: a clip whose name this system cannot write could not be brought home."""
    for request in requests:
        try:
            os.fsencode(request.output)
        except UnicodeEncodeError:
            raise DirectoryError(
                f"{request.address}: names of files are {sys.getfilesystemencoding()} here, which "
                f"cannot spell {request.output}; nothing was sent. Set PYTHONUTF8=1"
            ) from None


class RunDirectory:
    """The paths of a run directory, and the ways in which its files are written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results = path / "results.json"
        self.journal = path / "journal.db"
        self.gallery = path / "gallery.html"
        self.videos = path / "videos"
        self.lock = path / ".lock"
        self._reserve = path / ".ballast"
        self._held: int | None = None
        self._journal_files = [path / f"{self.journal.name}{end}" for end in JOURNAL_FILES]
        self._made: Sequence[Path] = ()

    @property
    def has_run(self) -> bool:
        """Whether something was ever run here."""
        return self.results.exists() or self.journal.exists()

    @property
    def has_journal(self) -> bool:
        """Whether a journal is there; raises `DirectoryError` where only its log is left of it."""
        if self.journal.exists():
            return True
        log = self.journal.with_name(f"{self.journal.name}-wal")
        if log.exists() and not self.journal.exists():  # a run may have begun in between
            raise DirectoryError(
                f"{self.journal}: it is gone, but {log.name} is there; restore both"
            )
        return False

    @property
    def gateway(self) -> GatewayName | None:
        """Whose run it is, as its results say; None when there are none."""
        manifest = self.manifest()
        return manifest.gateway if manifest else None

    def refuse_other_kind(self, gateway: GatewayName, wanted: GatewayName) -> None:
        """Raise `DirectoryError` where a simulated run would go on with a real one's, or so."""
        if gateway != wanted:
            kinds = {"evolink": "a real", "simulated": "a simulated"}
            raise DirectoryError(
                f"{self.path}: this is the directory of {kinds[gateway]} run, and this is "
                f"{kinds[wanted]} one; choose another with --dir"
            )

    def prepare(self, gateway: GatewayName) -> None:
        """Make the directory if it is not there; raises `DirectoryError`.

        A clone has the results, and a page of them at most: it gets its `.gitignore` too. In a
        folder of other things, such as the project's own, git must go on seeing those.
        """
        ignore, folders = self.path / ".gitignore", [self.path, *self.path.parents]
        made = [ignore, *self._journal_files, self.lock, *folders]
        self._made = [path for path in made if not os.path.lexists(path)]
        try:
            make_folders(self.path)
            if {self.results, self.gallery}.issuperset(self.path.iterdir()):
                _write(ignore, _IGNORE[gateway].encode())
        except OSError as error:
            raise DirectoryError(
                f"{error.filename or self.path}: the run directory cannot be written: "
                f"{error.strerror}"
            ) from None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory alone; the lock dies with its process. Raises `DirectoryError`.

        What was made for a run that was refused before it began is taken away again.
        """
        try:
            descriptor = os.open(
                self.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
            )
        except OSError as error:
            raise DirectoryError(
                f"{self.lock}: the run directory cannot be written: {error.strerror}"
            ) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(descriptor)
                who = "another process" if holder is None else f"process {holder[0]} on {holder[1]}"
                raise DirectoryError(f"{self.path}: in use by {who}; one run at a time") from None
            except OSError as error:
                raise DirectoryError(
                    f"{self.lock}: it cannot be locked on this disk: {error.strerror}; choose "
                    "another with --dir"
                ) from None
            own = json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
            with contextlib.suppress(OSError):  # a full disk must not keep us from going on
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, own.encode(), 0)
            for draft in self.path.glob(f".{self.results.name}.*.part"):
                with contextlib.suppress(OSError):  # half written by a run that was killed
                    draft.unlink()
            self._held = descriptor
            if any(map(os.path.lexists, [self.results, *self._journal_files])):
                self._made = ()
            yield
            self._made = ()
        finally:
            made: Sequence[Path] = self._made if self._held is not None else ()
            for path in made:
                with contextlib.suppress(OSError):  # a folder in which something else is stays
                    path.rmdir() if path.is_dir() else path.unlink()
            self._held = None
            os.close(descriptor)

    @property
    def is_ours(self) -> bool:
        """Whether the file that keeps others out is the one that is held."""
        try:
            return self._held is not None and os.path.samestat(
                os.fstat(self._held), self.lock.stat()
            )
        except OSError:
            return False

    @property
    def in_use(self) -> bool:
        """Whether a run holds the directory; whoever only looks must not be in its way."""
        try:
            descriptor = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            holder = _holder(descriptor)
            if holder is None or not is_alive(holder[0]):
                return False  # asking for the lock might keep a run from starting
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def manifest(self) -> Manifest | None:
        """The results manifest, or None when there is none; raises for one that is unreadable."""
        raw = self.read_results()
        return None if raw is None else self.parsed(raw)

    def parsed(self, raw: bytes, gateway: GatewayName | None = None) -> Manifest:
        """What was read from the results; raises `ManifestError`.

        Where it has to be of one kind of run, raises `DirectoryError` for the other.
        """
        manifest = parse(raw, str(self.results))
        if gateway is not None and manifest.gateway != gateway:
            raise DirectoryError(f"{self.results}: it is of another kind of run")
        return manifest

    def read_results(self) -> bytes | None:
        """The bytes of the results, or None when there are none; raises `DirectoryError`."""
        try:
            return read_file(self.results)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DirectoryError(f"{self.results}: it cannot be read: {error.strerror}") from None

    def results_signature(self) -> tuple[int, ...] | None:
        """What changes when somebody changes the results; None when there are none."""
        return file_signature(self.results)

    def write_results(self, ledger: Ledger, renderer: ManifestRenderer) -> bytes | None:
        """Write the manifest whole, and only if its bytes change: those that were written."""
        try:
            before = self.results.read_bytes()
        except FileNotFoundError:
            before = None
        content = renderer.renewed(before, ledger)
        if content is not None:
            make_folders(self.path)  # it may have been moved away meanwhile
            write_whole(self.results, content)
        return content

    def reserve_disk(self) -> None:
        """Keep some room back, so that a full disk cannot stop us writing down what we bought.

        With that a run begins: whatever ends it, its directory stays.
        """
        self._made = ()
        try:
            self.release_disk()
            _write(self._reserve, bytes(_RESERVE))
        except OSError as error:
            raise DiskFullError(
                f"{self.path}: the disk is full ({error.strerror}); nothing was sent"
            ) from None

    def release_disk(self) -> None:
        """Give the room free, where the disk lets it go."""
        with contextlib.suppress(OSError):
            self._reserve.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name, make it durable and put it in place."""
    with whole(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is at its place, durable, once all of it was written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with _durable(draft) as file:
            yield file
        os.replace(draft, path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, each of them durable in the one above it."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def _write(path: Path, content: bytes) -> None:
    with _durable(path) as file:
        file.write(content)


@contextlib.contextmanager
def _durable(path: Path) -> Iterator[BinaryIO]:
    """A file to write: that one, not what a link of its name, which came with git, names."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o644), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _holder(descriptor: int) -> tuple[int, str] | None:
    """The process that wrote itself into the lock, and its host; None where none can be read."""
    try:
        holder = json.loads(os.pread(descriptor, 1000, 0))
        return int(holder["pid"]), str(holder["host"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def is_alive(process: int) -> bool:
    """Whether a process of this machine goes on, whoever's it is."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})

RESERVED = 4 << 20
"""Bytes of the disk that no clip takes: what was bought must be written down, whatever else is."""


def room(folder: str | Path) -> int:
    """How many bytes clips may take on the disk of a folder."""
    return shutil.disk_usage(folder).free - RESERVED


def is_inside(folder: Path, root: Path) -> bool:
    """Whether no link on the way to a folder leads out of `root`."""
    if folder.is_relative_to(root):
        place, parts = root, folder.parts[len(root.parts) :]
        if not any(part == os.pardir or (place := place / part).is_symlink() for part in parts):
            return True  # as nearly always: no step down goes through a link, or up again
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))


def has_content(path: Path, size: int, sha256: str) -> bool:
    """Whether there is a file of these very bytes."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


_LONGEST_NAME = 200


def partial_name(name: str) -> str:
    """What a file is called while it is being downloaded; its note and drafts begin with that."""
    raw = os.fsencode(name)
    short = name if len(raw) <= _LONGEST_NAME else hashlib.sha256(raw).hexdigest()
    return f".{short}.part"


def file_signature(path: Path) -> tuple[int, ...] | None:
    """What changes when somebody changes a file; None where there is none."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def move_into_place(part: Path, target: Path) -> None:
    """Give the file its final name, unless something has it; raises `FileExistsError`."""
    try:
        os.link(part, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o644))
        os.replace(part, target)
    sync_folder(target.parent)
