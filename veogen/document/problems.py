"""Mistakes and warnings, each with the place it stands at, collected to be shown all at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from veogen.document.nodes import Location
from veogen.errors import VeogenError

MOST = 1_000
_FEW = 20
_LONGEST_WORD = 100  # comparing takes the square of it
_SHORTEST_BEGINNING = 3

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake or warning; `code` is stable, `message` says what to write instead."""

    place: Location
    severity: Severity
    code: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}[{self.code}]: {self.text}"

    @property
    def text(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class MistakesError(VeogenError):
    """What the user wrote is wrong; every mistake that was found, warnings included."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Problems:
    """Collects problems, so that a user sees all of them in one go, up to a number.

    Beyond `MOST` mistakes, or as many warnings, nobody reads on: one line says that there are
    more, and `full` that looking for others is of no use.
    """

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._count: dict[Severity, int] = {"error": 0, "warning": 0}

    def error(self, place: Location, code: str, message: str, hint: str | None = None) -> None:
        self._add(Problem(place, "error", code, message, hint))

    def warn(self, place: Location, code: str, message: str, hint: str | None = None) -> None:
        self._add(Problem(place, "warning", code, message, hint))

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._add(problem)
            if self.full:
                return

    @property
    def full(self) -> bool:
        """Whether more mistakes were found than anybody is told."""
        return self._count["error"] > MOST

    @property
    def few(self) -> bool:
        """Whether somebody may read each of them, so that a long search for a hint is worth it."""
        return self._count["error"] < _FEW

    def _add(self, problem: Problem) -> None:
        if problem in self._found:
            return
        self._count[problem.severity] += 1
        if self._count[problem.severity] > MOST + 1:
            return
        if self._count[problem.severity] > MOST:
            message = f"there are more than {MOST:,}; those after this one are not told"
            problem = Problem(problem.place, problem.severity, "too-many", message)
        self._found[problem] = None

    @property
    def all(self) -> tuple[Problem, ...]:
        """Every problem once, in order of path, line and column."""
        return tuple(sorted(self._found, key=lambda problem: problem.place))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.all if p.severity == "warning")

    @property
    def has_errors(self) -> bool:
        return self._count["error"] > 0

    def raise_errors(self) -> None:
        """Raise what was found if there is a mistake in it."""
        if self.has_errors:
            raise MistakesError(self.all)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest known word, or None when nothing is near."""
    near = nearest(word, known)
    return None if near is None else f"did you mean {near!r}?"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if any."""
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    known = list(known)
    begun = [one for one in known if one.startswith(word)]
    if begun and len(word) >= _SHORTEST_BEGINNING:
        return min(begun, key=len)
    near = get_close_matches(word[:_LONGEST_WORD], known, n=1, cutoff=0.6)
    return near[0] if near else None
