"""The bytes of `results.json`, again and again while a run goes on."""

from collections.abc import Iterable

from veogen.document.indented import indented
from veogen.results.ledger import Ledger, Standing
from veogen.results.manifest import FORMAT, GatewayName, line_of

_HEAD, _DEEPER = "\n  ", "\n    "


class Renderer:
    """Remembers the lines of requests that have not moved since: only the others cost time."""

    def __init__(self, gateway: GatewayName) -> None:
        self._gateway = gateway
        self._lines: dict[str, tuple[Standing, str]] = {}

    def render(self, ledger: Ledger) -> bytes:
        """The manifest's bytes: the same for the same fold, on any machine."""
        fields = {
            "format": indented(FORMAT),
            "name": indented(ledger.name),
            "gateway": indented(self._gateway),
            "results": self._list(ledger.planned),
            "former": self._list(ledger.former),
        }
        body = ",".join(f'{_HEAD}"{name}": {text}' for name, text in fields.items())
        return f"{{{body}\n}}\n".encode()

    def _list(self, standings: Iterable[Standing]) -> str:
        body = ",".join([f"{_DEEPER}{self._line(standing)}" for standing in standings])
        return f"[{body}{_HEAD}]" if body else "[]"

    def _line(self, standing: Standing) -> str:
        known = self._lines.get(standing.record.hash)
        if known is not None and _is_same(known[0], standing):
            return known[1]
        text = indented(line_of(standing), _DEEPER)
        self._lines[standing.record.hash] = (standing, text)
        return text


def _is_same(one: Standing, other: Standing) -> bool:
    """Whether nothing has happened in between: what happens makes a new record."""
    return one.record is other.record and one.entry is other.entry


def render(ledger: Ledger, gateway: GatewayName) -> bytes:
    """As a renderer does that remembers nothing."""
    return Renderer(gateway).render(ledger)
