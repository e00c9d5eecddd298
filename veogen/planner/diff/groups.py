"""Changes that are alike, told once for all requests that share them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from veogen.catalogue.parameters import Json
from veogen.planner.canonical import canonical
from veogen.planner.diff.compare import Change
from veogen.planner.diff.fields import IMAGES
from veogen.planner.diff.words import replacements, word_pieces
from veogen.terminal import plain

CausesOf: TypeAlias = Callable[[Change], Iterable[str]]

_HASH = "sha256:"
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done to one field: words of a text replaced, or a value for another."""

    field: str
    replaced: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        shown = [_arrow(old, new) for old, new in self.replaced[:_MOST_SHOWN]]
        more = len(self.replaced) - len(shown)
        return f"{plain(self.field)}: {', '.join(shown)}{f' and {more} more' if more else ''}"


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that were edited alike, and why, as far as it is known."""

    edits: tuple[Edit, ...]
    changes: tuple[Change, ...]
    causes: tuple[str, ...]

    @property
    def title(self) -> str:
        """What was done, on one line."""
        return "; ".join(map(str, self.edits))

    @property
    def is_same_clip(self) -> bool:
        return all(change.is_same_clip for change in self.changes)


def unexplained(change: Change) -> Iterable[str]:
    """The causes of a change about which nothing is known but that it is there."""
    del change
    return ()


def grouped(changes: Iterable[Change], causes_of: CausesOf = unexplained) -> tuple[Group, ...]:
    """The changes with equal edits together, in order of the first of each."""
    alike: dict[tuple[Edit, ...], list[Change]] = {}
    for change in changes:
        alike.setdefault(tuple(_edits(change)), []).append(change)
    return tuple(
        Group(edits, tuple(members), _united(members, causes_of))
        for edits, members in alike.items()
    )


def _united(changes: Sequence[Change], causes_of: CausesOf) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cause for change in changes for cause in causes_of(change)))


def _edits(change: Change) -> Iterator[Edit]:
    for name, (old, new) in change.fields.items():
        if isinstance(old, str) and isinstance(new, str):
            yield Edit(name, replacements(word_pieces(old, new)))
        else:
            yield Edit(name, ((_shown(name, old), _shown(name, new)),))


def _shown(name: str, value: Json) -> str:
    """A value on one line; the hash of an image cut to what tells it apart."""
    if value is None:
        return ""
    if name == IMAGES and isinstance(value, list):
        return ", ".join(map(_image, value))
    return canonical(value).decode()


def _image(url: Json) -> str:
    text = str(url)
    return text[: len(_HASH) + 10] if text.startswith(_HASH) else text


def _arrow(old: str, new: str) -> str:
    if not old and not new:
        return "white space"
    if not old:
        return f"+ {plain(new)}"
    if not new:
        return f"- {plain(old)}"
    return f"{plain(old)} → {plain(new)}"
