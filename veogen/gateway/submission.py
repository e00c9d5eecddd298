"""What an answer to a submit means: a request that was bought, was not, or may have been."""

from decimal import Decimal
from typing import Any

from veogen.gateway.api import NotTaken, Refused, Submission, Taken, Unknown
from veogen.gateway.parse import (
    Complaint,
    codes,
    complaint,
    credits_of,
    error_of,
    estimated_seconds,
    mapping,
    parse_object,
    request_id,
    retry_after,
    task_id_of,
)
from veogen.gateway.transport import Answer, Broken, clean

_DOUBTFUL = frozenset({"idempotency_conflict", "paid_outcome_unknown"})
_DOUBTFUL_STATUSES = (408, 409)
_REDIRECT = 3
_MODEL_GONE = frozenset({"model_unavailable", "model_not_found", "key_model_not_allowed"})
_STOPS = frozenset({401, 402, 403, 404})  # 404: the model is gone


def read_submission(outcome: Answer | Broken, *, now: float, secret: str = "") -> Submission:
    """The one place that decides whether a request may have been paid for."""
    if isinstance(outcome, Broken):
        return _broken(outcome)
    doubt = codes(outcome) & _DOUBTFUL
    if outcome.is_success and not doubt:
        return _accepted(outcome, secret)
    said = complaint(outcome, secret=secret)
    if doubt:
        return Unknown(code=min(doubt), message=_with_id(said, outcome), status=outcome.status)
    match outcome.status // 100, outcome.status:
        case _, 429:
            return _not_taken(outcome, said, now=now)
        case _, 503 if said.own:
            return _not_taken(outcome, said, now=now)
        case _, 500 | 502 | 504 if said.own:
            return _not_taken(outcome, said, now=now, once=True)
        case 4, status if status not in _DOUBTFUL_STATUSES:
            return _refused(outcome, said)
        case _:
            return _unknown(outcome, said, secret)


def _broken(outcome: Broken) -> NotTaken | Unknown:
    if not outcome.sent:
        return NotTaken(code=outcome.kind, message=outcome.message, reached=False)
    return Unknown(code=outcome.kind, message=f"{outcome.message}, after the request was sent")


def _accepted(answer: Answer, secret: str) -> Taken | Unknown:
    data = parse_object(answer.body)
    task_id = task_id_of(data)
    found = request_id(answer.headers, data, secret=secret)
    if task_id is None:
        words = f"accepted with status {answer.status}, but without the id of a task"
        return Unknown(
            code="no_task_id",
            message=words + _instead(answer, found, secret),
            status=answer.status,
        )
    return Taken(
        task_id=task_id,
        credits=_reserved(data),
        estimated_seconds=estimated_seconds(data),
        replayed=answer.headers.get("idempotency-replayed", "").strip().lower() == "true",
        request_id=found,
    )


def _instead(answer: Answer, found: str | None, secret: str) -> str:
    """What the gateway says where the id should be."""
    if not error_of(parse_object(answer.body)):
        return f" [request {found}]" if found else ""
    said = complaint(answer, secret=secret)
    return f": {said.message} ({said.code})"


def _reserved(data: Any) -> Decimal | None:
    reserved = credits_of(mapping(data.get("usage")).get("credits_reserved"))
    return reserved or credits_of(mapping(data.get("billing")).get("reserved_credits")) or reserved


def _not_taken(answer: Answer, said: Complaint, *, now: float, once: bool = False) -> NotTaken:
    return NotTaken(
        code=said.code,
        message=said.message,
        status=answer.status,
        retry_after=retry_after(answer.headers, now=now),
        once=once,
    )


def _unknown(answer: Answer, said: Complaint, secret: str) -> Unknown:
    message = said.message
    if answer.status // 100 == _REDIRECT:
        target = clean(answer.headers.get("location"), secret=secret, limit=200)
        message = f"status {answer.status}: a redirect to {target or 'nowhere'}, never followed"
    return Unknown(code=said.code, message=message, status=answer.status)


def _refused(answer: Answer, said: Complaint) -> Refused:
    stops = answer.status in _STOPS or _is_model_gone(answer, said)
    return Refused(code=said.code, message=said.message, status=answer.status, stops=stops)


def _is_model_gone(answer: Answer, said: Complaint) -> bool:
    words = said.message.lower()
    return bool(codes(answer) & _MODEL_GONE) or (
        "model" in words and "no longer available" in words
    )


def _with_id(said: Complaint, answer: Answer) -> str:
    """The id helps whoever resolves it by hand."""
    task_id = task_id_of(parse_object(answer.body))
    return f"{said.message} (the answer names task {task_id})" if task_id else said.message
