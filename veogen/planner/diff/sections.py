"""Folded sections of a report, with as many of their items as there is room for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LEAST_SHARE = 2_000


@dataclass(frozen=True, slots=True)
class Section:
    """Something folded: its title, what comes first, and an item for each request, all HTML."""

    title: str
    first: str
    items: tuple[str, ...]


def size(text: str) -> int:
    """Characters as the hosts of pull requests count them."""
    return len(text.encode("utf-16-le")) // 2


def fitting(items: Sequence[str], room: int) -> list[str]:
    """The items that there is room for; a large one does not hide those after it."""
    kept: list[str] = []
    for item in items:
        if size(item) < room:
            room -= size(item) + 1
            kept.append(item)
    return kept


def filled(sections: Sequence[Section], room: int) -> Iterator[str]:
    """The sections, each with a fair share of the room; at the end what found no place."""
    last = _left_out(sum(len(section.items) for section in sections))
    room -= size(last) + 2
    missing = 0
    for index, section in enumerate(sections):
        share = min(room, max(room // (len(sections) - index), _LEAST_SHARE))
        text, items = _fitted(section, share)
        missing += len(section.items) - items
        if text:
            room -= size(text) + 2
            yield text
    if missing:
        yield _left_out(missing)


def _fitted(section: Section, room: int) -> tuple[str, int]:
    """The section as far as it fits, and how many of its items do; empty if its frame does not."""
    whole = (f"<details>\n<summary>{section.title}</summary>", section.first, "<ul>")
    end = ("</ul>", "</details>")
    more = f"<li>{len(section.items):,} more left out</li>"
    room -= sum(size(part) + 1 for part in (*whole, *end, more))
    if room < 0:
        return "", 0
    kept = fitting(section.items, room)
    missing = len(section.items) - len(kept)
    tail = [f"<li>{missing:,} more left out</li>"] if missing else []
    return "\n".join((*whole, *kept, *tail, *end)), len(kept)


def _left_out(number: int) -> str:
    noun = "request is" if number == 1 else "requests are"
    return f"**{number:,} {noun} left out here; `veogen diff` shows all.**"
