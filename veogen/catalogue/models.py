"""The models, read from one YAML file each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from veogen.catalogue.parameters import Json, Parameter
from veogen.catalogue.prices import Multiplier, Price
from veogen.catalogue.rules import Finding, Rule, images_of
from veogen.document.reader import read
from veogen.terminal import counted

DEFAULT_MODEL = "veo-3.1-fast-generate-preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What `parameter` is taken as where it is left out, by the number of images from 0."""

    parameter: str
    by_images: tuple[Json, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the gateway: what it takes, what does not go together, what it costs.

    Of one that is not `known` only the id is: its parameters go through as they are.
    """

    id: str
    title: str
    checked: str
    parameters: Mapping[str, Parameter]
    rules: tuple[Rule, ...] = ()
    derived: Derived | None = None
    price: Price | None = None
    defaults: Mapping[str, Json] = field(default_factory=dict)
    known: bool = True

    @classmethod
    def unknown(cls, id_: str) -> "Model":
        return cls(id=id_, title="unknown", checked="never", parameters={}, known=False)

    @property
    def weighed(self) -> frozenset[str]:
        """The parameters whose values rules, prices and lengths look at."""
        names = {"duration", "n", "image_urls"}
        for rule in self.rules:
            names.update(rule.when, rule.fixes)
        for multiplier in self.price.multipliers if self.price else ():
            names.update(multiplier.when)
        return frozenset(names | {self.derived.parameter} if self.derived else names)

    def effective(self, body: Mapping[str, Json]) -> dict[str, Json]:
        """The request as the gateway takes it: `body` with defaults and fixed values filled in."""
        effective = {**self.defaults, **body}
        for rule in self.rules:
            if rule.fixes and rule.applies(effective):
                effective.update({k: v for k, v in rule.fixes.items() if k not in body})
        return effective

    def findings(self, body: Mapping[str, Json]) -> Iterator[Finding]:
        """What the rules between parameters say of a request whose values fit one by one."""
        effective = self.effective(body)
        for rule in self.rules:
            if rule.applies(effective):
                yield from rule.findings(body)
        yield from self._doubts(body, effective)

    def taken_as(self, body: Mapping[str, Json]) -> Json:
        """The value that the gateway derives where it is left out, if one is likely.

        For display and for warnings: it is never sent, and no price depends on it.
        """
        derived, images = self.derived, images_of(body)
        if derived is None or derived.parameter in body or images >= len(derived.by_images):
            return None
        return derived.by_images[images]

    def estimate(self, body: Mapping[str, Json]) -> Decimal | None:
        """Credits that the request is expected to cost, or None when no price is known."""
        return self.price.estimate(self.effective(body)) if self.price else None

    def seconds(self, body: Mapping[str, Json]) -> int | None:
        """Seconds of video that the request makes, or None when the model does not say."""
        return seconds_of(self.effective(body))

    def _doubts(self, body: Mapping[str, Json], effective: Mapping[str, Json]) -> Iterator[Finding]:
        kind = self.taken_as(body)
        if kind is None or self.derived is None:
            return
        name = self.derived.parameter
        why = f"without {name} {counted(images_of(body), 'image')} may be taken as {kind}"
        for rule in self.rules:
            if name in rule.when and rule.applies({**effective, name: kind}):
                yield from rule.doubts(body, effective, why)


def seconds_of(effective: Mapping[str, Json]) -> int | None:
    """As `Model.seconds`, of a request whose defaults are filled in."""
    duration, number = effective.get("duration"), effective.get("n", 1)
    if isinstance(duration, int) and isinstance(number, int):
        return duration * number
    return None


@cache
def shipped() -> Mapping[str, Model]:
    """The models that veogen knows, by id."""
    folder = files("veogen.catalogue") / "models"
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    models = [parse_model(read(entry.read_bytes(), entry.name)) for entry in entries]
    return {model.id: model for model in models}


def parse_model(data: Any) -> Model:
    parameters = {name: _parameter(name, fields) for name, fields in data["parameters"].items()}
    return Model(
        id=data["id"],
        title=data["title"],
        checked=data["checked"],
        parameters=parameters,
        rules=tuple(map(_rule, data.get("rules") or ())),
        derived=_derived(data["derived"]) if data.get("derived") else None,
        price=parse_price(data["prices"]) if data.get("prices") else None,
        defaults={p.name: p.default for p in parameters.values() if p.default is not None},
    )


def _parameter(name: str, fields: Mapping[str, Any]) -> Parameter:
    rest = {key: value for key, value in fields.items() if key not in ("type", "enum")}
    enum = tuple(fields["enum"]) if "enum" in fields else None
    return Parameter(name=name, kind=fields["type"], enum=enum, **rest)


def _derived(fields: Mapping[str, Any]) -> Derived:
    return Derived(
        parameter=fields["parameter"],
        by_images=tuple(fields["by_images"]),
        source=fields["source"],
    )


def _rule(fields: Mapping[str, Any]) -> Rule:
    rest = {k: v for k, v in fields.items() if k not in ("when", "images", "refuses", "ignores")}
    when = {k: tuple(v) if isinstance(v, list) else (v,) for k, v in fields["when"].items()}
    images = fields.get("images")
    return Rule(
        when=when,
        images=(images.get("min", 0), images.get("max")) if images else None,
        refuses=tuple(fields.get("refuses", ())),
        ignores=tuple(fields.get("ignores", ())),
        **rest,
    )


def parse_price(fields: Mapping[str, Any]) -> Price:
    return Price(
        date=fields["date"],
        source=fields["source"],
        credits_per_usd=_amount(fields["credits_per_usd"]),
        per_second=fields["rule"] == "per_second",
        credits=_amount(fields["credits"]),
        minimum=_amount(fields.get("minimum") or 0),
        multipliers=tuple(
            Multiplier(dict(m["when"]), _amount(m["times"]))
            for m in fields.get("multipliers") or ()
        ),
    )


def _amount(value: str | float) -> Decimal:
    """An amount as it was written: the digits of a float are those that were typed."""
    return Decimal(str(value))
