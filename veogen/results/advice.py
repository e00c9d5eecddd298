"""What a request that is not completed needs from a person, and the exact commands for it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from veogen.results.ledger import Standing
from veogen.results.records import TEMPORARY, Record

_EDIT = "edit its prompt or image, and run again"
_CONTENT = "the gateway's filter took offence: " + _EDIT
_IMAGE = "look at its image: format, size, ratio, and whether the gateway can reach it"
_FIX = "the gateway does not take a parameter: correct it in the spec"

_BY_CODE: Mapping[str, str] = {
    "content_policy_violation": _CONTENT,
    "content_filter": _CONTENT,
    "sensitive_content": _CONTENT,
    "moderation_blocked": _CONTENT,
    "input_moderation_failed": _CONTENT,
    "generation_failed_no_content": "nothing came of it: " + _EDIT,
    "image_processing_error": _IMAGE,
    "image_dimension_mismatch": _IMAGE,
    "invalid_parameters": _FIX,
    "unsupported_parameters": _FIX,
    "invalid_request_error": _FIX,
}


@dataclass(frozen=True, slots=True)
class Names:
    """How a run and its spec are called on a command line."""

    run: str
    spec: str | None = None

    def resolve(self, option: str, value: str) -> str:
        return f"veogen resolve {shlex.quote(self.run)} {option} {shlex.quote(value)}"

    @property
    def collect(self) -> str:
        return f"veogen collect {shlex.quote(self.run)}"

    @property
    def retry(self) -> str:
        spec = "SPEC" if self.spec is None else shlex.quote(self.spec)
        return f"veogen run {spec} --retry-failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a command as it is typed, if there is one, and what it does."""

    command: str | None
    why: str


def reason(record: Record) -> str:
    """Why it is not completed, in the words of whoever said so."""
    if record.error is None:
        return ""
    code, message = record.error.code, record.error.message
    return f"{message} ({code})" if message else code


def at_stake(record: Record) -> str:
    """What the last attempt may have cost."""
    last = record.purchases.get(record.attempts)
    if last is None or last.credits is None:
        return "it may have cost an amount that is not known"
    return f"it may have cost {last.credits} credits"


def advice(standing: Standing, names: Names, now: float) -> tuple[Step, ...]:
    """What to do about a request; nothing for one that goes on by itself."""
    record = standing.record
    match record.status:
        case "failed":
            return (_failed(standing, names),)
        case "indeterminate":
            return _held(standing.entry.address, names)
        case "undelivered":
            return (_undelivered(standing, names, now),)
        case _:
            return ()


def _failed(standing: Standing, names: Names) -> Step:
    code = standing.record.error.code if standing.record.error else ""
    if code == "abandoned":
        return Step(names.resolve("--rebuy", standing.entry.address), "buys it anew")
    if code in TEMPORARY:
        return Step(names.retry, "the trouble was a passing one; this buys it again")
    if code in _BY_CODE:
        return Step(None, _BY_CODE[code])
    return Step(names.retry, "buys it again as it is")


def _held(address: str, names: Names) -> tuple[Step, ...]:
    """The three ways out; which is right only the account's task list can say."""
    return (
        Step(names.resolve("--adopt", f"{address}=TASK_ID"), "if the account's list has the task"),
        Step(names.resolve("--replay", address), "sends it once more with the same key"),
        Step(names.resolve("--abandon", address), "counts it as spent"),
    )


def _undelivered(standing: Standing, names: Names, now: float) -> Step:
    record = standing.record
    if record.expires_at is not None and record.expires_at <= now:
        rebuy = names.resolve("--rebuy", standing.entry.address)
        return Step(rebuy, f"its link has died: this pays {_price(standing)} once more")
    return Step(names.collect, life(record, now))


def _price(standing: Standing) -> str:
    amount: Decimal | None = standing.entry.credits or standing.record.credits
    return "for it" if amount is None else f"{amount} credits"


def life(record: Record, now: float) -> str:
    """How much longer the links of a made video live, as far as it is known."""
    if record.expires_at is None:
        return "links live for 24 hours"
    left = record.expires_at - now
    return f"its link lives for {span(left)} more" if left > 0 else "its link has died"


_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    if seconds < _DAY:
        hours, minutes = divmod(round(seconds / _MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(seconds / _DAY)} days" if seconds >= 2 * _DAY else "1 day"
