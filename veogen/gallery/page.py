"""The page as a file: one HTML document that asks nothing of anybody.

Style and script are read from `page/`, put together and allowed by their hashes; the data is
JSON that cannot leave its element. Nothing else may run or be loaded but the clips.
"""

import base64
import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from veogen.executor.snapshot import Snapshot
from veogen.gallery.data import clip, pairs
from veogen.jsontext import compact
from veogen.results.advice import RunCommands
from veogen.results.ledger import RequestState

_SCRIPTS = (
    "dom",
    "clips",
    "picks",
    "player",
    "parts",
    "card",
    "filters",
    "grid",
    "matrix",
    "takes",
    "compare",
    "viewer",
    "keys",
    "main",
)

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def html(data: dict[str, Any]) -> str:
    """The whole document."""
    style = _source("gallery.css")
    sources = "\n".join(_source(f"{name}.js") for name in _SCRIPTS)
    script = f'\n(() => {{\n"use strict";\n\n{sources}\n}})();\n'  # with a scope of its own
    title = f"{data['name']} · veogen"
    filled = {
        "title": title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
        "policy": _policy(script, style),
        "style": style,
        "script": script,
        "data": embedded(data),
    }
    return _PLACE.sub(lambda match: filled[match[1]], _source("gallery.html"))


def embedded(data: Any) -> str:
    """JSON that neither ends its element nor means anything to an HTML parser."""
    text = compact(data)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode(errors="backslashreplace").decode()


def _policy(script: str, style: str) -> str:
    rules = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "media-src": "'self' file:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _source(name: str) -> str:
    return (files("veogen.gallery") / "page" / name).read_text(encoding="utf-8")


def gallery(
    snapshot: Snapshot,
    names: RunCommands,
    now: float,
    *,
    folder: Path,
    other: tuple[Snapshot, RunCommands] | None = None,
) -> str:
    """The page of a run; `folder` is where it will stand."""
    data = _run(snapshot, names, now, folder)
    if other is not None:
        compared, other_names = other
        data["other"] = _run(compared, other_names, now, folder)
        old, new = _planned(compared), _planned(snapshot)
        data["pairs"] = list(pairs([s.request for s in old], [s.request for s in new]))
    return html(data)


def _run(snapshot: Snapshot, names: RunCommands, now: float, folder: Path) -> dict[str, Any]:
    summary = snapshot.ledger.summary()
    return {
        "name": snapshot.ledger.name,
        "run": names.run,
        "buy": names.buy,
        "simulated": snapshot.gateway == "simulated",
        "credits": f"{summary.credits:.3f}",
        "clips": [clip(s, snapshot, names, now, folder) for s in _planned(snapshot)],
        "former": len(list(snapshot.ledger.former)),
    }


def _planned(snapshot: Snapshot) -> list[RequestState]:
    return list(snapshot.ledger.planned)
