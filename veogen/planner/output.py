"""Where videos go: readable paths that no value can lead astray."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from veogen.catalogue.parameters import Json
from veogen.planner.canonical import canonical

PART_BYTES = 100
PATH_BYTES = 1000
"""With a run directory before it, it has to be a path on every system."""


class BadPathError(ValueError):
    """An output path that is no path below the run directory; the message says why."""


@lru_cache(maxsize=4096)
def safe(value: str) -> str:
    """All but letters, digits, `.`, `_` and `-` becomes `-`."""
    if value.isascii() and value.isalnum():
        return value
    text = unicodedata.normalize("NFC", value)
    return "".join(char if char.isalnum() or char in "._-" else "-" for char in text)


def output_path(rendered: str) -> str:
    """A rendered `output`, its values safe already, as a relative path of safe parts."""
    if rendered.startswith("/"):
        raise BadPathError("is a path below the run directory: no '/' first")
    parts = [_part(part) for part in rendered.split("/") if part.strip()]
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


def _part(part: str) -> str:
    name = _cut(safe(part.strip()))
    if not name.strip("."):
        raise BadPathError(f"has a part {name!r}, which is a folder's")
    return name


def _cut(name: str, reserved: int = 0) -> str:
    return name.encode()[: PART_BYTES - reserved].decode(errors="ignore")
