"""Jinja2 as specs may use it: sandboxed, strict, deterministic, and counting what it makes."""

import functools
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateSyntaxError
from jinja2.runtime import Context, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing, pass_context

from veogen.document.problems import did_you_mean
from veogen.templates.template import Mode, leaked_repr
from veogen.text import safe

TEXT_LIMIT = 64 * 1024

# What makes a text of whatever it is given.
_TEXT_FILTERS = frozenset(
    (
        *("capitalize", "center", "e", "escape", "forceescape", "format", "indent", "lower"),
        *("pprint", "replace", "safe", "slug", "string", "striptags", "title", "tojson", "trim"),
        *("truncate", "upper", "urlencode", "urlize", "wordwrap", "xmlattr"),
    )
)
_WRITES_WHOLE = ("pprint", "tojson", "urlencode", "xmlattr")
"""Those of them that are there to make a text of a mapping or a list."""
_REMOVED_FILTERS = ("random",)
_REMOVED_GLOBALS = ("lipsum", "cycler")
_SLUG = re.compile(r"[^a-z0-9]+")


class TooMuchTextError(Exception):
    """A template has made more text than a request may have."""


class WholeError(Exception):
    """A template puts out a mapping or a list, `value`, whole."""

    def __init__(self, value: Any) -> None:
        kind = "mapping" if isinstance(value, Mapping) else "list"
        super().__init__(f"a {kind} cannot be put out whole")
        self.value = value


class NotTextError(Exception):
    """A template makes text of something that is not a value: a function, a class, a generator."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class StrictMissing(StrictUndefined):
    """Stands for a name that does not exist until something is done with it."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name, owner = self._undefined_name, self._undefined_obj
        if owner is missing:
            return f"{name!r} is not defined"
        if not isinstance(owner, Mapping):
            return f"{name!r} is no part of {_kind(owner)}"
        there = [str(key) for key, value in owner.items() if not isinstance(value, Undefined)]
        hint = did_you_mean(str(name), there) or f"it has {', '.join(there) or 'none'}"
        return f"{name!r} is not an entry of the mapping; {hint}"


class OutputLimiter:
    """Counts the text that the rendering of one template has made."""

    def __init__(self) -> None:
        self._made = 0

    def reset(self) -> None:
        self._made = 0

    def count(self, text: Any) -> Any:
        """`text` itself; raises `TooMuchTextError` when there has been too much of it."""
        if isinstance(text, str):
            self._made += len(text) if text.isascii() else len(text.encode(errors="replace"))
            if self._made > TEXT_LIMIT:
                raise TooMuchTextError
        return text

    def join(self, parts: Iterable[str]) -> str:
        """The parts as one text, never collecting more than there may be."""
        return "".join(map(self.count, parts))


class _Generator(CodeGenerator):
    """Makes `~` count; Jinja2 itself would join without limit, and while compiling."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        self.write("environment.join_values((")
        for arg in node.nodes:
            self.visit(arg, frame)
            self.write(", ")
        self.write("))")


class SpecEnvironment(ImmutableSandboxedEnvironment):
    """The environment of every template that is compiled."""

    intercepted_binops = frozenset({"*", "+", "%"})
    code_generator_class = _Generator

    def __init__(self, loader: BaseLoader, meter: OutputLimiter, mode: Mode = "text") -> None:

        @pass_context
        def finalize(_: Context, value: Any) -> str:
            """What is put out of a value, as the mode has it."""
            if mode == "value":  # a list or a mapping is JSON
                _refuse_insides(value)
                return json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)
            return safe(_text(value)) if mode == "path" else _text(value)

        super().__init__(
            loader=loader,
            undefined=StrictMissing,
            finalize=finalize,
            cache_size=-1,
            auto_reload=False,
        )
        self.meter = meter
        self.concat = meter.join  # type: ignore[method-assign]  # Jinja2 assigns it so
        for name in _REMOVED_FILTERS:
            del self.filters[name]
        for name in _REMOVED_GLOBALS:
            del self.globals[name]
        self.filters["slug"] = slug
        self.filters = {name: self._guarded(name, call) for name, call in self.filters.items()}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for power in tree.find_all(nodes.Pow):
            message = "`**` is not part of the language"
            raise TemplateSyntaxError(message, power.lineno, name, filename)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry comes before an attribute: `d.keys` is what the mapping has under `keys`."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str):
            for part in right if isinstance(right, tuple) else (right,):
                _refuse_whole(part)
        return self._made(super().call_binop(context, operator, left, right))

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = super().call(context, obj, *args, **kwargs)
        # A macro's text was counted when it was joined.
        return result if isinstance(obj, Macro) else self._made(result)

    def join_values(self, values: Iterable[Any]) -> str:
        """What `~` makes."""
        return self.meter.join(map(_text, values))

    def _guarded(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The filter, counting what it makes, and making text of values only."""
        passed = 1 if hasattr(call, "jinja_pass_arg") else 0  # Jinja2's own first argument

        @functools.wraps(call)  # keeps the marks by which Jinja2 passes its context
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if name in _TEXT_FILTERS:
                _refuse_insides([args[passed:], kwargs])
                if name not in _WRITES_WHOLE:
                    for value in (*args[passed:], *kwargs.values()):
                        _refuse_whole(value)
            elif name == "join":  # each of its items is a text by itself
                context, items, *rest = args
                takes_attribute = "attribute" in kwargs or len(rest) > 1
                if not takes_attribute and not isinstance(items, str | Mapping):
                    items = list(items)
                    for item in items:
                        _refuse_whole(item)
                args = (context, items, *rest)
            return self._made(call(*args, **kwargs))

        return guarded

    def _made(self, result: Any) -> Any:
        """What an operator, a call or a filter has made: text is counted, and only text."""
        if isinstance(result, str) and (wrong := leaked_repr(result)) is not None:
            raise NotTextError(f"a text {wrong}")
        return self.meter.count(result)


def slug(value: object) -> str:
    """Lower case ASCII letters and digits, all else one `-`: `São Paulo` is `sao-paulo`."""
    text = unicodedata.normalize("NFKD", str(value).casefold())
    return _SLUG.sub("-", text.encode("ascii", "ignore").decode()).strip("-")


def _text(value: Any) -> str:
    """A value as it stands in a text."""
    _refuse_insides(value)
    _refuse_whole(value)
    return str(value)


def _refuse_whole(value: Any) -> None:
    if isinstance(value, dict | list | tuple):
        raise WholeError(value)


def _refuse_insides(value: Any) -> None:
    """Refuse whatever is no value: its text would be another one in every process."""
    if value is None or isinstance(value, str | int | float):
        return
    if isinstance(value, Undefined):
        str(value)  # raises
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_insides(key)
            _refuse_insides(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_insides(item)
    elif isinstance(value, Iterator):
        raise NotTextError(f"{_kind(value)} is not text", "`| join(', ')` makes one of its items")
    else:
        raise NotTextError(f"{_kind(value)} is not text")


def _kind(value: object) -> str:
    return f"a value of the type {type(value).__name__!r}"
