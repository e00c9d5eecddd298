"""How large a plan would be, known before anything is expanded."""

from collections.abc import Sequence

from veogen.document.problems import Problems
from veogen.document.values import Place
from veogen.planner.layers import variant
from veogen.planner.matrix import Grid
from veogen.spec.model import Shot, Spec

MOST_REQUESTS = 1_000
MOST_EVER = 10_000_000


def check_size(
    spec: Spec, grids: Sequence[Grid], max_requests: int | None, problems: Problems
) -> bool:
    """Whether a plan is not too large; if it is, that is told, its product written out.

    Without `max_requests` the spec's budget says what is too large.
    """
    allowed = max_requests or spec.budget.max_requests or MOST_REQUESTS
    sizes = [_takes(shot) * one.most for shot, one in zip(spec.shots, grids, strict=True)]
    total = sum(sizes)
    walked = max((one.product_size for one in grids), default=0)
    limit = min(allowed, MOST_EVER)
    if total <= limit and walked <= MOST_EVER:
        return True
    factors = "; ".join(
        f"{shot.name}: {_factors(shot, one)} = {size:,}"
        for shot, one, size in zip(spec.shots, grids, sizes, strict=True)
    )
    hint = None if max(total, walked) > MOST_EVER else f"--max-requests {total} allows it"
    largest = spec.shots[sizes.index(max(sizes))]
    message = f"{total:,} requests are more than {limit:,}: {factors}"
    problems.error(_place(largest), "too-many-requests", message, hint)
    return False


def _takes(shot: Shot) -> int:
    return variant(shot, ()).takes


def _factors(shot: Shot, one: Grid) -> str:
    factors = " x ".join(dimension.label for dimension in one.dimensions) or "1"
    if one.sample:
        factors = f"a sample of {one.sample.count:,} from {factors}"
    if one.include:
        factors = f"({factors} + {len(one.include)} included)"
    return f"{factors} x {_takes(shot)} takes" if _takes(shot) > 1 else factors


def _place(shot: Shot) -> Place:
    return shot.matrix.place
