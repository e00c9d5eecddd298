"""The gateway's JSON, read defensively: any byte string is an answer, none of them raises."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from veogen.gateway.exchange import Answer
from veogen.gateway.text import clean

LONGEST_RETRY_AFTER = 600.0

_MILLI = Decimal("0.001")
_LONGEST_NUMBER = 32  # digits
_MOST = Decimal(10) ** 12
_REQUEST_IDS = ("x-request-id", "x-oneapi-request-id")
_FACTS = (  # what the gateway may add to a refusal that helps the user
    "param",
    "allowed_values",
    "min",
    "max",
    "allowed_models",
    "estimated_credits",
    "account_balance_credits",
    "remaining_credits",
    "daily_limit_credits",
    "reset_timezone",
    "expired_at",
    "action_url",
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why the gateway refused; `own` says that it was the gateway, not somebody on the way."""

    own: bool
    code: str
    message: str


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


def complaint(answer: Answer, *, secret: str = "") -> Complaint:
    """What an answer that is no success says, in one line fit for a terminal."""
    data = parse_object(answer.body)
    own, error = isinstance(data.get("error"), dict), error_of(data)
    words = clean(error.get("message"), secret=secret) or _not_own(answer, own=own)
    advice = clean(error.get("fallback_suggestion"), secret=secret)
    advice = "" if advice == words else advice
    facts = ", ".join(_facts(error, secret))
    found = request_id(answer.headers, data, secret=secret)
    message = (
        (words.rstrip(".") if advice else words)
        + (f" ({facts})" if facts else "")
        + (f"; the gateway's advice: {advice}" if advice else "")
        + (f" [request {found}]" if found else "")
    )
    return Complaint(own, _code(error, answer.status, secret), message)


def error_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The gateway's error, or what stands for one in the answers of others on the way to it."""
    error = data.get("error")
    if isinstance(error, dict):
        return error
    words = (data.get("message"), data.get("msg"), error, data.get("detail"))
    said = next((text for text in words if isinstance(text, str) and text), None)
    return {} if said is None else {"code": data.get("code"), "message": said}


def codes(answer: Answer) -> frozenset[str]:
    """Every word that may be meant as the code of an error, wherever it stands."""
    data = parse_object(answer.body)
    error = mapping(data.get("error"))
    places = (error.get("code"), error.get("type"), data.get("code"), data.get("error"))
    return frozenset(place for place in places if isinstance(place, str))


def request_id(
    headers: Mapping[str, str], data: Mapping[str, Any], *, secret: str = ""
) -> str | None:
    """The gateway's name for this exchange, which its support asks for."""
    error = mapping(data.get("error"))
    places = (
        *(headers.get(name) for name in _REQUEST_IDS),
        error.get("request_id"),
        data.get("request_id"),
    )
    return next(
        (found for place in places if (found := clean(place, secret=secret, limit=128))), None
    )


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
    """Credits with their three places."""
    return _credits(number(value))


def balance_of(value: object) -> Decimal | None:
    """As `credits_of`, but an account may be in debt."""
    return _credits(_finite(value))


def _credits(found: Decimal | None) -> Decimal | None:
    return None if found is None else found.quantize(_MILLI, ROUND_HALF_UP)


def _finite(value: object) -> Decimal | None:
    if isinstance(value, str) and value.isascii() and len(value) <= _LONGEST_NUMBER:
        try:
            value = Decimal(value)
        except ArithmeticError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    found = Decimal(value)
    return found if found.is_finite() and abs(found) < _MOST else None


def _code(error: Mapping[str, Any], status: int, secret: str) -> str:
    """The gateway's word; a code that only repeats the status says less than the type."""
    for value in (error.get("code"), error.get("type")):
        word = clean(value, secret=secret, limit=80)
        if word and not word.isdigit():
            return word
    return f"http_{status}"


def _not_own(answer: Answer, *, own: bool) -> str:
    if own:
        return f"status {answer.status} without a message"
    head = answer.body[:512].lstrip().lower()
    kind = "a web page" if head.startswith((b"<!doctype", b"<html")) else "no JSON of the gateway"
    return f"status {answer.status} with {kind if answer.body else 'an empty body'}"


def _facts(error: Mapping[str, Any], secret: str) -> Iterator[str]:
    for name in _FACTS:
        value = error.get(name)
        shown = (
            ", ".join(filter(None, (_scalar(item, secret) for item in value[:10])))
            if isinstance(value, list)
            else _scalar(value, secret)
        )
        if shown:
            yield f"{name}: {shown}"


def _scalar(value: object, secret: str) -> str:
    if isinstance(value, Decimal):
        return str(found) if (found := number(value)) is not None else ""
    return clean(value, secret=secret, limit=200)


def _date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
