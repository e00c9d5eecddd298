"""The grammar of a faults file as data: which keys there are, and what each takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """What a key takes; `means` turns the written value into ours."""

    noun: str
    fits: Callable[[Any], bool]
    means: Callable[[Any], Any] = lambda value: value


_WIDEST = 3.0  # a sigma: at three, one task in ten thousand takes 70,000 times the median


def _number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _share(value: Any) -> bool:
    return _number(value) and value <= 1


def _one_of(*allowed: str) -> Field:
    return Field(f"one of {', '.join(allowed)}", lambda value: value in allowed)


_TEXT = Field("a string", lambda value: isinstance(value, str))
_FLAG = Field("true or false", lambda value: isinstance(value, bool))
_COUNT = Field("a whole number", _count)
_POSITIVE = Field("a whole number above 0", lambda value: _count(value) and value > 0)
_SECONDS = Field("a number of seconds", _number, float)
_SHARE = Field("a number from 0 to 1", _share, float)
_STATUS = Field(
    "a status from 200 to 599", lambda value: _count(value) and value in range(200, 600)
)
_CODE = Field("a string or a number", lambda value: isinstance(value, str) or _count(value))
_DETAILS = Field("a mapping", lambda value: isinstance(value, dict), dict)
_IDS = Field(
    "a list of ids",
    lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    tuple,
)

WHEN: Mapping[str, Field] = {
    "prompt": _TEXT,
    "rate": _SHARE,
    "times": _POSITIVE,
    "total": _POSITIVE,
    "skip": _COUNT,
    "from": _SECONDS,
    "to": _SECONDS,
}
_ANSWER: Mapping[str, Field] = {
    "status": _STATUS,
    "code": _CODE,
    "message": _TEXT,
    "details": _DETAILS,
    "body": _one_of("json", "html", "empty", "garbage"),
    "retry_after": _COUNT,
    "retry_after_date": _COUNT,
    "location": _TEXT,
}
_LATER = {"seconds": _SECONDS}
_EVERYWHERE: Mapping[str, Mapping[str, Field]] = {
    "answer": _ANSWER,
    "drop": {},
    "hang": _LATER,
    "slow": _LATER,
}
_TAKEN = {"taken": _FLAG}
_AFTER = {"after": _SHARE}
_ENDED = {"message": _TEXT, "details": _DETAILS, "charged": _FLAG}

ACTIONS: Mapping[str, Mapping[str, Mapping[str, Field]]] = {
    "submit": {
        **{
            do: details if do == "slow" else {**details, **_TAKEN}
            for do, details in _EVERYWHERE.items()
        },
        "no-id": _TAKEN,
    },
    "poll": {
        **_EVERYWHERE,
        "wrong-id": {},
        "unknown-state": {"state": _TEXT},
        "no-links": {},
        "fewer-links": {"links": _COUNT},
    },
    "task": {
        "fail": {"code": _TEXT, **_ENDED},
        "cancel": _ENDED,
        "stuck": {},
        "slow": _LATER,
    },
    "download": {
        **_EVERYWHERE,
        "drop": _AFTER,
        "truncated": {**_AFTER, "length": _FLAG},
        "corrupt": {},
        "expired": {},
        "no-length": {},
        "changed": {},
    },
    **dict.fromkeys(("upload", "batch", "list", "credits", "models"), _EVERYWHERE),
}
"""What can go wrong where, and the details that each takes."""

REQUIRED = {"answer": ("status",), "slow": ("seconds",), "fail": ("code",)}

GATEWAY: Mapping[str, Field] = {
    "concurrency": _POSITIVE,
    "requests_per_minute": _POSITIVE,
    "reads_per_minute": _POSITIVE,
    "retry_after": _one_of("none", "seconds", "date"),
    "credits": Field("a number of credits", _number, lambda value: Decimal(str(value))),
    "links_expire": _SECONDS,
    "files_expire": _SECONDS,
    "max_files": _COUNT,
    "models": _IDS,
    "spread": Field(
        "a number from 0 to 3", lambda value: _number(value) and value <= _WIDEST, float
    ),
    "estimated_time": _COUNT,
    "clips": _one_of("each", "shared"),
}
OUTAGE: Mapping[str, Field] = {"from": _SECONDS, "seconds": _SECONDS}
OURS = {"from": "since", "to": "until"}
