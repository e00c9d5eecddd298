"""Values of the gateway's JSON and headers, read defensively: none of them raises."""

import json
from collections.abc import Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from veogen.text import rounded_credits

LONGEST_RETRY_AFTER = 600.0
_LONGEST_NUMBER = 32  # digits
_MOST = Decimal(10) ** 12
_NUMBERS = (int, Decimal)


def parse(body: bytes) -> Any:
    """The JSON of a body with its numbers exact; None when it is none."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=lambda _: None)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def parse_object(body: bytes) -> Mapping[str, Any]:
    return mapping(parse(body))


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds to wait: a number, or a date measured by the answer's own clock if it has one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_RETRY_AFTER)
    due = _date(value)
    if due is None:
        return None
    since = _date(headers.get("date", "")) or now
    return min(max(due - since, 0.0), LONGEST_RETRY_AFTER)


def number(value: object) -> Decimal | None:
    """A number that is neither negative nor beyond all measure; None for anything else."""
    found = _finite(value)
    return abs(found) if found is not None and found >= 0 else None  # `-0` is 0


def credits_of(value: object) -> Decimal | None:
    """Credits with their places."""
    return _credits(number(value))


def balance_of(value: object) -> Decimal | None:
    """As `credits_of`, but an account may be in debt."""
    return _credits(_finite(value))


def _credits(found: Decimal | None) -> Decimal | None:
    return None if found is None else rounded_credits(found)


def _finite(value: object) -> Decimal | None:
    if isinstance(value, str) and value.isascii() and len(value) <= _LONGEST_NUMBER:
        try:
            value = Decimal(value)
        except ArithmeticError:
            return None
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    decimal = Decimal(value)
    return decimal if decimal.is_finite() and abs(decimal) < _MOST else None


def _date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def link_source(link: str) -> str:
    """A link without its signature, which changes with every look at the task."""
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
