"""Which fields of a request differ, each with its old and its new value."""

from collections.abc import Mapping
from typing import TypeAlias

from veogen.catalogue.parameters import Json
from veogen.planner.canonical import FILE, canonical
from veogen.planner.plan import Request

Fields: TypeAlias = Mapping[str, tuple[Json, Json]]

IMAGES = "image_urls"


def changed_fields(old: Request, new: Request) -> Fields:
    """Parameters of the body, and `output`; None where one side is silent.

    Images that changed under one name stand as the SHA-256s of their bytes.
    """
    before, after = _fields(old), _fields(new)
    before[IMAGES], after[IMAGES] = _images(old, new), _images(new, old)
    names = sorted({*before, *after})
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if _differ(*pair)}


def _fields(request: Request) -> dict[str, Json]:
    return {**request.body, "output": request.output}


def _images(request: Request, other: Request) -> Json:
    """The images of a request; those whose bytes are others in `other` by their hash."""
    urls = request.body.get(IMAGES)
    if not isinstance(urls, list):
        return urls
    own, others = _hashes(request), _hashes(other)
    changed = {url for url, sha256 in own.items() if others.get(url, sha256) != sha256}
    return [f"sha256:{own[str(url)]}" if url in changed else url for url in urls]


def _hashes(request: Request) -> dict[str, str]:
    return {FILE + image.path: image.sha256 for image in request.images}


def _differ(old: Json, new: Json) -> bool:
    """Values compare with their types: `1` is neither `1.0` nor true."""
    if isinstance(old, str) and isinstance(new, str):
        return old != new
    return canonical(old) != canonical(new)
