"""A difference as Markdown for a pull request: summary first, details folded, never too long.

A prompt is hostile text. Whatever a user wrote stands HTML-escaped inside `<code>` or `<pre>`, and
those inside HTML blocks without a blank line, in which Markdown means nothing: no link, image,
mention or tag can come of it.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from veogen.planner.diff.compare import Change
from veogen.planner.diff.groups import Group
from veogen.planner.diff.html import code, marked, preformatted
from veogen.planner.diff.money import Money
from veogen.planner.diff.review import Report, Review
from veogen.planner.diff.sections import Section, filled, fitting, size
from veogen.planner.diff.text import title, worth
from veogen.planner.plan import Request
from veogen.spec.model import PROMPTS
from veogen.terminal import counted

_ROOM = 60_000  # of the 65,536 of a comment: whoever posts it may add a line or two
_TABLE_ROOM = 12_000
_NOTES_ROOM = 8_000
_MOST_CAUSES = 20


def markdown(report: Report) -> str:
    """The report, always shorter than a comment may be; what is left out is said to be."""
    head = "\n\n".join(_head(report))
    sections = [section for review in report.reviews for section in _sections(review)]
    return "\n\n".join((head, *filled(sections, _ROOM - size(head))))


def _head(report: Report) -> Iterator[str]:
    unchanged = report.counts.unchanged
    stay = f" ({counted(unchanged, 'request')} unchanged)" if unchanged else ""
    yield f"### veogen: {report.headline}{stay}"
    rows = [(review.name, review.money) for review in report.reviews if _is_worth_a_row(review)]
    if rows:
        yield _table(rows, report.money)
    notes = [*(note for review in report.reviews for note in review.notes), *report.notes]
    if notes:
        yield _list([f"<li>\u26a0\ufe0f {code(note)}</li>" for note in notes])


def _is_worth_a_row(review: Review) -> bool:
    return bool(review.difference) or review.money.delta != 0


def _table(rows: Sequence[tuple[str, Money]], total: Money) -> str:
    lines = ["<tr><th></th><th>before</th><th>after</th><th>delta</th><th>to buy</th></tr>"]
    kept = fitting([_row(code(name), money) for name, money in rows], _TABLE_ROOM)
    missing = len(rows) - len(kept)
    if len(rows) > 1:
        more = f", {missing:,} of them left out here" if missing else ""
        kept.append(_row(f"all {len(rows):,} specs{more}", total))
    return "\n".join(("<table>", *lines, *kept, "</table>"))


def _row(name: str, money: Money) -> str:
    delta = "unknown" if money.delta is None else f"{money.delta:+}"
    amounts = (_amount(money.old), _amount(money.new), delta, _amount(money.to_buy))
    cells = "".join(f'<td align="right">{amount}</td>' for amount in amounts)
    return f"<tr><td>{name}</td>{cells}</tr>"


def _sections(review: Review) -> Iterator[Section]:
    difference = review.difference
    where = f"<p>{code(title(review))}</p>"
    if difference.added:
        yield _bought("added", review.name, where, difference.added)
    for group in review.groups:
        yield _changed(review.name, where, group)
    if difference.removed:
        yield _bought("removed", review.name, where, difference.removed)
    if difference.renamed:
        items = [
            f"<li>{code(old.address)} \u2192 {code(new.address)}</li>"
            for old, new in difference.renamed
        ]
        told = f"{code(review.name)}: {counted(len(items), 'request')} renamed, the same clips"
        yield Section(told, where, tuple(items))


def _bought(what: str, name: str, where: str, requests: Sequence[Request]) -> Section:
    amounts = [request.credits for request in requests]
    known = sum((amount for amount in amounts if amount is not None), Decimal(0))
    price = "at an unknown price" if None in amounts else f"{known} credits"
    told = f"{code(name)}: {counted(len(requests), 'request')} {what}, {price}"
    return Section(told, where, tuple(map(_whole, requests)))


def _whole(request: Request) -> str:
    """A request with its prompts as they would be sent."""
    texts = [_text(name, request) for name in PROMPTS if name in request.body]
    return f"<li>{code(request.address)}\n{''.join(texts)}</li>"


def _text(name: str, request: Request) -> str:
    return preformatted(f"{name}: {request.body[name]}")


def _changed(name: str, where: str, group: Group) -> Section:
    number = counted(len(group.changes), "request")
    price = "nothing is bought again" if group.is_same_clip else worth(group)
    told = f"{code(name)}: {number} changed, {price}: {code(group.title)}"
    causes = "".join(f"<p>{code(cause)}</p>\n" for cause in group.causes[:_MOST_CAUSES])
    first = "".join(_marked_texts(group.changes[0]))
    addresses = [f"<li>{code(change.address)}</li>" for change in group.changes]
    return Section(told, f"{where}\n{causes}{first}".rstrip(), tuple(addresses))


def _marked_texts(change: Change) -> Iterator[str]:
    for name in PROMPTS:
        old, new = change.fields.get(name, (None, None))
        if isinstance(old, str) and isinstance(new, str):
            yield marked(name, old, new)


def _list(notes: Sequence[str]) -> str:
    kept = fitting(notes, _NOTES_ROOM)
    missing = len(notes) - len(kept)
    more = [f"<li>{counted(missing, 'more note')} left out</li>"] if missing else []
    return "\n".join(("<ul>", *kept, *more, "</ul>"))


def _amount(amount: Decimal | None) -> str:
    return "unknown" if amount is None else str(amount)
