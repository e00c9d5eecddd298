"""What was done to the axes of a shot: one entry for many requests that came or went with it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from veogen.diff.compare import Difference, Pair
from veogen.models.parameters import Json
from veogen.planner.identity import address_text
from veogen.planner.plan import Request

_MOST_VALUES = 8
_FEWEST = 2
"""Requests of one entry: one alone is named by its address."""


@dataclass(slots=True)
class AxisChange:
    """One thing that was done to a shot's axes, and the requests that it brought or took."""

    title: str
    added: list[Request] = field(default_factory=list)
    removed: list[Request] = field(default_factory=list)
    renamed: list[Pair] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many requests come, go, or change their name: the most of these."""
        return max(len(self.added), len(self.removed), len(self.renamed))


def axis_changes(
    difference: Difference, old: Sequence[Request], new: Sequence[Request]
) -> tuple[tuple[AxisChange, ...], Difference]:
    """The changes of axes between two plans, and what of their difference those do not explain."""
    before, after = _by_shot(old), _by_shot(new)
    changes: list[AxisChange] = []
    for shot in dict.fromkeys((*after, *before)):
        titles = _Titles.of(shot, before.get(shot, ()), after.get(shot, ()))
        found: defaultdict[str, AxisChange] = defaultdict(lambda: AxisChange(""))
        for request in _of(shot, difference.added):
            found[titles.of_added(request)].added.append(request)
        for request in _of(shot, difference.removed):
            found[titles.of_removed(request)].removed.append(request)
        for pair in difference.renamed:
            if pair[1].shot == shot:
                found[titles.of_renamed(*pair)].renamed.append(pair)
        for title, change in found.items():
            change.title = title
            if title and change.size >= _FEWEST:
                changes.append(change)
    explained = {id(each) for it in changes for each in (*it.added, *it.removed, *it.renamed)}
    rest = replace(
        difference,
        added=tuple(each for each in difference.added if id(each) not in explained),
        removed=tuple(each for each in difference.removed if id(each) not in explained),
        renamed=tuple(each for each in difference.renamed if id(each) not in explained),
    )
    return tuple(changes), rest


def _of(shot: str, requests: Iterable[Request]) -> Iterator[Request]:
    return (request for request in requests if request.shot == shot)


def _by_shot(requests: Iterable[Request]) -> dict[str, list[Request]]:
    shots: dict[str, list[Request]] = {}
    for request in requests:
        shots.setdefault(request.shot, []).append(request)
    return shots


@dataclass(frozen=True, slots=True)
class _Titles:
    """What was done to a shot as a whole, or else to single values of its axes.

    `came` and `went` are values by axis, as addresses have them; `renamed` leads from the old value
    of an axis to the new one.
    """

    shot: str
    whole: str
    came: Mapping[str, Sequence[str]]
    went: Mapping[str, Sequence[str]]
    renamed: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, shot: str, old: Sequence[Request], new: Sequence[Request]) -> "_Titles":
        before, after = _values(old), _values(new)
        came = {n: [v for v in after[n] if v not in before.get(n, ())] for n in after}
        went = {n: [v for v in before[n] if v not in after.get(n, ())] for n in before}
        if not old or not new:
            whole = f"shot {shot} {'added' if new else 'removed'}"
            return cls(shot, whole, came, went, {})
        axes = [f"{name} {_shown(after[name])}" for name in after if name not in before]
        gone = [name for name in before if name not in after]
        if axes or gone:
            parts = [f"axis {' and '.join(axes)} added"] if axes else []
            parts += [f"axis {' and '.join(gone)} removed"] if gone else []
            whole = f"shot {shot}: {', '.join(parts)}, {len(old):,} \u2192 {len(new):,}"
            return cls(shot, whole, came, went, {})
        return cls(shot, "", came, went, _renamed(old, new, came, went))

    def of_added(self, request: Request) -> str:
        if self.whole:
            return self.whole
        values = _texts(request)
        targets = {(name, to): value for (name, value), to in self.renamed.items()}
        for name, value in values.items():
            if (name, value) in targets:
                return self._arrow(name, targets[name, value], value)
        return self._listed("+", {n: self.came[n] for n in values if values[n] in self.came[n]})

    def of_removed(self, request: Request) -> str:
        if self.whole:
            return self.whole
        values = _texts(request)
        for name, value in values.items():
            if (name, value) in self.renamed:
                return self._arrow(name, value, self.renamed[name, value])
        return self._listed(
            "\u2212", {n: self.went[n] for n in values if values[n] in self.went[n]}
        )

    def of_renamed(self, old: Request, new: Request) -> str:
        if self.whole:
            return self.whole
        before, after = _texts(old), _texts(new)
        moved = [name for name in after if before.get(name) != after[name]]
        if len(moved) == 1 and (name := moved[0]) in before:
            return self._arrow(name, before[name], after[name])
        return ""

    def _arrow(self, name: str, old: str, new: str) -> str:
        return f"shot {self.shot}: {name} {old} \u2192 {new}"

    def _listed(self, sign: str, values: Mapping[str, Sequence[str]]) -> str:
        if not values:
            return ""
        listed = ", ".join(f"{name} {sign} {_shown(each)}" for name, each in values.items())
        return f"shot {self.shot}: {listed}"


def _renamed(
    old: Sequence[Request],
    new: Sequence[Request],
    came: Mapping[str, Sequence[str]],
    went: Mapping[str, Sequence[str]],
) -> dict[tuple[str, str], str]:
    """The values that stand for others now: everything else of their requests is as it was."""
    renamed: dict[tuple[str, str], str] = {}
    for name in went:
        if not went[name] or len(went[name]) != len(came.get(name, ())):
            continue
        pairs = list(zip(went[name], came[name], strict=True))
        if all(_others(old, name, was) == _others(new, name, now) for was, now in pairs):
            renamed.update({(name, was): now for was, now in pairs})
    return renamed


def _others(requests: Iterable[Request], name: str, value: str) -> set[tuple[object, ...]]:
    """What the requests with a value have on the other axes."""
    found = set()
    for request in requests:
        texts = _texts(request)
        if texts.pop(name, None) == value:
            found.add((request.take, *sorted(texts.items())))
    return found


def _values(requests: Iterable[Request]) -> dict[str, list[str]]:
    """The values of every axis, in order."""
    values: dict[str, dict[str, None]] = {}
    for request in requests:
        for name, value in _texts(request).items():
            values.setdefault(name, {})[value] = None
    return {name: list(each) for name, each in values.items()}


def _texts(request: Request) -> dict[str, str]:
    variables: Mapping[str, Json] = request.variables
    return {name: address_text(value) for name, value in variables.items()}


def _shown(values: Sequence[str]) -> str:
    more = len(values) - _MOST_VALUES
    return ", ".join(values[:_MOST_VALUES]) + (f" and {more} more" if more > 0 else "")
