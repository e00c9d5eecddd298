"""Partial combinations as written in `exclude` and `when`, checked against what there is."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from veogen.document.problems import Problems, did_you_mean, nearest
from veogen.document.values import Map, Place, Seq, Value
from veogen.planner.choices import BadValueError, choice, token
from veogen.planner.rules import Rule
from veogen.spec.params import as_json

Known: TypeAlias = Mapping[str, Mapping[str, object]]  # name -> token -> choice

_MOST_LISTED = 12  # more would hide the message


def rules(written: Seq, known: Known, problems: Problems) -> Iterator[Rule]:
    """The rules of a list of partial combinations; mistaken ones are left out."""
    for index, when in enumerate(written):
        if isinstance(when, Map):
            found = rule(when, written.value_place(index), known, problems)
            if found is not None:
                yield found


def rule(when: Map, place: Place, known: Known, problems: Problems) -> Rule | None:
    """A partial combination as a rule, None when there is a mistake in it."""
    tokens: dict[str, frozenset[str]] = {}
    for name, value in when.items():
        if name not in known:
            key_place = when.key_place(name)
            told = unknown_axis(name, known, search=problems.few)
            problems.error(key_place, "unknown-axis", *told)
            continue
        found = _tokens(name, value, when.value_place(name), known[name], problems)
        if found:
            tokens[name] = found
    return Rule(tokens, place) if len(tokens) == len(when) else None


def unknown_axis(name: str, known: Known, *, search: bool) -> tuple[str, str | None]:
    """Message and hint for a name that no axis or column has; to `search` a near one takes long."""
    if not known:
        return f"{name!r} is not an axis: this shot has none", None
    hint = did_you_mean(name, known) if search else None
    if hint is None and len(known) <= _MOST_LISTED:
        hint = f"there is {', '.join(known)}"
    return f"{name!r} is neither an axis nor a column", hint


def unknown_value(
    name: str, shown: str, known: Mapping[str, object], *, search: bool
) -> tuple[str, str | None]:
    """Message and hint for a value that an axis does not have; a column may have thousands."""
    near = nearest(shown, known) if search else None
    hint = f"did you mean {near}?" if near else None
    if hint is None and len(known) <= _MOST_LISTED:
        hint = f"there is {', '.join(known)}"
    return f"matches nothing: no {name!r} is {shown}", hint


def _tokens(
    name: str, value: Value, place: Place, known: Mapping[str, object], problems: Problems
) -> frozenset[str]:
    """The tokens that `value` allows; a list means any of these."""
    if token(as_json(value)) in known or not isinstance(value, Seq):
        alternatives = [(value, place)]
    else:
        alternatives = [(item, value.value_place(index)) for index, item in enumerate(value)]
    found = set()
    for item, where in alternatives:
        try:
            one = choice(name, item, where)
        except BadValueError as error:
            problems.error(where, "axis-value", str(error))
            continue
        if one.token in known:
            found.add(one.token)
        else:
            told = unknown_value(name, one.token, known, search=problems.few)
            problems.error(where, "matches-nothing", *told)
    return frozenset(found)
