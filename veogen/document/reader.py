"""One YAML 1.2 document with places, and nothing surprising in it, from a parser's events."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from veogen.document.anchors import Anchor, Anchors
from veogen.document.mergekeys import MERGE, MergeError, resolve_merge
from veogen.document.problems import MistakesError, Problem
from veogen.document.scalars import FIRST, NumberError, scalar
from veogen.document.source import Place, Source
from veogen.document.syntax import ParserFactory, encoding_problem, fastest_parser, syntax_problem
from veogen.document.values import Map, Seq, Value

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 100

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # the parser would read it

# What is due in a container where no key waits for its value.
_ITEM, _KEY = object(), object()

_scalar = lru_cache(maxsize=4096)(scalar)


def read(
    raw: bytes, path: str, parser: ParserFactory = fastest_parser, *, max_bytes: int = MAX_BYTES
) -> Value:
    """The one document in `raw`; `path` is the name that its places carry.

    Raises `MistakesError`.
    """
    if len(raw) > max_bytes:
        message = f"a file has at most {max_bytes >> 20} MiB, not {len(raw) / 1024**2:.1f}"
        raise MistakesError([Problem(Place(path, 1, 1), "error", "too-large", message)])
    if raw.startswith(_UTF_16) and (problem := encoding_problem(raw, path)):
        raise MistakesError([problem])
    raw = raw.removeprefix(_BYTE_ORDER_MARK)
    source = Source(path, raw)
    try:
        with _collector_paused():
            return _Builder(source, parser(raw), names=b"&" in raw or b"!" in raw).document()
    except yaml.YAMLError as error:
        raise MistakesError([syntax_problem(error, raw, path)]) from None


@contextmanager
def _collector_paused() -> Iterator[None]:
    """While a tree grows there is no garbage in it, and looking for some costs a tenth more."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Builder:
    """Builds values from events without recursion, so that depth is ours to limit.

    Without `names` there can be no anchors and tags: a million events need not be asked for them.
    """

    def __init__(self, source: Source, parser: Any, *, names: bool) -> None:
        self._source = source
        self._names = names
        self._next = parser.get_event
        self._anchors = Anchors()
        self._merging: list[Map] = []
        self._keys = {MERGE: MERGE}  # texts that are strings as keys, each in memory once

    def document(self) -> Value:
        root = Seq.begun(self._source, 0)
        self._build(root)
        return root[0] if root else None

    def _build(self, root: Seq) -> None:  # noqa: C901, PLR0912, PLR0915 - one loop, see below
        # It runs a million times for ten megabytes: local names and few calls. A container is
        # put into its parent when it begins; `due` is the key that waits for a value.
        next_event, known, merging = self._next, self._keys.get, self._merging
        source, names = self._source, self._names
        stack: list[tuple[Any, Any, Anchor | None]] = []
        container: Any = root
        due: Any = _ITEM
        add_mark = root.marks.append
        while True:
            event: Any = next_event()
            kind = type(event)
            if kind is ScalarEvent:
                value = event.value
                add_mark(event.start_mark.index)
                if names and (event.anchor is not None or event.tag is not None):
                    self._name(event, value)
                if due is _KEY:
                    due = known(value) or self._key(value, event)
                    if due in container:
                        self._refuse_duplicate(due, container, event)
                    if due is MERGE and not event.style:
                        merging.append(container)
                    continue
                if not event.style and value[:1] in FIRST:
                    value = self._plain(value, event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                mark = event.start_mark.index
                new = Map if kind is MappingStartEvent else Seq
                value = new.begun(source, mark)
                add_mark(mark)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                if merging and merging[-1] is container:
                    self._merge(merging.pop())
                container, due, anchor = stack.pop()
                if anchor is not None:
                    self._anchors.close(anchor, event.end_mark.index)
                add_mark = container.marks.append
                continue
            elif kind is AliasEvent:
                value = self._aliased(event, len(stack))
                add_mark(event.start_mark.index)
            elif kind is StreamEndEvent:
                return
            else:
                self._refuse_second(event, root)
                continue
            if due is _ITEM:
                container.append(value)
            elif due is _KEY:
                due = self._key(value, event)
                if due in container:
                    self._refuse_duplicate(due, container, event)
                continue
            else:
                container[due] = value
                due = _KEY
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                named = names and (event.anchor is not None or event.tag is not None)
                stack.append((container, due, self._name(event, value) if named else None))
                if len(stack) > MAX_DEPTH:
                    self._refuse_depth(event)
                container = value
                due = _KEY if kind is MappingStartEvent else _ITEM
                add_mark = value.marks.append

    def _plain(self, text: str, event: Any) -> Value:
        try:
            return _scalar(text)
        except NumberError as error:
            self._fail(event, "number", str(error))

    def _key(self, value: Value, event: Any) -> str:
        """The value as a key; remembered when no style of writing makes it anything else."""
        plain = isinstance(event, ScalarEvent) and not event.style
        key = self._plain(event.value, event) if plain else value
        if not isinstance(key, str):
            self._refuse_key(event, key)
        if plain:
            self._keys[key] = key
        return key

    def _name(self, event: Any, value: Value) -> Anchor | None:
        """Look at what is rare: tags, which are refused, and anchors."""
        if event.tag is not None:
            hint = "remove it; quotes make a string"
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._fail(event, "tag", f"a spec has no tags such as {tag!r}", hint)
        if event.anchor is None:
            return None
        anchor = self._anchors.open(event.anchor, value, event.start_mark.index)
        if not isinstance(value, Map | Seq):
            anchor.value = value if event.style else self._plain(event.value, event)
            self._anchors.close(anchor, event.end_mark.index)
        return anchor

    def _aliased(self, event: Any, depth: int) -> Value:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            self._fail(event, "alias", f"there is no anchor '&{event.anchor}' above this")
        if anchor.size is None:
            self._fail(event, "alias", f"'*{event.anchor}' stands inside of what it stands for")
        self._anchors.charge(anchor)
        if self._anchors.charged > MAX_BYTES:
            message = "with its aliases written out, this file is larger than 10 MiB"
            self._fail(event, "too-large", message)
        if depth + self._anchors.height(anchor, MAX_DEPTH) > MAX_DEPTH:
            self._refuse_depth(event)
        return anchor.value

    def _merge(self, mapping: Map) -> None:
        """Take in what `<<` names, now that the mapping is complete."""
        try:
            resolve_merge(mapping)
        except MergeError as error:
            place = mapping.value_place(MERGE)
            raise MistakesError([Problem(place, "error", "merge", str(error))]) from None

    def _refuse_second(self, event: Any, root: Seq) -> None:
        if isinstance(event, DocumentStartEvent) and root:
            self._fail(event, "documents", "a file holds one document; a second begins here")

    def _refuse_depth(self, event: Any) -> NoReturn:
        self._fail(event, "too-deep", f"values are nested at most {MAX_DEPTH} deep")

    def _refuse_duplicate(self, key: str, mapping: Map, event: Any) -> NoReturn:
        first = mapping.key_place(key)
        message = f"{key!r} is a key of this mapping already, in line {first.line}"
        self._fail(event, "duplicate-key", message)

    def _refuse_key(self, event: Any, key: Value) -> NoReturn:
        if isinstance(key, Map | Seq):
            hint = "quote a text that begins with '{{'" if isinstance(key, Map) else None
            self._fail(event, "key", "a key is a string, not a mapping or a list", hint)
        text = event.value if isinstance(event, ScalarEvent) else str(key)
        hint = f'write "{text}"' if text else None
        self._fail(event, "key", f"a key is a string, not {text or 'nothing'}", hint)

    def _fail(self, event: Any, code: str, message: str, hint: str | None = None) -> NoReturn:
        mark = event.start_mark
        place = Place(self._source.path, mark.line + 1, mark.column + 1)
        raise MistakesError([Problem(place, "error", code, message, hint)])
