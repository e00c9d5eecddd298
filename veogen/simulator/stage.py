"""What a request asks of a clip, whatever its model calls a value: a project may bring its own."""

from collections.abc import Mapping
from typing import Any

_SECONDS, _LONGEST = 8, 60
_MOST = 16


def seconds_of(settled: Mapping[str, Any]) -> int:
    return _whole(settled.get("duration"), _LONGEST, _SECONDS)


def number_of(settled: Mapping[str, Any]) -> int:
    return _whole(settled.get("n"), _MOST, 1)


def has_audio(settled: Mapping[str, Any]) -> bool:
    return settled.get("generate_audio") is not False


def _whole(value: Any, most: int, default: int) -> int:
    return value if type(value) is int and 1 <= value <= most else default
