"""Whether the gateway's model takes a request: its parameters one by one, then together."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from veogen.catalogue.models import Model, seconds_of
from veogen.catalogue.parameters import Json, Parameter
from veogen.document.problems import did_you_mean
from veogen.planner.canonical import canonical
from veogen.spec.model import PROMPTS

_MOST_KNOWN = 4096


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with a request, and which parameter it is about; `key`: with its name."""

    severity: Literal["error", "warning"]
    code: str
    parameter: str
    message: str
    hint: str | None = None
    key: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the catalogue says of a request: what is against it, and what it makes and costs."""

    objections: tuple[Objection, ...]
    effective: Mapping[str, Json]
    credits: Decimal | None = None
    seconds: int | None = None


class Judge:
    """Judges requests; those that differ only in what stands for itself are judged once."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self._models = models
        self._known: dict[Hashable, Judgement] = {}
        self._lonely: dict[str, Mapping[str, Parameter]] = {}

    def judge(self, body: Mapping[str, Json]) -> Judgement:
        model = self._models.get(str(body.get("model")))
        if model is None or not model.known:
            return self._found(tuple([_likeness(*item) for item in body.items()]), body)
        lonely = self._lonely_of(model)
        key = [
            name if name in lonely and lonely[name].check(value) is None else _likeness(name, value)
            for name, value in body.items()
        ]
        found = self._found(tuple(key), body)
        words = [name for name in PROMPTS if name in body]
        wrong = [one for name in words for one in _single(name, body[name], model)]
        return replace(found, objections=(*wrong, *found.objections)) if wrong else found

    def _found(self, key: Hashable, body: Mapping[str, Json]) -> Judgement:
        found = self._known.get(key)
        if found is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            found = self._known[key] = self._judged(body)
        return found

    def _lonely_of(self, model: Model) -> Mapping[str, Parameter]:
        if model.id not in self._lonely:
            self._lonely[model.id] = _lonely(model)
        return self._lonely[model.id]

    def _judged(self, body: Mapping[str, Json]) -> Judgement:
        """What holds for every request like this one, whatever stands for itself in it."""
        against = tuple(_objections(body, self._models))
        model = self._models.get(str(body.get("model")))
        if model is None or any(one.severity == "error" for one in against):
            return Judgement(against, body)
        effective = model.effective(body)
        return Judgement(against, effective, model.estimate(body), seconds_of(effective))


def _lonely(model: Model) -> dict[str, Parameter]:
    """The parameters whose values, where they fit, change nothing about what else is said.

    A shot's images are judged by `aspect_ratio`; an address to call takes long to check.
    """
    weighed = {"model", *model.weighed, *PROMPTS, "aspect_ratio"}
    kinds = ("integer", "string")
    return {n: p for n, p in model.parameters.items() if n not in weighed and p.kind in kinds}


def _likeness(name: str, value: Json) -> Hashable:
    """Equal for values that are judged alike; `1` and `true` are not."""
    if name in PROMPTS:
        return name
    kind = value.__class__
    return name, kind, canonical(value) if kind is list or kind is dict else value


def _objections(body: Mapping[str, Json], models: Mapping[str, Model]) -> Iterator[Objection]:
    """What the catalogue has against a request, less what it has against its prompts."""
    model = models.get(str(body.get("model")))
    if model is None:
        yield _unknown_model(body.get("model"), models)
        return
    if not model.known:
        message = f"{model.id!r} is not a known model: its parameters go through unchecked"
        yield Objection("warning", "unknown-model", "model", message)
        return
    rest = ((name, value) for name, value in body.items() if name not in PROMPTS)
    single = [found for name, value in rest for found in _single(name, value, model)]
    yield from single
    for name, known in model.parameters.items():
        if known.required and name not in body:
            yield Objection("error", "missing-parameter", name, f"{name!r} is missing")
    if not any(found.severity == "error" for found in single):
        for finding in model.findings(body):
            severity, code = finding.severity, finding.code
            yield Objection(severity, code, finding.parameter, finding.message)


def _single(name: str, value: Json, model: Model) -> Iterator[Objection]:
    known = model.parameters.get(name)
    if known is None:
        message = f"{name!r} is not a request parameter"
        hint = did_you_mean(name, model.parameters)
        yield Objection("error", "unknown-key", name, message, hint, key=True)
    elif (wrong := known.check(value)) is not None:
        yield Objection("error", "value", name, f"{name} {wrong}")


def _unknown_model(name: Json, models: Mapping[str, Model]) -> Objection:
    known = f"known models: {', '.join(models)}; --allow-unknown-model lets any through"
    hint = did_you_mean(str(name), models) or known
    return Objection("error", "unknown-model", "model", f"{name!r} is not a known model", hint)
