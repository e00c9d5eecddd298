"""A plan as a table that a person reads: one line a request, then what it comes to."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from veogen.catalogue.models import Model
from veogen.catalogue.rules import images_of
from veogen.cli.plan_view import View
from veogen.planner.plan import Request
from veogen.terminal import columns, counted, plain, shortened, shortened_inside

_LEAST_PROMPT = 20
_GAP = "  "
_PROMPT = 6


def table(view: View, models: Mapping[str, Model], width: int | None) -> Iterator[str]:
    """The lines of the table; `width` is that of the terminal, None where there is none."""
    yield _title(view)
    yield ""
    rows = [_cells(view, request, models) for request in view.plan.requests]
    header = ("address", "seconds", "videos", "credits", "state", "images", "prompt")
    yield from _columns([header, *rows], _kept(view), width)
    yield ""
    yield from _sums(view, models)


def _title(view: View) -> str:
    profile = f", profile {view.plan.profile}" if view.plan.profile else ""
    root = f" (project root: {view.root})" if view.root else ""
    return plain(f"{view.plan.name}: {view.plan.spec}{profile}{root}")


def _cells(view: View, request: Request, models: Mapping[str, Model]) -> tuple[str, ...]:
    return (
        plain(request.address),
        "?" if request.seconds is None else str(request.seconds),
        str(request.videos),
        "unknown" if request.credits is None else str(request.credits),
        view.state(request),
        _images(request, models[str(request.body["model"])]),
        plain(str(request.body.get("prompt", ""))),
    )


def _images(request: Request, model: Model) -> str:
    """How many, and what they are for: with a question mark where only their number says so."""
    number = images_of(request.body)
    if not number:
        return ""
    written, derived = request.body.get("generation_type"), model.taken_as(request.body)
    return plain(f"{number} {written or (f'{derived}?' if derived else '')}").rstrip()


def _kept(view: View) -> Sequence[int]:
    """The columns that say something: not those in which all requests are alike."""
    several = any(request.videos > 1 for request in view.plan.requests)
    owned = any(view.state(request) != "new" for request in view.plan.requests)
    shown = any("image_urls" in request.body for request in view.plan.requests)
    optional = [index for index, kept in ((4, owned), (5, shown)) if kept]
    return [0, 1, *([2] if several else []), 3, *optional, _PROMPT]


def _columns(
    rows: Sequence[tuple[str, ...]], kept: Sequence[int], width: int | None
) -> Iterator[str]:
    """Every row with its cells below each other, cut to the width."""
    widths = {index: max(columns(row[index]) for row in rows) for index in kept}
    if width is not None:
        others = sum(widths[index] + len(_GAP) for index in kept[1:-1])
        widths[0] = min(widths[0], max(width - others - _LEAST_PROMPT - len(_GAP), 16))
        widths[_PROMPT] = max(width - others - widths[0] - len(_GAP), 8)
    for row in rows:
        cells = [_cell(index, row[index], widths[index]) for index in kept]
        yield _GAP.join(cells).rstrip()


def _cell(index: int, text: str, width: int) -> str:
    if index in (1, 2, 3):
        return text.rjust(width)
    # Both ends of an address tell requests apart.
    cut = shortened_inside(text, width) if index == 0 else shortened(text, width)
    return cut + " " * (width - columns(cut))


def _sums(view: View, models: Mapping[str, Model]) -> Iterator[str]:
    totals = view.totals
    made = f"{counted(totals.requests, 'request')}, {counted(totals.videos, 'video')}"
    yield f"{made}, {counted(totals.seconds, 'second')}: {_money(totals.credits, totals.usd)}"
    yield from _rates(view, models)
    if not view.to_buy and totals.requests:
        yield "A run would buy nothing."
    elif len(view.to_buy) < totals.requests:
        price = view.price_to_buy
        amount = "at an unknown price" if price is None else f"for {price} credits"
        yield f"A run would buy {counted(len(view.to_buy), 'request')} {amount}."


def _money(credits_: Decimal | None, usd: Decimal | None) -> str:
    if credits_ is None:
        return "an unknown price"
    return f"{credits_} credits" if usd is None else f"{credits_} credits, about ${usd}"


def _rates(view: View, models: Mapping[str, Model]) -> Iterator[str]:
    """Where the figures are from, for each price that was used."""
    used = dict.fromkeys(str(request.body["model"]) for request in view.plan.requests)
    prices = {name: models[name].price for name in used}
    for name, price in prices.items():
        if price is None:
            yield f"No price is known for {name}."
    dated = {(p.date, p.credits_per_usd) for p in prices.values() if p is not None}
    for date, rate in sorted(dated):
        yield f"Estimated with prices of {date}, {rate} credits to the dollar."
