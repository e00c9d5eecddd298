"""Locks: what was approved, kept in git beside its spec, and whether a spec still makes it."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import PurePosixPath

from veogen.diff.compare import Difference, compare
from veogen.document.files import Files, OutsideRootError, inside
from veogen.document.nodes import Location, Map, Seq, Value, with_location
from veogen.document.problems import MistakesError, Problem, Problems
from veogen.document.reader import read
from veogen.document.schema import (
    AmountType,
    AnyType,
    Field,
    IntegerType,
    ListOf,
    MapOf,
    ObjectType,
    OrNull,
    StringType,
    amount,
    problems_of,
    value_of,
)
from veogen.document.writer import Block, lines
from veogen.jsontext import strict
from veogen.models.model import Model, shipped
from veogen.planner.checks import RequestChecker, over_budget, request_limit
from veogen.planner.identity import (
    FILE,
    BadPathError,
    address,
    local_images,
    output_path,
    request_hash,
)
from veogen.planner.plan import (
    FORMAT,
    MADE_ANEW,
    Image,
    Plan,
    Request,
    request_data,
    total_credits,
    totals_data,
    totals_of,
)
from veogen.spec.grammar import BUDGET, NAME
from veogen.spec.layers import mapping_at
from veogen.spec.params import as_json
from veogen.spec.project import load_policy, read_limits
from veogen.spec.types import PROMPTS, Limits, Spec


def verify(totals: Map, requests: tuple[Request, ...], place: Location) -> Iterator[Problem]:
    """What a plan says of itself that is not so: nobody reviewed what it would buy."""
    seen: set[str] = set()
    for request in requests:
        for message in _request_contradictions(request, seen):
            yield Problem(request.place, "error", "plan", f"{request.address}: {message}")
        seen.update((request.address, request.hash))
    counted = (len(requests), sum(request.videos for request in requests))
    if (totals["requests"], totals["videos"]) != counted:
        message = "the totals are not those of the requests"
        yield Problem(place, "error", "plan", message)
    prices = [request.credits for request in requests]
    total = sum((price for price in prices if price is not None), Decimal(0))
    if amount(totals["credits"]) != (None if None in prices else total):
        message = "the credits of the totals are not the sum of those of the requests"
        yield Problem(place, "error", "plan", message)


def _request_contradictions(request: Request, seen: set[str]) -> Iterator[str]:
    if request.address in seen or request.hash in seen:
        yield "it stands in this plan twice"
    if request.address != address(request.shot, request.variables, request.take):
        yield "the address is not made of its shot, variables and take"
    if request.hash != request_hash(request.body, request.take, request.images):
        yield "the hash is not that of the request: it was edited by hand"
    try:
        is_path = output_path(request.output) == request.output
    except BadPathError:
        is_path = False
    if not is_path:
        yield f"the output {request.output!r} is not a path below the run directory"
    if set(local_images(request.body)) != {FILE + image.path for image in request.images}:
        yield "its images are not those of the request"
    for image in request.images:
        try:
            is_inside = str(inside(PurePosixPath(), image.path)) == image.path
        except OutsideRootError:
            is_inside = False
        if not is_inside:
            yield f"{image.path!r} leaves the project"


_HASH = re.compile("[0-9a-f]{64}")


def _hash(text: str) -> tuple[str, str] | None:
    if _HASH.fullmatch(text):
        return None
    return "hash", f"{text[:80]!r} is not a SHA-256 in hexadecimal digits"


_must = partial(Field, required=True)

_CREDITS = OrNull(AmountType())

IMAGE = ObjectType(
    "an image",
    "Image",
    "An image of a request, by its bytes.",
    {
        "path": _must(StringType(), "Below the project root."),
        "sha256": _must(StringType(_hash), "Of its bytes."),
        "bytes": _must(IntegerType(0), "How many."),
    },
)
REQUEST = ObjectType(
    "a request of a plan",
    "Request",
    "One request, as `plan` and a lock write it.",
    {
        "address": _must(StringType(), "Its label."),
        "hash": _must(StringType(_hash), "Its identity."),
        "shot": _must(NAME, "The name of its shot."),
        "take": _must(IntegerType(1), "Which of several purchases it is."),
        "variables": _must(MapOf(AnyType()), "Axes and key columns."),
        "output": _must(StringType(), "Where its clips go."),
        "credits": _must(_CREDITS, "What it is expected to cost."),
        "state": Field(StringType(), "Where it stood."),
        "request": _must(MapOf(AnyType()), "The body."),
        "images": _must(ListOf(IMAGE), "The files that it sends."),
        "from": Field(ListOf(StringType()), "The picked clips that it makes anew."),
    },
)
TOTALS = ObjectType(
    "'totals'",
    "Totals",
    "The sums that a reviewer reads first.",
    {
        "requests": _must(IntegerType(0), "How many."),
        "videos": _must(IntegerType(0), "How many they make."),
        "seconds": _must(IntegerType(0), "How long those are."),
        "credits": _must(_CREDITS, "What they are expected to cost."),
        "usd": _must(_CREDITS, "The same in dollars."),
        "to_buy": Field(AmountType(), "What of it was not bought yet."),
    },
)
RATE = ObjectType(
    "a price of a lock",
    "Rate",
    "Where a price is from.",
    {
        "date": _must(StringType(), "Its day."),
        "source": _must(StringType(), "Who says so."),
        "credits_per_usd": _must(AmountType(), "What a dollar was worth."),
    },
)
PLAN = ObjectType(
    "a plan",
    "Plan",
    "A plan file, or with `set`, `budget` and `prices` a lock.",
    {
        "format": _must(StringType(), "The version of the file."),
        "name": _must(NAME, "The spec's."),
        "spec": _must(StringType(), "Its path below the project root."),
        "profile": _must(OrNull(NAME), "The profile that was chosen."),
        "set": Field(ListOf(StringType()), "What --set said."),
        "budget": Field(BUDGET, "The spec's ceilings."),
        "prices": Field(MapOf(RATE), "Where the prices of each model are from."),
        "totals": _must(TOTALS, "The sums."),
        "requests": _must(ListOf(REQUEST), "In order."),
    },
)


MAX_BYTES = 256 * 1024 * 1024
GLANCE = 4096

_FORMAT = re.compile(rb"""(^(- )?|[{,]\s*)["']?format["']?\s*:\s*["']?veogen\.""", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPlan:
    """A plan as a file keeps it; credits are those of the day it was written.

    `rates` are the dates of the prices of a lock, by model; None where there was no price.
    """

    plan: Plan
    place: Location
    is_lock: bool
    rates: Mapping[str, str | None] = field(default_factory=dict)


def is_plan_file(raw: bytes) -> bool:
    """Whether these are the bytes of a lock or plan file and not of a spec."""
    return _FORMAT.search(raw[:GLANCE]) is not None


def read_stored(raw: bytes, label: str) -> tuple[LoadedPlan, ...]:
    """The plans in a lock or plan file; raises `MistakesError` for whatever does not add up."""
    start = Location(label, 1, 1)
    tree: Value
    if raw.lstrip()[:1] in (b"{", b"["):
        try:
            tree = with_location(strict(raw), start)
        except (ValueError, RecursionError) as error:
            message = f"this is not JSON that can be read: {error}"
            raise MistakesError([Problem(start, "error", "plan", message)]) from None
    else:
        tree = read(raw, label, max_bytes=MAX_BYTES)
    return tuple(_stored(item, start) for item in (tree if isinstance(tree, Seq) else (tree,)))


def read_lock(raw: bytes, label: str) -> LoadedPlan:
    """The lock in a file; raises `MistakesError`."""
    plans = read_stored(raw, label)
    if len(plans) != 1 or not plans[0].is_lock:
        message = "this is not a lock: 'veogen lock' writes one"
        raise MistakesError([Problem(Location(label, 1, 1), "error", "lock", message)])
    return plans[0]


def _stored(tree: Value, start: Location) -> LoadedPlan:
    if isinstance(tree, Map) and "format" in tree and tree["format"] != FORMAT:
        message = f"its format is {tree['format']!r}; this veogen reads {FORMAT!r}"
        raise MistakesError([Problem(tree.value_place("format"), "error", "format", message)])
    wrong = list(problems_of(tree, PLAN, start))
    if wrong or not isinstance(tree, Map):
        raise MistakesError(wrong)
    requests = tuple(_requests(value_of(tree, "requests", Seq)))
    wrong = list(verify(mapping_at(tree, "totals"), requests, tree.value_place("totals")))
    if wrong:
        raise MistakesError(wrong)
    budget, profile = tree.get("budget"), tree["profile"]
    return LoadedPlan(
        plan=Plan(
            name=value_of(tree, "name", str),
            spec=value_of(tree, "spec", str),
            profile=None if profile is None else str(profile),
            settings=tuple(map(str, value_of(tree, "set", Seq) if tree.get("set") else ())),
            requests=requests,
            budget=read_limits(budget) if isinstance(budget, Map) else Limits(),
        ),
        place=start,
        is_lock=tree.get("prices") is not None,
        rates={
            name: value_of(rate, "date", str) if isinstance(rate, Map) else None
            for name, rate in mapping_at(tree, "prices").items()
        },
    )


def _requests(items: Seq) -> Iterator[Request]:
    models = shipped()
    for index, item in enumerate(items):
        if isinstance(item, Map):
            body = {name: as_json(value) for name, value in mapping_at(item, "request").items()}
            variables = mapping_at(item, "variables")
            images = [image for image in value_of(item, "images", Seq) if isinstance(image, Map)]
            model = models.get(str(body.get("model")))
            yield Request(
                address=value_of(item, "address", str),
                hash=value_of(item, "hash", str),
                shot=value_of(item, "shot", str),
                take=value_of(item, "take", int),
                variables={name: as_json(value) for name, value in variables.items()},
                output=value_of(item, "output", str),
                body=body,
                images=tuple(
                    Image(
                        value_of(i, "path", str),
                        value_of(i, "sha256", str),
                        value_of(i, "bytes", int),
                    )
                    for i in images
                ),
                credits=amount(item["credits"]),
                seconds=model.seconds(body) if model else None,
                promotes=tuple(map(str, value_of(item, "from", Seq) if "from" in item else ())),
                place=items.value_place(index),
            )


SUFFIX = ".lock.yaml"

_HEADER = """\
# Written by 'veogen lock': what was approved, to be reviewed and committed.
# Change the spec and lock again; what is edited here by hand is refused.
"""


def lock_path(spec: PurePosixPath, profile: str | None) -> PurePosixPath:
    """Where the lock of a spec is, with a profile that of the profile."""
    stem = spec.stem if profile is None else f"{spec.stem}.{profile}"
    return spec.with_name(stem + SUFFIX)


def lock_text(plan: Plan, models: Mapping[str, Model]) -> str:
    """The lock of a plan: the same bytes for the same plan and prices."""
    promotes = any(request.promotes for request in plan.requests)
    header = _HEADER + (f"# 'from' names picked clips: {MADE_ANEW}.\n" if promotes else "")
    most = plan.budget.max_credits
    budget = {
        "max_credits": None if most is None else str(most),
        "max_requests": plan.budget.max_requests,
    }
    prices: dict[str, dict[str, str] | None] = {}
    for name in sorted({str(request.body["model"]) for request in plan.requests}):
        price = models[name].price
        if price is None:
            prices[name] = None
        else:
            rate = str(price.credits_per_usd)
            prices[name] = {"date": price.date, "source": price.source, "credits_per_usd": rate}
    requests = (  # as they come; prompts are blocks, in which git shows a changed line alone
        {**r, "request": {n: Block(v) if n in PROMPTS else v for n, v in r["request"].items()}}
        for r in map(request_data, plan.requests)
    )
    data = {
        "format": FORMAT,
        "name": plan.name,
        "spec": plan.spec,
        "profile": plan.profile,
        "set": list(plan.settings),
        "budget": {name: value for name, value in budget.items() if value is not None},
        "prices": prices,
        "totals": totals_data(totals_of(plan.requests, models)),
        "requests": requests,
    }
    return header + "".join(f"{line}\n" for line in lines(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What a spec makes now that its lock does not hold; false when the lock is up to date."""

    difference: Difference
    facts: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.difference or self.facts)


def drift(lock: Plan, now: Plan) -> Drift:
    """How a plan differs from the locked one; prices may move."""
    pairs = {
        "name": (lock.name, now.name),
        "spec": (lock.spec, now.spec),
        "profile": (lock.profile, now.profile),
        "--set": (" ".join(lock.settings), " ".join(now.settings)),
        "budget.max_credits": (lock.budget.max_credits, now.budget.max_credits),
        "budget.max_requests": (lock.budget.max_requests, now.budget.max_requests),
    }
    facts: list[str] = []
    for name, (old, new) in pairs.items():
        if old != new:
            before, after = ("nothing" if side in (None, "") else side for side in (old, new))
            facts.append(f"{name}: {before} → {after}")
    kept = {request.hash for request in now.requests}
    locked = {request.hash for request in lock.requests}
    order = [request.hash for request in lock.requests if request.hash in kept]
    if order != [request.hash for request in now.requests if request.hash in locked]:
        facts.append("the order of the requests")
    return Drift(difference=compare(lock.requests, now.requests), facts=tuple(facts))


def moved_price(lock: LoadedPlan, now: Plan) -> str | None:
    """A note where requests that stayed the same are estimated otherwise today."""
    today = {request.hash: request for request in now.requests}
    stayed = [(old, today[old.hash]) for old in lock.plan.requests if old.hash in today]
    if all(old.credits == new.credits for old, new in stayed):
        return None
    totals = (total_credits(side) for side in zip(*stayed, strict=True))
    before, after = ("unknown" if total is None else f"{total} credits" for total in totals)
    dates = ", ".join(sorted({date for date in lock.rates.values() if date is not None}))
    since = f"since prices of {dates}" if dates else "since it was locked"
    return f"a price moved {since}: {before} → {after} for the same requests"


def spec_for_lock(
    lock: LoadedPlan,
    files: Files,
    path: PurePosixPath,
    problems: Problems,
    *,
    lenient: bool = False,
) -> Spec:
    """The lock in the place of a spec: it has no shots, and what it makes is its plan."""
    return Spec(
        name=lock.plan.name,
        path=path,
        files=files,
        description=None,
        profile=None,
        settings=(),
        shots=(),
        budget=lock.plan.budget,
        policy=load_policy(files, problems, lenient=lenient),
    )


def reprice(lock: LoadedPlan, spec: Spec, problems: Problems, max_requests: int | None) -> Plan:
    """The plan of a lock, estimated anew; what stands against buying it goes to `problems`."""
    requests: list[Request] = []
    for request in lock.plan.requests:
        model = spec.policy.models.get(str(request.body.get("model")))
        cost = None if model is None else model.estimate(request.body)
        seconds = None if model is None else model.seconds(request.body)
        requests.append(replace(request, credits=cost, seconds=seconds))
    plan = replace(lock.plan, requests=tuple(requests))
    most = request_limit(spec, max_requests)
    if len(plan.requests) > most:
        message = f"{len(plan.requests):,} requests are more than {most:,}"
        hint = f"--max-requests {len(plan.requests)} allows it"
        problems.error(lock.place, "too-many-requests", message, hint)
    checker = RequestChecker(spec.policy.models)
    for request in plan.requests:
        for finding in checker.check(request.body).findings:
            message = f"{finding.message} ({request.address})"
            where, severity = request.place, finding.severity
            problems.extend([Problem(where, severity, finding.code, message, finding.hint)])
    problems.extend(_other_images(plan, spec.files))
    problems.extend(over_budget(plan.tally, plan.budget, plan.profile, lock.place))
    return plan


def _other_images(plan: Plan, files: Files) -> Iterator[Problem]:
    """The images that are not those that were approved."""
    seen: dict[tuple[str, str], Location] = {}
    for request in plan.requests:
        for image in request.images:
            seen.setdefault((image.path, image.sha256), request.place)
    for (path, sha256), place in seen.items():
        try:
            today = hashlib.sha256(files.read(PurePosixPath(path))).hexdigest()
        except (OSError, OutsideRootError):
            today = None
        if today != sha256:
            message = f"{path!r} is not the image that was approved: restore it, or lock again"
            yield Problem(place, "error", "other-image", message)
