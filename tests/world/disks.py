"""The calls that reach a machine's disk: each may fail, be the last of its process, or be cut."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from veogen.executor import partial_file
from world.kernel import Died, Process, current_process


class Calls(Protocol):
    """Who is asked at every call that a process makes to something outside of it."""

    def reach(self, process: Process, kind: str, name: str) -> str | None:
        """What befalls this call; raises `Died` where the process ends at it."""
        ...


class Disk:
    """The folder of one machine, what of it was synced, and whether it is full."""

    def __init__(self, folder: Path, *, keeps_synced: bool) -> None:
        self.folder = folder
        self.fills = False
        self._prefix = f"{folder}/"
        self._keeps = keeps_synced
        self._copies = 0
        self._synced: dict[str, bytes] = {}
        self._unsynced: set[str] = set()

    @property
    def full(self) -> bool:
        """Whether nothing can be written: what a run keeps back for that is room, once it is let go."""
        return self.fills and any(self.folder.glob("*/.ballast"))

    def holds(self, path: str) -> bool:
        return path.startswith(self._prefix)

    def synced(self, path: str) -> None:
        """Its bytes would outlive a power failure as they are now."""
        if not self._keeps:
            return
        try:
            self._synced[path] = Path(path).read_bytes()
        except FileNotFoundError:
            self._synced.pop(path, None)
        except IsADirectoryError:
            return
        else:
            self._unsynced.discard(path)

    def moved(self, old: str, new: str) -> None:
        if old in self._synced:
            self._synced[new] = self._synced.pop(old)
        else:
            self._unsynced.add(new)

    def written_by_others(self, path: str) -> None:
        """Git wrote it: what a power failure makes of that is between git and its people."""
        self._synced.pop(path, None)
        self._unsynced.discard(path)

    def kill(self, *, power: bool) -> Path:
        """What is on the disk at this moment, in a folder beside it."""
        self._copies += 1
        copy = self.folder.with_name(f"{self.folder.name}.{self._copies}")
        shutil.copytree(self.folder, copy, symlinks=True, ignore=shutil.ignore_patterns("*-shm"))
        if power and self._keeps:
            for path in copy.rglob("*"):
                if path.is_file():
                    self._as_synced(path, str(self.folder / path.relative_to(copy)))
        return copy

    def _as_synced(self, copy: Path, path: str) -> None:
        content = self._synced.get(path)
        if content is not None:
            copy.write_bytes(content)
        elif path in self._unsynced or "-wal" in copy.name:
            copy.write_bytes(b"")

    def restore(self, copy: Path) -> None:
        """The machine is on again, with what was on its disk then: in the same files."""
        for place in copy.rglob("journal.db"):
            there = self.folder / place.relative_to(copy)
            if there.is_file():
                content = place.read_bytes()
                place.unlink()
                os.replace(there, place)
                place.write_bytes(content)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.replace(copy, self.folder)


class _World(Calls, Protocol):
    def disk_of(self, process: Process) -> Disk: ...


_active: list[_World] = []

NO_ROOM = "database or disk is full"


class HookedConnection(sqlite3.Connection):
    """SQLite itself; each statement that ends or begins a transaction is a call to the disk."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        rows = super().execute("PRAGMA database_list").fetchall()
        self._files = [f"{row[2]}{suffix}" for row in rows if row[2] for suffix in ("", "-wal")]
        process = current_process()
        if process is not None:
            process.at_its_end.append(super().close)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql.startswith(("BEGIN", "COMMIT")):
            return self._transaction(sql)
        cursor = super().execute(sql, parameters)
        if sql.startswith(("UPDATE", "INSERT", "PRAGMA journal_mode", "PRAGMA wal_checkpoint")):
            self._synced(sql)
        return cursor

    def close(self) -> None:
        """The last one folds the log into the file."""
        super().close()
        process = current_process()
        if process is not None and _active:
            for file in self._files:
                _active[-1].disk_of(process).synced(file)

    def _synced(self, sql: str) -> None:
        """A statement of its own is durable, and may be the last of its process."""
        process = current_process()
        if process is None or not _active or self.in_transaction:
            return
        for file in self._files:
            _active[-1].disk_of(process).synced(file)
        _active[-1].reach(process, "sqlite-done", sql)

    def _transaction(self, sql: str) -> sqlite3.Cursor:
        process = current_process()
        if process is None or not _active:
            return super().execute(sql)
        world = _active[-1]
        disk = world.disk_of(process)
        fault = world.reach(process, "sqlite", sql)
        if disk.full or fault == "before":
            raise _error(NO_ROOM, sqlite3.SQLITE_FULL)
        cursor = super().execute(sql)
        if sql.startswith("COMMIT") and self._is_synced():
            for file in self._files:
                disk.synced(file)
        world.reach(process, "sqlite-done", sql)
        if fault == "after":
            raise _error("disk I/O error", sqlite3.SQLITE_IOERR)
        return cursor

    def _is_synced(self) -> bool:
        return int(super().execute("PRAGMA synchronous").fetchone()[0]) >= 2


def _error(text: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@contextmanager
def hooked(world: _World) -> Iterator[None]:
    """Let the world be asked at every call to a disk while the block runs."""
    connect = sqlite3.connect

    def opened(*words: Any, **options: Any) -> sqlite3.Connection:
        return connect(*words, factory=HookedConnection, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", opened)
        patch.setattr(os, "fsync", _on_descriptor(os.fsync))
        patch.setattr(partial_file, "_sync", _on_descriptor(os.fdatasync))
        for name in ("replace", "link"):
            patch.setattr(os, name, _on_paths(name, getattr(os, name)))
        for name in ("open", "unlink", "mkdir"):
            patch.setattr(os, name, _on_path(name, getattr(os, name)))
        _active.append(world)
        try:
            yield
        finally:
            _active.pop()


def _asked(path: str) -> tuple[Disk, Process, _World] | None:
    process = current_process()
    if process is None or not _active:
        return None
    world = _active[-1]
    disk = world.disk_of(process)
    return (disk, process, world) if disk.holds(path) else None


def _on_descriptor(fsync: Callable[[int], None]) -> Callable[[int], None]:
    def call(descriptor: int) -> None:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        asked = _asked(path)
        if asked is None:
            return fsync(descriptor)
        disk, process, world = asked
        fault = world.reach(process, "fsync", path)
        if disk.full or fault == "before":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        disk.synced(path)
        world.reach(process, "fsync-done", path)
        if fault == "after":
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return None

    return call


def _on_paths(name: str, function: Callable[..., None]) -> Callable[..., None]:
    def call(old: Any, new: Any, **options: Any) -> None:
        source, target = os.fspath(old), os.fspath(new)
        asked = _asked(str(target))
        if asked is None:
            return function(old, new, **options)
        disk, process, world = asked
        fault = world.reach(process, name, str(target))
        if fault == "before":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(target))
        function(old, new, **options)
        disk.moved(str(source), str(target))
        world.reach(process, f"{name}-done", str(target))
        if fault == "after":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(target))
        return None

    return call


def _on_path(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any, *words: Any, **options: Any) -> Any:
        asked = None if isinstance(path, int) else _asked(str(os.fspath(path)))
        if asked is None:
            return function(path, *words, **options)
        _, process, world = asked
        if world.reach(process, name, str(path)) == "before":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return function(path, *words, **options)

    return call


__all__ = ["Calls", "Died", "Disk", "hooked"]
