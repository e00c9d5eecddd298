"""Written YAML: how it looks, and that every reader reads it back."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from veogen.document.reader import read
from veogen.document.writer import Block, lines, write

PROMPT = "Lumen opens on Tokyo at dusk, hard key light.\nThe camera follows a courier."

EXAMPLE = """\
name: autumn-launch
ratio: "16:9"
answer: "no"
plain words: Hard key light, from above
number: 8
amount: "532.224"
audio: true
nothing: null
prompt: |-
  Lumen opens on Tokyo at dusk, hard key light.
  The camera follows a courier.
images:
  - file:images/tokyo.png
  - https://example.com/a.png?b=c
rows:
  - city: Tokyo
    tags:
      - a
      - - b
        - {}
  - []
empty: {}
"""


def test_what_is_written_reads_like_a_spec() -> None:
    value = {
        "name": "autumn-launch",
        "ratio": "16:9",
        "answer": "no",
        "plain words": "Hard key light, from above",
        "number": 8,
        "amount": "532.224",
        "audio": True,
        "nothing": None,
        "prompt": PROMPT,
        "images": ["file:images/tokyo.png", "https://example.com/a.png?b=c"],
        "rows": [{"city": "Tokyo", "tags": ["a", ["b", {}]]}, []],
        "empty": {},
    }

    assert write(value) == EXAMPLE


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("dolly shot", "dolly shot", id="words"),
        pytest.param("FIRST&LAST", "FIRST&LAST", id="a mode"),
        pytest.param("don't", "don't", id="an apostrophe inside"),
        pytest.param("Zürich", "Zürich", id="letters of any script"),
        pytest.param("", '""', id="nothing"),
        pytest.param("16:9", '"16:9"', id="a number of base 60"),
        pytest.param("8", '"8"', id="a number"),
        pytest.param("1_000", '"1_000"', id="a number of YAML 1.1"),
        pytest.param("0o10", '"0o10"', id="a number of YAML 1.2"),
        pytest.param("010", '"010"', id="octal or not"),
        pytest.param("2026-11-22", '"2026-11-22"', id="a date"),
        pytest.param("720p", '"720p"', id="a digit first"),
        pytest.param("y", '"y"', id="a boolean of YAML 1.1"),
        pytest.param("Off", '"Off"', id="another"),
        pytest.param("null", '"null"', id="null"),
        pytest.param("~", '"~"', id="a tilde"),
        pytest.param("<<", '"<<"', id="a merge"),
        pytest.param("=", '"="', id="the default of YAML 1.1"),
        pytest.param("a: b", '"a: b"', id="a colon and a space"),
        pytest.param("a:", '"a:"', id="a colon last"),
        pytest.param("a #b", '"a #b"', id="a comment"),
        pytest.param("a ", '"a "', id="a space last"),
        pytest.param("- a", '"- a"', id="a dash"),
        pytest.param("*a", '"*a"', id="an alias"),
        pytest.param("{{ city }}", '"{{ city }}"', id="a template"),
        pytest.param('say "hi"', '"say \\"hi\\""', id="quotes"),
        pytest.param("C:\\x", '"C:\\\\x"', id="a backslash"),
        pytest.param("a\tb", '"a\\tb"', id="a tab"),
        pytest.param("a\u200bb", '"a\\u200bb"', id="a space of no width"),
        pytest.param("a\u202eb", '"a\\u202eb"', id="text that runs backwards"),
        pytest.param("a\u2028b", '"a\\u2028b"', id="a line end of YAML 1.1"),
        pytest.param("\ufeffa", '"\\ufeffa"', id="a byte order mark"),
        pytest.param("\U000e0041", '"\\U000e0041"', id="a tag that cannot be seen"),
        pytest.param("😀", '"😀"', id="a smile"),
    ],
)
def test_a_string_is_quoted_where_a_reader_could_take_it_for_something_else(
    text: str, written: str
) -> None:
    assert write({"a": text}) == f"a: {written}\n"


@pytest.mark.parametrize(
    ("number", "written"),
    [
        pytest.param(1.5, "1.5", id="a fraction"),
        pytest.param(1e16, "1.0e+16", id="large"),
        pytest.param(1e-7, "1.0e-07", id="small"),
        pytest.param(-0.0, "-0.0", id="minus nothing"),
        pytest.param(math.inf, ".inf", id="infinite"),
        pytest.param(-math.inf, "-.inf", id="infinite downwards"),
        pytest.param(math.nan, ".nan", id="not a number"),
    ],
)
def test_a_float_stays_a_float_for_every_reader(number: float, written: str) -> None:
    assert write([number]) == f"- {written}\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("a\nb", "|-\n  a\n  b", id="two lines"),
        pytest.param("a\nb\n", "|\n  a\n  b", id="two whole lines"),
        pytest.param("a\n\n  b", "|-\n  a\n\n    b", id="a gap and an indent"),
        pytest.param("# a\n--- b", "|-\n  # a\n  --- b", id="what means something elsewhere"),
        pytest.param("word " * 20 + "end", "|-\n  " + "word " * 20 + "end", id="a long line"),
        pytest.param("a\n\n", '"a\\n\\n"', id="a gap last"),
        pytest.param("\na\nb", '"\\na\\nb"', id="a gap first"),
        pytest.param(" a\nb", '" a\\nb"', id="an indent first"),
        pytest.param("a \nb", '"a \\nb"', id="a space that cannot be seen"),
        pytest.param("a\r\nb", '"a\\r\\nb"', id="line ends of two characters"),
        pytest.param("a\n\u200bb", '"a\\n\\u200bb"', id="a character that cannot be seen"),
    ],
)
def test_long_text_is_a_block_where_it_is_read_back_the_same(text: str, written: str) -> None:
    assert write({"a": text}) == f"a: {written}\n"


def test_a_long_key_stands_on_a_line_of_its_own() -> None:
    key = "k" * 130

    text = write({key: {"a": [1]}, "b": write("x")})

    assert text.startswith(f"? {key}\n:\n  a:\n    - 1\n")
    assert yaml.safe_load(text) == read(text.encode(), "a.yaml") == {key: {"a": [1]}, "b": "x\n"}


def test_a_sequence_is_written_as_it_comes() -> None:
    taken: list[int] = []

    def items() -> Iterator[dict[str, int]]:
        for number in range(3):
            taken.append(number)
            yield {"number": number}

    written = lines({"name": "x", "requests": items()})

    assert [next(written) for _ in range(3)] == ["name: x", "requests:", "  - number: 0"]
    assert taken == [0]
    assert list(written) == ["  - number: 1", "  - number: 2"]


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False)
    | st.text()
    | st.text(alphabet=" \n\t:#-ayn0159._'\"\\&*!|>%@`{}[],?=<~eExob+/\u2028\ufeff\x85é😀")
    | st.sampled_from(["yes", "NO", "1:30", "0x1f", "12e03", "+.inf", "2001-01-01", "<<", "-"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(SCALARS.filter(lambda s: type(s) is str), inner)
    ),
    max_leaves=20,
)


def typed(value: Any) -> Any:
    """The value in a form where `1`, `1.0` and `true` differ."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, repr(value)


@settings(deadline=None)  # a busy machine is no mistake
@given(VALUES)
def test_every_reader_reads_what_was_written(value: Any) -> None:
    text = write(value)

    assert typed(yaml.load(text, yaml.CSafeLoader)) == typed(value)
    assert typed(yaml.load(text, yaml.SafeLoader)) == typed(value)
    assert typed(read(text.encode(), "a.yaml")) == typed(value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("a boat", "prompt: |-\n  a boat\n", id="short"),
        pytest.param("no", "prompt: |-\n  no\n", id="a word that some readers take for false"),
        pytest.param(" a boat", 'prompt: " a boat"\n', id="one that no block keeps"),
        pytest.param("", 'prompt: ""\n', id="nothing at all"),
    ],
)
def test_a_text_that_is_asked_to_be_a_block_is_one_wherever_that_keeps_it(
    text: str, written: str
) -> None:
    assert write({"prompt": Block(text)}) == written
    assert read(written.encode(), "a.yaml") == {"prompt": text}
