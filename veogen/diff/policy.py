"""What a change allows: the budget of a spec, the team's policy, and prices."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from veogen.document.files import Files, OutsideRootError, inside
from veogen.document.nodes import Map, Seq, Value
from veogen.document.problems import MistakesError
from veogen.document.reader import read_document
from veogen.jsontext import compact
from veogen.spec.grammar import as_json
from veogen.spec.project import POLICY
from veogen.spec.types import Limits

_NOTHING = "none"


def budget_changes(old: Limits, new: Limits) -> Iterator[str]:
    """The ceilings of a spec that differ: `budget.max_credits: 20000 → 90000`."""
    for name in ("max_credits", "max_requests"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            shown = (_NOTHING if each is None else str(each) for each in (before, after))
            yield f"budget.{name}: {' → '.join(shown)}"


def policy_changes(old: Files, new: Files) -> Iterator[str]:
    """The values of a project's policy, and of its file of prices, that differ."""
    before, after = _policy(old), _policy(new)
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, _NOTHING), after.get(name, _NOTHING)
        if was != now:
            yield f"{name}: {was} → {now}"


def _policy(files: Files) -> dict[str, str]:
    """Every value by the file and the keys that lead to it."""
    path = PurePosixPath(POLICY)
    tree = _tree(files, path)
    values = dict(_values(tree, f"{POLICY}: "))
    prices = tree.get("prices")
    if isinstance(prices, str):
        try:
            priced = _tree(files, inside(path.parent, prices))
        except OutsideRootError:
            return values
        values |= dict(_values(priced, f"{prices}: "))
    return values


def _tree(files: Files, path: PurePosixPath) -> Map | dict[str, Value]:
    """The mapping in a file, an empty one where there is none: its mistakes are told elsewhere."""
    try:
        tree = read_document(files, path)
    except MistakesError:
        return {}
    return tree if isinstance(tree, Map) else {}


def _values(tree: Mapping[str, Value], before: str) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Map):
            yield from _values(value, f"{before}{name}.")
        elif isinstance(value, Seq):
            yield f"{before}{name}", compact(as_json(value))
        else:
            yield f"{before}{name}", str(value) if value is not None else _NOTHING
