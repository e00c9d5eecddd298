"""Whether the gateway's model takes a request: its parameters one by one, then together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Json
from veogen.document.problems import did_you_mean


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with a request, and which parameter it is about; `key`: with its name."""

    severity: Literal["error", "warning"]
    code: str
    parameter: str
    message: str
    hint: str | None = None
    key: bool = False


def objections(body: Mapping[str, Json], models: Mapping[str, Model]) -> Iterator[Objection]:
    """Everything that the catalogue has against a request."""
    model = models.get(str(body.get("model")))
    if model is None:
        yield _unknown_model(body.get("model"), models)
        return
    if not model.known:
        message = f"{model.id!r} is not a known model: its parameters go through unchecked"
        yield Objection("warning", "unknown-model", "model", message)
        return
    single = [found for name, value in body.items() for found in _single(name, value, model)]
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
