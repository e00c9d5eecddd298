"""The models, read from one YAML file each."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from veogen.document.reader import read
from veogen.hosts import public_host
from veogen.text import counted

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Kind: TypeAlias = Literal["string", "integer", "boolean", "uris", "callback", "any"]

_INTEGER = re.compile(r"\s*[-+]?[0-9]{1,300}\s*")  # as YAML has them: `1_000` is a text

_NOUN: Mapping[Kind, str] = {
    "string": "a string",
    "integer": "an integer",
    "boolean": "true or false",
    "uris": "a list of paths or https URLs",
    "callback": "an https URL",
    "any": "a value",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A request parameter as the catalogue knows it; a limit that is None is not stated."""

    name: str
    kind: Kind
    description: str
    source: str
    required: bool = False
    enum: tuple[Json, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    max_items: int | None = None
    max_bytes: int | None = None
    default: Json = None
    unit: str | None = None

    def check(self, value: Json) -> str | None:
        """What is wrong with `value`, as the end of the sentence "NAME …"; None if it fits."""
        if not self._has_type(value):
            return f"is {_NOUN[self.kind]}, not {shown(value)}"
        if self.enum is not None and not is_among(value, self.enum):
            return f"is one of {', '.join(map(shown, self.enum))}, not {shown(value)}"
        if isinstance(value, int):
            return self._check_range(value)
        if isinstance(value, str):
            if self.max_length is not None and len(value) > self.max_length:
                return f"is at most {self.max_length} characters long, not {len(value)}"
            return check_callback(value) if self.kind == "callback" else None
        if isinstance(value, list) and self.max_items is not None and len(value) > self.max_items:
            return f"takes at most {self.max_items}, not {len(value)}"
        return None

    def parse(self, text: str) -> Json:
        """`text` read as this parameter's type; a text that is none stays text, for `check`."""
        if self.kind == "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        if self.kind == "integer" and _INTEGER.fullmatch(text):
            return int(text)
        return text

    def _has_type(self, value: Json) -> bool:
        match self.kind:
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "boolean":
                return isinstance(value, bool)
            case "uris":
                return isinstance(value, list) and all(isinstance(item, str) for item in value)
            case "string" | "callback":
                return isinstance(value, str)
            case "any":
                return True

    def _check_range(self, value: int) -> str | None:
        if self.minimum is not None and value < self.minimum:
            return f"is at least {self.minimum}, not {value}"
        if self.maximum is not None and value > self.maximum:
            return f"is at most {self.maximum}, not {value}"
        return None


def check_callback(url: str) -> str | None:
    """What is wrong with a callback address (the gateway's own rules), or None."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return f"is an https URL, not {shown(url)}"
    odd = port == 0 or any(char <= " " or char in "\\\x7f" for char in url)
    if parts.scheme != "https" or not host or odd:
        return f"is an https URL, not {shown(url)}"
    if "@" in parts.netloc:
        return "holds no user name or password"
    try:
        public_host(host)
    except ValueError as error:
        return f"names a public host, not {str(error)!r}"
    return None


def shown(value: Json) -> str:
    """A value as it stands in a message: strings quoted, the rest as JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else repr(value)


def shown_size(number: int) -> str:
    """Bytes as people read them: whole MiB where they are."""
    return f"{number:,} bytes" if number % (1 << 20) else f"{number >> 20} MiB"


def is_among(value: Json, allowed: Iterable[Json]) -> bool:
    """Whether it is one of the values; `1`, `1.0` and `true` are three."""
    return any(type(value) is type(other) and value == other for other in allowed)


_MILLI = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Applies when the request's effective parameters are those of `when`."""

    when: Mapping[str, Json]
    times: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Credits for a second or a call, the least of a request, and where the figures are from."""

    date: str
    source: str
    credits_per_usd: Decimal
    per_second: bool
    credits: Decimal
    minimum: Decimal = Decimal(0)
    multipliers: tuple[Multiplier, ...] = ()

    def estimate(self, effective: Mapping[str, Json]) -> Decimal | None:
        """Credits for a request with its defaults filled in; None where it cannot be told."""
        duration, number = effective.get("duration"), effective.get("n", 1)
        if not isinstance(number, int) or (self.per_second and not isinstance(duration, int)):
            return None
        amount = self.credits * number
        for multiplier in self.multipliers:
            if list(map(effective.get, multiplier.when)) == list(multiplier.when.values()):
                amount *= multiplier.times
                break
        if self.per_second and isinstance(duration, int):
            amount *= duration
        try:
            return max(amount, self.minimum).quantize(_MILLI, ROUND_HALF_UP)
        except InvalidOperation:  # more digits than money has
            return None

    def usd(self, credits_: Decimal) -> Decimal:
        """Dollars at the rate of the price's date, not rounded yet."""
        return credits_ / self.credits_per_usd


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said of a request, and which parameter it is about; `key`: with its name."""

    severity: Literal["error", "warning"]
    code: str
    parameter: str
    message: str
    hint: str | None = None
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Applies when every condition of `when` holds; the name `images` stands for their number."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    source: str
    when: Mapping[str, tuple[Json, ...]]
    images: tuple[int, int | None] | None = None
    fixes: Mapping[str, Json] = field(default_factory=dict)
    refuses: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    about: str | None = None

    def applies(self, effective: Mapping[str, Json]) -> bool:
        """Whether the rule holds for a request with its defaults filled in."""
        facts = {**effective, "images": images_of(effective)}
        return all(is_among(facts.get(name), allowed) for name, allowed in self.when.items())

    def findings(self, written: Mapping[str, Json]) -> Iterator[Finding]:
        """What is wrong in a request that the rule applies to; `written` has no defaults."""
        if self.about:
            yield self._finding(self.about, self.message)
        low, high = self.images or (0, None)
        images = images_of(written)
        if images < low or (high is not None and images > high):
            about = "image_urls" if "image_urls" in written else "generation_type"
            yield self._finding(about, f"{self.message}, not {images}")
        for name, value in self.fixes.items():
            if name in written and written[name] != value:
                yield self._finding(
                    name,
                    f"{self.message}: {name} is {shown(value)} there, not {shown(written[name])}",
                )
        for name in (*self.refuses, *self.ignores):
            if name in written:
                yield self._finding(name, self.message)

    def doubts(
        self, written: Mapping[str, Json], effective: Mapping[str, Json], why: str
    ) -> Iterator[Finding]:
        """What would be otherwise than asked for, if the rule applied; `why` says how it might."""
        for name, value in self.fixes.items():
            if effective.get(name, value) != value:
                told = f"{why}: {name} is {shown(value)} there, not {shown(effective[name])}"
                about = name if name in written else "image_urls"
                yield Finding("warning", self.code, about, told)
        for name in self.ignores:
            if name in written:
                yield Finding("warning", self.code, name, f"{why}: {name} is not taken there")

    def _finding(self, parameter: str, message: str) -> Finding:
        return Finding(self.severity, self.code, parameter, message)


def images_of(body: Mapping[str, Json]) -> int:
    """How many images a request has."""
    images = body.get("image_urls")
    return len(images) if isinstance(images, list) else 0


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
    folder = files("veogen.models") / "data"
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    models = [parse_model(read(entry.read_bytes(), entry.name)) for entry in entries]
    return {model.id: model for model in models}


def parse_model(data: Any) -> Model:
    parameters, derived = {}, data.get("derived")
    for name, fields in data["parameters"].items():
        rest = {key: value for key, value in fields.items() if key not in ("type", "enum")}
        enum = tuple(fields["enum"]) if "enum" in fields else None
        parameters[name] = Parameter(name=name, kind=fields["type"], enum=enum, **rest)
    return Model(
        id=data["id"],
        title=data["title"],
        checked=data["checked"],
        parameters=parameters,
        rules=tuple(map(_rule, data.get("rules") or ())),
        derived=_derived(derived) if derived else None,
        price=parse_price(data["prices"]) if data.get("prices") else None,
        defaults={p.name: p.default for p in parameters.values() if p.default is not None},
    )


def _derived(fields: Mapping[str, Any]) -> Derived:
    by_images = tuple(fields["by_images"])
    return Derived(parameter=fields["parameter"], by_images=by_images, source=fields["source"])


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


class Catalogue(Mapping[str, Model]):
    """Models by id. A lenient one has a model for every id: one that takes anything."""

    def __init__(
        self,
        models: Mapping[str, Model] | None = None,
        *,
        lenient: bool = False,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self._models = dict(shipped() if models is None else models)
        self._prices = prices or {}
        self.lenient = lenient

    def at(self, prices: Mapping[str, Price]) -> "Catalogue":
        """The models at other prices, where there are some; so those that nobody knows."""
        models = {
            name: replace(model, price=prices.get(name, model.price))
            for name, model in self._models.items()
        }
        return Catalogue(models, lenient=self.lenient, prices=prices)

    def __getitem__(self, name: str) -> Model:
        known = self._models.get(name)
        if known is not None:
            return known
        if not self.lenient:
            raise KeyError(name)
        return replace(Model.unknown(name), price=self._prices.get(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    @cached_property
    def parameters(self) -> Mapping[str, tuple[Parameter, ...]]:
        """What the models know under each name, the default model's first.

        A level of a spec does not know which model its shots will use: there a value is wrong only
        when no model takes it; the planner asks the request's own model.
        """
        known: dict[str, tuple[Parameter, ...]] = {}
        for model in sorted(self._models.values(), key=lambda model: model.id != DEFAULT_MODEL):
            for name, parameter in model.parameters.items():
                known[name] = (*known.get(name, ()), parameter)
        return known


@cache
def default_catalogue() -> Catalogue:
    """What is known where no project says more."""
    return Catalogue()


def parameter(name: str, models: Iterable[Model]) -> Parameter | None:
    """The request parameter of that name, as the first model that has it knows it."""
    return next((m.parameters[name] for m in models if name in m.parameters), None)
