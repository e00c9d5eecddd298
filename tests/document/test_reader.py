"""What a YAML document means, where its values stand, and what is refused."""

from collections.abc import Callable

import pytest

from veogen.document.nodes import Map, Seq, Value, location_of
from veogen.document.problems import MistakesError
from veogen.document.reader import (
    MAX_BYTES,
    read,
)

Read = Callable[[str], Value]


def mistake(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises(MistakesError) as caught:
        read(raw, "a.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("16:9", "16:9", id="a ratio is no number of base 60"),
        pytest.param("no", "no", id="no"),
        pytest.param("on", "on", id="on"),
        pytest.param("Yes", "Yes", id="Yes"),
        pytest.param("2026-11-22", "2026-11-22", id="a date"),
        pytest.param("1_000", "1_000", id="an underscore"),
        pytest.param("010", 10, id="a leading zero"),
        pytest.param("0o10", 8, id="octal"),
        pytest.param("0x1F", 31, id="hexadecimal"),
        pytest.param("+12", 12, id="a plus"),
        pytest.param("-0", 0, id="minus zero is an integer"),
        pytest.param("0b1", "0b1", id="binary is YAML 1.1"),
        pytest.param("1.10", 1.1, id="a float"),
        pytest.param("1e3", 1000.0, id="an exponent"),
        pytest.param(".5", 0.5, id="a float without a first digit"),
        pytest.param("5.", 5.0, id="a float without a last digit"),
        pytest.param(".", ".", id="a point"),
        pytest.param("-", [None], id="a dash is a list of nothing"),
        pytest.param("+", "+", id="a plus alone"),
        pytest.param("1e", "1e", id="an exponent without digits"),
        pytest.param("true", True, id="true"),
        pytest.param("FALSE", False, id="FALSE"),
        pytest.param("tRue", "tRue", id="tRue"),
        pytest.param("~", None, id="a tilde"),
        pytest.param("Null", None, id="Null"),
        pytest.param("", None, id="an empty document"),
        pytest.param("# nothing", None, id="a comment"),
        pytest.param(".inf", float("inf"), id="infinity"),
        pytest.param("-.INF", float("-inf"), id="minus infinity"),
        pytest.param("'8'", "8", id="quotes make a string"),
        pytest.param('"\\u00e9"', "é", id="an escape"),
        pytest.param("|\n a\n b\n", "a\nb\n", id="a literal block"),
        pytest.param(">-\n a\n b\n", "a b", id="a folded block"),
        pytest.param("{a: 1, b: [2, {c: 3}]}", {"a": 1, "b": [2, {"c": 3}]}, id="flow"),
        pytest.param("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}, id="a marked document"),
        pytest.param("\ufeffa: 1", {"a": 1}, id="a byte order mark"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: Value) -> None:
    result = read(text.encode(), "a.yaml")

    assert (result, type(result) in (Map, Seq) or type(result)) == (
        value,
        type(value) in (dict, list) or type(value),
    )


def test_not_a_number_is_a_float() -> None:
    result = read(b".nan", "a.yaml")

    assert isinstance(result, float)
    assert result != result  # noqa: PLR0124 - the only way to see it


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(
            "base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}",
            {"base": {"x": 1, "y": 2}, "use": {"x": 1, "y": 3}},
            id="own keys win",
        ),
        pytest.param(
            "base: &b {x: 1}\nuse: {x: 2, <<: *b, z: 3}",
            {"base": {"x": 1}, "use": {"x": 2, "z": 3}},
            id="wherever they stand",
        ),
        pytest.param(
            "- &a {x: 1}\n- &b {x: 2, y: 2}\n- {<<: [*a, *b]}",
            [{"x": 1}, {"x": 2, "y": 2}, {"x": 1, "y": 2}],
            id="the first of a list wins",
        ),
        pytest.param("{<<: {x: 1}, y: 2}", {"x": 1, "y": 2}, id="a mapping written there"),
        pytest.param("{'<<': 1}", {"<<": 1}, id="a quoted key merges nothing"),
        pytest.param(
            "- &a {x: 1}\n- &b {<<: *a, y: 2}\n- {<<: *b}",
            [{"x": 1}, {"x": 1, "y": 2}, {"x": 1, "y": 2}],
            id="merged before",
        ),
        pytest.param("[&a x, {*a : 1}]", ["x", {"x": 1}], id="an alias as a key"),
        pytest.param("[&a 1, &a 2, *a]", [1, 2, 2], id="the latest anchor of a name"),
        pytest.param("[&a [&a 1], *a]", [[1], 1], id="the latest, though an outer one ends later"),
    ],
)
def test_aliases_and_merges(text: str, value: Value) -> None:
    assert read(text.encode(), "a.yaml") == value


def test_merged_keys_stand_where_the_merge_stands() -> None:
    tree = read(b"{a: 1, <<: {b: 2, c: 3}, d: 4}", "a.yaml")

    assert isinstance(tree, Map)
    assert list(tree) == ["a", "b", "c", "d"]
    assert str(tree.key_place("c")) == "a.yaml:1:19"
    assert str(tree.value_place("d")) == "a.yaml:1:29"


PLACES = """\
# a comment
name: opening
prompt: |
  text
list:
  - 1
  - {k: v, empty: }
é: 'ü'   # columns count characters
"""


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        pytest.param([], False, "2:1", id="the document"),
        pytest.param(["name"], True, "2:1", id="a key"),
        pytest.param(["name"], False, "2:7", id="a value"),
        pytest.param(["list"], False, "6:3", id="a list"),
        pytest.param(["list", 0], False, "6:5", id="an item"),
        pytest.param(["list", 1, "k"], False, "7:9", id="a value in a flow mapping"),
        pytest.param(["é"], False, "8:4", id="after a letter of two bytes"),
        pytest.param(["list", 1, "x", "y"], False, "7:5", id="the nearest that exists"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_every_value_has_a_place(
    path: list[str | int], *, key: bool, place: str, line_end: str
) -> None:
    raw = PLACES.replace("\n", line_end).encode()

    tree = read(raw, "a.yaml")

    assert isinstance(tree, Map)
    assert str(location_of(tree, path, key=key)) == f"a.yaml:{place}"


def test_a_map_tells_literal_blocks_from_others() -> None:
    tree = read(b"a: |\n x\nb: x\nc: &c |-\n x\nd: '| x'\ne: >\n x\n", "a.yaml")

    assert isinstance(tree, Map)
    assert [key for key in tree if tree.is_block(key)] == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "a: 1\nb: 2\na: 3",
            "a.yaml:3:1: error[duplicate-key]: 'a' is a key of this mapping already, in line 1",
            id="a key twice",
        ),
        pytest.param(
            "a: {<<: {}, <<: {}}",
            "a.yaml:1:13: error[duplicate-key]: '<<' is a key of this mapping already, in line 1",
            id="two merges",
        ),
        pytest.param(
            "[&a b, {*a : 1, *a : 1}]",
            "a.yaml:1:17: error[duplicate-key]: 'b' is a key of this mapping already, in line 1",
            id="an alias twice as a key",
        ),
        pytest.param(
            "a: !!str 8",
            "a.yaml:1:4: error[tag]: a spec has no tags such as '!!str'; "
            "remove it; quotes make a string",
            id="a standard tag",
        ),
        pytest.param(
            "a: !!python/object/apply:os.system [x]",
            "a.yaml:1:4: error[tag]: a spec has no tags such as "
            "'!!python/object/apply:os.system'; remove it; quotes make a string",
            id="a tag that runs code elsewhere",
        ),
        pytest.param(
            "a: ! 8",
            "a.yaml:1:4: error[tag]: a spec has no tags such as '!'; "
            "remove it; quotes make a string",
            id="the tag without a name",
        ),
        pytest.param(
            "a: &x [*x]",
            "a.yaml:1:8: error[alias]: '*x' stands inside of what it stands for",
            id="a recursive alias",
        ),
        pytest.param(
            "a: &x {<<: *x}",
            "a.yaml:1:12: error[alias]: '*x' stands inside of what it stands for",
            id="a recursive merge",
        ),
        pytest.param(
            "a: *x",
            "a.yaml:1:4: error[alias]: there is no anchor '&x' above this",
            id="an alias of nothing",
        ),
        pytest.param(
            "8: x",
            'a.yaml:1:1: error[key]: a key is a string, not 8; write "8"',
            id="a number as a key",
        ),
        pytest.param(
            "a: {'8': x}\nb: {8: y}",
            'a.yaml:2:5: error[key]: a key is a string, not 8; write "8"',
            id="a number as a key where a quoted one was seen before",
        ),
        pytest.param(
            "true: x",
            'a.yaml:1:1: error[key]: a key is a string, not true; write "true"',
            id="a boolean as a key",
        ),
        pytest.param(
            "~: x",
            'a.yaml:1:1: error[key]: a key is a string, not ~; write "~"',
            id="nothing as a key",
        ),
        pytest.param(
            "? [a]\n: x",
            "a.yaml:1:3: error[key]: a key is a string, not a mapping or a list",
            id="a list as a key",
        ),
        pytest.param(
            "a: {{ city }} at dusk",
            "a.yaml:1:5: error[key]: a key is a string, not a mapping or a list; quote a text that "
            "begins with '{{'",
            id="a template without quotes",
        ),
        pytest.param(
            "a: 1\n---\nb: 2",
            "a.yaml:2:1: error[documents]: a file holds one document; a second begins here",
            id="a second document",
        ),
        pytest.param(
            "--- \n---\n",
            "a.yaml:2:1: error[documents]: a file holds one document; a second begins here",
            id="a second empty document",
        ),
        pytest.param(
            "<<: 5",
            "a.yaml:1:5: error[merge]: '<<' takes a mapping, or a list of mappings",
            id="a merge of a number",
        ),
        pytest.param(
            "<<: [{}, x]",
            "a.yaml:1:5: error[merge]: '<<' takes a mapping, or a list of mappings",
            id="a merge of a list of texts",
        ),
        pytest.param(
            "a: " + "1" * 301,
            "a.yaml:1:4: error[number]: a number has at most 300 digits, not 301",
            id="an endless integer",
        ),
        pytest.param(
            "a: 0x" + "f" * 20000,
            "a.yaml:1:4: error[number]: a number has at most 300 digits, not 20002",
            id="an endless hexadecimal integer",
        ),
        pytest.param(
            "a: 1e999",
            "a.yaml:1:4: error[number]: 1e999 is larger than any number can be",
            id="a float that is infinite in disguise",
        ),
        pytest.param(
            "a:\n " + "[" * 100 + "]" * 100,
            "a.yaml:2:101: error[too-deep]: values are nested at most 100 deep",
            id="too deep",
        ),
        pytest.param(
            f"- &a {'[' * 60}{']' * 60}\n- &b {'[' * 60}*a{']' * 60}",
            "a.yaml:2:66: error[too-deep]: values are nested at most 100 deep",
            id="too deep through an alias",
        ),
        pytest.param(
            "a: b\x01",
            "a.yaml:1:5: error[encoding]: the character '\\x01' may stand here only escaped, "
            "in double quotes",
            id="a control character",
        ),
        pytest.param(
            b"a: 1\nb: \xff",
            "a.yaml:2:4: error[encoding]: this is not UTF-8 text",
            id="bytes that are not UTF-8",
        ),
        pytest.param(
            "a: 1".encode("utf-16"),
            "a.yaml:1:1: error[encoding]: this is not UTF-8 text",
            id="UTF-16",
        ),
        pytest.param(
            b"#" * (MAX_BYTES + 1),
            "a.yaml:1:1: error[too-large]: a file has at most 10 MiB, not 10.0",
            id="a byte too many",
        ),
        pytest.param(
            "a:\n\tb: 1",
            "a.yaml:2:1: error[yaml-syntax]: a tab cannot indent; write spaces",
            id="a tab",
        ),
    ],
)
def test_what_would_surprise_is_refused(text: str | bytes, line: str) -> None:
    assert mistake(text) == line


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(r"\ud83d", id="half of one"),
        pytest.param(r"\ud83d\ude00", id="two halves, as in JSON"),
        pytest.param(r"\U00110000", id="behind the last"),
        pytest.param(r"\UFFFFFFFF", id="far behind it"),
    ],
)
def test_what_is_no_character_is_refused(text: str) -> None:
    line = mistake(f'a: "{text}"')

    assert line.startswith("a.yaml:1:")
    assert line.endswith(
        "error[yaml-syntax]: found invalid Unicode character escape code; "
        r"write the character itself, or \U and its eight hex digits"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "a: b: c",
            "a.yaml:1:5: error[yaml-syntax]: mapping values are not allowed in this context; "
            "quote a text that has ': ' in it",
            id="a colon in a text",
        ),
        pytest.param(
            "a: [1, 2\nb: 3",
            "a.yaml:2:2: error[yaml-syntax]: did not find expected ',' or ']'; "
            "a bracket that opens here or above is never closed",
            id="an open bracket",
        ),
        pytest.param(
            "a: @b",
            "a.yaml:1:4: error[yaml-syntax]: found character that cannot start any token; "
            "quote a text that begins with this character",
            id="a reserved character",
        ),
        pytest.param(
            "a: 'b",
            "a.yaml:1:6: error[yaml-syntax]: found unexpected end of stream; "
            "a quote or bracket that opens here is never closed",
            id="an open quote",
        ),
        pytest.param(
            r'a: "C:\clips"',
            "a.yaml:1:7: error[yaml-syntax]: found unknown escape character; "
            r"write \\ for a backslash, or take single quotes",
            id="a backslash",
        ),
    ],
)
def test_a_syntax_error_says_what_to_write(text: str, line: str) -> None:
    assert mistake(text) == line


def test_an_alias_bomb_is_refused_by_the_size_of_what_it_stands_for() -> None:
    bomb = "a: &a [" + "x, " * 9 + "x]\n"
    for one, other in zip("bcdefghi", "abcdefgh", strict=True):
        bomb += f"{one}: &{one} [" + f"*{other}, " * 9 + f"*{other}]\n"

    assert mistake(bomb).endswith(
        "error[too-large]: with its aliases written out, this file is larger than 10 MiB"
    )


def test_long_texts_count_by_their_length() -> None:
    text = "x" * 1024 * 1024
    bomb = f"- &a {text}\n" + "- *a\n" * 11

    assert mistake(bomb) == (
        "a.yaml:11:3: error[too-large]: with its aliases written out, "
        "this file is larger than 10 MiB"
    )


def test_aliases_below_the_limit_share_their_value() -> None:
    tree = read(b"- &a [1]\n- *a\n", "a.yaml")

    assert isinstance(tree, Seq)
    assert tree[0] is tree[1]
    assert str(tree.value_place(1)) == "a.yaml:2:3"


def test_depth_of_a_hundred_is_fine() -> None:
    value = read(b"[" * 100 + b"]" * 100, "a.yaml")

    depth = 0
    while isinstance(value, list):
        depth, value = depth + 1, value[0] if value else None
    assert depth == 100
