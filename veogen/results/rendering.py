"""The bytes of `results.json`, again and again while a run goes on."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from msgspec import json

from veogen.document.indented import indented
from veogen.results.ledger import Ledger, Standing
from veogen.results.manifest import FORMAT, GatewayName, Line

_LISTED = b"\n    "
"""Before each line of a request in a list."""

_encode = json.Encoder().encode


class Renderer:
    """Remembers the lines of requests that have not moved since: only the others cost time."""

    def __init__(self, gateway: GatewayName) -> None:
        self._gateway = gateway
        self._lines: dict[str, tuple[Standing, bytes]] = {}
        self._rendered: tuple[Ledger, str, int] | None = None
        self._digest = b""

    def render(self, ledger: Ledger) -> bytes:
        """The manifest's bytes: the same for the same fold, on any machine."""
        content = b"".join(self._pieces(ledger))  # once: a large run's are megabytes
        self._rendered, self._digest = _state(ledger), sha256(content).digest()
        return content

    def renewed(self, before: bytes | None, ledger: Ledger) -> bytes | None:
        """The bytes to be written in the place of `before`; None if those are what they are.

        Where nothing has happened since the last time it is known without rendering.
        """
        if before and self._rendered == _state(ledger) and sha256(before).digest() == self._digest:
            return None
        content = self.render(ledger)
        return None if content == before else content

    def _pieces(self, ledger: Ledger) -> Iterator[bytes]:
        fields = {"format": FORMAT, "name": ledger.name, "gateway": self._gateway}
        lists = {"results": ledger.planned, "former": ledger.former}
        head = ",".join(f'\n  "{name}": {indented(value)}' for name, value in fields.items())
        yield f"{{{head}".encode()
        for name, standings in lists.items():
            yield f',\n  "{name}": '.encode()
            yield from self._list(standings)
        yield b"\n}\n"

    def _list(self, standings: Iterable[Standing]) -> Iterator[bytes]:
        before = b"["
        for standing in standings:
            yield before
            yield self._line(standing)
            before = b","
        yield b"[]" if before == b"[" else b"\n  ]"

    def _line(self, standing: Standing) -> bytes:
        known = self._lines.get(standing.record.hash)
        if known is not None and _is_same(known[0], standing):
            return known[1]
        text = _text(standing)
        self._lines[standing.record.hash] = (standing, text)
        return text


def _state(ledger: Ledger) -> tuple[Ledger, str, int]:
    return ledger, ledger.name, ledger.changes


def _is_same(one: Standing, other: Standing) -> bool:
    """Whether nothing has happened in between: what happens makes a new record."""
    return one.record is other.record and one.entry is other.entry


def render(ledger: Ledger, gateway: GatewayName) -> bytes:
    """As a renderer does that remembers nothing."""
    return Renderer(gateway).render(ledger)


def listed(standings: Iterable[Standing]) -> str:
    """The requests as a list in a document, each as the manifest has it."""
    texts = b",".join(map(_text, standings)).decode()
    return f"[{texts}\n  ]" if texts else "[]"


def _text(standing: Standing) -> bytes:
    """One request in lines, as a list in a document has it."""
    entry, record = standing
    line = Line(
        entry.address,
        entry.hash,
        entry.shot,
        entry.take,
        entry.variables,
        record.status,
        record.task_id,
        record.attempts,
        record.credits,
        record.error,
        tuple([record.videos[index] for index in sorted(record.videos)]),
    )
    return _LISTED + json.format(_encode(line), indent=2).replace(b"\n", _LISTED)
