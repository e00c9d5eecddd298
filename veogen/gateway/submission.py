"""What an answer to a submit means: a request that was bought, was not, or may have been."""

import json
from dataclasses import replace

from veogen.gateway.api import Accepted, NotAccepted, Rejected, Submission, Unknown
from veogen.gateway.parse import (
    UNDERSTOOD,
    ErrorBody,
    codes,
    error_body,
    error_of,
    estimated_seconds,
    request_id,
    task_id_of,
    task_in,
)
from veogen.gateway.transport import Response, TransportError, sanitize
from veogen.gateway.values import credits_of, mapping, parse_object, retry_after

MOST_KEPT = 4096
"""Bytes of an answer that are kept where nobody knows what it means."""

_MAYBE_ACCEPTED = frozenset({"idempotency_conflict", "paid_outcome_unknown"})
_MAYBE_ACCEPTED_STATUSES = (408, 409)
_REDIRECT = 3
_MODEL_GONE = frozenset({"model_unavailable", "model_not_found", "key_model_not_allowed"})
_STOPS = frozenset({401, 402, 403, 404})  # 404: the model is gone


def read_submission(
    outcome: Response | TransportError, *, now: float, secret: str = ""
) -> Submission:
    """The one place that decides whether a request may have been paid for."""
    if isinstance(outcome, TransportError):
        return _not_answered(outcome)
    ambiguous = codes(outcome) & _MAYBE_ACCEPTED
    if outcome.is_success and not ambiguous:
        return _accepted(outcome, secret)
    error = error_body(outcome, secret=secret)
    if ambiguous:
        return _unknown(outcome, replace(error, code=min(ambiguous)), secret)
    match outcome.status // 100, outcome.status:
        case _, 429:
            return _not_accepted(outcome, error, now=now)
        case _, 503 if error.from_gateway:
            return _not_accepted(outcome, error, now=now)
        case _, 500 | 502 | 504 if error.from_gateway:
            return _not_accepted(outcome, error, now=now, once=True)
        case 4, status if status not in _MAYBE_ACCEPTED_STATUSES:
            return _rejected(outcome, error)
        case _:
            return _unknown(outcome, error, secret)


def _not_answered(outcome: TransportError) -> NotAccepted | Unknown:
    if not outcome.sent:
        return NotAccepted(
            code=outcome.kind, message=outcome.message, reached=False, from_gateway=False
        )
    message = f"{outcome.message}, after the request was sent"
    return Unknown(code=outcome.kind, message=message, from_gateway=False)


def _accepted(response: Response, secret: str) -> Accepted | Unknown:
    data = parse_object(response.body)
    task = mapping(task_in(data))
    task_id = task_id_of(task)
    request_name = request_id(response.headers, data, secret=secret)
    if task_id is None:  # then all that the gateway says where the id should be
        words = f"accepted with status {response.status}, but without the id of a task"
        if error_of(data):
            error = error_body(response, secret=secret)
            words += f": {error.message} ({error.code})"
        elif request_name:
            words += f" [request {request_name}]"
        return Unknown(
            code="no_task_id",
            message=words + _word_for_word(response, secret),
            status=response.status,
            from_gateway=bool(data),
        )
    reserved = credits_of(mapping(task.get("usage")).get("credits_reserved"))
    billed = credits_of(mapping(task.get("billing")).get("reserved_credits"))
    return Accepted(
        task_id=task_id,
        credits=reserved or billed or reserved,
        estimated_seconds=estimated_seconds(task),
        replayed=response.headers.get("idempotency-replayed", "").strip().lower() == "true",
        request_id=request_name,
    )


def _word_for_word(response: Response, secret: str) -> str:
    """All that an answer said, where it is more than what is understood: an id may be in it."""
    data = parse_object(response.body)
    error = mapping(data.get("error"))
    if not response.body or (error and set(data) == {"error"} and set(error) <= UNDERSTOOD):
        return ""
    encoding = json.detect_encoding(response.body[:64])
    text = response.body[:MOST_KEPT].decode(encoding, "replace")
    return f"; it said: {sanitize(text, secret=secret, limit=MOST_KEPT)}"


def _not_accepted(
    response: Response, error: ErrorBody, *, now: float, once: bool = False
) -> NotAccepted:
    return NotAccepted(
        code=error.code,
        message=error.message,
        status=response.status,
        retry_after=retry_after(response.headers, now=now),
        once=once,
        from_gateway=error.from_gateway,
    )


def _unknown(response: Response, error: ErrorBody, secret: str) -> Unknown:
    message = error.message
    if response.status // 100 == _REDIRECT and not error.from_gateway:
        target = sanitize(response.headers.get("location"), secret=secret, limit=200)
        message = f"status {response.status}: a redirect to {target or 'nowhere'}, never followed"
    task_id = task_id_of(task_in(parse_object(response.body)))
    named = f" (the answer names task {task_id})" if task_id else ""
    return Unknown(
        code=error.code,
        message=message + named + _word_for_word(response, secret),
        status=response.status,
        from_gateway=error.from_gateway,
    )


def _rejected(response: Response, error: ErrorBody) -> Rejected:
    words = error.message.lower()
    is_model_gone = not _MODEL_GONE.isdisjoint(codes(response)) or (
        "model" in words and "no longer available" in words
    )
    return Rejected(
        code=error.code,
        message=error.message,
        status=response.status,
        stops=response.status in _STOPS or is_model_gone,
        from_gateway=error.from_gateway,
    )
