"""How this veogen was installed, as a command that installs the same one elsewhere."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from veogen import __version__

_INDEXES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_PIP = "python -m pip install"


@dataclass(frozen=True, slots=True)
class Installation:
    """A command of a shell; `todo` says why it fails until somebody fills it in."""

    command: str
    todo: str | None = None


def installation() -> Installation:
    """How the veogen that runs was installed."""
    origin = metadata.distribution("veogen").read_text("direct_url.json")
    return installation_of(origin, os.environ)


def installation_of(origin: str | None, environ: Mapping[str, str]) -> Installation:
    """`origin` is the `direct_url.json` of the installation (PEP 610); None: it is of an index.

    The extra of a store is with it, should the policy name one. A command names only what others
    can reach, and no credentials: a folder or a file of this machine has to be filled in, as a
    name that nobody has published could be anybody's.
    """
    if origin is None:
        index = next((environ[name] for name in _INDEXES if environ.get(name)), None)
        where = [] if index is None else ["--index-url", _public(index)]
        return Installation(f"{_PIP} {shlex.join([*where, f'veogen[store]=={__version__}'])}")
    data: dict[str, Any] = json.loads(origin)
    url = str(data["url"])
    scheme = urlsplit(url).scheme
    if scheme != "https":
        what = "a folder or file of one machine" if scheme == "file" else f"a {scheme} address"
        todo = f"this veogen comes from {what}; name a version, or git+https://…@COMMIT"
        says = shlex.quote(f"::error::Fill in how to install veogen: {todo}")
        return Installation(f"echo {says}; exit 1", todo)
    if "vcs_info" in data:
        source = f"{data['vcs_info']['vcs']}+{_public(url)}@{data['vcs_info']['commit_id']}"
    else:
        source = _public(url)
    below = f"#subdirectory={data['subdirectory']}" if "subdirectory" in data else ""
    return Installation(f"{_PIP} {shlex.quote(f'veogen[store] @ {source}{below}')}")


def _public(url: str) -> str:
    """An address without the credentials that may stand in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
