"""The team's own prices: a file that replaces those of some models, in the catalogue's form.

```yaml
veo-3.1-fast-generate-preview:
  date: 2026-12-01
  source: our contract
  credits_per_usd: "68"
  rule: per_second
  credits: "5.9"
```
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from veogen.catalogue.models import Model, parse_price
from veogen.catalogue.prices import Price
from veogen.document.files import Files, OutsideRootError, inside
from veogen.document.problems import MistakesError, Problem, Problems, did_you_mean
from veogen.document.reader import MAX_BYTES, read
from veogen.document.sections import Key, ListOf, MapOf, Section
from veogen.document.shape import Amount, Anything, Rate, Text, problems_of, value_of
from veogen.document.values import Map, Place, Seq, Value

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_RULES = ("per_second", "per_call")


def _date(text: str) -> tuple[str, str] | None:
    if _DATE.fullmatch(text):
        return None
    return "date", f"{text!r} is not a date; write it as 2026-12-31"


def _rule(text: str) -> tuple[str, str] | None:
    return None if text in _RULES else ("rule", f"{text!r} is not a rule: per_second or per_call")


_MULTIPLIER = Section(
    "a multiplier",
    "Multiplier",
    "What else a price is multiplied by.",
    {
        "when": Key(MapOf(Anything()), "The parameters that it holds for.", required=True),
        "times": Key(Amount(), "The factor.", required=True),
    },
)
_PRICE = Section(
    "a price",
    "Price",
    "The price of a model.",
    {
        "date": Key(Text(_date), "When it was agreed.", required=True),
        "source": Key(Text(), "Who says so.", required=True),
        "credits_per_usd": Key(Rate(), "What a dollar is worth.", required=True),
        "rule": Key(Text(_rule), "What one pays for.", required=True),
        "credits": Key(Amount(), "The price of a second or a call.", required=True),
        "minimum": Key(Amount(), "The least price of a request."),
        "multipliers": Key(ListOf(_MULTIPLIER), "The first that fits counts."),
    },
)


def team_prices(
    tree: Map, files: Files, known: Mapping[str, Model], problems: Problems
) -> Mapping[str, Price]:
    """The prices that a policy names, by model; what is wrong with them is told."""
    written = tree.get("prices")
    if not isinstance(written, str):
        return {}
    place = tree.value_place("prices")
    try:
        path = inside(PurePosixPath(), written)
        raw = files.read(path, MAX_BYTES)
    except OutsideRootError as error:
        problems.error(place, "outside-root", str(error))
    except FileNotFoundError:
        problems.error(place, "missing-file", f"there is no file {written!r}")
    except OSError as error:
        problems.error(place, "missing-file", f"{written!r} cannot be read: {error.strerror}")
    else:
        prices, mistakes = _read(raw, files.shown(path), known)
        problems.extend(mistakes)
        return prices
    return {}


def _read(
    raw: bytes, shown: str, known: Mapping[str, Model]
) -> tuple[Mapping[str, Price], tuple[Problem, ...]]:
    """The prices in a file by model, and what is wrong with it."""
    start = Place(shown, 1, 1)
    try:
        tree = read(raw, shown)
    except MistakesError as error:
        return {}, error.problems
    if not isinstance(tree, Map):
        message = "prices are a mapping, model to price"
        return {}, (Problem(start, "error", "type", message),)
    problems = [problem for id_ in tree for problem in _mistakes(tree, id_, known)]
    if problems:
        return {}, tuple(problems)
    return {id_: parse_price(value_of(tree, id_, Map)) for id_ in tree}, ()


def _mistakes(tree: Map, id_: str, known: Mapping[str, Model]) -> Iterator[Problem]:
    model = known.get(id_)
    if model is None:
        hint = did_you_mean(id_, known) or f"known models: {', '.join(known)}"
        message = f"{id_!r} is not a known model"
        yield Problem(tree.key_place(id_), "error", "unknown-model", message, hint)
        return
    price = tree[id_]
    yield from problems_of(price, _PRICE, tree.value_place(id_))
    if model.known:
        yield from _unknown_conditions(price, model)


def _unknown_conditions(price: Value, model: Model) -> Iterator[Problem]:
    """A misspelt condition would never hold, and the estimate be too low."""
    multipliers = price.get("multipliers") if isinstance(price, Map) else None
    for multiplier in multipliers if isinstance(multipliers, Seq) else ():
        when = multiplier.get("when") if isinstance(multiplier, Map) else None
        if isinstance(when, Map):
            yield from _wrong_conditions(when, model)


def _wrong_conditions(when: Map, model: Model) -> Iterator[Problem]:
    for name, value in when.items():
        known = model.parameters.get(name)
        if known is None:
            hint = did_you_mean(name, model.parameters)
            message = f"{name!r} is not a parameter of {model.id}"
            yield Problem(when.key_place(name), "error", "unknown-key", message, hint)
            continue
        scalar = "a list" if isinstance(value, Map | Seq) else value
        if (wrong := known.check(scalar)) is not None:
            yield Problem(when.value_place(name), "error", "value", f"{name} {wrong}")
