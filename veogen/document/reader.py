"""YAML 1.2 core schema on PyYAML's C parser: one document, with places, nothing surprising."""

import re
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from veogen.document.problems import MistakesError, Problem
from veogen.document.values import Map, Place, Scalar, Seq, Value

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


def scalar(text: str) -> Scalar:
    """A plain scalar by YAML 1.2's core schema (10.3.2): `16:9` and `no` are strings."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def read(raw: bytes, path: str) -> Value:
    """The one document in `raw`; `path` is the name that its places carry.

    Raises `MistakesError`.
    """
    try:
        return _Reader(raw, path).document()
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path, 1, 1)
        message = error.problem or "this is not YAML"
        raise MistakesError([Problem(place, "error", "yaml-syntax", message)]) from None


class _Reader:
    def __init__(self, raw: bytes, path: str) -> None:
        self._parser = CParser(raw)
        self._path = path
        self._anchors: dict[str, Value] = {}

    def document(self) -> Value:
        self._next()
        if not self._parser.check_event(yaml.DocumentStartEvent):
            return None
        self._next()
        return self._value(self._next())

    def _next(self) -> Any:
        return self._parser.get_event()

    def _place(self, event: Any) -> Place:
        return Place(self._path, event.start_mark.line + 1, event.start_mark.column + 1)

    def _fail(self, event: Any, code: str, message: str) -> MistakesError:
        return MistakesError([Problem(self._place(event), "error", code, message)])

    def _value(self, event: Any) -> Value:
        value: Value
        match event:
            case ScalarEvent():
                value = scalar(event.value) if event.implicit[0] else event.value
            case AliasEvent():
                return self._anchors[str(event.anchor)]
            case MappingStartEvent():
                value = self._mapping(event)
            case SequenceStartEvent():
                value = self._sequence(event)
            case _:
                raise self._fail(event, "yaml-syntax", "this is not a value")
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _mapping(self, start: Any) -> Map:
        mapping = Map(self._place(start))
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._value(event)
            if not isinstance(key, str):
                raise self._fail(event, "key", f"a key is a string, not {key!r}")
            if key in mapping:
                raise self._fail(event, "duplicate-key", f"{key!r} stands here twice")
            start = self._next()
            mapping.put(key, self._value(start), self._place(event), self._place(start))
            if isinstance(start, ScalarEvent) and start.style in ("|", ">"):
                mapping.blocks.add(key)
        return mapping

    def _sequence(self, start: Any) -> Seq:
        sequence = Seq(self._place(start))
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            sequence.add(self._value(event), self._place(event))
        return sequence
