"""How large a plan would be, known before anything is expanded."""

from collections.abc import Sequence

from veogen.document.problems import Problems
from veogen.document.values import Place
from veogen.planner.layers import variant
from veogen.planner.matrix import Grid
from veogen.spec.model import Shot, Spec
from veogen.terminal import counted

MOST_REQUESTS = 1_000
MOST_EVER = 10_000_000

_MOST_TOLD = 20  # shots, the largest first, and axes of each
_LARGEST_WRITTEN = 10**30
_DIGITS_OF_A_BIT = 0.30103


def most_allowed(spec: Spec, max_requests: int | None) -> int:
    """How many requests a plan may have; without `max_requests` its budget says it."""
    return min(max_requests or spec.budget.max_requests or MOST_REQUESTS, MOST_EVER)


def check_size(spec: Spec, grids: Sequence[Grid], limit: int, problems: Problems) -> bool:
    """Whether a plan is not too large; if it is, that is told, its product written out."""
    sizes = [_takes(shot) * one.most for shot, one in zip(spec.shots, grids, strict=True)]
    total = sum(sizes)
    walked = max((one.product_size for one in grids), default=0)
    if total <= limit and walked <= MOST_EVER:
        return True
    shots = [
        f"{shot.name}: {_product(shot, one, size)}"
        for shot, one, size in sorted(
            zip(spec.shots, grids, sizes, strict=True), key=lambda each: each[2], reverse=True
        )[:_MOST_TOLD]
    ]
    product = "; ".join(_some(shots, len(spec.shots), "shot", "shots"))
    largest = spec.shots[sizes.index(max(sizes))]
    hint = None if max(total, walked) > MOST_EVER else _hint(spec, total)
    if total > limit:
        whose = "the budget's " if limit == spec.budget.max_requests else ""
        message = f"{_number(total)} requests are more than {whose}{limit:,}: {product}"
    else:
        message = f"{_number(total)} requests are a sample of too many combinations: {product}"
    problems.error(_place(largest), "too-many-requests", message, hint)
    return False


def tell_takes(shot: Shot, limit: int, problems: Problems) -> None:
    """Refuse what overrides make of a plan whose product was small enough."""
    message = f"overrides with more takes make more than {limit:,} requests"
    hint = None if limit == MOST_EVER else "--max-requests allows more"
    place = next((o.place for o in shot.overrides if o.layer.takes is not None), shot.place)
    problems.error(place, "too-many-requests", message, hint)


def _hint(spec: Spec, total: int) -> str | None:
    """What lets it be expanded; over a budget only where excludes may leave few enough."""
    budget = spec.budget.max_requests
    if budget is not None and total > budget and not any(s.matrix.exclude for s in spec.shots):
        return None
    return f"--max-requests {total} allows it"


def _place(shot: Shot) -> Place:
    matrix = shot.matrix
    return matrix.place if matrix.axes or matrix.rows else shot.place


def _product(shot: Shot, one: Grid, size: int) -> str:
    factors, number = _factors(shot, one), _number(size)
    return number if factors == number else f"{factors} = {number}"


def _takes(shot: Shot) -> int:
    return variant(shot, ()).takes


def _factors(shot: Shot, one: Grid) -> str:
    labels = [dimension.label for dimension in one.dimensions[:_MOST_TOLD]]
    factors = " x ".join(_some(labels, len(one.dimensions), "axis", "axes")) or "1"
    if one.sample:
        factors = f"a sample of {_number(one.sample.count)} from {factors}"
    if one.include:
        factors = f"({factors} + {len(one.include)} included)"
    return f"{factors} x {_number(_takes(shot))} takes" if _takes(shot) > 1 else factors


def _some(told: Sequence[str], count: int, noun: str, nouns: str) -> Sequence[str]:
    """What is told of so many, and how many others there are."""
    more = count - len(told)
    return [*told, counted(more, f"more {noun}", f"more {nouns}")] if more else told


def _number(number: int) -> str:
    """A number as people write it, however large."""
    if number < _LARGEST_WRITTEN:
        return f"{number:,}"
    return f"10^{int((number.bit_length() - 1) * _DIGITS_OF_A_BIT)}"
