"""The bytes of `results.json`, again and again while a run goes on."""

from collections.abc import Iterable, Iterator

from veogen.document.indented import indented
from veogen.results.ledger import Ledger, Standing
from veogen.results.manifest import FORMAT, GatewayName, line_of

_HEAD, _DEEPER = "\n  ", "\n    "


class Renderer:
    """Remembers the lines of requests that have not moved since: only the others cost time."""

    def __init__(self, gateway: GatewayName) -> None:
        self._gateway = gateway
        self._lines: dict[str, tuple[Standing, bytes]] = {}

    def render(self, ledger: Ledger) -> bytes:
        """The manifest's bytes: the same for the same fold, on any machine."""
        return b"".join(self._pieces(ledger))  # once, and at the end: a large run's are megabytes

    def _pieces(self, ledger: Ledger) -> Iterator[bytes]:
        fields = {"format": FORMAT, "name": ledger.name, "gateway": self._gateway}
        lists = {"results": ledger.planned, "former": ledger.former}
        head = ",".join(f'{_HEAD}"{name}": {indented(value)}' for name, value in fields.items())
        yield f"{{{head}".encode()
        for name, standings in lists.items():
            yield f',{_HEAD}"{name}": '.encode()
            yield from self._list(standings)
        yield b"\n}\n"

    def _list(self, standings: Iterable[Standing]) -> Iterator[bytes]:
        before = b"["
        for standing in standings:
            yield before
            yield self._line(standing)
            before = b","
        yield b"[]" if before == b"[" else f"{_HEAD}]".encode()

    def _line(self, standing: Standing) -> bytes:
        known = self._lines.get(standing.record.hash)
        if known is not None and _is_same(known[0], standing):
            return known[1]
        text = f"{_DEEPER}{indented(line_of(standing), _DEEPER)}".encode()
        self._lines[standing.record.hash] = (standing, text)
        return text


def _is_same(one: Standing, other: Standing) -> bool:
    """Whether nothing has happened in between: what happens makes a new record."""
    return one.record is other.record and one.entry is other.entry


def render(ledger: Ledger, gateway: GatewayName) -> bytes:
    """As a renderer does that remembers nothing."""
    return Renderer(gateway).render(ledger)
