"""One shot whose prompt holds three variables, and the bare loop that would plan it."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from pathlib import Path

PROMPT = (
    "A slow dolly through the streets of {{ city }} at {{ time }}, {{ light }}, lanterns swaying "
    "above the crowd, steam rising from bowls of noodles while rain drips from the awnings."
)
Axes = Mapping[str, Sequence[str]]

BARE = """\
import hashlib, itertools, json, sys
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
axes = json.load(open(sys.argv[1]))
prompt = ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(sys.argv[2])
for values in itertools.product(*axes.values()):
    body = {
        "model": "veo-3.1-fast-generate-preview", "aspect_ratio": "16:9", "duration": 8,
        "prompt": prompt.render(dict(zip(axes, values))),
    }
    text = json.dumps(body, sort_keys=True)
    sys.stdout.write(hashlib.sha256(text.encode()).hexdigest() + text + "\\n")
"""


def axes(city: int, time: int, light: int) -> Axes:
    return {
        "city": [f"City {number}" for number in range(city)],
        "time": [f"{number} past noon" for number in range(time)],
        "light": [f"soft window light {number}" for number in range(light)],
    }


def size(axes: Axes) -> int:
    return prod(map(len, axes.values()))


def combinations(axes: Axes) -> list[dict[str, str]]:
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def spec(axes: Axes, *, prompt: str = PROMPT, more: str = "") -> str:
    """A spec with these axes; `more` are lines below its matrix, indented."""
    lines = [f"      {name}: [{', '.join(values)}]" for name, values in axes.items()]
    return (
        "veogen: 1\n"
        "params: {model: veo-3.1-fast-generate-preview, aspect_ratio: 16:9, duration: 8}\n"
        f"shots:\n  - name: opening\n    prompt: {prompt!r}\n    matrix:\n"
        + "\n".join(lines)
        + f"\n{more}"
    )


def project(folder: Path, text: str) -> Path:
    """A spec in a project of its own."""
    folder.mkdir()
    path = folder / "spec.yaml"
    path.write_text(text)
    return path
