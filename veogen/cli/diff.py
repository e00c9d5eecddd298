"""`veogen diff`: what a change would buy, drop, rename and cost."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import click

from veogen.cli.diff_sides import DiffSide, DiffSource, SideReader
from veogen.cli.options import SpecOptions
from veogen.cli.output import print_problems
from veogen.cli.specs import specs_folder
from veogen.diff.axis_changes import axis_changes
from veogen.diff.causes import causes_of
from veogen.diff.compare import (
    Difference,
    budget_changes,
    compare,
    credit_change,
    policy_changes,
)
from veogen.diff.markdown import markdown
from veogen.diff.report import Report, SpecDiff, diff_data, grouped
from veogen.diff.terminal import lines
from veogen.document.nodes import Location, Map
from veogen.document.problems import MistakesError, Problem
from veogen.errors import UsageError
from veogen.models.model import default_catalog
from veogen.planner.checks import over_budget, over_limits
from veogen.planner.plan import NO_CREDITS, Request, dollars, total_credits
from veogen.planner.selection import narrowed
from veogen.results.picks import NO_PICKS, open_decisions, picks_change, planned_clips, review
from veogen.spec.params import as_json
from veogen.spec.types import Spec
from veogen.spec.validate import unknown_profile
from veogen.text import paint, plain_json

SourcePair: TypeAlias = tuple[DiffSource | None, DiffSource | None]
SidePair: TypeAlias = tuple[DiffSide | None, DiffSide | None]


def compared(
    reader: SideReader,
    old: Sequence[DiffSource],
    new: Sequence[DiffSource],
    options: SpecOptions,
    *,
    all_profiles: bool = False,
) -> tuple[Report, tuple[Problem, ...]]:
    """What buying `new` would be, measured by `old`, and the warnings of its plans."""
    sources = list(_source_pairs(old, new))
    pairs, left_out = _side_pairs(reader, sources, options.profile, all_profiles=all_profiles)
    made = [after for _, after in pairs if after is not None]
    sides = [side for pair in pairs for side in pair if side is not None]
    plans = iter(narrowed([side.plan for side in sides], options.select, options.deselect))
    reviews = list[SpecDiff]()
    for before, after in pairs:
        old_side = None if before is None else replace(before, plan=next(plans))
        new_side = None if after is None else replace(after, plan=next(plans))
        reviews.append(_review(old_side, new_side))
    changes = dict.fromkeys(  # each told once, however many specs a project has
        change
        for before, after in sources
        if before is not None and after is not None and before.spec and after.spec
        for change in policy_changes(before.files, after.files)
    )
    notes = (f"{each.label} has no profile {options.profile!r}: left out" for each in left_out)
    report = Report(
        reviews=tuple(reviews), changes=tuple(changes), notes=(*notes, *_over_limits(made))
    )
    return report, tuple(warning for side in made for warning in side.plan.warnings)


def _side_pairs(
    reader: SideReader, sources: Sequence[SourcePair], profile: str | None, *, all_profiles: bool
) -> tuple[Sequence[SidePair], Sequence[DiffSource]]:
    """The plans to compare, and the specs that have not the `profile` that is asked for.

    Raises `MistakesError` where none has it.
    """
    pairs, left_out = list[SidePair](), list[DiffSource]()
    for before, after in sources:
        profiles = _profiles(before, after, profile, all_profiles=all_profiles)
        if not profiles:
            told = [each for each in (after, before) if each is not None and each.spec is not None]
            left_out += told[:1]
        pairs += [
            (
                None if before is None else reader.side(before, name),
                None if after is None else reader.side(after, name),
            )
            for name in profiles
        ]
    if left_out and not pairs:
        spec = left_out[0].spec
        tree, names = Map(at := Location(left_out[0].label, 1, 1)), Map(at)
        for name in spec.profiles if spec else ():
            names.put(name, Map(at), at, at)
        tree.put("profiles", names, at, at)
        raise MistakesError([unknown_profile(tree, str(profile))])
    return pairs, left_out


def _source_pairs(old: Sequence[DiffSource], new: Sequence[DiffSource]) -> Iterator[SourcePair]:
    """The same spec of both sides: by its path, else by its name; and what has no other."""
    if len(old) == 1 and len(new) == 1:
        yield old[0], new[0]
        return
    paired = set[int]()
    for after in new:
        partners = [each for each in old if _is_same(each, after, "spec_path")]
        partners = partners or [
            each for each in old if _is_same(each, after, "name") and id(each) not in paired
        ]
        paired.update(map(id, partners))
        yield from ((each, after) for each in partners)
        if not partners:
            yield None, after
    yield from ((each, None) for each in old if id(each) not in paired)


def _is_same(old: DiffSource, new: DiffSource, key: str) -> bool:
    """Whether both are of one spec, and of one profile where both are of one."""
    if getattr(old, key) != getattr(new, key):
        return False
    stored = [each.stored.profile for each in (old, new) if each.stored is not None]
    return len(set(stored)) < 2  # noqa: PLR2004 - two locks of two profiles


def _profiles(
    old: DiffSource | None, new: DiffSource | None, wanted: str | None, *, all_profiles: bool
) -> list[str | None]:
    """With which profiles two sources are compared: none where the wanted one is not there."""
    sources = [each for each in (new, old) if each is not None]
    stored = [each.stored.profile for each in sources if each.stored is not None]
    if wanted is not None:
        is_there = wanted in stored or any(each.has_profile(wanted) for each in sources)
        return [wanted] if is_there or len(stored) == len(sources) else []
    if stored:
        return stored[:1]
    named = dict.fromkeys(name for each in sources if each.spec for name in each.spec.profiles)
    return [
        None,
        *(
            name
            for name in named
            if all_profiles
            or any(each.has_lock(name) for each in sources)
            or (old is not None and new is not None and _block(old, name) != _block(new, name))
        ),
    ]


def _block(source: DiffSource, profile: str) -> object:
    """What a spec writes about a profile."""
    block = source.spec.profiles.get(profile) if source.spec else None
    return as_json(block) if isinstance(block, Map) else None


def _over_limits(sides: Sequence[DiffSide]) -> Iterator[str]:
    """What the team's limits have against all new plans together, whatever is selected.

    A profile is bought by a command of its own.
    """
    for profile in dict.fromkeys(side.plan.profile for side in sides):
        tallies = [
            (side.spec, side.plan.tally)
            for side in sides
            if side.spec is not None and side.plan.profile == profile
        ]
        yield from (problem.message for problem in over_limits(tallies))


def _review(old: DiffSide | None, new: DiffSide | None) -> SpecDiff:
    before, after = _requests(old), _requests(new)
    difference = compare(before, after)
    side = new or old
    is_bought = _is_bought(old)
    axes, rest = axis_changes(difference, before, after)
    models = default_catalog() if new is None or new.spec is None else new.spec.policy.models
    to_buy = [(str(r.body["model"]), r.credits) for r in after if not is_bought(r)]
    usd = None
    if all(amount is not None and model in models for model, amount in to_buy):
        usd = dollars(((model, amount or NO_CREDITS) for model, amount in to_buy), models)
    return SpecDiff(
        name=side.plan.name if side else "",
        spec=side.plan.spec if side else "",
        profile=side.plan.profile if side else None,
        old=old.label if old else None,
        new=new.label if new else None,
        difference=difference,
        axes=axes,
        rest=rest,
        groups=grouped(difference.changed, causes_of(_spec(old), _spec(new))),
        money=credit_change(before, after, is_bought),
        usd=usd,
        changes=tuple(_changes(old, new, difference)),
        notes=tuple(_notes(old, new)),
    )


def _changes(old: DiffSide | None, new: DiffSide | None, difference: Difference) -> Iterator[str]:
    """What differs beside the requests: a budget, prices, and what people decided."""
    if old is not None and new is not None and old.budget is not None and new.budget is not None:
        yield from budget_changes(old.budget, new.budget)
    moved = [pair for pair in difference.unchanged if pair[0].credits != pair[1].credits]
    if moved:
        before, after = (_credits(side) for side in zip(*moved, strict=True))
        yield f"a price moved: {before} → {after} credits for requests that stay the same"
    decided = (NO_PICKS if side is None else side.picks for side in (old, new))
    change = picks_change(*decided)
    if change is not None:
        yield change


def _notes(old: DiffSide | None, new: DiffSide | None) -> Iterator[str]:
    if old is not None and new is not None and old.plan.name != new.plan.name:
        yield (
            f"the name changes from {old.plan.name} to {new.plan.name}: a run begins a new "
            f"directory, runs/{new.plan.name}, and buys everything in it anew, "
            f"{_credits(new.plan.requests)} credits"
        )
    if new is None:
        return
    tally, budget, profile = new.plan.tally, new.plan.budget, new.plan.profile
    place = Location(new.label, 1, 1)
    yield from (problem.message for problem in over_budget(tally, budget, profile, place))
    yield from new.unread
    if new.picks.people:  # somebody has begun to decide
        left = open_decisions(review(planned_clips(new.plan.requests), new.picks))
        if left is not None:
            yield f"picks: {left}"


def _requests(side: DiffSide | None) -> tuple[Request, ...]:
    return side.plan.requests if side else ()


def _spec(side: DiffSide | None) -> Spec | None:
    return side.spec if side else None


def _is_bought(old: DiffSide | None) -> Callable[[Request], bool]:
    """What the old side's results tell; where there are none, all that it holds counts as bought.

    The results of the new side do not count: a pull request could write into them what it likes.
    """
    results = old.results if old else None
    if results is not None:
        return lambda request: not results.would_buy(request.hash)
    held = {request.hash for request in _requests(old)}
    return lambda request: request.hash in held


def _credits(requests: Iterable[Request]) -> str:
    total = total_credits(requests)
    return "unknown" if total is None else str(total)


def print_diff(
    sides: Sequence[str],
    options: SpecOptions,
    base: str | None,
    format_: str,
    *,
    all_profiles: bool = False,
) -> bool:
    """Print what differs of OLD and NEW, or of specs since `base`; whether anything does."""
    if all_profiles and options.profile is not None:
        raise UsageError("--all-profiles and --profile exclude each other")
    with SideReader(options) as reader:
        if base is not None:
            old, new = reader.since(base, sides or (str(specs_folder()),))
        elif len(sides) == 2:  # noqa: PLR2004 - old and new
            old, new = reader.read(sides[0]), reader.read(sides[1])
        else:
            raise UsageError("a diff has two sides, OLD and NEW; or --base REV and specs")
        report, warnings = compared(reader, old, new, options, all_profiles=all_profiles)
    match format_:
        case "json":
            text = json.dumps(diff_data(report), indent=2, ensure_ascii=False)
            click.echo(plain_json(text))
        case "markdown":
            click.echo(markdown(report))
        case _:
            for line in lines(report, paint(sys.stdout, os.environ)):
                click.echo(line, color=True)
    print_problems([each for each in warnings if each.code == "retired"], sys.stderr)
    return bool(report)
