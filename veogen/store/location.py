"""Where a store is: its URL, and what the environment may say beside it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from veogen.errors import UsageError
from veogen.hosts import is_loopback
from veogen.text import is_plain, plain

Scheme: TypeAlias = Literal["s3", "gs", "az", "file"]

_SCHEMES: Mapping[str, Scheme] = {"s3": "s3", "gs": "gs", "az": "az", "file": "file"}
_LONGEST = 1024
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}")
_PART = re.compile(r"[A-Za-z0-9!_.*'()=+@$~ -]+")
_ENDPOINT = re.compile(r"(AWS|AZURE|GOOGLE|GS)_[A-Z0-9_]*ENDPOINT[A-Z0-9_]*")
_FORMS = "s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder"


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """A bucket and a prefix in it, or a folder; `path` begins with `/` only for a folder."""

    scheme: Scheme
    bucket: str
    path: str

    @classmethod
    def of(cls, url: str) -> "StoreLocation":
        """The location that a URL names; raises `UsageError` without repeating its credentials."""
        parts = _split(url)
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None:
            raise UsageError(f"a store is {_FORMS}, not {plain(parts.scheme or url)[:80]}")
        if scheme == "file":
            path = unquote(parts.path)
            is_here = parts.netloc in ("", "localhost")
            if not (is_here and path.startswith("/") and path.strip("/")):
                raise UsageError("a folder as a store is file:///folder, with its whole path")
            if not path.isprintable() or ".." in path.split("/"):
                raise UsageError(
                    "file://…: the path of the folder has parts that no folder should have"
                )
            return cls(scheme, "", "/" + "/".join(p for p in path.split("/") if p not in ("", ".")))
        if not _BUCKET.fullmatch(parts.netloc):
            raise UsageError(f"{scheme}://…: the name of the bucket is missing or none: {_FORMS}")
        prefix = [part for part in parts.path.split("/") if part]
        for part in prefix:
            if not _PART.fullmatch(part) or part in (".", ".."):
                raise UsageError(f"{plain(part)}: it cannot be part of a store's prefix")
        return cls(scheme, parts.netloc, "/".join(prefix))

    @property
    def url(self) -> str:
        """The URL as it can be shown and compared."""
        if self.scheme == "file":
            return f"file://{self.path}"
        return f"{self.scheme}://{self.bucket}" + (f"/{self.path}" if self.path else "")


def _split(url: str) -> SplitResult:
    if not is_plain(url.replace(" ", ""), limit=_LONGEST):
        raise UsageError(f"a store is {_FORMS}: this one is empty, too long or cannot be printed")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UsageError(f"a store is {_FORMS}: this URL cannot be read") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            f"{plain(parts.scheme)[:10]}://…: credentials and options do not belong into the URL "
            "of a store; they come from the environment of its provider (AWS_*, GOOGLE_*, AZURE_*)"
        )
    return parts


def allows_http(environ: Mapping[str, str]) -> bool:
    """Whether an endpoint of this machine is named, the only kind that is asked without TLS.

    Raises `UsageError` for a plain one elsewhere.
    """
    allowed = False
    for name, value in environ.items():
        if not (_ENDPOINT.fullmatch(name) and value.lower().startswith("http:")):
            continue
        try:
            host = urlsplit(value).hostname
        except ValueError:
            host = None
        if not is_loopback(host):
            raise UsageError(f"{name}: plain http is accepted for this machine only; use https")
        allowed = True
    return allowed or environ.get("AZURE_STORAGE_USE_EMULATOR", "").lower() in ("1", "true")
