"""The parameters of a shot's requests, each a constant, varying along one axis, or in pieces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Json
from veogen.document.compact import compact
from veogen.planner.fast.space import Space
from veogen.planner.fast.texts import NotQuickError, escaped, longest, sound, text_in_pieces
from veogen.planner.fast.weave import Part, Varying
from veogen.planner.forms import Blank
from veogen.planner.names import parameter
from veogen.planner.rendered import tidy
from veogen.planner.templates.simple import Piece, SimpleTemplate, expressions_of
from veogen.spec.model import PROMPTS

_LOOKED_AT = ("callback_url", "image_urls")  # the hash looks at these more closely


@dataclass(frozen=True, slots=True)
class Value:
    """Depends on one dimension at most."""

    dimension: int | None
    values: tuple[Json, ...]

    def at(self, point: Mapping[int, int]) -> Json:
        return self.values[0 if self.dimension is None else point.get(self.dimension, 0)]

    def parts(self) -> list[Part]:
        texts = tuple(map(compact, self.values))
        return [texts[0] if self.dimension is None else Varying(self.dimension, texts)]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text that depends on several dimensions."""

    pieces: tuple[Part, ...]

    def at(self, _: Mapping[int, int]) -> Json:
        return "some text"

    def parts(self) -> list[Part]:
        return ['"', *map(escaped_part, self.pieces), '"']


Found: TypeAlias = Value | Pieces


class Parameters:
    """What is known of every parameter; each value fits the model by itself."""

    def __init__(self, space: Space, models: Mapping[str, Model]) -> None:
        self._space, self._models = space, models
        form = space.form
        names = sorted({*form.values, *form.from_axes})
        if any(name in names for name in _LOOKED_AT):
            raise NotQuickError
        self.found: dict[str, Found] = {name: self._parameter(name) for name in names}
        self.model = self._model()
        for name, found in self.found.items():
            self._check(name, found)

    def parts(self) -> Iterator[Part]:
        """The request's JSON."""
        for index, (name, found) in enumerate(self.found.items()):
            yield f'{"," if index else "{"}"{name}":'
            yield from found.parts()
        yield "}"

    def relevant(self) -> list[int]:
        """The dimensions of parameters whose values rules and prices look at."""
        found = (self.found[name] for name in sorted(self.model.weighed) if name in self.found)
        values = [one for one in found if isinstance(one, Value) and one.dimension is not None]
        return sorted({one.dimension for one in values if one.dimension is not None})

    def body(self, point: Mapping[int, int]) -> dict[str, Json]:
        """A body at a point of some dimensions, at the first point of the others."""
        return {name: found.at(point) for name, found in self.found.items()}

    def _model(self) -> Model:
        match self.found.get("model"):
            case Value(None, (str(name),)) if name in self._models:
                return self._models[name]
            case _:
                raise NotQuickError

    def _parameter(self, name: str) -> Found:
        if name in self._space.form.from_axes:
            dimension = self._space.dimension_of[name]
            values = tuple(self._space.along(dimension, lambda scope: _chosen(name, scope)))
            return Value(dimension, values)
        value = self._space.form.values[name]
        if isinstance(value, Blank):
            return self._text(name, value)
        if isinstance(value, list | dict):
            raise NotQuickError
        return Value(None, (value,))

    def _text(self, name: str, blank: Blank) -> Found:
        template = self._space.form.texts[blank.index].simple
        if template is None:
            raise NotQuickError
        kind = parameter(name, self._models.values()) if blank.template else None
        dimensions = dimensions_of(template, self._space)
        if len(dimensions) > 1:
            if kind is None or kind.kind != "string":
                raise NotQuickError
            return Pieces(tuple(text_in_pieces(pieces_of(template, self._space))))
        dimension = next(iter(dimensions), None)
        texts = self._space.along(dimension, lambda scope: sound(tidy(template.render(scope))))
        return Value(dimension, tuple(text if kind is None else kind.parse(text) for text in texts))

    def _check(self, name: str, found: Found) -> None:
        known = self.model.parameters.get(name)
        if known is None:
            raise NotQuickError
        match found:
            case Value(values=values) if any(known.check(value) is not None for value in values):
                raise NotQuickError
            case Pieces(pieces=pieces):
                if known.check("x" * sum(map(longest, pieces))) is not None:
                    raise NotQuickError
            case _:
                pass


def dimensions_of(template: SimpleTemplate, space: Space) -> set[int]:
    """The dimensions along which a template's text varies."""
    return _dimensions(template.pieces, space)


def pieces_of(template: SimpleTemplate, space: Space) -> Sequence[Part]:
    """A template's text in parts: constants, and a text for each point of a dimension."""
    return [_piece(piece, template, space) for piece in template.pieces]


def _dimensions(pieces: Iterable[Piece], space: Space) -> set[int]:
    found = (space.dimension(one.name) for one in expressions_of(pieces))
    return {dimension for dimension in found if dimension is not None}


def _piece(piece: Piece, template: SimpleTemplate, space: Space) -> Part:
    if isinstance(piece, str):
        return piece
    dimensions = _dimensions((piece,), space)
    if len(dimensions) > 1:
        raise NotQuickError
    dimension = next(iter(dimensions), None)
    texts = space.along(dimension, lambda scope: template.text_of(piece, scope))
    return texts[0] if dimension is None else Varying(dimension, tuple(texts))


def escaped_part(part: Part) -> Part:
    """A part inside a JSON string."""
    if isinstance(part, str):
        return escaped(part)
    return Varying(part.dimension, tuple(map(escaped, part.texts)))


def _chosen(name: str, scope: Mapping[str, Any]) -> Json:
    value: Json = scope[name]
    if isinstance(value, list | dict):
        raise NotQuickError
    return sound(tidy(value)) if name in PROMPTS and isinstance(value, str) else value
