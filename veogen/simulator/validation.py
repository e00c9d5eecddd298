"""What a request must be: the catalogue's data, held by code that the client does not share."""

import ipaddress
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from veogen.models.model import Model, Parameter, Rule
from veogen.simulator.refusals import RefusedError

Body = dict[str, Any]

_TYPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "integer": ("an integer", lambda value: type(value) is int),
    "boolean": ("a boolean", lambda value: type(value) is bool),
    "uris": (
        "an array of URLs",
        lambda value: isinstance(value, list) and all(map(_is_link, value)),
    ),
    "callback": ("a URL", lambda value: isinstance(value, str)),
    "any": ("a value", lambda _: True),
}


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
        _check_rule(rule, body)
    return model


def settled(model: Model, body: Body) -> Body:
    """The request as it is carried out: defaults in, what the model ignores out."""
    rules = list(_held(model, body))
    ignored = {name for rule in rules for name in rule.ignores}
    fixed = {name: value for rule in rules for name, value in rule.fixes.items()}
    kept = {name: value for name, value in body.items() if name not in ignored}
    return {**model.defaults, **kept, **fixed}


def _check_value(parameter: Parameter, value: Any) -> None:
    name = parameter.name
    noun, fits = _TYPES[parameter.kind]
    if not fits(value):
        _refuse(name, f"{name} must be {noun}")
    if parameter.enum is not None and value not in parameter.enum:
        allowed = list(parameter.enum)
        _refuse(name, f"{name} must be one of {json.dumps(allowed)}", allowed_values=allowed)
    low, high = parameter.minimum, parameter.maximum
    if isinstance(value, int):
        if (low is not None and value < low) or (high is not None and value > high):
            _refuse(name, f"{name} must lie in {low}..{high}", min=low, max=high)
    elif parameter.kind == "callback":
        _check_length(parameter, value)
        _check_callback(value)
    elif isinstance(value, str | list):
        _check_length(parameter, value)


def _check_length(parameter: Parameter, value: str | list[Any]) -> None:
    limit = parameter.max_length if isinstance(value, str) else parameter.max_items
    if limit is not None and len(value) > limit:
        _refuse(parameter.name, f"{parameter.name} is longer than {limit}", max=limit)
    if parameter.required and isinstance(value, str) and not value.strip():
        _refuse(parameter.name, f"{parameter.name} must not be empty")


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
    images = body.get("image_urls")
    number = len(images) if isinstance(images, list) else 0
    facts = {**model.defaults, **body, "images": number}
    for rule in model.rules:
        if all(name in facts and facts[name] in allowed for name, allowed in rule.when.items()):
            yield rule


def _check_rule(rule: Rule, body: Body) -> None:
    if rule.severity != "error":
        return
    if rule.images is not None:
        low, high = rule.images
        number = len(body.get("image_urls", ()))
        if number < low or (high is not None and number > high):
            _refuse("image_urls", rule.message, min=low, max=high)
    for name, value in rule.fixes.items():
        if body.get(name, value) != value:
            _refuse(name, f"{rule.message}: {name} must be {value}", allowed_values=[value])
    for name in rule.refuses:
        if name in body:
            _refuse(name, rule.message)


def _refuse(param: str, message: str, **facts: Any) -> NoReturn:
    raise RefusedError(400, message, "invalid_parameters", param, **facts)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
