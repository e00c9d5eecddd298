"""Partial combinations: which of many rules fit a combination, without trying each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from veogen.document.values import Place
from veogen.planner.choices import Combination

MOST_EXPANSIONS = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """Fits a combination whose choices are among the tokens, name by name."""

    tokens: Mapping[str, frozenset[str]]
    place: Place

    def fits(self, tokens: Mapping[str, str]) -> bool:
        return all(tokens.get(name) in allowed for name, allowed in self.tokens.items())


class Matcher:
    """Finds the rules that fit, and remembers those that ever did.

    Rules over the same names are kept in one table, so that a combination costs one look-up
    for each set of names, not one for each rule.
    """

    def __init__(self, rules: Sequence[Rule | None]) -> None:
        self.rules = tuple(rules)
        self._used: set[int] = set()
        self._tables: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}
        self._wide: dict[int, Rule] = {}  # those with too many alternatives for a table
        for index, rule in enumerate(rules):
            if rule is not None:  # a mistaken one never fits, and has been told about
                self._add(index, rule)

    def matching(self, combination: Combination) -> tuple[int, ...]:
        """The positions of the rules that fit, in order."""
        if not self.rules:
            return ()
        tokens = {choice.name: choice.token for choice in combination}
        found = tuple(sorted(self._find(tokens)))
        self._used.update(found)
        return found

    def unused(self) -> Iterator[Rule]:
        """Rules that have never fitted anything."""
        return (r for i, r in enumerate(self.rules) if r is not None and i not in self._used)

    def _add(self, index: int, rule: Rule) -> None:
        if prod(map(len, rule.tokens.values())) > MOST_EXPANSIONS:
            self._wide[index] = rule
            return
        names = tuple(sorted(rule.tokens))
        table = self._tables.setdefault(names, {})
        for key in product(*(sorted(rule.tokens[name]) for name in names)):
            table.setdefault(key, []).append(index)

    def _find(self, tokens: Mapping[str, str]) -> Iterator[int]:
        for names, table in self._tables.items():
            yield from table.get(tuple(tokens.get(name, "") for name in names), ())
        for index, rule in self._wide.items():
            if rule.fits(tokens):
                yield index
