"""Addresses: the readable, stable name of a combination and of a request."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from veogen.models.parameters import Json
from veogen.planner.plan import Image
from veogen.spec.types import PROMPTS
from veogen.text import safe

FILE = "file:"

TAKES_HINT = "'takes' buys one request several times"
"""What is probably meant where two requests have one address or one hash."""

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(value: object) -> bytes:
    """JSON with sorted keys, separators `,` and `:`, UTF-8 unescaped."""
    if value.__class__ is int:  # what most axes are made of
        return b"%d" % value
    return _encode(value).encode()


def request_hash(body: Mapping[str, Json], take: int, images: Sequence[Image] = ()) -> str:
    """The SHA-256 (hex) of what a request is: its body and take, less its callback.

    A local image counts by its bytes, not by its name.
    """
    if "callback_url" in body:
        body = {name: value for name, value in body.items() if name != "callback_url"}
    if images:
        body = with_images(body, {FILE + image.path: f"sha256:{image.sha256}" for image in images})
    return hashlib.sha256(canonical({"request": body, "take": take})).hexdigest()


def with_images(body: Mapping[str, Json], urls: Mapping[str, str]) -> Mapping[str, Json]:
    """A body with other addresses of its local images, by those that stand in it now.

    An image is all of a parameter or an item of a list; a prompt is never one.
    """
    if not urls:
        return body
    other = dict(body)
    for name, value in body.items():
        if name in PROMPTS:
            continue
        if isinstance(value, list):
            other[name] = [urls.get(u, u) if isinstance(u, str) else u for u in value]
        elif isinstance(value, str):
            other[name] = urls.get(value, value)
    return other


def local_images(body: Mapping[str, Json]) -> Iterator[str]:
    """The local images that a body names, by their paths."""
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            if name not in PROMPTS and isinstance(item, str) and item.startswith(FILE):
                yield item


_QUOTED = re.compile(r'[\[\],="\s\x00-\x1f\x7f-\x9f]')


def address(shot: str, keys: Mapping[str, Json], take: int = 1) -> str:
    """`shot[name=value,…]`, names sorted; `#2` after take 2 and up."""
    return take_address(combination_address(shot, keys), take)


def combination_address(shot: str, keys: Mapping[str, Json]) -> str:
    return joined(shot, (f"{name}={address_text(keys[name])}" for name in sorted(keys)))


def joined(shot: str, pairs: Iterable[str]) -> str:
    """The address of a shot from `name=value` texts that are already in order."""
    inside = ",".join(pairs)
    return f"{shot}[{inside}]" if inside else shot


def take_address(combination: str, take: int) -> str:
    return combination if take == 1 else f"{combination}#{take}"


def combination_of(address_: str, take: int) -> str:
    """The address of a request without its take."""
    return address_ if take == 1 else address_.removesuffix(f"#{take}")


def address_text(key: Json) -> str:
    """A value in an address: plain where it can be, else JSON."""
    if not isinstance(key, str):
        return canonical(key).decode()
    if not key or _QUOTED.search(key):
        return json.dumps(key, ensure_ascii=False)
    return key


PART_BYTES = 100
PATH_BYTES = 1000
"""With a run directory before it, it has to be a path on every system."""


class BadPathError(ValueError):
    """An output path that is no path below the run directory; the message says why."""


def output_path(rendered: str) -> str:
    """A rendered `output`, its values safe already, as a relative path of safe parts."""
    if rendered.startswith("/"):
        raise BadPathError("is a path below the run directory: no '/' first")
    parts = [_cut(safe(part.strip())) for part in rendered.split("/") if part.strip()]
    for part in parts:
        if not part.strip("."):
            raise BadPathError(f"has a part {part!r}, which is a folder's")
    if not parts:
        raise BadPathError("is empty once it is rendered")
    path = "/".join(parts)
    if (length := len(path.encode())) > PATH_BYTES:
        raise BadPathError(f"has {length} bytes; a path has at most {PATH_BYTES}")
    return path


def default_output(shot: str, keys: Mapping[str, Json], take: int) -> str:
    """`<shot>/` and the values of the address joined by `-`, then `-take2` and so on."""
    suffix = "" if take == 1 else f"-take{take}"
    name = "-".join(safe_key(keys[key]) for key in sorted(keys))
    if not name:
        return _cut(shot, len(suffix)) + suffix
    return f"{_cut(shot)}/{_cut(name, len(suffix))}{suffix}"


def safe_key(key: Json) -> str:
    """A value of the address as it stands in the default output."""
    return safe(key if isinstance(key, str) else canonical(key).decode())


def _cut(name: str, reserved: int = 0) -> str:
    return name.encode()[: PART_BYTES - reserved].decode(errors="ignore")
