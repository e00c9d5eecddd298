"""Addresses: the readable, stable name of a combination and of a request."""

import json
import re
from collections.abc import Iterable, Mapping

from veogen.catalogue.parameters import Json
from veogen.planner.canonical import canonical

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


def address_text(key: Json) -> str:
    """A value in an address: plain where it can be, else JSON."""
    if not isinstance(key, str):
        return canonical(key).decode()
    if not key or _QUOTED.search(key):
        return json.dumps(key, ensure_ascii=False)
    return key
