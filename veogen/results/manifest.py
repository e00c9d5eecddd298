"""`results.json`: what the team owns, to be committed, merged and read on other machines."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal, NamedTuple, Self, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, convert

from veogen.errors import VeogenError
from veogen.jsontext import indented, strict
from veogen.models.parameters import Json
from veogen.results.events import OtherPurchase, Status, Video, status_of
from veogen.results.facts import TEMPORARY, Failure
from veogen.results.ledger import Ledger, RequestState
from veogen.text import is_plain

FORMAT = "veogen.results/1"
_T = TypeVar("_T")
GatewayName: TypeAlias = Literal["evolink", "simulated"]

_HASH = re.compile(r"[0-9a-f]{64}")
_CREDITS = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f]")  # the others stand in addresses as they are
_LONGEST_TASK_ID = 200  # as long as the gateway's may be when they come
_MOST_ATTEMPTS = 10_000
_MOST_TAKES = 10_000_000
_LONGEST_REASON = 200


class ManifestError(VeogenError):
    """A results manifest cannot be read or trusted; nothing is bought on its ground."""


class ManifestLine(Struct, frozen=True, kw_only=True):
    """One request as a results manifest tells of it, in its order.

    `attempts` counts to the one that stands here, `estimate` is set where something was sent and
    it is not `credits`, and `others` where there are any.
    """

    address: str
    hash: str
    shot: str
    take: int
    variables: Mapping[str, Json]
    status: Status
    task_id: str | None
    attempts: int
    credits: Decimal | None
    estimate: Decimal | UnsetType = UNSET
    error: Failure | None
    videos: tuple[Video, ...]
    others: tuple[OtherPurchase, ...] | UnsetType = UNSET

    @property
    def task_ids(self) -> Iterator[str]:
        """Every task that it names."""
        others = () if self.others is UNSET else self.others
        for task_id in (self.task_id, *(other.task_id for other in others)):
            if task_id is not None:
                yield task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A results manifest, read and checked."""

    name: str
    gateway: GatewayName
    results: tuple[ManifestLine, ...]
    former: tuple[ManifestLine, ...]


def parse(raw: bytes, path: str) -> Manifest:
    """Read a manifest, which is input from a pull request; raises `ManifestError`."""
    try:
        data = _mapping(strict(raw.decode("utf-8-sig")))
        if b"\\u" in raw:  # it must be possible to write it again: no half characters
            json.dumps(data, ensure_ascii=False).encode()
        if (form := data["format"]) != FORMAT:
            raise ManifestError(f"{path}: its format is {form!r}, this veogen reads {FORMAT!r}")
        manifest = Manifest(
            name=_text(data["name"]),
            gateway=_gateway(data["gateway"]),
            results=_read_lines(data["results"]),
            former=_read_lines(data["former"]),
        )
        _refuse_doubles(manifest)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        words = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        reason = words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]}…"
        raise ManifestError(
            f"{path}: this is not a results manifest ({reason}); nothing was sent. "
            "Restore it from git, or resolve the merge, and run again"
        ) from None
    return manifest


def _mapping(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise TypeError("it is no mapping")
    return data


def _gateway(value: Any) -> GatewayName:
    names: tuple[GatewayName, ...] = ("evolink", "simulated")
    for name in names:
        if name == value:
            return name
    raise ValueError(f"{value!r} is not a gateway")


def _refuse_doubles(manifest: Manifest) -> None:
    """A request may stand in both lists: git merges them by itself where one had not the plan."""
    owners: dict[str, ManifestLine] = {}
    for lines in (manifest.results, manifest.former):
        seen: set[str] = set()
        for line in lines:
            if line.hash in seen:
                raise ValueError(f"{line.hash} stands in it twice")
            seen.add(line.hash)
            for task_id in line.task_ids:
                owner = owners.setdefault(task_id, line)
                if owner.hash != line.hash:
                    told = f"is of {owner.address!r} and of {line.address!r}"
                    raise ValueError(f"{task_id} {told}")


def _read_lines(value: Any) -> tuple[ManifestLine, ...]:
    """A request that is planned, and stands there again, is read once, and as the bought one.

    Git puts it there by itself, without a conflict, where two branches have added it: what stands
    below planned requests is alike, so that it takes one's for another's.
    """
    lines = list(map(_read_line, _of_type(list, value, "a list")))
    bought = {line.hash for line in lines if line.status != "planned"}
    planned: dict[str, ManifestLine] = {}
    kept = []
    for line in lines:
        if line.status == "planned":
            if line.hash in bought or planned.get(line.hash) == line:
                continue
            planned[line.hash] = line
        kept.append(line)
    return tuple(kept)


def _read_line(data: Mapping[str, Any]) -> ManifestLine:
    address = _text(data["address"])
    estimate = _credits(data["estimate"]) if "estimate" in data else None
    if estimate is None and "estimate" in data:
        raise ValueError("an estimate that is null is left out")
    line = ManifestLine(
        address=address,
        hash=_matching(_HASH, data["hash"], "no hash"),
        shot=_text(data["shot"]),
        take=_count(data["take"], _MOST_TAKES),
        variables=_of_type(dict, data["variables"], "a mapping"),
        status=status_of(data["status"]),
        task_id=_task_id(data["task_id"]),
        attempts=_count(data["attempts"], _MOST_ATTEMPTS),
        credits=_credits(data["credits"]),
        estimate=UNSET if estimate is None else estimate,
        error=(
            None
            if (error := data["error"]) is None
            else Failure(_text(error["code"]), _of_type(str, error["message"], "a text"))
        ),
        videos=convert(data["videos"], tuple[Video, ...]),
        others=_others(data["others"]) if "others" in data else UNSET,
    )
    _refuse_contradictions(line.status, line.task_id, line.videos, repr(line.address))
    return line


def _others(value: Any) -> tuple[OtherPurchase, ...]:
    others = []
    for data in _of_type(list, value, "a list"):
        other = OtherPurchase(
            attempt=_count(data["attempt"], _MOST_ATTEMPTS),
            task_id=_task_id(data["task_id"]),
            status=status_of(data["status"]),
            credits=_credits(data["credits"]),
            videos=convert(data["videos"], tuple[Video, ...]),
        )
        name = f"attempt {other.attempt}"
        _refuse_contradictions(other.status, other.task_id, other.videos, name)
        if other.status == "planned":
            raise ValueError(f"{name} is planned, and no purchase")
        others.append(other)
    return tuple(others)


def _refuse_contradictions(
    status: Status, task_id: str | None, videos: Sequence[Video], name: str
) -> None:
    """What cannot be so: it could make a purchase look like none."""
    if task_id is None and status in ("submitted", "completed", "undelivered"):
        raise ValueError(f"{name} is {status} without a task_id")
    if task_id is not None and status in ("planned", "indeterminate"):
        raise ValueError(f"{name} is {status}, and has the task {task_id}")
    if status == "completed" and not videos:
        raise ValueError(f"{name} is completed without a video")
    if status == "planned" and videos:
        raise ValueError(f"{name} is planned, and has videos")


def _matching(pattern: re.Pattern[str], value: Any, what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is {what}")
    return value


def _of_type(kind: type[_T], value: Any, name: str) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {name}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or _CONTROL.search(value):
        raise ValueError(f"{value!r} is not a plain text")
    return value


def _count(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"{value!r} is not a count")
    return value


def _task_id(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not is_plain(value, limit=_LONGEST_TASK_ID):
        raise ValueError(f"{value!r} is not a task id")
    return value


def _credits(value: Any) -> Decimal | None:
    if value is None:
        return None
    return Decimal(_matching(_CREDITS, value, "not an amount of credits"))


_LISTED = b"\n    "
"""Before each line of a request in a list."""

_encode = msgspec.json.Encoder().encode


class ManifestRenderer:
    """Remembers the lines of requests that have not moved since: only the others cost time."""

    def __init__(self, gateway: GatewayName) -> None:
        self.gateway = gateway
        self._lines: dict[str, tuple[RequestState, bytes]] = {}
        self._rendered: tuple[Ledger, str, int] | None = None
        self._digest = b""

    def render(self, ledger: Ledger) -> bytes:
        """The manifest's bytes: the same for the same fold, on any machine."""
        fields = {"format": FORMAT, "name": ledger.name, "gateway": self.gateway}
        head = ",".join(f'\n  "{name}": {indented(value)}' for name, value in fields.items())
        pieces = [f"{{{head}".encode()]
        for name, states in (("results", ledger.planned), ("former", ledger.former)):
            pieces.append(f',\n  "{name}": '.encode())
            pieces.extend(self._list(states))
        pieces.append(b"\n}\n")
        content = b"".join(pieces)  # once: a large run's are megabytes
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

    def written(self, hash_: str) -> ManifestLine | None:
        """The line of a request as it was rendered last."""
        remembered = self._lines.get(hash_)
        return None if remembered is None else line_of(remembered[0])

    def _list(self, states: Iterable[RequestState]) -> Iterator[bytes]:
        before = b"["
        for state in states:
            yield before
            hash_ = state.record.hash
            last, line = self._lines.get(hash_, (None, b""))
            # What happens makes a new record.
            if last is None or last.record is not state.record or last.request is not state.request:
                line = _line_text(state)
                self._lines[hash_] = (state, line)
            yield line
            before = b","
        yield b"[]" if before == b"[" else b"\n  ]"


def _state(ledger: Ledger) -> tuple[Ledger, str, int]:
    return ledger, ledger.name, ledger.changes


def render(ledger: Ledger, gateway: GatewayName) -> bytes:
    """As a renderer does that remembers nothing."""
    return ManifestRenderer(gateway).render(ledger)


def line_of(state: RequestState) -> ManifestLine:
    """One request as the manifest tells of it."""
    request, record = state
    attempts = record.attempts if record.current is None else record.current.attempt
    current = record.current
    is_paid = current is not None and not current.is_refused
    differs = is_paid and record.credits != request.credits
    others = [
        OtherPurchase(p.attempt, p.task_id, p.status, p.credits, _in_order(p.videos))
        for p in record.others
    ]
    return ManifestLine(
        address=request.address,
        hash=request.hash,
        shot=request.shot,
        take=request.take,
        variables=request.variables,
        status=record.status,
        task_id=record.task_id,
        attempts=attempts,
        credits=record.credits,
        estimate=request.credits if differs and request.credits is not None else UNSET,
        error=record.error,
        videos=_in_order(record.videos),
        others=tuple(others) or UNSET,
    )


def _in_order(videos: Mapping[int, Video]) -> tuple[Video, ...]:
    return tuple([videos[index] for index in sorted(videos)])


def line_data(state: RequestState) -> dict[str, Any]:
    """One request as JSON, for who adds to it."""
    data: dict[str, Any] = msgspec.to_builtins(line_of(state), str_keys=True)
    return data


def _line_text(state: RequestState) -> bytes:
    """One request in a document's list: which it is, where it stands, its videos and its others.

    Each in a line below the one before, with nothing between them. Git merges two changes cleanly
    only where a line that neither made lies between them: so whatever it merges, no request gets
    what was bought for another, and no line half of what another machine knows.
    """
    line = line_of(state)
    text = _format(_encode(line))
    variables = text.index(_VARIABLES) + len(_VARIABLES) + len(_format(_encode(line.variables)))
    status, videos = text.index(_STATUS, variables), text.index(_VIDEOS, variables)
    parts = text[: status + 1], text[status + 2 : videos + 1], text[videos + 2 :]
    return _LISTED + (_LISTED + b" ").join(parts)


_VARIABLES, _STATUS, _VIDEOS = b'"variables": ', b', "status": ', b', "videos": '
"""Outside of a text no quote is bare, so that each of them is a name wherever it stands."""


def _format(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=0)


PlanState: TypeAlias = Literal["new", "changed", "bought", "failed"]

RETRIES = 2


class OwnedRequest(NamedTuple):
    """What is known of one request from results or journal.

    `passing`: its task failed for a passing reason, as this machine has read by itself.
    """

    status: Status
    attempts: int
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Owned:
    """What is owned already: by hash, and the hashes that an address was bought under.

    `has_passing_failures`: some may be bought again by themselves, by whoever has read that they
    failed, which results do not tell.
    """

    by_hash: Mapping[str, OwnedRequest]
    by_address: Mapping[str, Sequence[str]]
    has_passing_failures: bool = False

    @classmethod
    def none(cls) -> Self:
        return cls({}, {})

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Self:
        lines = (*manifest.former, *manifest.results)  # where both tell of one, the latter counts
        held = {line.hash: OwnedRequest(line.status, line.attempts) for line in lines}
        passing = any(line.error is not None and line.error.code in TEMPORARY for line in lines)
        triples = ((line.address, line.hash, line.status) for line in lines)
        return cls(held, _bought_as(triples), passing)

    @classmethod
    def of_ledger(cls, ledger: Ledger) -> Self:
        states = list(ledger.everything)
        held = {
            s.record.hash: OwnedRequest(
                s.record.status, s.record.attempts, s.record.retries_left(s.record.attempts)
            )
            for s in states
        }
        triples = ((s.request.address, s.record.hash, s.record.status) for s in states)
        return cls(held, _bought_as(triples))

    def state(self, address: str, hash_: str) -> PlanState:
        """`bought` also where it may have been: what is indeterminate is not bought again."""
        held = self.by_hash.get(hash_)
        if held is not None and held.status == "failed":
            return "failed"
        if held is not None and held.status != "planned":
            return "bought"
        others = self.by_address.get(address, ())
        return "changed" if any(other != hash_ for other in others) else "new"

    def would_buy(self, hash_: str, retries: int = RETRIES) -> bool:
        """Whether a run would submit the request by itself."""
        held = self.by_hash.get(hash_)
        if held is None or held.status == "planned":
            return True
        return held.passing and held.attempts <= retries


def _bought_as(lines: Iterable[tuple[str, str, Status]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for address, hash_, status in lines:
        if status not in ("planned", "failed"):
            found.setdefault(address, []).append(hash_)
    return found
