"""Plain scalars by the core schema of YAML 1.2 (section 10.3.2)."""

import re

from veogen.document.values import Scalar

LONGEST_NUMBER = 300

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}

# What does not begin with one of these is a string.
FIRST = frozenset({text[:1] for text in _WORDS} | set("-+.0123456789"))


class NumberError(ValueError):
    """A number that has more digits than anything needs, or that no float can hold."""


def scalar(text: str) -> Scalar:
    """The value of a plain scalar: `16:9`, `no` and `1_000` are strings, `010` is ten."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return _int(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def _int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise NumberError(f"a number has at most {LONGEST_NUMBER} digits, not {len(text)}")
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _float(text: str) -> float:
    if len(text) > LONGEST_NUMBER:
        raise NumberError(f"a number has at most {LONGEST_NUMBER} digits, not {len(text)}")
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NumberError(f"{text} is larger than any number can be")
    return number
