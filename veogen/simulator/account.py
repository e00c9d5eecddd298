"""Credits: what a request costs by the catalogue's figures, and the account that pays."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from veogen.models.model import Model
from veogen.models.prices import RulePrice
from veogen.simulator.refusals import RefusedError
from veogen.simulator.task import SimulatedTask, bill, number_of, seconds_of

_STEP = Decimal("0.001")


def price(model: Model, settled: Mapping[str, Any]) -> Decimal:
    """Credits for a request; nothing where the catalogue has no price."""
    rule = model.price
    if isinstance(rule, RulePrice):
        return rule.quote(settled, model.parameters).credits or Decimal(0)
    if rule is None:
        return Decimal(0)
    amount: Decimal = rule.credits * number_of(settled)
    if rule.per_second:
        amount *= seconds_of(settled)
    for multiplier in rule.multipliers:
        if multiplier.when.items() <= settled.items():
            amount *= multiplier.times
            break
    return max(rule.minimum, amount).quantize(_STEP, ROUND_HALF_UP)


class SimulatedAccount:
    """One balance for every key: reserved when a task is made, charged or returned at its end."""

    def __init__(self, credits_: Decimal) -> None:
        self.remaining = credits_
        self.reserved = self.charged = self.returned = Decimal(0)

    def reserve(self, amount: Decimal) -> None:
        """Set `amount` aside; raises `RefusedError`."""
        if amount > self.remaining:
            raise RefusedError(
                402,
                "the balance is not enough",
                "insufficient_user_quota",
                estimated_credits=float(amount),
                account_balance_credits=float(self.remaining),
                remaining_credits=float(self.remaining),
            )
        self.hold(amount)

    def hold(self, amount: Decimal) -> None:
        """Set `amount` aside for a task that was taken already, be the balance what it is."""
        self.remaining -= amount
        self.reserved += amount

    def charge(self, reserved: Decimal, amount: Decimal) -> None:
        """Take `amount` for what was `reserved`, and give back what is left over."""
        self.reserved -= reserved
        self.charged += amount
        if reserved != amount:
            self.remaining += reserved - amount
            self.returned += reserved - amount

    def give_back(self, amount: Decimal) -> None:
        self.reserved -= amount
        self.remaining += amount
        self.returned += amount


class Audit:
    """Counts that no task holds; keys of clients are kept as fingerprints only."""

    def __init__(self) -> None:
        self.posts = 0
        self.posts_by_key: Counter[str] = Counter()
        self.replayed = 0
        self.refused: Counter[int] = Counter()
        self.batch_polls = 0
        self.media_requests = 0
        self.media_keys: Counter[str] = Counter()
        self.most_in_flight = 0
        self._keys: set[str] = set()

    def asked(self, key: str) -> None:
        """A client showed its key where it should."""
        self._keys.add(_fingerprint(key))

    def posted(self, key: str | None) -> None:
        self.posts += 1
        if key is not None:
            self.posts_by_key[key] += 1

    def in_flight(self, number: int) -> None:
        self.most_in_flight = max(self.most_in_flight, number)

    def asked_media(self, authorization: str | None, sent: Iterable[str]) -> None:
        """A client must not send its key, by whatever header, to the host of the videos."""
        self.media_requests += 1
        seen = {_fingerprint(word) for text in sent for word in text.split()} & self._keys
        if authorization is not None:
            seen.add(_fingerprint(authorization.rpartition(" ")[2]))
        self.media_keys.update(seen)


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:12]


def report(
    audit: Audit,
    tasks: Iterable[SimulatedTask],
    account: SimulatedAccount,
    faults: Mapping[str, int],
) -> dict[str, Any]:
    """Everything as JSON."""
    tasks = list(tasks)
    return {
        "format": "veogen.audit/1",
        "submits": {
            "posts": audit.posts,
            "by_key": dict(audit.posts_by_key),
            "accepted": len(tasks),
            "replayed": audit.replayed,
            "refused": {str(status): number for status, number in audit.refused.items()},
        },
        "billed": [bill(task) for task in tasks],
        "duplicates": {
            # A promise of this gateway broken, so always none.
            "by_key": _groups((task.key, task.id) for task in tasks if task.key is not None),
            # Takes and new attempts, or a client's mistake.
            "by_body": _groups((task.body_hash, task.id) for task in tasks),
        },
        "most_in_flight": audit.most_in_flight,
        "polls": {"total": sum(task.polls for task in tasks), "batches": audit.batch_polls},
        "media": {"requests": audit.media_requests, "keys": dict(audit.media_keys)},
        "faults": dict(faults),
        "credits": {
            "remaining": str(account.remaining),
            "reserved": str(account.reserved),
            "charged": str(account.charged),
            "returned": str(account.returned),
        },
    }


def summary(audit: dict[str, Any]) -> str:
    """The report in a few lines, for the one who ends the simulator."""
    submits, credits_, media = audit["submits"], audit["credits"], audit["media"]
    replayed, refusals = submits["replayed"], sum(submits["refused"].values())
    doubles = {kind: len(groups) for kind, groups in audit["duplicates"].items()}
    polls = [bill["polls"] for bill in audit["billed"]]
    facts = {
        "submits": f"{submits['posts']} (new tasks {submits['accepted']},"
        f" replays {replayed}, refusals {refusals})",
        "credits charged": f"{credits_['charged']}, returned: {credits_['returned']},"
        f" still reserved: {credits_['reserved']}",
        "most tasks in flight": str(audit["most_in_flight"]),
        "polls": f"{sum(polls)}, of one task at most {max(polls, default=0)}",
        "keys billed twice": str(doubles["by_key"]),
        "bodies billed under several keys": str(doubles["by_body"]),
        "requests for clips": f"{media['requests']}, with a key: {sum(media['keys'].values())}",
    }
    if audit["faults"]:
        happened = (f"{name} {number}" for name, number in sorted(audit["faults"].items()))
        facts["faults"] = ", ".join(happened)
    return "\n".join(f"{name}: {text}" for name, text in facts.items())


def _groups(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The ids of tasks by what they share, where it is more than one."""
    groups: dict[str, list[str]] = {}
    for name, task_id in pairs:
        groups.setdefault(name, []).append(task_id)
    return {name: ids for name, ids in groups.items() if len(ids) > 1}
