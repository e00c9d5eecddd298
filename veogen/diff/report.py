"""A difference made ready for people: changes in groups, money, and what else to know."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, TypeAlias

from veogen.diff.axis_changes import AxisChange
from veogen.diff.compare import ZERO, Change, CreditChange, Difference, Fields
from veogen.models.parameters import Json
from veogen.planner.identity import FILE, canonical
from veogen.planner.plan import Request
from veogen.text import counted, plain

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_TOKENS, _MOST_MATCHES = 6_000, 50_000
"""Comparing takes the square of the tokens, and of those that are equal the cube."""


@dataclass(frozen=True, slots=True)
class WordChange:
    """A run of text: in both when `old` and `new` are equal, else replaced by the other."""

    old: str
    new: str

    @property
    def is_kept(self) -> bool:
        return self.old == self.new


@lru_cache(maxsize=1024)
def word_pieces(old: str, new: str) -> tuple[WordChange, ...]:
    """Both texts cut into what they share and what was replaced.

    Joined, the old sides are `old` and the new sides `new`. Replaced pieces with nothing but a
    space between them are one: people read phrases.
    """
    pieces: list[WordChange] = []
    waiting: list[WordChange] = []
    for piece in token_pieces(_TOKEN.findall(old), _TOKEN.findall(new)):
        is_gap = piece.is_kept and _is_gap(piece.old)
        if waiting and (is_gap or not piece.is_kept):
            waiting.append(piece)
        elif piece.is_kept:
            pieces += (*_joined(waiting), piece)
            waiting = []
        else:
            waiting = [piece]
    return (*pieces, *_joined(waiting))


def token_pieces(before: Sequence[str], after: Sequence[str]) -> Iterator[WordChange]:
    """Two texts in tokens, as what they share and what was replaced; too much is, as a whole."""
    start = common_start(before, after)
    end = common_start(before[:start:-1], after[:start:-1])
    head, tail = "".join(before[:start]), "".join(before[len(before) - end :])
    before, after = before[start : len(before) - end], after[start : len(after) - end]
    counts = Counter(after)  # pairs of equal tokens are what a comparison begins at
    matches = sum(counts[token] for token in before if not _is_gap(token))
    if len(before) + len(after) > _MOST_TOKENS or matches > _MOST_MATCHES:
        middle = [WordChange("".join(before), "".join(after))]
    else:
        codes = SequenceMatcher(_is_gap, before, after, autojunk=False).get_opcodes()
        middle = [WordChange("".join(before[a:b]), "".join(after[c:d])) for _, a, b, c, d in codes]
    pieces = (WordChange(head, head), *middle, WordChange(tail, tail))
    return (piece for piece in pieces if piece.old or piece.new)


def common_start(before: Sequence[str], after: Sequence[str]) -> int:
    """With how many equal texts both begin."""
    pairs = enumerate(zip(before, after, strict=False))
    shorter = min(len(before), len(after))
    return next((index for index, (left, right) in pairs if left != right), shorter)


def replacements(pieces: Sequence[WordChange]) -> tuple[tuple[str, str], ...]:
    """What was replaced by what, white space around it left away."""
    return tuple((piece.old.strip(), piece.new.strip()) for piece in pieces if not piece.is_kept)


def _is_gap(text: str) -> bool:
    """Whether a text is nothing but space between words of one line."""
    return text.isspace() and "\n" not in text


def _joined(pieces: list[WordChange]) -> Iterator[WordChange]:
    """The pieces as one, but for a gap that they end with."""
    tail = pieces.pop() if pieces and pieces[-1].is_kept else None
    if pieces:
        yield WordChange("".join(p.old for p in pieces), "".join(p.new for p in pieces))
    if tail is not None:
        yield tail


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a request changed: where people find it, and as `path:line:column`."""

    why: str
    shown: str
    location: str

    def __str__(self) -> str:
        return f"{self.why} {self.shown}"


CausesOf: TypeAlias = Callable[[Change], Iterable[Cause]]

_HASH = "sha256:"
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done to one field: words of a text replaced, or a value for another."""

    field: str
    replaced: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        shown = []
        for old, new in self.replaced[:_MOST_SHOWN]:
            if old and new:
                shown.append(f"{plain(old)} → {plain(new)}")
            elif old or new:
                shown.append(f"+ {plain(new)}" if new else f"- {plain(old)}")
            else:
                shown.append("white space")
        more = len(self.replaced) - len(shown)
        return f"{plain(self.field)}: {', '.join(shown)}{f' and {more} more' if more else ''}"


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Requests that were edited alike, and why, as far as it is known.

    `locations` are the first causes of them, by address.
    """

    edits: tuple[Edit, ...]
    changes: tuple[Change, ...]
    causes: tuple[str, ...]
    locations: Mapping[str, str]

    @property
    def title(self) -> str:
        """What was done, on one line."""
        return "; ".join(map(str, self.edits))

    @property
    def is_same_clip(self) -> bool:
        return all(change.is_same_clip for change in self.changes)


def unexplained(change: Change) -> Iterable[Cause]:
    """The causes of a change about which nothing is known but that it is there."""
    del change
    return ()


def grouped(
    changes: Iterable[Change], causes_of: CausesOf = unexplained
) -> tuple[ChangeGroup, ...]:
    """The changes with equal edits together, in order of the first of each."""
    alike: dict[tuple[Edit, ...], list[Change]] = {}
    for change in changes:
        alike.setdefault(tuple(_edits(change)), []).append(change)
    groups = []
    for edits, members in alike.items():
        causes = {change.address: tuple(causes_of(change)) for change in members}
        shown = dict.fromkeys(str(cause) for each in causes.values() for cause in each)
        locations = {address: each[0].location for address, each in causes.items() if each}
        groups.append(ChangeGroup(edits, tuple(members), tuple(shown), locations))
    return tuple(groups)


def _edits(change: Change) -> Iterator[Edit]:
    for name, (old, new) in change.fields.items():
        if isinstance(old, str) and isinstance(new, str):
            yield Edit(name, replacements(word_pieces(old, new)))
        elif name == "image_urls" and isinstance(old, list) and isinstance(new, list):
            # By name, and by their bytes where the name is the same.
            left = _named_images(old, change.old.body.get(name))
            right = _named_images(new, change.new.body.get(name))
            pairs = [(", ".join(left), ", ".join(right))]
            if len(left) == len(right):
                pairs = [pair for pair in zip(left, right, strict=True) if pair[0] != pair[1]]
            yield Edit(name, tuple(pairs))
        else:
            yield Edit(name, ((_shown(name, old), _shown(name, new)),))


def _named_images(urls: list[Json], names: Json) -> list[str]:
    """Images by their names, with what tells their bytes apart where that matters."""
    images = []
    for url, name in zip(urls, names if isinstance(names, list) else [], strict=False):
        text, path = str(url), str(name).removeprefix(FILE)
        is_hash = text.startswith(_HASH)
        images.append(f"{path} ({text[len(_HASH) : len(_HASH) + 10]})" if is_hash else path)
    return images


def _shown(name: str, value: Json) -> str:
    """A value on one line; the hash of an image cut to what tells it apart."""
    if value is None:
        return ""
    if name == "image_urls" and isinstance(value, list):
        return ", ".join(map(_image, value))
    if isinstance(value, str) and value.startswith(_HASH):
        return _image(value)
    return canonical(value).decode()


def _image(url: Json) -> str:
    text = str(url)
    return text[: len(_HASH) + 10] if text.startswith(_HASH) else text


FORMAT = "veogen.diff/2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Videos that come and go, and requests that become others, change their address or stay."""

    added: int
    removed: int
    changed: int
    renamed: int
    unchanged: int


def counts_of(differences: Iterable[Difference]) -> Counts:
    """The counts of several differences together."""
    every = tuple(differences)
    return Counts(
        added=sum(_videos(one.added) for one in every),
        removed=sum(_videos(one.removed) for one in every),
        changed=sum(len(one.changed) for one in every),
        renamed=sum(len(one.renamed) for one in every),
        unchanged=sum(len(one.unchanged) for one in every),
    )


def to_buy_text(money: CreditChange, usd: Decimal | None) -> str:
    """What is to be bought, and how much of it the change did not make."""
    if money.to_buy is None:
        return "an unknown price to buy"
    amount = f"{money.to_buy} credits{f' (about ${usd})' if usd else ''} to buy"
    if not money.open_before:
        return amount
    return f"{amount}, {money.by_change} by this change and {money.open_before} open before"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecDiff:
    """One spec before and after; `old` and `new` say where each was read, None where it is not.

    `axes` are what was done to axes, with many requests each; what those do not explain is the
    `rest`. `usd` is what is to be bought in dollars, where that is known. `changes` tell what
    differs beside the requests; `notes` are no difference.
    """

    name: str
    spec: str = ""
    profile: str | None = None
    old: str | None
    new: str | None
    difference: Difference
    rest: Difference
    groups: tuple[ChangeGroup, ...]
    axes: tuple[AxisChange, ...]
    money: CreditChange
    usd: Decimal | None = None
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.difference or self.changes)

    @property
    def title(self) -> str:
        """Its name, with the profile that it is bought with."""
        return self.name if self.profile is None else f"{self.name} ({self.profile})"

    @property
    def counts(self) -> Counts:
        return counts_of((self.difference,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one command compares; false when nothing differs.

    Its own changes are those of policies, its notes are of all specs together.
    """

    reviews: tuple[SpecDiff, ...]
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes) or any(self.reviews)

    @property
    def usd(self) -> Decimal | None:
        """What is to be bought in dollars, None where that is not known of all."""
        amounts = [review.usd for review in self.reviews]
        known = [amount for amount in amounts if amount is not None]
        return sum(known, Decimal(0)) if len(known) == len(amounts) else None

    @property
    def money(self) -> CreditChange:
        return sum((review.money for review in self.reviews), ZERO)

    @property
    def counts(self) -> Counts:
        return counts_of(tuple(review.difference for review in self.reviews))

    @property
    def headline(self) -> str:
        """All of it on one line: `+4 clips, 3 changed: 304.128 credits to buy`."""
        if not self:
            return "no difference"
        counts = self.counts
        parts = [f"+{counted(counts.added, 'clip')}"] if counts.added else []
        if counts.removed:
            lost = f"{counts.removed:,}" if counts.added else counted(counts.removed, "clip")
            parts.append(f"\u2212{lost}")
        parts += [f"{counts.changed:,} changed"] if counts.changed else []
        parts += [f"{counts.renamed:,} renamed"] if counts.renamed else []
        parts = parts or ["no request differs"]
        return f"{', '.join(parts)}: {to_buy_text(self.money, self.usd)}"


def diff_data(report: Report) -> dict[str, Any]:
    """The contract's JSON, `veogen.diff/2`."""
    specs = []
    for review in report.reviews:
        difference = review.difference
        locations = dict(pair for group in review.groups for pair in group.locations.items())
        changed = [
            _entry(change.old, change.new, change.fields, locations.get(change.address))
            for change in difference.changed
        ]
        spec = {
            "spec": review.spec,
            "profile": review.profile,
            "added": [_entry(None, request) for request in difference.added],
            "removed": [_entry(request, None) for request in difference.removed],
            "renamed": [_entry(old, new) for old, new in difference.renamed],
            "changed": changed,
            "unchanged": len(difference.unchanged),
            "credits": _money_data(review.money),
            "notes": [*review.changes, *review.notes],
        }
        specs.append(spec)
    return {
        "format": FORMAT,
        "specs": specs,
        "notes": [*report.changes, *report.notes],
        "credits": _money_data(report.money),
    }


def _entry(
    old: Request | None,
    new: Request | None,
    fields: Fields | None = None,
    because: str | None = None,
) -> dict[str, Any]:
    """One request: `was` is its former address, where that was another one."""
    request = new or old
    if request is None:
        raise ValueError("an entry is of a request before, after, or both")
    return {
        "address": request.address,
        "was": old.address if old and new and old.address != new.address else None,
        "credits": [_amount(None if each is None else each.credits) for each in (old, new)],
        "fields": {name: list(pair) for name, pair in (fields or {}).items()},
        "because": because or str(request.place),
    }


def _money_data(money: CreditChange) -> dict[str, str | None]:
    return {
        "old": _amount(money.old),
        "new": _amount(money.new),
        "delta": _amount(money.delta),
        "to_buy": _amount(money.to_buy),
        "open_before": _amount(money.open_before),
    }


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _videos(requests: Iterable[Request]) -> int:
    return sum(request.videos for request in requests)
