"""Reading a faults file (`guide.py` tells what may be written), with mistakes at their place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veogen.catalogue.parameters import shown
from veogen.document.problems import Problems, did_you_mean
from veogen.document.reader import read
from veogen.document.values import Map, Place, Seq, Value
from veogen.errors import UsageError
from veogen.simulator.faults import Fault
from veogen.simulator.grammar import ACTIONS, GATEWAY, OURS, OUTAGE, REQUIRED, WHEN, Field
from veogen.simulator.options import Gateway, Options, Outage


@dataclass(frozen=True, slots=True)
class Scenario:
    """A faults file, read."""

    gateway: Gateway = Gateway()  # noqa: RUF009 - frozen
    faults: tuple[Fault, ...] = ()


def options(faults: Path | None, **told: Any) -> Options:
    """Options of a simulator whose account and faults are those of a file, if there is one."""
    scenario = load(faults) if faults else Scenario()
    return Options(gateway=scenario.gateway, faults=scenario.faults, **told)


def load(path: Path) -> Scenario:
    """The scenario of a file; raises `UsageError` or `MistakesError`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return parse(raw, str(path))


def parse(raw: bytes, path: str) -> Scenario:
    """The scenario in `raw`; raises `MistakesError` with every mistake at its place."""
    document = read(raw, path)
    problems = Problems()
    reading = _Reading(problems)
    if isinstance(document, Map):
        scenario = reading.scenario(document)
    else:
        scenario = Scenario()
        if document is not None:
            problems.error(_start(document, path), "type", "a faults file is a mapping")
    problems.raise_errors()
    return scenario


class _Reading:
    """Turns a document into a scenario, collecting mistakes."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def scenario(self, document: Map) -> Scenario:
        self._known(document, ("gateway", "faults"), "a faults file")
        faults = [self._fault(entry) for entry in self._list(document, "faults")]
        gateway = Gateway()
        if isinstance(written := document.get("gateway"), Map):
            gateway = self._gateway(written)
        elif written is not None:
            self._problems.error(document.value_place("gateway"), "type", "gateway is a mapping")
        return Scenario(gateway, tuple(fault for fault in faults if fault))

    def _gateway(self, written: Map) -> Gateway:
        outages = [self._outage(entry) for entry in self._list(written, "outages")]
        fields = self._fields(written, GATEWAY, "gateway", "outages")
        return Gateway(**fields, outages=tuple(outage for outage in outages if outage))

    def _outage(self, entry: Map) -> Outage | None:
        fields = self._fields(entry, OUTAGE, "an outage")
        self._missing(entry, OUTAGE)
        return Outage(**fields) if len(fields) == len(OUTAGE) else None

    def _fault(self, entry: Map) -> Fault | None:
        for key, allowed in (("at", ACTIONS), ("do", ACTIONS.get(str(entry.get("at")), {}))):
            value = entry.get(key)
            if not isinstance(value, str) or value not in allowed:
                self._choose(entry, key, allowed)
                return None
        at, do = str(entry["at"]), str(entry["do"])
        fields = self._fields(entry, {**WHEN, **ACTIONS[at][do]}, f"{at} {do}", "at", "do")
        self._missing(entry, REQUIRED.get(do, ()))
        return Fault(at=at, do=do, **fields)  # type: ignore[arg-type]  # one of ACTIONS

    def _fields(
        self, written: Map, fields: Mapping[str, Field], what: str, *others: str
    ) -> dict[str, Any]:
        self._known(written, (*others, *fields), what)
        read_fields = {}
        for key, field in fields.items():
            if key in written and field.fits(written[key]):
                read_fields[OURS.get(key, key)] = field.means(written[key])
            elif key in written:
                message = f"{key} is {field.noun}, not {_shown(written[key])}"
                self._problems.error(written.value_place(key), "value", message)
        return read_fields

    def _known(self, written: Map, known: tuple[str, ...], what: str) -> None:
        for key in written:
            if key not in known:
                message, hint = f"{key!r} is not a key of {what}", did_you_mean(key, known)
                self._problems.error(written.key_place(key), "unknown-key", message, hint)

    def _choose(self, entry: Map, key: str, allowed: Mapping[str, Any]) -> None:
        if key not in entry:
            self._missing(entry, (key,))
            return
        value = entry[key]
        message = f"{key} is one of {', '.join(allowed)}, not {_shown(value)}"
        hint = did_you_mean(str(value), allowed)
        self._problems.error(entry.value_place(key), "value", message, hint)

    def _missing(self, entry: Map, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in entry:
                self._problems.error(entry.place, "missing", f"{key!r} is missing")

    def _list(self, document: Map, key: str) -> list[Map]:
        written = document.get(key)
        if written is None:
            return []
        if not isinstance(written, Seq):
            self._problems.error(document.value_place(key), "type", f"{key} is a list")
            return []
        for index, entry in enumerate(written):
            if not isinstance(entry, Map):
                message = f"an entry of {key} is a mapping"
                self._problems.error(written.value_place(index), "type", message)
        return [entry for entry in written if isinstance(entry, Map)]


def _start(document: Value, path: str) -> Place:
    return document.place if isinstance(document, Map | Seq) else Place(path, 1, 1)


def _shown(value: Value) -> str:
    return (
        f"a {'mapping' if isinstance(value, Map) else 'list'}"
        if isinstance(value, Map | Seq)
        else shown(value)
    )
