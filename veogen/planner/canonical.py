"""Canonical JSON, and the identity that is made from it."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from veogen.catalogue.parameters import Json
from veogen.planner.plan import Image

FILE = "file:"

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
    urls = body.get("image_urls")
    if isinstance(urls, list) and images:
        by_path = {FILE + image.path: f"sha256:{image.sha256}" for image in images}
        body = {**body, "image_urls": [by_path.get(str(url), url) for url in urls]}
    return hashlib.sha256(canonical({"request": body, "take": take})).hexdigest()
