"""The gateway's JSON, read defensively: any byte string is an answer, none of them raises."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from veogen.gateway.api import Balance, Quota, ReadError, Task, Upload
from veogen.gateway.transport import Response, sanitize
from veogen.gateway.values import (
    balance_of,
    credits_of,
    mapping,
    number,
    parse,
    parse_object,
    retry_after,
)
from veogen.text import is_plain

LONGEST_ID = 200

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
_WEEK = Decimal(7 * 24 * 3600)

UNDERSTOOD = frozenset({"code", "message", "type", "fallback_suggestion", "request_id", *_FACTS})
"""What of an error is told in words."""


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """Why the gateway refused; `own` says that it was the gateway, not somebody on the way."""

    from_gateway: bool
    code: str
    message: str


def error_body(response: Response, *, secret: str = "") -> ErrorBody:
    """What an answer that is no success says, in one line fit for a terminal."""
    data = parse_object(response.body)
    from_gateway, error = isinstance(data.get("error"), dict), error_of(data)
    words = sanitize(error.get("message"), secret=secret) or _without_message(
        response, from_gateway=from_gateway
    )
    advice = sanitize(error.get("fallback_suggestion"), secret=secret)
    advice = "" if advice == words else advice
    facts = []
    for name in _FACTS:
        value = error.get(name)
        if value is None:
            continue
        values = value[:10] if isinstance(value, list) else [value]
        figures = [number(item) if isinstance(item, Decimal) else None for item in values]
        texts = [
            sanitize(item, secret=secret, limit=200) if figure is None else str(figure)
            for item, figure in zip(values, figures, strict=True)
        ]
        facts += [f"{name}: {', '.join(filter(None, texts))}"] if any(texts) else []
    request_name = request_id(response.headers, data, secret=secret)
    message = (
        (words.rstrip(".") if advice else words)
        + (f" ({', '.join(facts)})" if facts else "")
        + (f"; the gateway's advice: {advice}" if advice else "")
        + (f" [request {request_name}]" if request_name else "")
    )
    # The gateway's word for it; a code that only repeats the status says less than the type.
    named = (sanitize(error.get(key), secret=secret, limit=80) for key in ("code", "type"))
    code = next((word for word in named if word and not word.isdigit()), f"http_{response.status}")
    return ErrorBody(from_gateway, code, message)


def error_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The gateway's error, or what stands for one in the answers of others on the way to it."""
    error = data.get("error")
    if isinstance(error, dict):
        return error
    words = (data.get("message"), data.get("msg"), error, data.get("detail"))
    error_text = next((text for text in words if isinstance(text, str) and text), None)
    return {} if error_text is None else {"code": data.get("code"), "message": error_text}


def codes(response: Response) -> frozenset[str]:
    """Every word that may be meant as the code of an error, wherever it stands."""
    data = parse_object(response.body)
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
        (text for place in places if (text := sanitize(place, secret=secret, limit=128))), None
    )


def _without_message(response: Response, *, from_gateway: bool) -> str:
    if from_gateway:
        return f"status {response.status} without a message"
    head = response.body[:512].lstrip().lower()
    kind = "a web page" if head.startswith((b"<!doctype", b"<html")) else "no JSON of the gateway"
    return f"status {response.status} with {kind if response.body else 'an empty body'}"


_ADVICE = {
    # Tasks that failed.
    "content_policy_violation": "change the prompt or the image",
    "invalid_parameters": "correct the parameters",
    "image_processing_error": "check that the image can be read: its format, size and address",
    "image_dimension_mismatch": "give the image the size and ratio of the request",
    "request_cancelled": "submit it again if it is still wanted",
    "generation_failed_no_content": "try another prompt or image",
    "generation_timeout": "try again",
    "service_error": "try again after about a minute",
    "service_unavailable": "try again after one or two minutes",
    "resource_exhausted": "wait 30 to 60 seconds",
    "quota_exceeded": "slow down, or top up the account",
    "resource_not_found": "the id of the task is wrong or has expired",
    "unknown_error": "try again later, or give the id of the task to the gateway's support",
    # The file API.
    "40001": "the file is too large",
    "40002": "the gateway does not take files of this type",
    "40003": "the account holds as many files as it may: delete some, or wait till they expire",
    "40004": "the gateway could not fetch the file from its address",
    "50001": "the gateway could not store the file: try again later",
}


def advice_for(code: str | None) -> str:
    """The advice for a code; empty where there is none."""
    return _ADVICE.get(code or "", "")


_DONE = 100  # per cent
_MOST_LINKS = 64
_LONGEST_LINK = 8192
_OPEN_STATES = frozenset({"pending", "processing", "queued"})


def read_task(response: Response, task_id: str, *, secret: str = "") -> Task | ReadError:
    """The task that was asked for; the task of another id is none of ours."""
    data = parse_object(response.body)
    task = parse_task(task_in(data), secret=secret)
    if task is None:
        message = "the answer is not a task"
        return ReadError(code="garbled", message=message, from_gateway=bool(data))
    if task.id != task_id:
        message = f"the answer is about another task, {task.id}"
        return ReadError(code="wrong-task", message=message, from_gateway=True)
    return task


def read_batch(response: Response, *, secret: str = "") -> Mapping[str, Task] | None:
    """The tasks of a batch answer by id; None when it is no such answer."""
    items = parse_object(response.body).get("data")
    if not isinstance(items, list):
        return None
    tasks = (parse_task(item, secret=secret) for item in items)
    return {task.id: task for task in tasks if task is not None}


def read_list(response: Response, *, secret: str = "") -> tuple[Task, ...] | None:
    """The tasks of a list answer in its order; None when it is no such answer."""
    data = parse(response.body)
    items = mapping(data).get("data")
    if not isinstance(items, list):
        return None
    tasks = (parse_task(item, secret=secret) for item in items)
    return tuple(task for task in tasks if task is not None)


def parse_task(data: object, *, secret: str = "") -> Task | None:
    """A task, from whatever has an id and a state."""
    fields = mapping(data)
    task_id = task_id_of(fields)
    state = sanitize(fields.get("status"), secret=secret, limit=40).lower()
    if task_id is None or not state:
        return None
    code, message = _error(error_of(fields), secret)
    progress = number(fields.get("progress"))
    created = number(fields.get("created", fields.get("created_at")))
    # Also of a task that has ended: its unit is that of the charge.
    reserved = credits_of(mapping(fields.get("usage")).get("credits_reserved"))
    return Task(
        id=task_id,
        state=state,
        progress=int(progress) if progress is not None and progress <= _DONE else None,
        links=_links(fields),
        credits=_task_credits(fields, state, reserved),
        estimated_seconds=estimated_seconds(fields),
        error_code=code,
        error_message=message,
        model=sanitize(fields.get("model"), secret=secret, limit=200) or None,
        type=sanitize(fields.get("type"), secret=secret, limit=40) or None,
        created=None if created is None else float(created),
        reserved=reserved,
    )


def _links(fields: Mapping[str, Any]) -> tuple[str, ...]:
    results, data = fields.get("results"), fields.get("result_data")
    links = [link for link in results if _is_link(link)] if isinstance(results, list) else []
    if data and not links:  # where some answers of the gateway carry the links instead
        items = data if isinstance(data, list) else [data]
        named = [mapping(item).get("video_url") for item in items]
        links = [link for link in named if _is_link(link)]
    return tuple(links[:_MOST_LINKS])


def _is_link(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.lower().startswith(("https://", "http://"))
        and is_plain(value, limit=_LONGEST_LINK)
    )


def _task_credits(
    fields: Mapping[str, Any], state: str, reserved: Decimal | None
) -> Decimal | None:
    """What was charged or reserved: a charge of nothing means nothing while a task goes on."""
    is_open = state in _OPEN_STATES
    if is_open and reserved is not None:
        return reserved
    usage, billing = mapping(fields.get("usage")), mapping(fields.get("billing"))
    charged = (
        usage.get("credits_used"),
        mapping(usage.get("cost")).get("credits"),
        billing.get("charged_credits"),
        fields.get("credits_used"),
    )
    elsewhere = billing.get("reserved_credits")
    places = (elsewhere, *charged) if is_open else (*charged, reserved, elsewhere)
    for place in places:
        if place is not None and (amount := credits_of(place)) is not None:
            return amount
    return None


def _error(error: Mapping[str, Any], secret: str) -> tuple[str | None, str | None]:
    """The code and the message of why a task failed."""
    if not error:
        return None, None
    code = sanitize(error.get("code"), secret=secret, limit=80) or None
    message = sanitize(error.get("message"), secret=secret)
    advice = sanitize(
        error.get("suggestion") or error.get("fallback_suggestion"), secret=secret
    ) or advice_for(code)
    if message and advice:
        return code, f"{message.rstrip('.')}; the gateway's advice: {advice}"
    return code, message or advice or None


_LONGEST_URL = 2048
_MILLISECONDS = 10**11  # a Unix time beyond this counts milliseconds


def read_balance(response: Response) -> Balance | None:
    """The balance; None when it is no such answer."""
    data = mapping(parse_object(response.body).get("data"))
    key, user = mapping(data.get("token")), mapping(data.get("user"))
    user_remaining = balance_of(user.get("remaining_credits"))
    key_remaining = balance_of(key.get("remaining_credits"))
    unlimited = key.get("unlimited_credits") is True
    if user_remaining is None or (key_remaining is None and not unlimited):
        return None
    return Balance(
        key_remaining=None if unlimited else key_remaining,
        key_used=credits_of(key.get("used_credits")) or Decimal("0.000"),
        user_remaining=user_remaining,
        user_used=credits_of(user.get("used_credits")) or Decimal("0.000"),
    )


def read_models(response: Response) -> frozenset[str] | None:
    """The ids of models; None when it is no such answer."""
    items = parse_object(response.body).get("data")
    if not isinstance(items, list):
        return None
    ids = (sanitize(mapping(item).get("id"), limit=200) for item in items)
    return frozenset(filter(None, ids))


def read_upload(response: Response) -> Upload | None:
    """An uploaded file; None when the answer does not say where it is."""
    data = _file_data(response)
    file_id, url = data.get("file_id"), data.get("file_url")
    if not isinstance(file_id, str) or not is_plain(file_id, limit=200):
        return None
    if not isinstance(url, str) or not is_plain(url, limit=_LONGEST_URL):
        return None
    expiry, expires_at = data.get("expires_at"), None
    seconds = number(expiry)
    if seconds is not None:
        expires_at = float(seconds / 1000 if seconds > _MILLISECONDS else seconds)
    elif isinstance(expiry, str):
        with suppress(ValueError, OverflowError):
            moment = datetime.fromisoformat(expiry)
            # A time without a zone is of no known zone: better none than one that is hours off.
            expires_at = moment.timestamp() if moment.tzinfo else None
    return Upload(file_id=file_id, url=url, expires_at=expires_at)


def read_quota(response: Response) -> Quota | None:
    """The quota of files; None when it is no such answer."""
    data = _file_data(response)
    used, limit = number(data.get("used_files")), number(data.get("max_files"))
    if used is None or limit is None:
        return None
    remaining = number(data.get("remain_files"))
    return Quota(
        used=int(used),
        limit=int(limit),
        remaining=max(int(limit - used), 0) if remaining is None else int(remaining),
    )


def envelope_failure(response: Response, *, secret: str = "") -> ReadError | None:
    """A failure that is reported in an envelope with `success`, whatever the HTTP status."""
    if b'"success"' not in response.body:  # tasks have none: no need to read all of them twice
        return None
    data = parse_object(response.body)
    if data.get("success") is not False:
        return None
    error_text = error_body(response, secret=secret)
    code = sanitize(data.get("code"), secret=secret, limit=80) or error_text.code
    return ReadError(
        code=code,
        message="; ".join(filter(None, (error_text.message, advice_for(code)))),
        status=response.status,
        retry_after=retry_after(response.headers, now=time.time()),
        denied=response.status in (401, 403),
        from_gateway=True,
    )


def _file_data(response: Response) -> Any:
    data = parse_object(response.body)
    return mapping(data.get("data")) if data.get("success") is not False else {}


def task_in(data: Mapping[str, Any]) -> object:
    """The task of an answer: the answer itself, or what stands in it under `data`."""
    inner = data.get("data")
    if task_id_of(data) is not None or not inner:
        return data
    return inner[0] if isinstance(inner, list) and len(inner) == 1 else inner


def task_id_of(data: object) -> str | None:
    """The id of a task if it can be asked for: as plain as an opaque word can be, or a number."""
    task_id = mapping(data).get("id")
    if isinstance(task_id, int) and not isinstance(task_id, bool) and task_id >= 0:
        task_id = str(task_id) if task_id < 10**LONGEST_ID else None
    if isinstance(task_id, str) and is_plain(task_id, limit=LONGEST_ID) and task_id.strip("."):
        return task_id
    return None


def estimated_seconds(data: object) -> float | None:
    """How long the gateway thinks that a task takes."""
    seconds = number(mapping(mapping(data).get("task_info")).get("estimated_time"))
    return float(seconds) if seconds is not None and 0 < seconds < _WEEK else None
