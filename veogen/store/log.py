"""A process's own log: what happened, written in order and never changed, by a thread beside it."""

import threading
from collections.abc import Sequence

from veogen.store.layout import LIMIT, Batch, Fact, RunNames, encode
from veogen.store.objects import Objects, StoreError
from veogen.store.signs import StoreTime

WITHIN = 1.0
"""Seconds within which what happened is written; a task id is at once."""

_LONGEST_BATCH = LIMIT // 2
_PAUSE = 1.0


class StolenNameError(StoreError):
    """Somebody else wrote into this process's log."""


class OwnLog:
    """Facts go in, and are in the store soon after; nothing is lost while this process lives."""

    def __init__(
        self, objects: Objects, names: RunNames, process: str, machine: str, time: StoreTime
    ) -> None:
        self._objects = objects
        self._names = names
        self._process = process
        self._machine = machine
        self._time = time
        self._change = threading.Condition()
        self._waiting: list[tuple[float, Fact]] = []
        self._unanswered: tuple[bytes, int] | None = None
        self._hurry = False
        self._closing = False
        self._away: StoreError | None = None
        self._thread = threading.Thread(target=self._work, name="store-log", daemon=True)
        self.next = 0
        self.written = 0

    def open(self, first: Batch) -> None:
        """Write the log's first record, twice: raises `StoreError` unless that is refused."""
        name = self._names.batch(self._process, 0)
        if self._objects.create(name, encode(first)) is not None:
            raise StolenNameError(f"{name}: another process has this name")
        again = Batch(process=self._process, machine=self._machine, at=first.at, opens=2)
        if self._objects.create(name, encode(again)) is None:
            raise StoreError(
                "this store writes over what is there (it was asked to create one record twice, "
                "and did): two machines could buy one clip, so it is refused; nothing was sent"
            )
        self.next = 1
        self._thread.start()

    def add(self, facts: Sequence[Fact], *, prompt: bool = False) -> None:
        """Have these written: at once, or within a second."""
        now = self._time.monotonic()
        with self._change:
            self._waiting.extend((now, fact) for fact in facts)
            self._hurry = self._hurry or prompt
            self._change.notify_all()

    @property
    def waits_for(self) -> float:
        """Seconds for which the oldest fact has waited to be in the store."""
        with self._change:
            return self._time.monotonic() - self._waiting[0][0] if self._waiting else 0.0

    @property
    def trouble(self) -> StoreError | None:
        """What the store said last, if it took nothing."""
        with self._change:
            return self._away

    def flush(self, seconds: float) -> bool:
        """Have everything written now; whether it was, after so many seconds at most."""
        with self._change:
            self._hurry = True
            self._change.notify_all()
            return self._change.wait_for(lambda: not self._waiting, seconds)

    def close(self, seconds: float) -> bool:
        """Write what waits and end the thread; whether all is written."""
        done = self.flush(seconds)
        with self._change:
            self._closing = True
            self._change.notify_all()
        return done

    def end(self, at: float) -> None:
        """Say that nothing more follows: what this process claimed and did not send, it never will.

        Only once all is written, and the thread has ended.
        """
        self.close(0.0)
        self._thread.join()
        last = Batch(process=self._process, machine=self._machine, at=at, ends=True)
        self._create(encode(last))

    def _work(self) -> None:
        while True:
            facts = self._next_batch()
            if not facts:
                return
            if self._unanswered is None:
                batch = Batch(self._process, self._machine, self._time.now(), tuple(facts))
                self._unanswered = encode(batch), len(facts)
            content, count = self._unanswered  # the very bytes that may be there already
            error: StoreError | None = None
            try:
                self._create(content)
            except StoreError as raised:
                error = raised
            with self._change:
                self._away, self._hurry = error, self._hurry or error is not None
                if error is None:
                    self._unanswered = None
                    del self._waiting[:count]
                    self.written += count
                elif self._closing:  # who leaves does not wait for it
                    self._waiting.clear()
                self._change.notify_all()
                if error is not None:  # it is tried again after a while
                    self._change.wait_for(lambda: self._closing, _PAUSE)

    def _next_batch(self) -> list[Fact]:
        """What fits into the next record, once it is time; empty when nothing more comes."""
        with self._change:
            while True:
                age = self._time.monotonic() - self._waiting[0][0] if self._waiting else 0.0
                if self._waiting and (self._hurry or self._closing or age >= WITHIN):
                    break
                if self._closing:
                    return []
                self._change.wait(WITHIN - age if self._waiting else None)
            size, facts = 0, list[Fact]()
            for _, fact in self._waiting:
                size += len(bytes(fact.event)) + 500
                if facts and size > _LONGEST_BATCH:
                    break
                facts.append(fact)
            self._hurry = len(facts) < len(self._waiting)
            return facts

    def _create(self, content: bytes) -> None:
        name = self._names.batch(self._process, self.next)
        there = self._objects.create(name, content)
        if there is not None:
            raise StolenNameError(f"{name}: another process wrote into the log of this one")
        self.next += 1
