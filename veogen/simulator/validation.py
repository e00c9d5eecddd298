"""What a request must be: the catalogue's data, held by code that the client does not share."""

import ipaddress
import json
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any, NoReturn
from urllib.parse import urlsplit

from veogen.models.model import Model
from veogen.models.parameters import Parameter
from veogen.models.rules import Rule
from veogen.simulator.refusals import RefusedError

Body = dict[str, Any]

_UNSTATED = 5
"""Seconds of a clip whose length is left out where no default is stated: what price rules take."""


def parse(raw: bytes) -> Body:
    """The JSON object of a request; raises `RefusedError`."""
    try:
        body = json.loads(raw, parse_constant=_no_constant)
        json.dumps(body, ensure_ascii=False).encode()  # a lone surrogate cannot be sent on
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}", "invalid_parameters") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "the body is a JSON object", "invalid_parameters")
    return body


def check(body: Body, models: Mapping[str, Model]) -> Model:
    """The model that takes `body`; raises `RefusedError` with the first thing that is wrong."""
    name = body.get("model")
    if not isinstance(name, str) or not name:
        _refuse("model", "model is required and is a string")
    if name not in models:
        raise RefusedError(404, f"the model {name} does not exist", "model_unavailable", "model")
    model = models[name]
    for parameter in model.parameters.values():
        if parameter.required and parameter.name not in body:
            _refuse(parameter.name, f"{parameter.name} is required")
    for field, value in body.items() if model.known else ():
        if field not in model.parameters:
            message = f"{name} does not take {field}"
            raise RefusedError(400, message, "unsupported_parameters", field)
        _check_value(model.parameters[field], value)
    for rule in _held(model, body):
        if rule.severity == "error":
            _check_rule(rule, body, model.defaults)
    return model


def settled(model: Model, body: Body) -> Body:
    """The request as it is carried out: defaults in, what the model ignores out."""
    rules = list(_held(model, body))
    ignored = {name for rule in rules for name in rule.ignores}
    fixed = {name: value for rule in rules for name, value in rule.fixes.items()}
    kept = {name: value for name, value in body.items() if name not in ignored}
    return {**model.defaults, **kept, **fixed}


def with_length(model: Model, effective: Body, random: Random) -> Body:
    """The request with the length that the model chooses where it is left to it."""
    known = model.parameters.get("duration")
    written = effective.get("duration")
    if known is None or (written is not None and written not in known.words):
        return effective
    low, high = int(known.minimum or 1), int(known.maximum or 8)
    chosen = min(max(_UNSTATED, low), high) if written is None else random.randint(low, high)
    return {**effective, "duration": chosen}


def _check_value(parameter: Parameter, value: Any) -> None:
    name = parameter.name
    if _is_one_of(value, parameter.words):
        return
    noun, fits = _TYPES[parameter.kind]
    if not fits(value):
        _refuse(name, f"{name} must be {noun}")
    if parameter.enum is not None and value not in parameter.enum:
        allowed = list(parameter.enum)
        _refuse(name, f"{name} must be one of {json.dumps(allowed)}", allowed_values=allowed)
    low, high = parameter.minimum, parameter.maximum
    if isinstance(value, int | float):
        if (low is not None and value < low) or (high is not None and value > high):
            _refuse(name, f"{name} must lie in {low}..{high}", min=low, max=high)
    elif isinstance(value, str | list):
        _check_length(parameter, value)
        if parameter.kind == "callback":
            _check_callback(str(value))
    elif isinstance(value, dict):
        _check_inner(parameter, value)


def _check_length(parameter: Parameter, value: str | list[Any]) -> None:
    name = parameter.name
    limit = parameter.max_length if isinstance(value, str) else parameter.max_items
    length = len(value)
    if isinstance(value, str) and parameter.utf16:
        length += sum(char > "\uffff" for char in value)
    if limit is not None and length > limit:
        _refuse(name, f"{name} is longer than {limit}", max=limit)
    if isinstance(value, list) and length < (parameter.min_items or 0):
        _refuse(name, f"{name} is shorter than {parameter.min_items}", min=parameter.min_items)
    if parameter.required and isinstance(value, str) and not value.strip():
        _refuse(name, f"{name} must not be empty")
    if isinstance(value, list) and parameter.item is not None:
        for item in value:
            _check_value(replace(parameter.item, name=f"{name}[]"), item)


def _check_inner(parameter: Parameter, value: Body) -> None:
    for field, inner in value.items():
        path = f"{parameter.name}.{field}"
        known = parameter.properties.get(field)
        if known is None:
            message = f"{parameter.name} does not take {field}"
            raise RefusedError(400, message, "unsupported_parameters", path)
        _check_value(replace(known, name=path), inner)
    for field, known in parameter.properties.items():
        if known.required and field not in value:
            _refuse(f"{parameter.name}.{field}", f"{parameter.name}.{field} is required")


def _check_callback(url: str) -> None:
    """The documented rules, but for one: this gateway may call its own machine."""
    parts = _split(url)
    host = (parts.hostname or "") if parts else ""
    if not parts or not host:
        _refuse("callback_url", "callback_url must be a URL")
    if is_loopback(host):
        return
    if parts.scheme != "https":
        _refuse("callback_url", "callback_url must use https")
    address = _address(host)
    if not (address.is_global if address else "." in host.rstrip(".")):
        _refuse("callback_url", "callback_url must name a public host")


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") else None


def is_loopback(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address else host.lower().rstrip(".") == "localhost"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that `host` is, also where it is written like 10.1 or 0xa000001."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_link(value: Any) -> bool:
    parts = _split(value) if isinstance(value, str) else None
    return bool(parts and parts.hostname)


def _held(model: Model, body: Body) -> Iterator[Rule]:
    """The rules whose conditions this request meets."""
    facts = {**model.defaults, **body}
    for rule in model.rules:
        if all(_is_one_of(_look_up(facts, name), allowed) for name, allowed in rule.when.items()):
            yield rule


def _is_one_of(value: Any, allowed: Iterable[Any]) -> bool:
    return any(type(value) is type(each) and value == each for each in allowed)


def _look_up(body: Body, name: str) -> Any:
    """A number of media, an inner value by `outer.inner`, or a value; None where it is not."""
    if name in _LISTS:
        items = body.get(_LISTS[name])
        return len(items) if isinstance(items, list) else 0
    value: Any = body
    for step in name.split("."):
        if isinstance(value, list):
            value = [item.get(step) for item in value]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


_LISTS = {"images": "image_urls", "videos": "video_urls", "audios": "audio_urls"}


def _check_rule(rule: Rule, body: Body, defaults: Mapping[str, Any]) -> None:
    for name, bounds in zip(_LISTS, (rule.images, rule.videos, rule.audios), strict=True):
        low, high = bounds or (0, None)
        number = _look_up(body, name)
        if number < low or (high is not None and number > high):
            _refuse(_LISTS[name], rule.message, min=low, max=high)
    for name, value in rule.fixes.items():
        if body.get(name, value) != value:
            _refuse(name, f"{rule.message}: {name} must be {value}", allowed_values=[value])
    for name in rule.refuses:
        if _look_up(body, name) is not None:
            _refuse(name, rule.message)
    for name in rule.needs:
        if _look_up(body, name) is None:
            _refuse(name, f"{rule.message}: {name} is required")
    for name, whole in rule.adds_up.items():
        _check_sum(rule, name, _look_up(body, name), {**defaults, **body}.get(whole))


def _check_sum(rule: Rule, name: str, parts: Any, total: Any) -> None:
    if not parts:
        return
    sound = all(re.fullmatch("0*[1-9][0-9]*", str(part)) for part in parts)
    if not sound or sum(map(int, parts)) != total:
        _refuse(name, rule.message)


def _refuse(param: str, message: str, **facts: Any) -> NoReturn:
    raise RefusedError(400, message, "invalid_parameters", param, **facts)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_TYPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "integer": ("an integer", lambda value: type(value) is int),
    "number": ("a number", lambda value: type(value) in (int, float)),
    "boolean": ("a boolean", lambda value: type(value) is bool),
    "uri": ("a URL", _is_link),
    "uris": (
        "an array of URLs",
        lambda value: isinstance(value, list) and all(map(_is_link, value)),
    ),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "list": ("an array", lambda value: isinstance(value, list)),
    "callback": ("a URL", lambda value: isinstance(value, str)),
    "any": ("a value", lambda _: True),
}
