"""The gateway's document of price rules: the price of one model as a model file has it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from veogen.errors import UsageError
from veogen.models.expressions import BadRuleError
from veogen.models.price_rules import parse_rules
from veogen.models.prices import SETTLEMENTS

SCHEMA_VERSION = "2"
SELECTIONS = (None, "configured_minimum", "route_priority")

_CNY = re.compile(r"USD-CNY=([0-9]{1,3}(?:\.[0-9]{1,6})?)\Z")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T")
_CREDITS_PER_CNY = 10
_PARAMETER = ("name", "type", "values", "minimum", "maximum", "default", "required")
_PARTS = ("condition", "quantity_rule", "rounding")


@dataclass(frozen=True, slots=True)
class ImportedPrice:
    """A price as a model file has it, None where there is none; `unknown` is what is left open."""

    data: Mapping[str, Any] | None
    unknown: tuple[str, ...]


class PriceDocument:
    """The rules of one model or of many, as they were answered; raises `UsageError`."""

    def __init__(self, document: Mapping[str, Any], name: str) -> None:
        self._name = name
        meta = document.get("meta")
        if not isinstance(meta, Mapping) or meta.get("schema_version") != SCHEMA_VERSION:
            raise UsageError(f"{name} is no document of prices of version {SCHEMA_VERSION!r}")
        models = [document["model"]] if "model" in document else document.get("models")
        if not isinstance(models, list) or not all(isinstance(each, Mapping) for each in models):
            raise UsageError(f"{name} holds no models")
        if meta.get("price_selection") not in SELECTIONS:
            raise UsageError(f"{name} has a 'price_selection' that is not read")
        self._meta = meta
        self._models: Sequence[Mapping[str, Any]] = models

    def price(self, id_: str) -> ImportedPrice:
        """The price of the model whose name is the same but for capitals, never of a near one."""
        matches = [model for model in self._models if model.get("model_id") == id_.lower()]
        if not matches:
            return ImportedPrice(None, (f"price: {self._name} has none of this name",))
        if len(matches) > 1:
            raise UsageError(f"{self._name} has two prices of {id_!r}")
        model = matches[0]
        if model.get("pricing_status", "available") != "available":
            return ImportedPrice(None, ("price: it is said to be unavailable",))
        try:
            return self._read(model)
        except BadRuleError as error:
            raise UsageError(
                f"{self._name}: the price of {id_!r} cannot be read: {error}"
            ) from None

    def _read(self, model: Mapping[str, Any]) -> ImportedPrice:
        settlement = model.get("settlement_basis")
        if settlement not in SETTLEMENTS:
            raise BadRuleError(f"its settlement {settlement!r} is not known")
        lowest = self._meta.get("price_selection") != "route_priority"
        day = _DAY.match(str(self._meta.get("updated_at")))
        if day is None:
            raise UsageError(f"{self._name} has no date")
        data = {
            "date": day[1],
            "source": f"{self._name}, {self._meta.get('pricing_version', 'no version')}",
            **({"lowest": True} if lowest else {}),
            "credits_per_usd": self._credits_per_usd(),
            "rule": "components",
            "settlement": settlement,
            "parameters": [_kept(each, _PARAMETER) for each in _mappings(model, "parameters")],
            "components": [_component(each) for each in _mappings(model, "components")],
        }
        parse_rules(data)
        unknown = "price: it is without discounts, charges outside of the rules, and other routes"
        by_usage = "price: it is by what is measured, which no document tells before"
        names = [str(each.get("name")) for each in _mappings(model, "parameters")]
        measured = [
            f"price: {name} is measured, and no request says it"
            for name in names
            if name.endswith(("_tokens", "_count", "_fps"))
            and name not in ("video_count", "image_count")
        ]
        usage = (by_usage,) if settlement == "actual_usage" else ()
        return ImportedPrice(data, (unknown, *usage, *measured))

    def _credits_per_usd(self) -> str:
        """A credit is a tenth of a yuan; the dollar is what the document takes it for."""
        rate = _CNY.search(str(self._meta.get("exchange_rate_version")))
        if rate is None or not float(rate[1]):
            raise UsageError(f"{self._name} has no rate of exchange")
        whole, _, part = rate[1].partition(".")
        digits = f"{whole}{part[:1] or '0'}.{part[1:]}".rstrip("0").rstrip(".")
        return digits.lstrip("0") or "0"


def _mappings(model: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    items = model.get(key)
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise BadRuleError(f"{key!r} is a list of mappings")
    return items


def _component(data: Mapping[str, Any]) -> dict[str, Any]:
    if data.get("pricing_status", "available") != "available":
        raise BadRuleError("a component of the price is not available")
    tiers = data.get("tiers", [])
    if not isinstance(tiers, list) or not all(isinstance(tier, Mapping) for tier in tiers):
        raise BadRuleError("'tiers' is a list of mappings")
    component = {"id": str(data.get("id", "")), **_amounts(data), **_kept(data, _PARTS)}
    if tiers:
        component["tiers"] = [{**_kept(tier, ("when",)), **_amounts(tier)} for tier in tiers]
    return component


def _amounts(data: Mapping[str, Any]) -> dict[str, Any]:
    """Rate and minimum in UC, in which alone they are exact."""
    if data.get("pricing_status", "available") != "available":
        raise BadRuleError("a tier of the price is not available")
    return {
        key: {"uc": amount.get("uc")}
        for key in ("rate", "minimum_charge")
        if isinstance(amount := data.get(key), Mapping)
    }


def _kept(data: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: data[key] for key in keys if data.get(key) is not None}
