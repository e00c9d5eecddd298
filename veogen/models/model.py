"""The models, read from one YAML file each: what they take, cost and make."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from veogen.document.reader import read
from veogen.models.parameters import Json, Parameter, parse_parameter, shown, value_at
from veogen.models.prices import AnyPrice, Quote, assumption, parse_price, unknown
from veogen.models.rules import (
    COUNTED,
    Derived,
    Finding,
    Rule,
    images_of,
    parse_derived,
    parse_rule,
)
from veogen.text import counted

Pixels: TypeAlias = Mapping[str, Mapping[str, tuple[int, int]]]

DEFAULT_MODEL = "veo-3.1-fast-generate-preview"


@dataclass(frozen=True, slots=True)
class Audio:
    """Whether clips have sound: `always`, `never`, or as the parameter `by` says."""

    word: Literal["always", "never", "by"]
    by: str = ""


@dataclass(frozen=True, slots=True)
class Retired:
    """The day (UTC, ISO) from which a model is not bought any more, and what to use instead."""

    date: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the gateway: what it takes, what does not go together, what it costs.

    Of one that is not `known` only the id is: its parameters go through as they are. `pixels` are
    width and height by quality and ratio, where they are stated; `expected_seconds` is about how
    long a task takes; `audio` is None where nothing says whether there is sound.
    """

    id: str
    title: str
    checked: str
    parameters: Mapping[str, Parameter]
    rules: tuple[Rule, ...] = ()
    derived: Derived | None = None
    price: AnyPrice | None = None
    defaults: Mapping[str, Json] = field(default_factory=dict)
    known: bool = True
    audio: Audio | None = None
    pixels: Pixels = field(default_factory=dict)
    expected_seconds: int | None = None
    retired: Retired | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def unknown(cls, id_: str) -> "Model":
        return cls(id=id_, title="unknown", checked="never", parameters={}, known=False)

    @property
    def weighed(self) -> frozenset[str]:
        """The parameters whose values rules, prices and lengths look at."""
        names = {"duration", "n", *COUNTED.values()}
        for rule in self.rules:
            names.update(rule.when, rule.fixes, rule.adds_up, rule.adds_up.values())
        if self.price is not None:
            names |= self.price.requested
        if self.derived is not None:
            names.add(self.derived.parameter)
        return frozenset(name.partition(".")[0] for name in names)

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
                yield from rule.findings(body, effective)
        if self.retired is not None:
            message = (
                f"{self.id} is retired on {self.retired.date} (UTC); use {self.retired.instead}"
            )
            yield Finding("warning", "retired", "model", message)
        yield from self._assumed(body, effective)
        kind = self.taken_as(body)
        if kind is None or self.derived is None:
            return
        name = self.derived.parameter
        why = f"without {name} {counted(images_of(body), 'image')} may be taken as {kind}"
        for rule in self.rules:
            if name in rule.when and rule.applies({**effective, name: kind}):
                yield from rule.doubts(body, effective, why)

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
        return self.quote(body).credits

    def quote(self, body: Mapping[str, Json]) -> Quote:
        """What the request costs, and how sure that is."""
        if self.price is None:
            return unknown("no price is known")
        return self.price.quote(self.effective(body), self.parameters)

    def has_audio(self, effective: Mapping[str, Json]) -> bool | None:
        """Whether a clip has sound; None where nothing says so."""
        if self.audio is None or self.audio.word != "by":
            return None if self.audio is None else self.audio.word == "always"
        value = value_at(effective, self.audio.by)
        return None if value is None else value in (True, "on")

    def seconds(self, body: Mapping[str, Json]) -> int | None:
        """Seconds of video that the request makes, or None when the model does not say."""
        return seconds_of(self.effective(body))

    def _assumed(
        self, body: Mapping[str, Json], effective: Mapping[str, Json]
    ) -> Iterator[Finding]:
        """Priced parameters that are left to a default that is not stated, or not firm."""
        if self.price is None:
            return
        for name, taken in self.price.quote(effective, self.parameters).assumed.items():
            outer = name.partition(".")[0]
            yield Finding("warning", "priced-default", outer, assumption(name, taken))
        for name in sorted(self.price.requested):
            parameter = self.parameters.get(name)
            if parameter is not None and parameter.moving and name not in body:
                message = assumption(name, shown(effective.get(name)), moving=True)
                yield Finding("warning", "priced-default", name, message)


def seconds_of(effective: Mapping[str, Json]) -> int | None:
    """As `Model.seconds`, of a request whose defaults are filled in."""
    duration, number = effective.get("duration"), effective.get("n", 1)
    if isinstance(duration, int) and duration > 0 and isinstance(number, int):
        return duration * number
    return None


class ModelsOver(Mapping[str, Model]):
    """The models that veogen comes with, by id, less those that `over` has, and these.

    The file of a model is read when that model is asked for, so that a plan pays for its own only.
    """

    def __init__(self, over: Mapping[str, Model]) -> None:
        self._over = over

    def __getitem__(self, id_: str) -> Model:
        model = self._over.get(id_)
        return _shipped_model(id_) if model is None else model

    def __contains__(self, id_: object) -> bool:
        return id_ in self._over or id_ in _shipped_files()

    def __iter__(self) -> Iterator[str]:
        return iter({**_shipped_files(), **self._over})

    def __len__(self) -> int:
        return len({**_shipped_files(), **self._over})


@cache
def _shipped_files() -> Mapping[str, Path]:
    """The files of the models that veogen comes with, by id: each is named after it."""
    paths = sorted(Path(__file__).with_name("data").iterdir())
    return {path.name.removesuffix(".yaml"): path for path in paths}


@cache
def _shipped_model(id_: str) -> Model:
    path = _shipped_files()[id_]
    return parse_model(read(path.read_bytes(), path.name))


@cache
def shipped() -> Mapping[str, Model]:
    """The models that veogen comes with, by id."""
    return ModelsOver({})


def parse_model(data: Any) -> Model:
    parameters = {
        name: parse_parameter(name, fields) for name, fields in data["parameters"].items()
    }
    audio = data.get("audio")
    pixels: dict[str, dict[str, tuple[int, int]]] = {}
    for quality, sizes in (data.get("pixels") or {}).items():
        pixels[quality] = {}
        for ratio, size in sizes.items():
            width, height = map(int, size.split("x"))
            pixels[quality][ratio] = width, height
    return Model(
        id=data["id"],
        title=data["title"],
        checked=data["checked"],
        parameters=parameters,
        rules=tuple(map(parse_rule, data.get("rules") or ())),
        derived=parse_derived(data["derived"]) if data.get("derived") else None,
        price=parse_price(data["prices"]) if data.get("prices") else None,
        defaults={p.name: p.default for p in parameters.values() if p.default is not None},
        audio=Audio(*audio.split(" ", 1)) if audio else None,
        pixels=pixels,
        expected_seconds=data.get("expected_seconds"),
        retired=Retired(**data["retired"]) if data.get("retired") else None,
        notes=tuple(data.get("notes") or ()),
    )


class Catalog(Mapping[str, Model]):
    """Models by id. A lenient one has a model for every id: one that takes anything."""

    def __init__(
        self,
        models: Mapping[str, Model] | None = None,
        *,
        lenient: bool = False,
        prices: Mapping[str, AnyPrice] | None = None,
    ) -> None:
        self._models = shipped() if models is None else models
        self._prices = prices or {}
        self._at_prices = {
            name: replace(self._models[name], price=price)
            for name, price in self._prices.items()
            if name in self._models
        }
        self.lenient = lenient

    def at(self, prices: Mapping[str, AnyPrice]) -> "Catalog":
        """The models at other prices, where there are some; so those that nobody knows."""
        return Catalog(self._models, lenient=self.lenient, prices={**self._prices, **prices})

    def __getitem__(self, name: str) -> Model:
        model = self._at_prices.get(name) or self._models.get(name)
        if model is not None:
            return model
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
        names = dict.fromkeys(name for id_ in self._default_first for name in self[id_].parameters)
        return {name: tuple(self.meanings(name)) for name in names}

    def meanings(self, name: str) -> Iterator[Parameter]:
        """As `parameters` has it; a model is looked at when those before it were not enough."""
        for id_ in self._default_first:
            parameter = self[id_].parameters.get(name)
            if parameter is not None:
                yield parameter

    @cached_property
    def _default_first(self) -> Sequence[str]:
        return sorted(self._models, key=lambda id_: id_ != DEFAULT_MODEL)


@cache
def default_catalog() -> Catalog:
    """What is known where no project says more."""
    return Catalog()


def parameter(name: str, models: Iterable[Model]) -> Parameter | None:
    """The request parameter of that name, as the first model that has it knows it."""
    return next((m.parameters[name] for m in models if name in m.parameters), None)


_USUAL_PIXELS = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
"""Width and height behind a quality where the model states none and the ratio is 16:9."""

_WIDE = ("16:9", "9:16", "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedClip:
    """What is None or empty is not known.

    `seconds` are the same twice, or the bounds where a word leaves the length to the gateway;
    `sizes` are those it may have, the longer side first.
    """

    seconds: tuple[float, float] | None = None
    sizes: frozenset[tuple[int, int]] = frozenset()
    ratio: tuple[int, int] | None = None
    audio: bool | None = None


def expected_clip(model: Model | None, body: Mapping[str, Json]) -> ExpectedClip:
    """What the gateway should make of a request; of a model that is not known as it is written."""
    effective = model.effective(body) if model else body
    quality, ratio = str(effective.get("quality")), str(effective.get("aspect_ratio", ""))
    sizes: Iterable[tuple[int, int]] = ()
    if model is not None and model.pixels:
        stated = model.pixels.get(quality, {})
        sizes = [stated[ratio]] if ratio in stated else stated.values()
    elif ratio in _WIDE or (not ratio and (model is None or "aspect_ratio" in model.parameters)):
        sizes = [_USUAL_PIXELS[quality]] if quality in _USUAL_PIXELS else ()
    wide, _, high = ratio.partition(":")  # a word leaves the ratio open
    is_stated = wide.isdecimal() and high.isdecimal() and int(wide) > 0 and int(high) > 0
    sound = effective.get("generate_audio")
    if model is not None and model.audio is not None:
        sound = model.has_audio(effective)
    duration, seconds = effective.get("duration"), None
    parameter = model.parameters.get("duration") if model else None
    if parameter is not None and duration in parameter.words:  # the gateway chooses
        if parameter.minimum is not None and parameter.maximum is not None:
            seconds = float(parameter.minimum), float(parameter.maximum)
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        seconds = float(duration), float(duration)
    return ExpectedClip(
        seconds=seconds,
        sizes=frozenset((max(size), min(size)) for size in sizes),
        ratio=(int(wide), int(high)) if is_stated else None,
        audio=sound if isinstance(sound, bool) else None,
    )
