"""Whether the gateway's model takes a request: its parameters one by one, then together."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from veogen.document.nodes import Location
from veogen.document.problems import Problem, Problems, did_you_mean
from veogen.models.model import Model, parameter, seconds_of
from veogen.models.parameters import Json, Parameter
from veogen.models.rules import Finding
from veogen.planner.identity import canonical
from veogen.planner.matrix import Expansion
from veogen.planner.plan import Tally
from veogen.planner.variants import layer_of_variant
from veogen.spec.types import PROMPTS, Limits, Shot, Spec
from veogen.text import counted

_MOST_KNOWN = 4096


@dataclass(frozen=True, slots=True)
class Checked:
    """What the catalogue says of a request: what it finds, and what it makes and costs.

    `effective` is the request as the gateway takes it, less its prompts.
    """

    findings: tuple[Finding, ...]
    effective: Mapping[str, Json]
    credits: Decimal | None = None
    seconds: int | None = None


class RequestChecker:
    """Checks requests; those that differ only in what stands for itself are checked once."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = models
        self._known: dict[Hashable, Checked] = {}
        self._independent: dict[str, Mapping[str, Parameter]] = {}

    def check(self, body: Mapping[str, Json]) -> Checked:
        """What is said of a request, and of its prompts before everything else."""
        model = self.models.get(str(body.get("model")))
        is_known = model is not None and model.known
        independent = self._independent_of(model) if model is not None and is_known else {}
        key: list[Hashable] = []
        for name, value in body.items():
            kind = value.__class__  # `1` and `true` are not judged alike
            fits = name in independent and independent[name].check(value) is None
            if fits or name in PROMPTS:
                key.append(name)
            elif kind is list or kind is dict:
                key.append((name, kind, canonical(value)))
            else:
                key.append((name, kind, value))
        checked = self._known.get(tuple(key))
        if checked is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            # To rules and prices it is enough that there are prompts, whatever they say.
            alike = {name: "" if name in PROMPTS else value for name, value in body.items()}
            checked = self._known[tuple(key)] = self._checked(model, alike)
        if model is None or not is_known:
            return checked
        wrong: list[Finding] = []
        for name in PROMPTS:
            if name in body:
                wrong += _single(name, body[name], model, self.models)
        return replace(checked, findings=(*wrong, *checked.findings)) if wrong else checked

    def _independent_of(self, model: Model) -> Mapping[str, Parameter]:
        """The parameters whose values, where they fit, change nothing of what is said.

        A shot's images are judged by `aspect_ratio`; an address to call takes long to check.
        """
        if model.id not in self._independent:
            weighed = {"model", *model.weighed, *PROMPTS, "aspect_ratio"}
            self._independent[model.id] = {
                name: each
                for name, each in model.parameters.items()
                if name not in weighed and each.kind in ("integer", "string")
            }
        return self._independent[model.id]

    def _checked(self, model: Model | None, body: Mapping[str, Json]) -> Checked:
        """What holds for every request like this one, whatever stands for itself in it."""
        rest, findings = _less_prompts(body), list[Finding]()
        if model is None:
            name = body.get("model")
            ids = ", ".join(self.models)
            hint = f"known models: {ids}; --allow-unknown-model lets any through"
            hint = did_you_mean(str(name), self.models) or hint
            message = f"{name!r} is not a known model"
            return Checked((Finding("error", "unknown-model", "model", message, hint),), rest)
        if not model.known:
            message = f"{model.id!r} is not a known model: its parameters go through unchecked"
            findings.append(Finding("warning", "unknown-model", "model", message))
        else:
            for name, value in rest.items():
                findings += _single(name, value, model, self.models)
            rules = () if _has_error(findings) else model.findings(body)
            for name, parameter_ in model.parameters.items():
                if parameter_.required and name not in body:
                    findings.append(
                        Finding("error", "missing-parameter", name, f"{name!r} is missing")
                    )
            findings += rules
        if _has_error(findings):
            return Checked(tuple(findings), rest)
        effective = _less_prompts(model.effective(body))
        return Checked(tuple(findings), effective, model.estimate(body), seconds_of(effective))


def _has_error(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _less_prompts(body: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in body.items() if name not in PROMPTS}


def _single(name: str, value: Json, model: Model, models: Mapping[str, Model]) -> Iterator[Finding]:
    of_model = model.parameters.get(name)
    if of_model is None and name == "model":  # its file need not say that a request names it
        return
    if of_model is None:
        message = f"{name!r} is not a request parameter"
        hint = did_you_mean(name, model.parameters)
        if parameter(name, models.values()) is not None:
            message = f"{name!r} is not a parameter of {model.id}"
            when = f"{{when: {{model: {model.id}}}, params: {{{name}: null}}}}"
            hint = f"leave it out; on an axis of models by an entry of 'overrides': {when}"
        yield Finding("error", "unknown-key", name, message, hint, key=True)
    elif (wrong := of_model.check(value)) is not None:
        yield Finding("error", "value", name, f"{name} {wrong}")


def over_budget(
    tally: Tally, budget: Limits, profile: str | None, place: Location
) -> Iterator[Problem]:
    """What a plan has against the budget of its own spec; `place` is the spec's."""
    name = "budget" if profile is None else f"budget with profile {profile!r}"
    yield from _over(tally, budget, f"{name} allows", budget.place or place)


def over_limits(tallies: Iterable[tuple[Spec, Tally]]) -> Iterator[Problem]:
    """What the plans of a command have against limits: all of a project together."""
    projects: dict[Path, tuple[Spec, Tally]] = {}
    for spec, tally in tallies:
        _, together = projects.setdefault(spec.files.root, (spec, Tally()))
        together.take_in(tally)
    for spec, together in projects.values():
        limits = spec.policy.limits
        where = limits.place or Location(spec.files.shown(spec.path), 1, 1)
        yield from _over(together, limits, "limits allow", where)
        for model in together.credits if limits.models else ():
            if model not in limits.models:
                allowed = ", ".join(limits.models)
                message = f"the limits allow no {model!r}; they allow {allowed}"
                yield Problem(where, "error", "model-not-allowed", message)


def _over(tally: Tally, limits: Limits, name: str, place: Location) -> Iterator[Problem]:
    most = limits.max_requests
    if most is not None and tally.requests > most:
        message = f"{tally.requests:,} requests are more than the {name}: {most:,}"
        yield Problem(place, "error", "over-budget", message)
    if limits.max_credits is None:
        return
    total = tally.total
    if total is None:
        message = f"the price of {tally.unpriced} is unknown where a 'max_credits' holds"
        yield Problem(place, "error", "unknown-price", message)
    elif total > limits.max_credits:
        message = f"{total} credits are more than the {name}: {limits.max_credits}"
        yield Problem(place, "error", "over-budget", message)


MOST_REQUESTS = 1_000
MOST_EVER = 10_000_000

_MOST_TOLD = 20  # shots, the largest first, and axes of each
_LARGEST_WRITTEN = 10**30
_DIGITS_OF_A_BIT = 0.30103


def request_limit(spec: Spec, max_requests: int | None) -> int:
    """How many requests a plan may have; without `max_requests` its budget says it."""
    return min(max_requests or spec.budget.max_requests or MOST_REQUESTS, MOST_EVER)


def check_size(spec: Spec, grids: Sequence[Expansion], limit: int, problems: Problems) -> bool:
    """Whether a plan is not too large; if it is, that is told, its product written out."""
    sizes = [_takes(shot) * grid.most for shot, grid in zip(spec.shots, grids, strict=True)]
    picked = None if spec.promotion is None else spec.promotion.picked
    if picked is not None:  # however many there were to pick from, and each of its own shot
        per_shot = Counter(address.partition("[")[0] for address in picked)
        sizes = [_takes(shot) * per_shot[shot.name] for shot in spec.shots]
    total = sum(sizes)
    walked = max((grid.product_size for grid in grids), default=0)
    if total <= limit and walked <= MOST_EVER:
        return True
    shots = [
        f"{shot.name}: {_product(shot, grid, size) if picked is None else f'{size:,} of the picks'}"
        for shot, grid, size in sorted(
            zip(spec.shots, grids, sizes, strict=True), key=lambda each: each[2], reverse=True
        )[:_MOST_TOLD]
    ]
    product = "; ".join(_some(shots, len(spec.shots), "shot", "shots"))
    largest = spec.shots[sizes.index(max(sizes))]
    if total > limit:
        whose = "the budget's " if limit == spec.budget.max_requests else ""
        message = f"{_number(total)} requests are more than {whose}{limit:,}: {product}"
    else:
        message = f"{_number(total)} requests are a sample of too many combinations: {product}"
    matrix = largest.matrix
    over_budget = spec.budget.max_requests is not None and total > spec.budget.max_requests
    excludes = any(shot.matrix.exclude for shot in spec.shots)  # they may leave few enough
    is_hopeless = max(total, walked) > MOST_EVER or (over_budget and not excludes)
    hint = None if is_hopeless else f"--max-requests {total} allows it"
    place = matrix.place if matrix.axes or matrix.rows else largest.place
    problems.error(place, "too-many-requests", message, hint)
    return False


def report_takes(shot: Shot, limit: int, problems: Problems) -> None:
    """Refuse what overrides make of a plan whose product was small enough."""
    message = f"overrides with more takes make more than {limit:,} requests"
    hint = None if limit == MOST_EVER else "--max-requests allows more"
    place = next((o.place for o in shot.overrides if o.layer.takes is not None), shot.place)
    problems.error(place, "too-many-requests", message, hint)


def _takes(shot: Shot) -> int:
    return layer_of_variant(shot, ()).takes or 1


def _product(shot: Shot, grid: Expansion, size: int) -> str:
    """How a shot comes to its size, as a product of axes, sample, includes and takes."""
    labels = [dimension.label for dimension in grid.dimensions[:_MOST_TOLD]]
    factors = " x ".join(_some(labels, len(grid.dimensions), "axis", "axes")) or "1"
    if grid.sample:
        factors = f"a sample of {_number(grid.sample.count)} from {factors}"
    if grid.include:
        factors = f"({factors} + {len(grid.include)} included)"
    if _takes(shot) > 1:
        factors = f"{factors} x {_number(_takes(shot))} takes"
    return factors if factors == _number(size) else f"{factors} = {_number(size)}"


def _some(told: Sequence[str], count: int, noun: str, nouns: str) -> Sequence[str]:
    """What is told of so many, and how many others there are."""
    more = count - len(told)
    return [*told, counted(more, f"more {noun}", f"more {nouns}")] if more else told


def _number(number: int) -> str:
    """A number as people write it, however large."""
    if number < _LARGEST_WRITTEN:
        return f"{number:,}"
    return f"10^{int((number.bit_length() - 1) * _DIGITS_OF_A_BIT)}"
