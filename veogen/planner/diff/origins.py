"""Where the fields of a request come from: what was written, and all that it makes use of."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, reduce

from veogen.document.files import OutsideRootError
from veogen.document.problems import Problems
from veogen.document.values import Place
from veogen.planner.address import combination_address
from veogen.planner.canonical import canonical
from veogen.planner.choices import Combination
from veogen.planner.layers import Setting, variant
from veogen.planner.matrix import grid
from veogen.planner.plan import Request
from veogen.planner.templates.renderer import template_path
from veogen.spec.layers import settled, stacked
from veogen.spec.model import Shot, Spec, Text
from veogen.spec.params import as_json

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r"""(["'])(?P<name>[^"'\n]+)\1""")

WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Input:
    """Something that a field is made of: its content, and where it is found.

    With `lines` the lines of the content are those of the file from the place on.
    """

    content: str
    place: Place
    lines: bool = False


@dataclass(frozen=True, slots=True)
class _Made:
    """What a combination was made of."""

    shot: Shot
    combination: Combination
    overrides: tuple[int, ...]


class Origins:
    """Knows what the requests of a spec were made of; looks only when asked, and at a file once."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._template = cache(self._read_template)
        self._mentions = cache(self._mentions_of)

    def inputs(self, request: Request, field: str) -> dict[str, Input]:
        """What a field is made of: first what was written, then values and templates."""
        made = self._made.get(combination_address(request.shot, request.variables))
        return dict(self._written(made, field)) if made else {}

    @cached_property
    def _made(self) -> dict[str, _Made]:
        """Every combination by its address."""
        found = {}
        for shot in self._spec.shots:
            models = tuple(self._spec.policy.models.values())
            one = grid(shot, self._spec.files, models, Problems())
            for combination, overrides in one.walk(Problems()):
                address = combination_address(shot.name, one.keys(combination))
                found[address] = _Made(shot, combination, overrides)
        return found

    def _written(self, made: _Made, field: str) -> Iterator[tuple[str, Input]]:
        found = variant(made.shot, made.overrides)
        chosen = {one.name: one for one in made.combination}
        if field in chosen and field not in found.firm:
            yield WRITTEN, _value(chosen[field].value, chosen[field].place)
        elif field == "output" and made.shot.output is not None:
            yield from self._text(made, made.shot.output)
        elif field in found.settings:
            yield from self._setting(made, found.settings[field])

    def _setting(self, made: _Made, setting: Setting) -> Iterator[tuple[str, Input]]:
        if setting.text is not None:
            yield from self._text(made, setting.text)
            return
        written = _value(as_json(setting.value), setting.place)
        yield WRITTEN, written
        yield from self._used(made, written.content)

    def _text(self, made: _Made, text: Text) -> Iterator[tuple[str, Input]]:
        if text.template:
            written = self._template(text.source)
        elif text.block:
            line = text.place.line + 1
            written = Input(text.source, text.place._replace(line=line), lines=True)
        else:
            written = Input(text.source, text.place)
        if written is not None:
            yield WRITTEN, written
            yield from self._used(made, written.content)

    def _used(self, made: _Made, source: str) -> Iterator[tuple[str, Input]]:
        """The templates and values that a template mentions."""
        templates, names = self._mentions(source)
        for name, value in self._values(made):
            if name in names or "vars" in names:
                yield f"value {name}", value
        for name, template in templates.items():
            yield f"template {name}", template

    def _mentions_of(self, source: str) -> tuple[Mapping[str, Input], frozenset[str]]:
        """The templates that a template takes in, and all names that stand in it and in those."""
        templates = self._mentioned(source, {})
        texts = "\n".join((source, *(one.content for one in templates.values())))
        return templates, frozenset(_IDENTIFIER.findall(texts))

    def _mentioned(self, source: str, known: dict[str, Input]) -> dict[str, Input]:
        """The templates that are named in a template, and those that are named in these."""
        for match in _QUOTED.finditer(source) if "{%" in source else ():
            name = match["name"]
            template = None if name in known else self._template(name)
            if template is not None:
                known[name] = template
                self._mentioned(template.content, known)
        return known

    def _values(self, made: _Made) -> Iterator[tuple[str, Input]]:
        """Vars, and the axes and columns that hide them."""
        overrides = (made.shot.overrides[index].layer for index in made.overrides)
        stronger = [*overrides, *made.shot.tops]
        written = settled(reduce(stacked, stronger, made.shot.base)).vars
        chosen = {one.name for one in made.combination}
        for name, value in written.items():
            if name not in chosen:
                yield name, _value(as_json(value), written.value_place(name))
        for one in made.combination:
            yield one.name, _value(one.value, one.place)

    def _read_template(self, name: str) -> Input | None:
        path = template_path(name)
        if path is None:
            return None
        files = self._spec.files
        try:
            content = files.read(path).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError, OutsideRootError):
            return None
        return Input(content, Place(files.shown(path), 1, 1), lines=True)


def _value(value: object, place: Place) -> Input:
    return Input(canonical(value).decode(), place)
