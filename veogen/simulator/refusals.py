"""How the gateway says no: every status it answers with, its type, its codes, its body."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
