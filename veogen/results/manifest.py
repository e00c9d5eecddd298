"""`results.json`: what the team owns, to be committed, merged and read on other machines."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from msgspec import Struct, convert

from veogen.catalogue.parameters import Json
from veogen.errors import VeogenError
from veogen.results.records import Failure
from veogen.results.statuses import Status, status_of
from veogen.results.videos import Video
from veogen.terminal import is_plain

FORMAT = "veogen.results/1"
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


class Line(Struct, frozen=True):
    """One request as a results manifest tells of it, in its order."""

    address: str
    hash: str
    shot: str
    take: int
    variables: Mapping[str, Json]
    status: Status
    task_id: str | None
    attempts: int
    credits: Decimal | None
    error: Failure | None
    videos: tuple[Video, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A results manifest, read and checked."""

    name: str
    gateway: GatewayName
    results: tuple[Line, ...]
    former: tuple[Line, ...]


def parse(raw: bytes, path: str) -> Manifest:
    """Read a manifest, which is input from a pull request; raises `ManifestError`."""
    try:
        data = _json(raw)
        _refuse_other_formats(data["format"], path)
        manifest = Manifest(
            name=_text(data["name"]),
            gateway=_gateway(data["gateway"]),
            results=tuple(map(_read_line, _list(data["results"]))),
            former=tuple(map(_read_line, _list(data["former"]))),
        )
        _refuse_doubles(manifest)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestError(
            f"{path}: this is not a results manifest ({_reason(error)}); nothing was sent. "
            "Restore it from git, or resolve the merge, and run again"
        ) from None
    return manifest


def _json(raw: bytes) -> Any:
    """What can be written again as it was read: no numbers without end, no half characters."""
    data = json.loads(raw.decode("utf-8-sig"), parse_float=_finite, parse_constant=_finite)
    if b"\\u" in raw:
        json.dumps(data, ensure_ascii=False).encode()
    return data


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number")
    return number


def _reason(error: Exception) -> str:
    words = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
    return words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]}…"


def _refuse_other_formats(found: Any, path: str) -> None:
    if found != FORMAT:
        raise ManifestError(f"{path}: its format is {found!r}, this veogen reads {FORMAT!r}")


def _gateway(value: Any) -> GatewayName:
    names: tuple[GatewayName, ...] = ("evolink", "simulated")
    for name in names:
        if name == value:
            return name
    raise ValueError(f"{value!r} is not a gateway")


def _refuse_doubles(manifest: Manifest) -> None:
    seen: set[str] = set()
    for line in (*manifest.results, *manifest.former):
        if line.hash in seen:
            raise ValueError(f"{line.hash} stands in it twice")
        seen.add(line.hash)


def _read_line(data: Mapping[str, Any]) -> Line:
    line = Line(
        address=_text(data["address"]),
        hash=_hash(data["hash"]),
        shot=_text(data["shot"]),
        take=_count(data["take"], _MOST_TAKES),
        variables=_mapping(data["variables"]),
        status=status_of(data["status"]),
        task_id=_task_id(data["task_id"]),
        attempts=_count(data["attempts"], _MOST_ATTEMPTS),
        credits=_credits(data["credits"]),
        error=_error(data["error"]),
        videos=convert(data["videos"], tuple[Video, ...]),
    )
    if line.status in ("submitted", "completed", "undelivered") and line.task_id is None:
        raise ValueError(f"{line.address!r} is {line.status} without a task_id")
    return line


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def _mapping(value: Any) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not a mapping")
    return value


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError(f"{value!r} is no hash")
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
    if not isinstance(value, str) or not _CREDITS.fullmatch(value):
        raise ValueError(f"{value!r} is not an amount of credits")
    return Decimal(value)


def _error(value: Any) -> Failure | None:
    if value is None:
        return None
    code, message = _text(value["code"]), value["message"]
    if not isinstance(message, str):
        raise TypeError(f"{message!r} is not a text")
    return Failure(code, message)
