"""What a request that is not completed needs from a person, and the exact commands for it."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from veogen.planner.plan import total_credits
from veogen.results.facts import TEMPORARY
from veogen.results.ledger import RequestState
from veogen.results.record import Record
from veogen.text import counted, credits_text

_NEEDS_AN_EDIT = frozenset(
    {
        "content_policy_violation",
        "content_filter",
        "sensitive_content",
        "moderation_blocked",
        "input_moderation_failed",
        "generation_failed_no_content",
        "image_processing_error",
        "image_dimension_mismatch",
        "invalid_parameters",
        "unsupported_parameters",
        "invalid_request_error",
    }
)


MOST_NAMED = 10
"""Addresses in one command: nobody reads, or pastes, a line of a thousand."""


@dataclass(frozen=True, slots=True)
class RunCommands:
    """How a run is called on a command line, and the arguments with which it is run again."""

    run: str
    arguments: tuple[str, ...] = ("SPEC",)

    def resolve(self, option: str, *values: str) -> str:
        decisions = (word for value in values for word in (option, value))
        return shlex.join(["veogen", "resolve", self.run, *decisions])

    @property
    def collect(self) -> str:
        return f"veogen collect {shlex.quote(self.run)}"

    @property
    def gallery(self) -> str:
        return f"veogen gallery {shlex.quote(self.run)}"

    @property
    def buy(self) -> str:
        return shlex.join(["veogen", "run", *self.arguments])

    @property
    def retry(self) -> str:
        return f"{self.buy} --retry-failed"


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do: a command as it is typed, and what it does."""

    command: str
    why: str


def reason(record: Record) -> str:
    """Why it is not completed, in the words of whoever said so."""
    if record.error is None:
        return ""
    code, message = record.error.code, record.error.message
    return f"{message} ({code})" if message else code


def at_stake(record: Record) -> str:
    """What the last attempt may have cost."""
    counted = None if record.current is None else record.current.counted
    if counted is None:
        return "it may have cost an amount that is not known"
    return f"it may have cost {counted} credits"


def doubt(record: Record) -> str:
    """Why nobody knows whether it was accepted, where somebody said so, and what is at stake."""
    return f"{reason(record) or 'nobody knows whether it was accepted'}; {at_stake(record)}"


def advice(
    state: RequestState, names: RunCommands, now: float, name: str | None = None
) -> tuple[NextStep, ...]:
    """What to do about a request; nothing for one that goes on by itself.

    `name` is what a person types for it, its address where that is left out.
    """
    record, address = state.record, name or state.request.address
    match record.status:
        case "failed":
            return (_failed(state, names, address),)
        case "indeterminate":  # which way out is right only the account's task list can say
            adopt = names.resolve("--adopt", f"{address}=TASK_ID")
            replay = names.resolve("--replay", address)
            return (
                NextStep(adopt, "if the account's list has the task"),
                NextStep(replay, "sends it once more with the same key"),
                NextStep(names.resolve("--abandon", address), "counts it as spent"),
            )
        case "undelivered" if record.expires_at is not None and record.expires_at <= now:
            amount = state.request.credits or record.credits
            price = "for it" if amount is None else f"{amount} credits"
            rebuy = names.resolve("--rebuy", address)
            return (NextStep(rebuy, f"its link has died: this pays {price} once more"),)
        case "undelivered":
            return (NextStep(names.collect, life(record, now)),)
        case _:
            return ()


def next_steps(
    states: Iterable[RequestState],
    names: RunCommands,
    now: float,
    name_of: Callable[[RequestState], str] = attrgetter("request.address"),
) -> Iterator[NextStep]:
    """What to type next for the requests of a run as a whole; what is held is for a person."""
    states = list(states)
    yield from _collecting(states, names, now, name_of)
    planned = [s for s in states if s.record.status == "planned"]
    if planned:
        price = total_credits(s.request for s in planned)  # a fresh clone knows of no estimates
        money = "" if price is None else f" for about {credits_text(price)} credits"
        yield NextStep(names.buy, f"buys {counted(len(planned), 'request')}{money}")
    failed = [s for s in states if s.record.status == "failed"]
    refused = [s for s in failed if _needs_an_edit(s)]
    if refused:
        made = "it is" if len(refused) == 1 else "they are"
        why = f"after an edit of {counted(len(refused), 'request')} that cannot be made as {made}"
        yield NextStep(names.buy, why)
    if len(failed) > len(refused):
        yield NextStep(names.retry, "buys again what failed, as it is")
    if any(s.record.videos for s in states):
        yield NextStep(names.gallery, "writes a page to look at the clips")


def _collecting(
    states: Sequence[RequestState],
    names: RunCommands,
    now: float,
    name_of: Callable[[RequestState], str],
) -> Iterator[NextStep]:
    out = [s for s in states if s.record.status in ("submitted", "undelivered")]
    dead = [s for s in out if s.record.expires_at is not None and s.record.expires_at <= now]
    alive = len(out) - len(dead)
    if alive:
        yield NextStep(names.collect, f"brings home what was bought ({alive})")
    if len(dead) > MOST_NAMED:  # the table has their addresses
        why = f"the links of {len(dead)} have died: this pays once more, for those you name"
        yield NextStep(names.resolve("--rebuy", "ADDRESS"), why)
    elif dead:  # each by its address: '*' would buy others too
        rebuy = names.resolve("--rebuy", *map(name_of, dead))
        yield NextStep(rebuy, "its link has died: this pays once more")


def _failed(state: RequestState, names: RunCommands, name: str) -> NextStep:
    code = state.record.error.code if state.record.error else ""
    if code == "abandoned":
        return NextStep(names.resolve("--rebuy", name), "buys it anew")
    if code in TEMPORARY:
        return NextStep(names.retry, "the trouble was a passing one; this buys it again")
    if _needs_an_edit(state):
        return NextStep(names.buy, "after an edit of the request, which makes it a new one")
    return NextStep(names.retry, "buys it again as it is")


def _needs_an_edit(state: RequestState) -> bool:
    error = state.record.error
    return error is not None and error.code in _NEEDS_AN_EDIT


def life(record: Record, now: float) -> str:
    """How much longer the links of a made video live, as far as it is known."""
    code = None if record.error is None else record.error.code
    if code == "link-expired":
        return "the gateway may have another link"
    if code == "no-links":
        return "the gateway may name its links later"
    if record.expires_at is None:
        return "links live for 24 hours"
    left = record.expires_at - now
    return f"its link lives for {duration_text(left)} more" if left > 0 else "its link has died"


_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration_text(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    if seconds < _DAY:
        hours, minutes = divmod(round(seconds / _MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return counted(round(seconds / _DAY), "day")
