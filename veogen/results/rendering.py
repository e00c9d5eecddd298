"""The bytes of `results.json`, again and again while a run goes on."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from json.encoder import encode_basestring as quoted

from veogen.document.compact import compact
from veogen.document.indented import form, indented
from veogen.results.ledger import Ledger, Standing
from veogen.results.manifest import FORMAT, GatewayName
from veogen.results.records import Failure
from veogen.results.videos import Video

_LISTED, _FIELD, _OF_FIELD = "\n    ", "\n      ", "\n        "
"""Before each request of a list, each field of a request, each item of a field."""

_REQUEST = form(
    (
        "address",
        "hash",
        "shot",
        "take",
        "variables",
        "status",
        "task_id",
        "attempts",
        "credits",
        "error",
        "videos",
    ),
    _LISTED,
)
_VIDEO = form(Video.__struct_fields__, _OF_FIELD)


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
        text = _text(standing).encode()
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
    texts = ",".join(map(_text, standings))
    return f"[{texts}\n  ]" if texts else "[]"


def _text(standing: Standing) -> str:
    """One request: put together by hand, as a large run writes and reads it again and again."""
    entry, record = standing
    return _LISTED + _REQUEST % (
        quoted(entry.address),
        quoted(entry.hash),
        quoted(entry.shot),
        entry.take,
        indented(dict(entry.variables), _FIELD),
        quoted(record.status),
        "null" if record.task_id is None else quoted(record.task_id),
        record.attempts,
        "null" if record.credits is None else f'"{record.credits}"',
        "null" if record.error is None else indented(_error(record.error), _FIELD),
        _videos([record.videos[index] for index in sorted(record.videos)]),
    )


def _error(error: Failure) -> dict[str, str]:
    return {"code": error.code, "message": error.message}


def _videos(videos: Sequence[Video]) -> str:
    return f"[{','.join(map(_video, videos))}{_FIELD}]" if videos else "[]"


def _video(video: Video) -> str:
    return _OF_FIELD + _VIDEO % (
        quoted(video.path),
        quoted(video.sha256),
        video.bytes,
        compact(video.duration),
        video.width,
        video.height,
        compact(video.fps),
        "true" if video.audio else "false",
        indented(video.warnings, f"{_OF_FIELD}  "),
    )
