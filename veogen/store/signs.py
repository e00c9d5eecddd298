"""Signs of life, and who is silent: by the store's clock, as those of machines differ."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import NamedTuple, Protocol

from veogen.errors import UsageError
from veogen.store.layout import RunNames, Sign, encode
from veogen.store.objects import Objects

SILENCE = 300.0
"""Seconds without a sign, a claim or a record, after which a machine is silent."""

FRESH = 60.0
"""Seconds after a look within which a POST may leave."""


class StoreTime(Protocol):
    """The clocks of this machine, all in seconds."""

    def now(self) -> float:
        """Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def boot(self) -> float:
        """Seconds that never jump and count while the machine sleeps."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a machine may be silent, and how often it gives a sign; seconds."""

    silence: float = SILENCE
    every: float = 60.0
    fresh: float = FRESH

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Patience":
        """As tests set it: signs at a fifth of the silence, as in earnest."""
        text = environ.get("VEOGEN_STORE_SILENCE", "")
        if not text:
            return cls()
        try:
            silence = float(text)
        except ValueError:
            silence = 0.0
        if not 0.0 < silence <= SILENCE:
            raise UsageError(f"VEOGEN_STORE_SILENCE is seconds, at most {SILENCE:.0f}")
        return cls(silence, silence / 5, silence / 5)


class Look(NamedTuple):
    """When a process began to look whether it may still send, by two clocks."""

    wall: float
    boot: float

    @classmethod
    def begin(cls, time: StoreTime) -> "Look":
        return cls(time.now(), time.boot())

    def age(self, time: StoreTime) -> float:
        """Seconds since; of a machine that slept or whose clock was set, the longer ones."""
        return max(time.now() - self.wall, time.boot() - self.boot)


class SignOfLife:
    """This process's sign, and through it the time of the store."""

    def __init__(
        self, objects: Objects, names: RunNames, process: str, machine: str, time: StoreTime
    ) -> None:
        self._objects = objects
        self._name = names.sign(process)
        self._machine = machine
        self._time = time
        self._ahead: float | None = None
        self._last: Look | None = None

    def write(self) -> None:
        """Write the sign, and read what time the store says it is."""
        look = Look.begin(self._time)
        sign = Sign(machine=self._machine, at=look.wall)
        self._objects.replace(self._name, encode(sign))
        info = self._objects.info(self._name)
        if info is not None:
            self._ahead = info.modified - self._time.boot()
        self._last = look

    @property
    def age(self) -> float:
        """Seconds since the last one; without end before the first."""
        return inf if self._last is None else self._last.age(self._time)

    def store_now(self) -> float:
        """The store's time; before the first sign our own."""
        return self._time.now() if self._ahead is None else self._time.boot() + self._ahead


def new_process(machine: str) -> str:
    """A name that no other process has, and that tells its machine."""
    return f"{machine}.{os.urandom(6).hex()}"


def machine_name(host: str) -> str:
    """A host's name as it can stand in names of objects."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in host.lower())
    return kept.strip("-_")[:40] or "machine"
