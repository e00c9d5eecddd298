"""The team's policy: `veogen.yaml` at the project root."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from veogen.catalogue.known import Catalogue
from veogen.catalogue.own import own_models
from veogen.document.files import Files
from veogen.document.problems import Problem, Problems
from veogen.document.shape import amount
from veogen.document.values import Map, Value
from veogen.spec.compose import Composer
from veogen.spec.file import POLICY as SHAPE
from veogen.spec.layers import submap
from veogen.spec.model import Limits, Policy
from veogen.spec.prices import team_prices
from veogen.spec.root import POLICY


def load_policy(files: Files) -> Policy:
    """The project's policy, an empty one if there is none; raises `MistakesError`."""
    problems = Problems()
    policy = read_policy(files, problems)
    problems.raise_errors()
    return policy


def read_policy(files: Files, problems: Problems, *, lenient: bool = False) -> Policy:
    """As `load_policy`, with the mistakes collected; a `lenient` one knows every model."""
    known = Catalogue(own_models(files, problems), lenient=lenient)
    path = PurePosixPath(POLICY)
    if POLICY not in files.names(path.parent):
        return Policy(models=known)
    own = Problems()
    tree = Composer(files, own).document(path, shape=SHAPE)
    problems.extend(own.all)
    if tree is None or own.has_errors:
        return Policy(models=known)
    return Policy(
        limits=read_limits(submap(tree, "limits")),
        models=known.at(team_prices(tree, files, known, problems)),
    )


def read_limits(tree: Map) -> Limits:
    """The ceilings of a `budget` or `limits` mapping whose structure was checked."""
    models = tree.get("models")
    return Limits(
        max_credits=amount(tree.get("max_credits")),
        max_requests=_whole(tree.get("max_requests")),
        models=tuple(map(str, models)) if isinstance(models, list) else (),
        place=tree.place,
    )


def raised_limits(tree: Map, budget: Limits, limits: Limits) -> Iterator[Problem]:
    """The ceilings of a spec that are above the team's."""
    for name in ("max_credits", "max_requests"):
        own, team = getattr(budget, name), getattr(limits, name)
        if own is not None and team is not None and own > team:
            message = f"a spec may only lower the limit in {POLICY}: {name} is at most {team}"
            yield Problem(tree.value_place(name), "error", "raised-limit", message)


def _whole(value: Value) -> int | None:
    """What was refused, such as 0, is no ceiling."""
    return value if type(value) is int and value > 0 else None
