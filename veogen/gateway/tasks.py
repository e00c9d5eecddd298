"""Reading tasks: only their id and state are relied on, the rest is taken where it fits."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from veogen.gateway.advice import advice_for
from veogen.gateway.answers import Task, Unread
from veogen.gateway.envelope import (
    credits_of,
    error_of,
    mapping,
    number,
    parse,
    parse_object,
)
from veogen.gateway.exchange import Answer
from veogen.gateway.outcome import estimated_seconds, task_id_of
from veogen.gateway.text import clean
from veogen.terminal import is_plain

_DONE = 100  # per cent
_MOST_LINKS = 64
_LONGEST_LINK = 8192
_OPEN_STATES = frozenset({"pending", "processing", "queued"})


def read_task(answer: Answer, task_id: str, *, secret: str = "") -> Task | Unread:
    """The task that was asked for; the task of another id is none of ours."""
    data = parse_object(answer.body)
    task = parse_task(data, secret=secret)
    if task is None:
        return Unread(code="garbled", message="the answer is not a task")
    if task.id != task_id:
        return Unread(code="wrong-task", message=f"the answer is about another task, {task.id}")
    return task


def read_batch(answer: Answer, *, secret: str = "") -> Mapping[str, Task] | None:
    """The tasks of a batch answer by id; None when it is no such answer."""
    items = parse_object(answer.body).get("data")
    if not isinstance(items, list):
        return None
    tasks = (parse_task(item, secret=secret) for item in items)
    return {task.id: task for task in tasks if task is not None}


def read_list(answer: Answer, *, secret: str = "") -> tuple[Task, ...] | None:
    """The tasks of a list answer in its order; None when it is no such answer."""
    data = parse(answer.body)
    items = mapping(data).get("data")
    if not isinstance(items, list):
        return None
    tasks = (parse_task(item, secret=secret) for item in items)
    return tuple(task for task in tasks if task is not None)


def parse_task(data: object, *, secret: str = "") -> Task | None:
    """A task, from whatever has an id and a state."""
    fields = mapping(data)
    task_id = task_id_of(fields)
    state = clean(fields.get("status"), secret=secret, limit=40).lower()
    if task_id is None or not state:
        return None
    code, message = _error(error_of(fields), secret)
    return Task(
        id=task_id,
        state=state,
        progress=_progress(fields.get("progress")),
        links=_links(fields),
        credits=_credits(fields, state),
        estimated_seconds=estimated_seconds(fields),
        error_code=code,
        error_message=message,
        model=clean(fields.get("model"), secret=secret, limit=200) or None,
        type=clean(fields.get("type"), secret=secret, limit=40) or None,
        created=_seconds(fields.get("created", fields.get("created_at"))),
    )


def _progress(value: object) -> int | None:
    found = number(value)
    return int(found) if found is not None and found <= _DONE else None


def _seconds(value: object) -> float | None:
    found = number(value)
    return None if found is None else float(found)


def _links(fields: Mapping[str, Any]) -> tuple[str, ...]:
    results, data = fields.get("results"), fields.get("result_data")
    found = [link for link in results if _is_link(link)] if isinstance(results, list) else []
    if data and not found:  # where some answers of the gateway carry the links instead
        items = data if isinstance(data, list) else [data]
        named = [mapping(item).get("video_url") for item in items]
        found = [link for link in named if _is_link(link)]
    return tuple(found[:_MOST_LINKS])


def _is_link(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.lower().startswith(("https://", "http://"))
        and is_plain(value, limit=_LONGEST_LINK)
    )


def _credits(fields: Mapping[str, Any], state: str) -> Decimal | None:
    """What was charged or reserved: a charge of nothing means nothing while a task goes on."""
    usage, billing = mapping(fields.get("usage")), mapping(fields.get("billing"))
    charged = (
        usage.get("credits_used"),
        mapping(usage.get("cost")).get("credits"),
        billing.get("charged_credits"),
        fields.get("credits_used"),
    )
    reserved = (usage.get("credits_reserved"), billing.get("reserved_credits"))
    places = (*reserved, *charged) if state in _OPEN_STATES else (*charged, *reserved)
    for place in places:
        if place is not None and (found := credits_of(place)) is not None:
            return found
    return None


def _error(error: Mapping[str, Any], secret: str) -> tuple[str | None, str | None]:
    """The code and the message of why a task failed."""
    if not error:
        return None, None
    code = clean(error.get("code"), secret=secret, limit=80) or None
    message = clean(error.get("message"), secret=secret)
    advice = clean(
        error.get("suggestion") or error.get("fallback_suggestion"), secret=secret
    ) or advice_for(code)
    if message and advice:
        return code, f"{message.rstrip('.')}; the gateway's advice: {advice}"
    return code, message or advice or None
