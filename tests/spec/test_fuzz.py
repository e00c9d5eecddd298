"""Whatever is written, reading it ends soon: with a spec, or with mistakes that have a place."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from veogen.document.problems import MistakesError, Problem
from veogen.document.reader import read
from veogen.document.writer import write
from veogen.spec.load import load_spec

SOON = 5000  # milliseconds, of which a busy machine may need many
FOLDER = Path(__file__).parents[2] / "specs"
EXAMPLES = [path.read_text() for path in sorted(FOLDER.glob("*.y*ml"))]
WORDS = (
    *("veogen", "name", "description", "extends", "vars", "params", "matrix", "budget", "profiles"),
    *("shots", "prompt", "template", "negative_prompt", "takes", "overrides", "output", "when"),
    *("exclude", "include", "zip", "rows", "rows_key", "sample", "count", "seed", "model", "n"),
    *("duration", "quality", "image_urls", "max_credits", "max_requests", "id", "city", "look"),
    *("shot", "take", "draft", "base.yaml", "spec.yaml", "../x", "/etc", "16:9", "{{city}}"),
    *("{%if%}", "~", "null", "true", ".nan", "1e999", "010", "0x10", "<<"),
)
TOKENS = [
    *WORDS,
    *("&a ", "*a", "<<: *a", "- ", "? ", ": ", "|\n ", ">-\n ", "[", "]", "{", "}", ",", "'", '"'),
    *("!!str ", "# ", "---\n", "...\n", "%YAML 1.1\n", "\t", "\n", "\n  ", "\r\n", "é", "😀"),
    *("\ufeff", "\u2028", "\x00", "9" * 400, "[" * 120, '"\\ud800"', "\x1b[2J"),
]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TOKENS)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(WORDS) | st.text(), inner),
    max_leaves=15,
)


class Memory:
    """The files of a project that is nowhere."""

    root = Path("/nowhere")

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def read(self, path: PurePosixPath, at_most: int | None = None) -> bytes:
        if str(path) not in self._texts:
            raise FileNotFoundError(2, "there is no such file")
        return self._texts[str(path)][: None if at_most is None else at_most + 1]

    def names(self, folder: PurePosixPath) -> Iterator[str]:
        yield from sorted(self._texts) if folder == PurePosixPath() else ()

    def shown(self, path: PurePosixPath) -> str:
        return str(path)


def refused(raw: bytes) -> tuple[Problem, ...]:
    try:
        read(raw, "a.yaml")
    except MistakesError as error:
        return error.problems
    return ()


def mistakes(texts: Mapping[str, bytes], profile: str | None) -> tuple[Problem, ...]:
    try:
        load_spec(Path("spec.yaml"), profile=profile, files=Memory(texts))
    except MistakesError as error:
        return error.problems
    return ()


@settings(deadline=SOON)
@given(raw=st.binary() | st.lists(st.sampled_from(TOKENS)).map("".join).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    lines = raw.decode(errors="replace").splitlines() or [""]

    places = [problem.place for problem in refused(raw)]

    assert all(1 <= place.line <= len(lines) + 1 and place.column >= 1 for place in places)


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """An example with some of its text replaced."""
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 12))
        text = text[:start] + draw(st.sampled_from(TOKENS)) + text[end:]
    return text.encode()


@settings(deadline=SOON)
@given(spec=edited(), base=edited(), profile=st.sampled_from([None, "draft"]))
def test_an_example_with_edits_is_a_spec_or_its_mistakes(
    spec: bytes, base: bytes, profile: str | None
) -> None:
    texts = {"spec.yaml": spec, "base.yaml": base}

    found = mistakes(texts, profile)

    assert {problem.place.path for problem in found} <= set(texts)


@st.composite
def grafted(draw: st.DrawFn) -> bytes:
    """An example in which any values stand where others stood."""
    tree: Any = json.loads(json.dumps(read(draw(st.sampled_from(EXAMPLES)).encode(), "")))
    for _ in range(draw(st.integers(1, 3))):
        _graft(draw, tree)
    return write(tree).encode()


def _graft(draw: st.DrawFn, tree: Any) -> None:
    parent, key = tree, draw(st.sampled_from(sorted(tree)))
    while isinstance(parent[key], dict | list) and parent[key] and draw(st.booleans()):
        parent = parent[key]
        keys = sorted(parent) if isinstance(parent, dict) else range(len(parent))
        key = draw(st.sampled_from(list(keys)))
    if isinstance(parent, dict) and draw(st.booleans()):
        key = draw(st.sampled_from(WORDS))
    parent[key] = draw(VALUES)


@settings(deadline=SOON)
@given(spec=grafted(), base=grafted(), profile=st.sampled_from([None, "draft"]))
def test_an_example_with_other_values_is_a_spec_or_its_mistakes(
    spec: bytes, base: bytes, profile: str | None
) -> None:
    texts = {"spec.yaml": spec, "base.yaml": base}

    found = mistakes(texts, profile)

    assert {problem.place.path for problem in found} <= set(texts)
