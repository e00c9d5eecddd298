"""What is wrong in a document, by the path to it, in the words of messages."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from veogen.document.problems import MOST
from veogen.document.values import Map, Seq, Step, Value

At: TypeAlias = "tuple[At, Step] | None"  # a path, innermost step outside: cheap to extend

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at a path; `key` says with the key, `meant` which key it was meant to be.

    A flaw that does not `break` its surroundings leaves the rest of them meaning what they say.
    """

    path: tuple[Step, ...]
    code: str
    message: str
    hint: str | None = None
    key: bool = False
    meant: str | None = None
    breaks: bool = True


class EnoughError(Exception):
    """So many flaws were found that looking for more is of no use."""


class Flaws:
    """Collects flaws, up to one more than anybody is told."""

    def __init__(self) -> None:
        self.found: list[Flaw] = []

    def add(self, at: At, code: str, message: str, **more: Any) -> None:
        self.found.append(Flaw(_path(at), code, message, **more))
        if len(self.found) > MOST:
            raise EnoughError


def wrong_type(value: Value, at: At, noun: str, flaws: Flaws, hint: str | None = None) -> None:
    flaws.add(at, "type", f"{label(at)} is {noun}, not {shown(value)}", hint=hint)


def label(at: At) -> str:
    """A path as a message names it: by its last key."""
    if at is None:
        return "it"
    above, step = at
    if isinstance(step, str):
        return repr(step)
    name = label(above)
    return name if name.startswith("an item") else f"an item of {name}"


def shown(value: object) -> str:
    """A value as a message names it."""
    match value:
        case Map() | Seq():
            return "a mapping" if isinstance(value, Map) else "a list"
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str() if len(value) > _LONGEST:
            return repr(value[: _LONGEST - 3] + "...")
        case _:
            return repr(value)


def _path(at: At) -> tuple[Step, ...]:
    steps: list[Step] = []
    while at is not None:
        at, step = at
        steps.append(step)
    return tuple(reversed(steps))
