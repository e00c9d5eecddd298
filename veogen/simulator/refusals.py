"""How the gateway says no: every status it answers with, its type, its codes, its body."""

import json
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, TypeAlias
from uuid import uuid4

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Status:
    """One row of the table of refusals: what a status means and the codes that come with it."""

    number: int
    type: str
    meaning: str
    codes: tuple[str, ...] = ()
    advice: str | None = None


STATUSES: Mapping[int, Status] = {
    status.number: status
    for status in (
        Status(
            400,
            "invalid_request_error",
            "a field is wrong, unknown or missing, or the content is blocked before a task is made",
            (
                "invalid_parameters",
                "unsupported_parameters",
                "invalid_task_id",
                "content_policy_violation",
                "content_filter",
                "sensitive_content",
                "moderation_blocked",
                "input_moderation_failed",
            ),
        ),
        Status(401, "authentication_error", "no key, or one that is not good"),
        Status(
            402,
            "insufficient_quota_error",
            "no balance, or a limit on the key",
            (
                "insufficient_user_quota",
                "insufficient_quota",
                "quota_not_enough",
                "account_balance_insufficient",
                "insufficient_token_quota",
                "key_quota_exhausted",
                "token_daily_quota_exceeded",
                "key_daily_quota_exhausted",
                "key_disabled",
                "key_expired",
                "key_model_not_allowed",
                "user_disabled",
            ),
        ),
        Status(
            403, "permission_error", "the key may not use the model", ("key_model_not_allowed",)
        ),
        Status(
            404,
            "not_found_error",
            "no such model, task or address",
            ("model_unavailable", "resource_not_found"),
        ),
        Status(405, "", "the address does not take this method"),
        Status(408, "", "the request took too long to arrive; only as a fault"),
        Status(
            409,
            "",
            "the Idempotency-Key came before with another body",
            ("idempotency_conflict", "paid_outcome_unknown"),
        ),
        Status(413, "request_too_large_error", "the body is too big"),
        Status(
            429,
            "rate_limit_error",
            "too many requests, here or at the provider",
            ("resource_exhausted", "upload_token_rate_limited"),
            "retry after 60 seconds",
        ),
        Status(500, "internal_server_error", "whether a task was made is not clear"),
        Status(502, "upstream_error", "the provider failed", (), "use another model"),
        Status(
            503,
            "service_unavailable_error",
            "no channel now",
            ("service_unavailable", "no_available_channel", "channel_selection_failed"),
            "retry after 30 seconds",
        ),
        Status(504, "", "the provider did not answer in time"),
    )
}
"""All that this gateway may refuse with.

A refusal without a string code has its status for one, as the older gateway's have; a type that
is documented nowhere is empty, as those of some recorded answers are.
"""


TASK_ERRORS: Mapping[str, str] = {
    "content_policy_violation": "the prompt or an image is against the content policy",
    "invalid_parameters": "a parameter is wrong",
    "image_processing_error": "an image cannot be processed",
    "image_dimension_mismatch": "an image does not match the requested size or ratio",
    "request_cancelled": "the task was cancelled",
    "generation_failed_no_content": "the model made nothing",
    "generation_timeout": "the generation took too long",
    "service_error": "the service failed",
    "service_unavailable": "the service is not available",
    "resource_exhausted": "the provider is exhausted",
    "quota_exceeded": "a rate or quota is exceeded",
    "resource_not_found": "the task does not exist or has expired",
    "unknown_error": "nobody knows what went wrong",
}
"""The documented codes of tasks that failed; others occur, so a faults file may name any."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal, ready to be sent."""

    status: int
    message: str
    code: str | int | None = None
    param: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        status = STATUSES.get(self.status)
        error = {
            "code": self.code or self.status,
            "message": self.message,
            "type": status.type if status else "",
            "param": self.param,
        }
        if status and status.advice:
            error["fallback_suggestion"] = status.advice
        return {"error": {**error, **self.facts}}


class RefusedError(Exception):
    """A request that is not taken; nothing was made or charged."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        param: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message)
        self.refusal = Refusal(status, message, code, param, facts, headers or {})


_MINUTE = 60.0


class RateLimit:
    """A sliding minute; `limit` None takes everything, `form` is that of Retry-After."""

    def __init__(self, limit: int | None, form: str, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._form = form
        self._clock = clock
        self._admitted: deque[float] = deque()

    def admit(self) -> None:
        """Count a request, or raise `RefusedError`."""
        if self._limit is None:
            return
        now = self._clock()
        while self._admitted and self._admitted[0] <= now - _MINUTE:
            self._admitted.popleft()
        if len(self._admitted) >= self._limit:
            seconds = math.ceil(self._admitted[0] + _MINUTE - now)
            headers = retry_after(seconds, self._form)
            raise RefusedError(429, "too many requests in a minute", headers=headers)
        self._admitted.append(now)


def retry_after(seconds: int, form: str) -> dict[str, str]:
    """The header that says when to come again: `seconds`, a `date`, or `none`."""
    match form:
        case "seconds":
            return {"Retry-After": str(seconds)}
        case "date":
            return {"Retry-After": formatdate(time.time() + seconds, usegmt=True)}
        case _:
            return {}


HEADER = "X-Veogen-Simulator"
UNREADABLE = "the body is not encoded as its headers say"
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Say that this is the simulator, on every answer; name the request as the gateway does."""
    del request
    response.headers[HEADER] = "1"
    name = uuid4().hex
    for header in ("x-request-id", "x-oneapi-request-id"):
        response.headers[header] = name


def json_response(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace"),
        status=status,
        content_type="application/json",
    )


def refusal_response(refusal: Refusal) -> web.Response:
    response = json_response(refusal.body(), refusal.status)
    response.headers.update(refusal.headers)
    return response


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals, and addresses and methods that do not exist, in the gateway's own JSON."""
    try:
        return await handler(request)
    except RefusedError as error:
        return refusal_response(error.refusal)
    except web.RequestPayloadError:
        return refusal_response(Refusal(400, UNREADABLE, "invalid_parameters"))
    except web.HTTPRequestEntityTooLarge:
        return refusal_response(Refusal(413, "the body is too big"))
    except web.HTTPMethodNotAllowed as error:
        response = refusal_response(Refusal(405, f"{request.path} does not take {request.method}"))
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return response
    except web.HTTPNotFound:
        return refusal_response(Refusal(404, f"there is nothing at {request.path}"))
