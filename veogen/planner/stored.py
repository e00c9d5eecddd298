"""Plans read back from files: locks, and what `plan` wrote. They are input, so all is checked."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from veogen.catalogue.models import Model, shipped
from veogen.document.placed import placed
from veogen.document.problems import MistakesError, Problem
from veogen.document.reader import read
from veogen.document.shape import amount, problems_of, value_of
from veogen.document.values import Map, Place, Seq, Value
from veogen.planner.document import FORMAT
from veogen.planner.plan import Image, Plan, Request
from veogen.planner.soundness import contradictions
from veogen.planner.stored_keys import PLAN
from veogen.spec.layers import submap
from veogen.spec.model import Limits
from veogen.spec.params import as_json
from veogen.spec.policy import read_limits

MAX_BYTES = 256 * 1024 * 1024
GLANCE = 4096

_FORMAT = re.compile(rb"""(^(- )?|[{,]\s*)["']?format["']?\s*:\s*["']?veogen\.""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rate:
    """Where the prices of a plan are from, and what a dollar was worth."""

    date: str
    source: str
    credits_per_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A plan as a file keeps it; credits are those of the day it was written."""

    plan: Plan
    place: Place
    is_lock: bool
    rates: Mapping[str, Rate | None] = field(default_factory=dict)


def is_stored(raw: bytes) -> bool:
    """Whether these are the bytes of a lock or plan file and not of a spec."""
    return _FORMAT.search(raw[:GLANCE]) is not None


def read_stored(raw: bytes, shown: str) -> tuple[Stored, ...]:
    """The plans in a lock or plan file; raises `MistakesError` for whatever does not add up."""
    tree = _tree(raw, shown)
    start = Place(shown, 1, 1)
    found = tuple(tree) if isinstance(tree, Seq) else (tree,)
    return tuple(_stored(item, start) for item in found)


def read_lock(raw: bytes, shown: str) -> Stored:
    """The lock in a file; raises `MistakesError`."""
    found = read_stored(raw, shown)
    if len(found) != 1 or not found[0].is_lock:
        message = "this is not a lock: 'veogen lock' writes one"
        raise MistakesError([Problem(Place(shown, 1, 1), "error", "lock", message)])
    return found[0]


def _tree(raw: bytes, shown: str) -> Value:
    if raw.lstrip()[:1] not in (b"{", b"["):
        return read(raw, shown, max_bytes=MAX_BYTES)
    try:
        return placed(json.loads(raw), Place(shown, 1, 1))
    except (ValueError, RecursionError) as error:
        message = f"this is not JSON that can be read: {error}"
        raise MistakesError([Problem(Place(shown, 1, 1), "error", "plan", message)]) from None


def _stored(tree: Value, start: Place) -> Stored:
    if isinstance(tree, Map) and "format" in tree and tree["format"] != FORMAT:
        message = f"its format is {tree['format']!r}; this veogen reads {FORMAT!r}"
        raise MistakesError([Problem(tree.value_place("format"), "error", "format", message)])
    wrong = list(problems_of(tree, PLAN, start))
    if wrong or not isinstance(tree, Map):
        raise MistakesError(wrong)
    requests = _requests(value_of(tree, "requests", Seq))
    wrong = list(contradictions(submap(tree, "totals"), requests, tree.value_place("totals")))
    if wrong:
        raise MistakesError(wrong)
    budget, profile = tree.get("budget"), tree["profile"]
    return Stored(
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
        rates={name: _rate(rate) for name, rate in submap(tree, "prices").items()},
    )


def _rate(written: Value) -> Rate | None:
    if not isinstance(written, Map):
        return None
    worth = amount(written["credits_per_usd"]) or Decimal(0)
    return Rate(value_of(written, "date", str), value_of(written, "source", str), worth)


def _requests(written: Seq) -> tuple[Request, ...]:
    models = shipped()
    return tuple(
        _request(item, written.value_place(index), models)
        for index, item in enumerate(written)
        if isinstance(item, Map)
    )


def _request(written: Map, place: Place, models: Mapping[str, Model]) -> Request:
    body = {name: as_json(value) for name, value in submap(written, "request").items()}
    variables = submap(written, "variables")
    model = models.get(str(body.get("model")))
    return Request(
        address=value_of(written, "address", str),
        hash=value_of(written, "hash", str),
        shot=value_of(written, "shot", str),
        take=value_of(written, "take", int),
        variables={name: as_json(value) for name, value in variables.items()},
        output=value_of(written, "output", str),
        body=body,
        images=tuple(_images(value_of(written, "images", Seq))),
        credits=amount(written["credits"]),
        seconds=model.seconds(body) if model else None,
        place=place,
    )


def _images(written: Seq) -> Iterator[Image]:
    for item in written:
        if isinstance(item, Map):
            path, sha256 = value_of(item, "path", str), value_of(item, "sha256", str)
            yield Image(path, sha256, value_of(item, "bytes", int))
