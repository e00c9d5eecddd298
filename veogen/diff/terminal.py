"""A difference as lines for a terminal, coloured where that is wanted."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from veogen.diff.axis_changes import AxisChange
from veogen.diff.compare import Difference
from veogen.diff.report import ChangeGroup, Report, SpecDiff, WordChange, word_pieces
from veogen.planner.plan import Request, total_credits
from veogen.spec.types import PROMPTS
from veogen.text import Colour, Paint, counted, plain, plain_lines

_MOST_ADDRESSES = 3
_MINUS = "\u2212"


def lines(report: Report, paint: Paint) -> Iterator[str]:
    """Everything that differs, and at the end what it comes to."""
    for review in report.reviews:
        if review or review.notes:
            yield paint(plain(title(review)), "bold")
            yield from (f"  ~ {plain(change)}" for change in review.changes)
            yield from (f"  note: {plain(note)}" for note in review.notes)
            for change in review.axes:
                yield from _axis_lines(change, paint)
            yield from difference_lines(review.rest, review.groups, paint)
            yield ""
    yield from (f"~ {plain(change)}" for change in report.changes)
    yield from (f"note: {plain(note)}" for note in report.notes)
    yield paint(f"{report.headline}.", "bold")
    if report.counts.unchanged:
        yield f"{counted(report.counts.unchanged, 'request')} unchanged."
    money = report.money
    moved = ""
    if money.delta is not None:
        moved = f" ({'+' if money.delta >= 0 else _MINUS}{abs(money.delta)})"
    yield f"Credits: {_amount(money.old)} → {_amount(money.new)}{moved}."


def title(review: SpecDiff) -> str:
    """The name of the spec, and where both sides were read."""
    if review.old is None:
        return f"{review.title}: new, {review.new}"
    if review.new is None:
        return f"{review.title}: gone, {review.old}"
    return f"{review.title}: {review.old} → {review.new}"


def difference_lines(
    difference: Difference, groups: Iterable[ChangeGroup], paint: Paint
) -> Iterator[str]:
    """What was added, removed, renamed and changed in one spec."""
    yield from _listed(difference.added, "+", paint, "green")
    yield from _listed(difference.removed, "-", paint, "red")
    for old, new in difference.renamed:
        yield paint(f"  > {plain(old.address)} → {plain(new.address)} (renamed)", "cyan")
    for group in groups:
        yield from _group(group, paint)


def _axis_lines(change: AxisChange, paint: Paint) -> Iterator[str]:
    """What was done to an axis, how many requests it is about, and the first of them."""
    price = total_credits(change.added)
    amount = "unknown price" if price is None else f"{price} credits"
    colour: Colour = "green" if change.added else "red" if change.removed else "cyan"
    worth_ = f", {amount}" if change.added else ""
    yield f"  {paint(plain(change.title), colour)}: {axis_counts(change)}{worth_}"
    named = [request.address for request in (*change.added, *change.removed)]
    named += [new.address for _, new in change.renamed]
    more = len(named) - _MOST_ADDRESSES
    shown = ", ".join(map(plain, named[:_MOST_ADDRESSES]))
    yield f"      {shown}{f' and {more} more' if more > 0 else ''}"


def axis_counts(change: AxisChange) -> str:
    """How many requests come, go and only change their name."""
    parts = [f"+{len(change.added):,}"] if change.added else []
    parts += [f"{_MINUS}{len(change.removed):,}"] if change.removed else []
    parts += [f"{len(change.renamed):,} renamed"] if change.renamed else []
    return " ".join(parts)


def _listed(requests: Iterable[Request], sign: str, paint: Paint, colour: Colour) -> Iterator[str]:
    for request in requests:
        price = "unknown price" if request.credits is None else f"{request.credits} credits"
        yield f"{paint(f'  {sign} {plain(request.address)}', colour)}  {price}"


def _group(group: ChangeGroup, paint: Paint) -> Iterator[str]:
    """Requests that were edited alike, with the prompts of the first word by word."""
    whom = plain(group.changes[0].address)
    if len(group.changes) > 1:
        whom = counted(len(group.changes), "request")
    price = "not bought again" if group.is_same_clip else worth(group)
    yield f"{paint(f'  ~ {whom}', 'yellow')}  {price}  {group.title}"
    yield from (f"      {plain(cause)}" for cause in group.causes)
    if len(group.changes) > 1:
        shown = [plain(change.address) for change in group.changes[:_MOST_ADDRESSES]]
        more = len(group.changes) - len(shown)
        yield f"      {', '.join(shown)}{f' and {more} more' if more else ''}"
    for name in PROMPTS:
        old, new = group.changes[0].fields.get(name, (None, None))
        if isinstance(old, str) and isinstance(new, str):
            marked = "".join(_marked(piece, paint) for piece in word_pieces(old, new))
            yield from (f"      | {line}" for line in marked.split("\n"))


def worth(group: ChangeGroup) -> str:
    """What the requests of a group are expected to cost, and did before if that was another."""
    old, new = (
        total_credits(side)
        for side in zip(*((change.old, change.new) for change in group.changes), strict=True)
    )
    if new is None:
        return "unknown price"
    return f"{new} credits" if old == new else f"{_amount(old)} → {new} credits"


def _marked(piece: WordChange, paint: Paint) -> str:
    if piece.is_kept:
        return plain_lines(piece.old)
    old = (_sign(line, "[-", "-]", paint, "red") for line in piece.old.split("\n"))
    new = (_sign(line, "{+", "+}", paint, "green") for line in piece.new.split("\n"))
    return "\n".join(old) + "\n".join(new)


def _sign(text: str, before: str, after: str, paint: Paint, colour: Colour) -> str:
    """A replaced word; where there are no colours, signs stand around it."""
    if not text:
        return ""
    coloured = paint(plain(text), colour)
    return coloured if coloured != plain(text) else f"{before}{plain(text)}{after}"


def _amount(amount: Decimal | None) -> str:
    return "unknown" if amount is None else str(amount)
