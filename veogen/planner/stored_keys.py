"""The keys of locks and plan files."""

import re

from veogen.document.sections import Key, ListOf, MapOf, Section
from veogen.document.shape import Amount, Anything, Integer, OrNull, Shape, Text
from veogen.planner.document import FORMAT
from veogen.spec.file import BUDGET
from veogen.spec.names import NAME

_HASH = re.compile("[0-9a-f]{64}")


def _hash(text: str) -> tuple[str, str] | None:
    if _HASH.fullmatch(text):
        return None
    return "hash", f"{text[:80]!r} is not a SHA-256 in hexadecimal digits"


def _format(text: str) -> tuple[str, str] | None:
    return None if text == FORMAT else ("format", f"this veogen reads {FORMAT!r}, not {text!r}")


def _must(shape: Shape, about: str) -> Key:
    return Key(shape, about, required=True)


_CREDITS = OrNull(Amount())

IMAGE = Section(
    "an image",
    "Image",
    "An image of a request, by its bytes.",
    {
        "path": _must(Text(), "Below the project root."),
        "sha256": _must(Text(_hash), "Of its bytes."),
        "bytes": _must(Integer(0), "How many."),
    },
)
REQUEST = Section(
    "a request of a plan",
    "Request",
    "One request, as `plan` and a lock write it.",
    {
        "address": _must(Text(), "Its label."),
        "hash": _must(Text(_hash), "Its identity."),
        "shot": _must(NAME, "The name of its shot."),
        "take": _must(Integer(1), "Which of several purchases it is."),
        "variables": _must(MapOf(Anything()), "Axes and key columns."),
        "output": _must(Text(), "Where its clips go."),
        "credits": _must(_CREDITS, "What it is expected to cost."),
        "state": Key(Text(), "Where it stood."),
        "request": _must(MapOf(Anything()), "The body."),
        "images": _must(ListOf(IMAGE), "The files that it sends."),
    },
)
TOTALS = Section(
    "'totals'",
    "Totals",
    "The sums that a reviewer reads first.",
    {
        "requests": _must(Integer(0), "How many."),
        "videos": _must(Integer(0), "How many they make."),
        "seconds": _must(Integer(0), "How long those are."),
        "credits": _must(_CREDITS, "What they are expected to cost."),
        "usd": _must(_CREDITS, "The same in dollars."),
        "to_buy": Key(Amount(), "What of it was not bought yet."),
    },
)
RATE = Section(
    "a price of a lock",
    "Rate",
    "Where a price is from.",
    {
        "date": _must(Text(), "Its day."),
        "source": _must(Text(), "Who says so."),
        "credits_per_usd": _must(Amount(), "What a dollar was worth."),
    },
)
PLAN = Section(
    "a plan",
    "Plan",
    "A plan file, or with `set`, `budget` and `prices` a lock.",
    {
        "format": _must(Text(_format), "The version of the file."),
        "name": _must(NAME, "The spec's."),
        "spec": _must(Text(), "Its path below the project root."),
        "profile": _must(OrNull(NAME), "The profile that was chosen."),
        "set": Key(ListOf(Text()), "What --set said."),
        "budget": Key(BUDGET, "The spec's ceilings."),
        "prices": Key(MapOf(RATE), "Where the prices of each model are from."),
        "totals": _must(TOTALS, "The sums."),
        "requests": _must(ListOf(REQUEST), "In order."),
    },
)
