"""A difference as Markdown for a pull request: summary first, details folded, never too long.

A prompt is hostile text. Whatever a user wrote stands HTML-escaped inside `<code>` or `<pre>`, and
those inside HTML blocks without a blank line, in which Markdown means nothing: no link, image,
mention or tag can come of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from veogen.diff.compare import CreditChange
from veogen.diff.report import ChangeGroup, Counts, Report, SpecDiff, word_pieces
from veogen.diff.terminal import axis_counts, title, worth
from veogen.planner.plan import Request, known_credits, total_credits
from veogen.spec.types import PROMPTS
from veogen.text import counted, plain

_LONGEST_CODE = 300
_LONGEST_TEXT = 4000
_BLANK = "&#32;"  # a blank line would end the block, and Markdown begin


def code(text: str) -> str:
    """A name or address on one line."""
    return f"<code>{_escaped(_cut(text, _LONGEST_CODE))}</code>"


def preformatted(text: str) -> str:
    """A text with its lines."""
    return f"<pre>{_lines(_cut(text, _LONGEST_TEXT))}</pre>\n"


def marked(name: str, old: str, new: str) -> str:
    """Two texts as one: words that went struck out, words that came underlined."""
    pieces, room = [], _LONGEST_TEXT
    for piece in word_pieces(old, new):
        if piece.is_kept:
            pieces.append(_lines(_cut(piece.old, room)))
        else:
            pieces.append(_tagged("del", _cut(piece.old, room)))
            pieces.append(_tagged("ins", _cut(piece.new, room)))
        room -= max(len(piece.old), len(piece.new))
        if room <= 0:
            break
    return f"<pre>{_escaped(name)}: {''.join(pieces)}</pre>\n"


def _tagged(tag: str, text: str) -> str:
    return f"<{tag}>{_lines(text)}</{tag}>" if text else ""


def _lines(text: str) -> str:
    lines = (_escaped(line) for line in text.split("\n"))
    return "\n".join(line if line.strip() else _BLANK for line in lines)


def _escaped(text: str) -> str:
    return escape(plain(text))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\u2026 (the rest is left out)"


_LEAST_SHARE = 2_000


@dataclass(frozen=True, slots=True)
class MarkdownSection:
    """Something folded: its title, what comes first, and an item for each request, all HTML."""

    title: str
    first: str
    items: tuple[str, ...]


def utf16_length(text: str) -> int:
    """Characters as the hosts of pull requests count them."""
    return len(text.encode("utf-16-le")) // 2


def fit_items(items: Sequence[str], room: int) -> list[str]:
    """The items that there is room for; a large one does not hide those after it."""
    kept: list[str] = []
    for item in items:
        if utf16_length(item) < room:
            room -= utf16_length(item) + 1
            kept.append(item)
    return kept


def fit_sections(sections: Sequence[MarkdownSection], room: int) -> Iterator[str]:
    """The sections, each with a fair share of the room; at the end what found no place."""
    last = _left_out(sum(len(section.items) for section in sections))
    room -= utf16_length(last) + 2
    missing = 0
    for index, section in enumerate(sections):
        share = min(room, max(room // (len(sections) - index), _LEAST_SHARE))
        head = (f"<details>\n<summary>{section.title}</summary>", section.first, "<ul>")
        end = ("</ul>", "</details>")
        more = f"<li>{len(section.items):,} more left out</li>"
        share -= sum(utf16_length(part) + 1 for part in (*head, *end, more))
        if share < 0:  # not even its frame fits
            missing += len(section.items)
            continue
        kept = fit_items(section.items, share)
        left = len(section.items) - len(kept)
        missing += left
        tail = [f"<li>{left:,} more left out</li>"] if left else []
        text = "\n".join((*head, *kept, *tail, *end))
        room -= utf16_length(text) + 2
        yield text
    if missing:
        yield _left_out(missing)


def _left_out(number: int) -> str:
    noun = "request is" if number == 1 else "requests are"
    return f"**{number:,} {noun} left out here; `veogen diff` shows all.**"


_ROOM = 60_000  # of the 65,536 of a comment: whoever posts it may add a line or two
_TABLE_ROOM = 12_000
_NOTES_ROOM = 8_000
_MOST_CAUSES = 20
_NAMES = ("", "+", "~", "\u2212", "credits before", "after", "delta", "to buy", "open before")
_COLUMNS = f"<tr>{''.join(f'<th>{name}</th>' for name in _NAMES)}</tr>"


def markdown(report: Report) -> str:
    """The report, always shorter than a comment may be; what is left out is said to be."""
    head = "\n\n".join(_head(report))
    sections = [section for review in report.reviews for section in _sections(review)]
    return "\n\n".join((head, *fit_sections(sections, _ROOM - utf16_length(head))))


def _head(report: Report) -> Iterator[str]:
    unchanged = report.counts.unchanged
    stay = f" ({counted(unchanged, 'request')} unchanged)" if unchanged else ""
    yield f"### veogen: {report.headline}{stay}"
    rows = [
        _row(code(review.title), review.counts, review.money)
        for review in report.reviews
        if review.difference or review.money.delta != 0
    ]
    if rows:
        kept = fit_items(rows, _TABLE_ROOM)
        missing = len(rows) - len(kept)
        if len(rows) > 1:
            more = f", {missing:,} of them left out here" if missing else ""
            kept.append(_row(f"all {len(rows):,}{more}", report.counts, report.money))
        yield "\n".join(("<table>", _COLUMNS, *kept, "</table>"))
    changes = [*(each for review in report.reviews for each in _of(review, review.changes))]
    changes += report.changes
    notes = [*(each for review in report.reviews for each in _of(review, review.notes))]
    notes += report.notes
    if changes or notes:
        items = [f"<li>{code(change)}</li>" for change in changes]
        items += [f"<li>\u26a0\ufe0f {code(note)}</li>" for note in notes]
        kept = fit_items(items, _NOTES_ROOM)
        missing = len(items) - len(kept)
        tail = [f"<li>{counted(missing, 'more note')} left out</li>"] if missing else []
        yield "\n".join(("<ul>", *kept, *tail, "</ul>"))


def _of(review: SpecDiff, texts: Sequence[str]) -> Iterator[str]:
    """Texts that name the spec they are about."""
    return (f"{review.title}: {text}" for text in texts)


def _row(name: str, counts: Counts, money: CreditChange) -> str:
    delta = "unknown" if money.delta is None else f"{money.delta:+}"
    changed = counts.changed + counts.renamed
    amounts = (
        *(f"{number:,}" for number in (counts.added, changed, counts.removed)),
        _amount(money.old),
        _amount(money.new),
        delta,
        _amount(money.to_buy),
        _amount(money.open_before),
    )
    cells = "".join(f'<td align="right">{amount}</td>' for amount in amounts)
    return f"<tr><td>{name}</td>{cells}</tr>"


def _sections(review: SpecDiff) -> Iterator[MarkdownSection]:
    difference = review.rest
    where = f"<p>{code(title(review))}</p>"
    for change in review.axes:
        price = total_credits(change.added)
        amount = "at an unknown price" if price is None else f"{price} credits"
        worth_ = f", {amount}" if change.added else ""
        head = f"{code(review.title)}: {axis_counts(change)}{worth_}: {code(change.title)}"
        items = [f"<li>+ {code(each.address)}\n{_texts(each)}</li>" for each in change.added]
        items += [f"<li>\u2212 {code(each.address)}</li>" for each in change.removed]
        items += [_rename(old, new) for old, new in change.renamed]
        yield MarkdownSection(head, where, tuple(items))
    if difference.added:
        yield _bought("added", review.title, where, difference.added)
    for group in review.groups:
        yield _changed(review.title, where, group)
    if difference.removed:
        yield _bought("removed", review.title, where, difference.removed)
    if difference.renamed:
        items = [_rename(old, new) for old, new in difference.renamed]
        head = f"{code(review.title)}: {counted(len(items), 'request')} renamed, the same clips"
        yield MarkdownSection(head, where, tuple(items))


def _rename(old: Request, new: Request) -> str:
    return f"<li>{code(old.address)} \u2192 {code(new.address)}</li>"


def _texts(request: Request) -> str:
    """Its prompts as they would be sent."""
    bodies = [(name, request.body[name]) for name in PROMPTS if name in request.body]
    return "".join(preformatted(f"{name}: {text}") for name, text in bodies)


def _bought(what: str, name: str, where: str, requests: Sequence[Request]) -> MarkdownSection:
    amounts = [request.credits for request in requests]
    known = known_credits(amounts)
    price = "at an unknown price" if None in amounts else f"{known} credits"
    head = f"{code(name)}: {counted(len(requests), 'request')} {what}, {price}"
    items = [f"<li>{code(request.address)}\n{_texts(request)}</li>" for request in requests]
    return MarkdownSection(head, where, tuple(items))


def _changed(name: str, where: str, group: ChangeGroup) -> MarkdownSection:
    number = counted(len(group.changes), "request")
    price = "nothing is bought again" if group.is_same_clip else worth(group)
    head = f"{code(name)}: {number} changed, {price}: {code(group.title)}"
    causes = "".join(f"<p>{code(cause)}</p>\n" for cause in group.causes[:_MOST_CAUSES])
    first = ""
    for prompt in PROMPTS:
        old, new = group.changes[0].fields.get(prompt, (None, None))
        if isinstance(old, str) and isinstance(new, str):
            first += marked(prompt, old, new)
    addresses = [f"<li>{code(change.address)}</li>" for change in group.changes]
    return MarkdownSection(head, f"{where}\n{causes}{first}".rstrip(), tuple(addresses))


def _amount(amount: Decimal | None) -> str:
    return "unknown" if amount is None else str(amount)
