"""Reads a run's records: a checkpoint, and what has come since."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from veogen.store import layout
from veogen.store.history import History, News
from veogen.store.layout import (
    CHECKPOINT_LIMIT,
    LIMIT,
    AttemptId,
    Batch,
    Checkpoint,
    Claim,
    Closing,
    RunNames,
    StoredDecision,
)
from veogen.store.objects import ObjectInfo, Objects

R = TypeVar("R")

_AT_ONCE = 16
_FEW = 20
"""Records of a process that lives that are read at once; more wait for its checkpoint."""


class HistoryReader:
    """Reads a run's records, at first from the newest checkpoint, then what has come since.

    The order matters: claims, then signs, then logs. So of a claim without an answer whose process
    is silent there was none when it was last seen.
    """

    def __init__(self, objects: Objects, names: RunNames, own: str | None = None) -> None:
        self._objects = objects
        self._names = names
        self._own = own  # its log needs not to be read: it is written from what is known here
        self._seen_checkpoints: set[str] = set()
        self.history = History()
        self._in_checkpoint = 0

    def open(self) -> History:
        """Read all that there is; raises `UnreadableError` with the name of what is not."""
        listed = self._objects.list(self._names.folder("checkpoints"))
        self._seen_checkpoints = {info.name for info in listed}
        if listed:
            self._take_checkpoint(max(listed, key=lambda info: info.modified).name)
        self._in_checkpoint = self.history.count
        self.refresh()
        return self.history

    @property
    def facts_since_checkpoint(self) -> int:
        """How many facts the checkpoint lacked that was read."""
        return self.history.count - self._in_checkpoint

    def glance(self) -> set[str]:
        """See who lives and which requests are claimed, by listings alone; those that are news."""
        claims = self._objects.list(self._names.folder("claims"))
        self._see_signs()
        return {of.hash for of, _ in self._unread_claims(claims) if self.history.notice(of)}

    def refresh(self, is_silent: Callable[[str], bool] | None = None) -> list[News]:
        """Read what has come since; the events among it, in no order but that of each log.

        With `is_silent` a long log of a process that lives is left for later: before it waits for
        others it leaves a checkpoint, which is one object. Its claims are noticed until then.
        """
        claims = self._objects.list(self._names.folder("claims"))
        self._see_signs()
        closings, decisions = self.history.closings, self.history.decisions
        for closed, name, content in self._unread(
            "closings", layout.process_of, closings.__contains__
        ):
            closings[closed] = layout.decode(content, Closing, name)
        news = [] if is_silent is None else self._read_new_checkpoints()
        later, read = self._read_logs(is_silent)
        news.extend(read)
        new = {info.name: (of, info) for of, info in self._unread_claims(claims)}
        for of, _ in new.values():
            self.history.notice(of)
        for name, content in () if later else self._contents(new):
            of, info = new[name]
            claim = layout.decode(content, Claim, name)
            self.history.take_claim(of, claim)
            self._saw(claim.owner, info.modified)
            seen = self.history.processes[claim.owner]
            seen.machine = seen.machine or claim.machine
        for decided, name, content in self._unread(
            "decisions", layout.decided, lambda said: said[1] in decisions[said[0]]
        ):
            decision = layout.decode(content, StoredDecision, name)
            self.history.take_decision(*decided, decision)
        return news

    def _unread(
        self, folder: str, read_name: Callable[[str], R | None], is_read: Callable[[R], bool]
    ) -> Iterator[tuple[R, str, bytes]]:
        """The records in a folder that were not read yet, with what their names say."""
        listed = self._objects.list(self._names.folder(folder))
        named = {info.name: read_name(info.name) for info in listed}
        new = {name: said for name, said in named.items() if said is not None and not is_read(said)}
        for name, content in self._contents(new):
            yield new[name], name, content

    def _read_new_checkpoints(self) -> list[News]:
        """Those of others that came since: facts that need not be read one by one."""
        listed = self._objects.list(self._names.folder("checkpoints"))
        new = [info for info in listed if info.name not in self._seen_checkpoints]
        self._seen_checkpoints.update(info.name for info in new)
        newest: dict[str, ObjectInfo] = {}
        for info in new:
            process = info.name.rpartition("/")[2].partition("-")[2]
            if process != self._own and info.modified >= newest.get(process, info).modified:
                newest[process] = info
        return [news for info in newest.values() for news in self._take_checkpoint(info.name)]

    def _take_checkpoint(self, name: str) -> list[News]:
        content = self._objects.read(name, CHECKPOINT_LIMIT)
        if content is None:
            raise layout.unreadable(name, "it was listed and is gone")
        checkpoint = layout.decode(content, Checkpoint, name)
        news = self.history.take_checkpoint(checkpoint, name)
        for process, number in checkpoint.read.items():
            seen = self.history.processes[process]
            seen.next = max(seen.next, number)
            seen.machine = seen.machine or checkpoint.machines.get(process, "")
            seen.ended = seen.ended or process in checkpoint.ended
        return news

    def _see_signs(self) -> None:
        for info in self._objects.list(self._names.folder("signs")):
            process = layout.process_of(info.name)
            if process is not None:
                self._saw(process, info.modified)

    def _saw(self, process: str, at: float) -> None:
        with self.history.lock:
            seen = self.history.processes[process]
            seen.seen = max(seen.seen, at)
            self.history.newest = max(self.history.newest, at)

    def look_at(self, process: str) -> None:
        """See when one process last gave a sign or wrote a record."""
        sign = self._objects.info(self._names.sign(process))
        batches = self._batches(self._names.folder("log"), process)
        for info in (sign, *batches):
            if info is not None:
                self._saw(process, info.modified)

    def _read_logs(self, is_silent: Callable[[str], bool] | None) -> tuple[bool, list[News]]:
        """Whether some are left for later, and what was read."""
        folder = self._names.folder("log")
        processes = [p for p in self._objects.folders(folder) if layout.process_of(p)]
        open_ = [p for p in processes if p != self._own and not self.history.processes[p].ended]
        listed = self._together(lambda p: self._batches(folder, p), open_)
        news: list[News] = []
        later = False
        for process, infos in listed:
            for info in infos:
                self._saw(process, info.modified)
            if is_silent is not None and len(infos) > _FEW and not is_silent(process):
                later = True
            else:
                news.extend(self._read_log(process, infos))
        return later, news

    def _batches(self, folder: str, process: str) -> list[ObjectInfo]:
        following = self.history.processes[process].next
        after = f"{following - 1:08}" if following else ""
        infos = self._objects.list(f"{folder}/{process}", after)
        return [info for info in infos if layout.numbered(info.name) is not None]

    def _read_log(self, process: str, infos: Sequence[ObjectInfo]) -> Iterator[News]:
        """A log's records, each of which was written after the one before.

        The listing of a folder may miss one that is just made, so all up to the last are read.
        """
        seen = self.history.processes[process]
        last = max((layout.numbered(info.name) or 0 for info in infos), default=-1)
        if last - seen.next > len(infos) + _AT_ONCE:
            name = self._names.batch(process, seen.next)
            raise layout.unreadable(name, "it is missing, and later ones are there")
        names = [self._names.batch(process, number) for number in range(seen.next, last + 1)]
        for name, content in self._contents(names):
            batch = layout.decode(content, Batch, name)
            if batch.process != process:
                raise layout.unreadable(name, f"it is of {batch.process}")
            taken = [self.history.take(fact, name) for fact in batch.facts]
            yield from (news for news in taken if news is not None)
            seen.next += 1
            seen.machine = batch.machine
            seen.ended = batch.ends

    def _unread_claims(self, listed: Sequence[ObjectInfo]) -> list[tuple[AttemptId, ObjectInfo]]:
        """The claims of which nothing was read; of all others it is seen when they were made."""
        owners, start = self.history.owners, len(self._names.folder("claims")) + 1
        unread: list[tuple[AttemptId, ObjectInfo]] = []
        newest: dict[str, float] = {}
        for info in listed:  # of a long run tens of thousands
            owner = owners.get(info.name[start:])
            if owner is not None:
                if info.modified > newest.get(owner, 0.0):
                    newest[owner] = info.modified
            elif (of := layout.claimed(info.name)) is not None:
                unread.append((of, info))
        for owner, at in newest.items():
            self._saw(owner, at)
        return unread

    def _contents(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """All of these objects, in their order; raises `UnreadableError` for one that is gone."""
        for name, content in self._together(lambda n: self._objects.read(n, LIMIT), names):
            if content is None:
                raise layout.unreadable(name, "it is gone, and something is known of it")
            yield name, content

    @staticmethod
    def _together(call: Callable[[str], R], names: Collection[str]) -> Iterator[tuple[str, R]]:
        if len(names) <= 1:
            yield from ((name, call(name)) for name in names)
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from zip(names, pool.map(call, names), strict=True)
