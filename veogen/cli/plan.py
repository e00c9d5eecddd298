"""`veogen plan`: the requests of specs and their price; nothing is sent."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from veogen.cli.options import RunOptions, SpecOptions
from veogen.cli.output import output_file, print_problems
from veogen.cli.specs import ledger_of, load_specs, owned_by
from veogen.cli.specs import root_on_disk as project_root
from veogen.document.problems import Problem, Problems
from veogen.errors import UsageError
from veogen.jsontext import compact, indented
from veogen.models.model import Model
from veogen.models.prices import Certainty, RulePrice
from veogen.models.rules import images_of
from veogen.planner.checks import over_limits
from veogen.planner.plan import (
    MADE_ANEW,
    Plan,
    Request,
    Tally,
    Totals,
    plan_data,
    request_line,
    total_credits,
    totals_of,
)
from veogen.planner.planner import plan_specs, stream
from veogen.planner.selection import narrowed
from veogen.spec.types import Spec
from veogen.text import columns, counted, plain, shortened, shortened_inside

if TYPE_CHECKING:
    from veogen.results.manifest import Owned


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """One plan, narrowed to what is selected; `to_buy` are the requests a run would submit.

    `owned` is None where nothing is held.
    """

    root: Path | None
    models: Mapping[str, Model]
    plan: Plan
    totals: Totals
    owned: "Owned | None"
    to_buy: tuple[Request, ...]

    @classmethod
    def of(
        cls, plan: Plan, owned: "Owned | None", root: Path | None, models: Mapping[str, Model]
    ) -> Self:
        """Of a plan as narrowed, with what is owned of it and the models that it uses."""
        return cls(
            root=root,
            models=models,
            plan=plan,
            totals=totals_of(plan.requests, models),
            owned=owned,
            to_buy=tuple(r for r in plan.requests if not owned or owned.would_buy(r.hash)),
        )

    @property
    def price_to_buy(self) -> Decimal | None:
        return total_credits(self.to_buy)

    def state(self, request: Request) -> str:
        if self.owned is None:
            return "new"
        return self.owned.state(request.address, request.hash)


_LEAST_PROMPT = 20
_GAP = "  "
_HEADER = ("address", "seconds", "videos", "credits", "state", "images", "prompt")
_PROMPT = 6


def table(view: PlanView, models: Mapping[str, Model], width: int | None) -> Iterator[str]:
    """The lines of the table; `width` is that of the terminal, None where there is none.

    Columns in which all requests are alike are left out, and what prices look at said below.
    """
    profile = f", profile {view.plan.profile}" if view.plan.profile else ""
    root = f" (project root: {view.root})" if view.root else ""
    yield plain(f"{view.plan.name}: {view.plan.spec}{profile}{root}")
    yield ""
    requests = view.plan.requests
    priced = _priced(view)
    varying = [name for name, values in priced.items() if len(set(values)) > 1]
    more = zip(*(priced[name] for name in varying), strict=True) if varying else repeat(())
    rows = [
        (*_cells(view, request, models), *each)
        for request, each in zip(requests, more, strict=False)
    ]
    says = {
        2: any(request.videos > 1 for request in requests),
        4: any(view.state(request) != "new" for request in requests),
        5: any(row[5] for row in rows),
    }
    kept = [index for index in range(_PROMPT) if says.get(index, True)]
    places = range(len(_HEADER), len(_HEADER) + len(varying))
    yield from _columns([(*_HEADER, *varying), *rows], [*kept, *places, _PROMPT], width)
    alike = [f"{name} {values[0]}" for name, values in priced.items() if len(set(values)) == 1]
    if alike:
        yield ""
        yield plain(f"All with {', '.join(alike)}.")
    yield ""
    yield from _sums(view, models)


def _cells(view: PlanView, request: Request, models: Mapping[str, Model]) -> tuple[str, ...]:
    price, images = "unknown", ""
    if request.credits is not None:
        price = f"{_SURE.get(_certainty(request, models), '')}{request.credits}"
    model, body = models[str(request.body["model"])], request.body
    frames = [name for name, each in model.parameters.items() if each.local and each.kind == "uri"]
    if number := images_of(body) + sum(name in body for name in frames):
        # What they are for; with a question mark where only their number says so.
        kind, derived = body.get("generation_type"), model.taken_as(body)
        images = f"{number} {kind or (f'{derived}?' if derived else '')}"
    return (
        plain(request.address),
        "?" if request.seconds is None else str(request.seconds),
        str(request.videos),
        price,
        view.state(request),
        plain(images).rstrip(),
        plain(str(body.get("prompt", ""))),
    )


def _priced(view: PlanView) -> dict[str, list[str]]:
    """What every request has for each parameter that prices look at, beside those of the table."""
    values: dict[str, list[str]] = {"model": [request.model for request in view.plan.requests]}
    used = {name: view.models[name] for name in dict.fromkeys(values["model"])}
    prices = [model.price.requested for model in used.values() if model.price is not None]
    for name in sorted(frozenset().union(*prices) - {"duration", "n", "model"}):
        given = [used[r.model].effective(r.body).get(name) for r in view.plan.requests]
        texts = ("-" if v is None else v if isinstance(v, str) else compact(v) for v in given)
        values[name] = [plain(text) for text in texts]
    return values


_SURE: Mapping[Certainty, str] = {"at most": "at most ", "estimate": "about "}


def _certainty(request: Request, models: Mapping[str, Model]) -> Certainty:
    """How sure a price is; one by the second or call is as sure as it is published."""
    if request.credits is None:
        return "unknown"
    model = models[request.model]
    return model.quote(request.body).certainty if isinstance(model.price, RulePrice) else "exact"


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
        cells = []
        for index in kept:
            text, room = row[index], widths[index]
            if index in (1, 2, 3):
                cells.append(text.rjust(room))
                continue
            # Both ends of an address tell requests apart.
            cut = shortened_inside(text, room) if index == 0 else shortened(text, room)
            cells.append(cut + " " * (room - columns(cut)))
        yield _GAP.join(cells).rstrip()


def _sums(view: PlanView, models: Mapping[str, Model]) -> Iterator[str]:
    """What the plan comes to, and of which picked clips a profile that promotes makes it anew."""
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
    promoting = [request for request in view.plan.requests if request.promotes]
    if not promoting:
        return
    yield f"They promote picked clips: {MADE_ANEW}."
    width = max(columns(plain(request.address)) for request in promoting)
    for request in promoting:
        address = plain(request.address)
        yield f"  {address}{' ' * (width - columns(address))}  from {', '.join(request.promotes)}"


def _grand_total(views: Sequence[PlanView]) -> Iterator[str]:
    """What all specs come to together."""
    totals = [view.totals for view in views]
    requests, videos, seconds = (
        sum(getattr(each, name) for each in totals) for name in ("requests", "videos", "seconds")
    )
    credits_ = [each.credits for each in totals]
    usd = [each.usd for each in totals]
    made = f"{counted(requests, 'request')}, {counted(videos, 'video')}"
    price = _money(_sum_of(credits_), _sum_of(usd))
    yield f"All {len(views)} specs: {made}, {counted(seconds, 'second')}: {price}"
    bought = sum(len(view.to_buy) for view in views)
    if bought < requests:
        amount = _money(_sum_of([view.price_to_buy for view in views]), None)
        yield f"Runs would buy {counted(bought, 'request')}: {amount}."


def _sum_of(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum, None where one is not known."""
    priced = [amount for amount in amounts if amount is not None]
    return sum(priced, Decimal(0)) if len(priced) == len(amounts) else None


def _money(credits_: Decimal | None, usd: Decimal | None) -> str:
    if credits_ is None:
        return "an unknown price"
    return f"{credits_} credits" if usd is None else f"{credits_} credits, about ${usd}"


def _rates(view: PlanView, models: Mapping[str, Model]) -> Iterator[str]:
    """Where the figures are from, for each price that was used."""
    used = dict.fromkeys(str(request.body["model"]) for request in view.plan.requests)
    prices = {name: models[name].price for name in used}
    for name, price in prices.items():
        if price is None:
            yield f"No price is known for {name}."
    sure = Counter(_certainty(request, models) for request in view.plan.requests)
    if number := sure["at most"]:
        whose = counted(number, "request")
        yield f"{whose} at most: the gateway chooses the length, and charges what it made."
    if number := sure["estimate"]:
        yield f"{counted(number, 'request')} by estimate: charged by what is measured."
    dated = {(p.date, p.credits_per_usd, p.lowest) for p in prices.values() if p is not None}
    for date, rate, lowest in sorted(dated):
        prices_ = "the lowest published prices" if lowest else "prices"
        yield f"Estimated with {prices_} of {date}, {rate} credits to the dollar."


_FORMATS = {".json": "json", ".jsonl": "jsonl", ".yaml": "yaml", ".yml": "yaml"}


def write_plans(
    specs: tuple[Path, ...],
    options: SpecOptions,
    format_: str | None,
    out: Path | None,
    run: RunOptions,
) -> None:
    """Write the plans of specs to `out` or stdout, and warnings to stderr.

    What is bought of them is read in the directory that is meant by `run`. Without a format the
    name of `out` says it.
    """
    format_ = format_ or _FORMATS.get(out.suffix.lower() if out else "", "table")
    loaded = load_specs(specs, options, simulated=run.simulate)
    if run.directory is not None and len(loaded) > 1:
        raise UsageError("--dir takes one spec: several have a directory each")
    if format_ == "jsonl" and not (options.select or options.deselect):
        print_problems(write_lines(loaded, options, out, run), sys.stderr)
        return
    views = plan_views(loaded, options, run)
    width = shutil.get_terminal_size().columns if out is None and sys.stdout.isatty() else None
    text = "".join(f"{line}\n" for line in _text_lines(views, format_, width))
    if out is None:
        click.echo(text, nl=False)
    else:
        with output_file(out) as file:
            file.write(text.encode())
    problems = Problems()
    for spec, view in zip(loaded, views, strict=True):
        problems.extend(view.plan.warnings)
        warn_of_what_is_counted(spec, view, run, problems)
    print_problems(problems.all, sys.stderr)


def warn_of_what_is_counted(
    spec: Spec, view: PlanView, run: RunOptions, problems: Problems
) -> None:
    """Foresee that a run would be refused: a budget counts what was bought before, too."""
    limits, price = spec.tightest, view.price_to_buy
    if view.owned is None or not price or limits.max_credits is None or limits.place is None:
        return
    from veogen.results.ledger import over_what_is_counted  # noqa: PLC0415 - few have a budget

    ledger = ledger_of(spec, run)
    if ledger is not None and ledger.spent + price > limits.max_credits:
        message = over_what_is_counted(price, ledger.spent, limits.max_credits)
        problems.warn(limits.place, "over-budget", f"{message}: a run would be refused")


def plan_views(
    specs: Sequence[Spec], options: SpecOptions, run: RunOptions | None = None
) -> list[PlanView]:
    """The plans of specs with what is owned of them in the directories that are meant by `run`."""
    plans = plan_specs(specs, max_requests=options.max_requests)
    chosen = narrowed(plans, options.select, options.deselect)
    return [
        PlanView.of(plan, owned_by(spec, run), project_root(spec), spec.policy.models)
        for spec, plan in zip(specs, chosen, strict=True)
    ]


def _data(views: Sequence[PlanView]) -> Any:
    """One plan, or an array of several."""
    plans = [plan_data(v.plan, v.totals, v.state, v.price_to_buy) for v in views]
    return plans[0] if len(plans) == 1 else plans


def _text_lines(views: Sequence[PlanView], format_: str, width: int | None) -> Iterator[str]:
    match format_:
        case "json":
            yield indented(_data(views))
        case "yaml":
            from veogen.document.writer import lines as yaml_lines  # noqa: PLC0415

            yield from yaml_lines(_data(views))
        case "jsonl":
            for view in views:
                for request in view.plan.requests:
                    yield request_line(request, view.state(request))
        case _:
            for index, view in enumerate(views):
                if index:
                    yield ""
                yield from table(view, view.models, width)
            if len(views) > 1:
                yield ""
                yield from _grand_total(views)


HELD_BACK = 1 << 23
"""Bytes that are not written before it is known that there is no mistake."""


def write_lines(
    specs: Iterable[Spec], options: SpecOptions, out: Path | None, run: RunOptions
) -> tuple[Problem, ...]:
    """Write a line for each request of the specs; the warnings. Raises `MistakesError`.

    Where there are mistakes nothing is written, but for what is too large to be held back: a
    reader has to look at the exit code.
    """
    problems = Problems()
    with output_file(out) as file:
        held: list[bytes] | None = []
        size = 0
        for block in _blocks(specs, options, problems, run):
            if held is None:
                file.write(block)
                continue
            held.append(block)
            size += len(block)
            if size > HELD_BACK and not problems.has_errors:
                file.write(b"".join(held))
                held = None
        problems.raise_errors()
        file.write(b"".join(held or ()))
    return problems.warnings


def _blocks(
    specs: Iterable[Spec], options: SpecOptions, problems: Problems, run: RunOptions
) -> Iterator[bytes]:
    counted: list[tuple[Spec, Tally]] = []
    for spec in specs:
        owned = owned_by(spec, run)
        state_of = None if owned is None else lambda r, of=owned: of.state(r.address, r.hash)
        for block in stream(spec, problems, state_of=state_of, max_requests=options.max_requests):
            if isinstance(block, Tally):
                counted.append((spec, block))
            else:
                yield block.encode()
    problems.extend(over_limits(counted))
