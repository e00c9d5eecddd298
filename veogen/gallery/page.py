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

from veogen.gallery.data import PageRun, pairs, run_data
from veogen.jsontext import compact

_SCRIPTS = (
    "dom",
    "clips",
    "picks",
    "verdicts",
    "player",
    "parts",
    "words",
    "card",
    "filters",
    "grid",
    "matrix",
    "takes",
    "former",
    "compare",
    "viewer",
    "beside",
    "keys",
    "main",
)

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def html(data: dict[str, Any]) -> str:
    """The whole document."""
    style = _source("gallery.css")
    sources = "\n".join(_source(f"{name}.js") for name in _SCRIPTS)
    script = f'\n(() => {{\n"use strict";\n\n{sources}\n}})();\n'  # with a scope of its own
    rules = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "media-src": "'self' file:",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    title = f"{data['name']} · veogen"
    filled = {
        "title": title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
        "policy": "; ".join(f"{name} {value}" for name, value in rules.items()),
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


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _source(name: str) -> str:
    return (files("veogen.gallery") / "page" / name).read_text(encoding="utf-8")


def gallery(run: PageRun, now: float, *, folder: Path, other: PageRun | None = None) -> str:
    """The page of a run; `folder` is where it will stand, `other` a run to compare with."""
    data = run_data(run, now, folder)
    if other is not None:
        data["other"] = run_data(other, now, folder)
        old, new = ([state.request for state in one.planned] for one in (other, run))
        data["pairs"] = list(pairs(old, new))
    return html(data)
