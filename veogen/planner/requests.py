"""The requests of one shot: its combinations, each with the texts that its templates give."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import PurePosixPath
from typing import TypeAlias

from veogen.document.nodes import Location
from veogen.document.problems import MistakesError, Problem, Problems, Severity
from veogen.document.reader import read
from veogen.models.model import Model, parameter
from veogen.models.parameters import Json, Parameter
from veogen.planner.axes import Combination
from veogen.planner.checks import Checked, RequestChecker
from veogen.planner.identity import (
    BadPathError,
    combination_of,
    default_output,
    output_path,
    request_hash,
    take_address,
)
from veogen.planner.images import BadImageError, Images, LocalImage, image_warnings, shown
from veogen.planner.matrix import Expansion
from veogen.planner.plan import Request
from veogen.planner.rows import rows_path
from veogen.planner.variants import Variant, models_of, substitute, variant
from veogen.spec.params import as_json
from veogen.spec.types import PROMPTS, Shot, Spec
from veogen.templates.renderer import Renderer
from veogen.templates.template import Template, TemplateFailure, place_of, rendered_text

CHUNK = 64  # combinations rendered together: one exchange with the guard for all of them

Key: TypeAlias = tuple[Location, Severity, str, str, str | None]


@dataclass(slots=True)
class _Group:
    address: str
    count: int


class GroupedProblems:
    """Collects what is wrong with combinations; a thousand like ones become one line."""

    def __init__(self) -> None:
        self._heard: dict[Key, _Group] = {}

    def error(
        self, place: Location, code: str, message: str, address: str, hint: str | None = None
    ) -> None:
        self._add((place, "error", code, message, hint), address)

    def warn(self, place: Location, code: str, message: str, address: str) -> None:
        self._add((place, "warning", code, message, None), address)

    def _add(self, key: Key, address: str) -> None:
        heard = self._heard.get(key)
        if heard is None:
            self._heard[key] = _Group(address, 1)
        else:
            heard.count += 1

    def report(self, problems: Problems) -> None:
        """Hand all of them over, each with the first address it is true of."""
        for (place, severity, code, message, hint), heard in self._heard.items():
            more = f" and {heard.count - 1} more" if heard.count > 1 else ""
            message_of_all = f"{message} ({heard.address}{more})"
            problems.extend([Problem(place, severity, code, message_of_all, hint)])
        self._heard.clear()


class ShotPlanner:
    """Plans one shot on its grid; what it is given by name is that of the whole spec."""

    def __init__(
        self,
        shot: Shot,
        grid: Expansion,
        spec: Spec,
        *,
        renderer: Renderer,
        images: Images,
        checker: RequestChecker,
        grouped: GroupedProblems,
    ) -> None:
        self.shot, self.grid, self.spec, self.models = shot, grid, spec, checker.models
        self.images, self.checker, self._renderer = images, checker, renderer
        self.grouped = grouped
        self.used_models = models_of(shot, checker.models, grid.values_of("model"))
        self.parameter = cache(lambda name: parameter(name, self.used_models.values()))
        self._settable = settable(grid, self.used_models)
        self._structured = frozenset(
            name
            for model in self.used_models.values()
            for name, each in model.parameters.items()
            if each.kind in ("uris", "object", "list")
        )
        self.image_parameters = cache(lambda name: image_parameters(self.models.get(name)))
        self._variants: dict[tuple[int, ...], Variant] = {}

    @property
    def variants(self) -> Iterable[Variant]:
        """The shot with each set of its overrides that fitted something so far."""
        return self._variants.values()

    def variant(self, matching: tuple[int, ...]) -> Variant:
        """The shot where these overrides fit; made once for each set of them."""
        if matching not in self._variants:
            self._variants[matching] = self.preview(matching)
        return self._variants[matching]

    def preview(self, matching: tuple[int, ...]) -> Variant:
        """As `variant`, whether or not these overrides ever fit a combination together."""
        prepare = self._renderer.prepare
        return variant(self.shot, matching, self._settable, prepare, self._structured)

    def requests(self, problems: Problems) -> Iterator[Request]:
        """The requests without mistakes, in order; the mistakes go to `problems`."""
        picked = None if self.spec.promotion is None else self.spec.promotion.picked
        builders_of_all = (
            RequestBuilder(self, variant_, combination, take)
            for combination, matching in self.grid.walk(problems)
            if picked is None or self.grid.address(combination) in picked
            for variant_ in (self.variant(matching),)
            for take in range(1, variant_.takes + 1)
        )
        while builders := list(islice(builders_of_all, CHUNK)):
            orders = [(t, b.variant.scope, b.scope) for b in builders for t in b.variant.templates]
            texts = iter(self._renderer.render(orders))
            for builder in builders:
                request = builder.build(list(islice(texts, len(builder.variant.templates))))
                if request is not None and picked is not None:
                    promotes = picked[combination_of(request.address, request.take)]
                    yield replace(request, promotes=promotes)
                elif request is not None:
                    yield request

    def folder(self, place: Location) -> PurePosixPath:
        """The folder of the file that wrote the value at `place`."""
        rows = rows_path(self.shot.matrix)
        if rows is not None and place.path == self.spec.files.shown(rows):
            return rows.parent
        return self.spec.folder(place)


def image_parameters(model: Model | None) -> dict[str, Parameter | None]:
    """The parameters of a model that take images of the project; of one that is not known one."""
    if model is None or not model.known:
        return {"image_urls": None}
    return {name: each for name, each in model.parameters.items() if each.local}


def settable(grid: Expansion, models: Mapping[str, Model]) -> frozenset[str]:
    """The axes and columns that are named like a parameter."""
    return frozenset(n for n in grid.names if parameter(n, models.values()) is not None)


class _WrongError(Exception):
    """The request cannot be made; why has been told."""


class RequestBuilder:
    """Builds one take of one combination; its templates see `scope` besides their variant's.

    What is wrong with it goes to the grouped problems of its shot.
    """

    __slots__ = ("_address", "_combination", "_shot", "_take", "scope", "variant")

    def __init__(
        self, shot: ShotPlanner, variant_: Variant, combination: Combination, take: int
    ) -> None:
        self._shot, self.variant, self._combination = shot, variant_, combination
        self._take, self._address = take, take_address(shot.grid.address(combination), take)
        self.scope = {each.name: each.value for each in combination} | {"take": take}

    def build(self, rendered: Sequence[str | TemplateFailure]) -> Request | None:
        """The request, or None when there is a mistake in it."""
        shot, output = self._shot, self.variant.output
        try:
            texts = self._texts(rendered)
            body = self._body(texts)
            images = self._place_images(body)
            checked = shot.checker.check(body)
            if not self._fits(checked) or images is None:
                return None
            for image, name in images.items():
                for code, message in image_warnings(image, checked.effective):
                    shot.grouped.warn(self._place(name), code, message, self._address)
            keys = shot.grid.keys(self._combination)
            if output is None:
                path = default_output(shot.shot.name, keys, self._take)
            else:
                path = output_path(texts[-1])
        except _WrongError:
            return None
        except BadPathError as error:
            place = shot.shot.place if output is None else output.place
            self._error(place, "bad-output", f"the output {error}")
            return None
        files = tuple(image.image for image in images)
        return Request(
            address=self._address,
            hash=request_hash(body, self._take, files),
            shot=shot.shot.name,
            take=self._take,
            variables=keys,
            output=path,
            body=dict(sorted(body.items())),
            images=files,
            credits=checked.credits,
            seconds=checked.seconds,
            place=shot.shot.place,
        )

    def _place(self, name: str, *, key: bool = False) -> Location:
        """Where the value of a parameter, or with `key` its name, was written."""
        places = self.variant.key_places if key else self.variant.places
        if name in places:
            return places[name]
        chosen = (value.place for value in self._combination if value.name == name)
        return next(chosen, self._shot.shot.place)

    def _texts(self, rendered: Sequence[str | TemplateFailure]) -> list[str]:
        """The rendered texts, all but the output's tidied; every flaw of all of them is told."""
        texts, wrong, output = [], False, self.variant.output
        for template, text in zip(self.variant.templates, rendered, strict=True):
            if isinstance(text, TemplateFailure):
                for fault in (text, *text.also):
                    place = place_of(fault, template, self._shot.spec.files)
                    self._error(place, fault.code, fault.message, fault.hint)
                wrong = True
            elif template is output:
                texts.append(text)
                wrong |= bool(text.strip()) and self._tidied(text, template.place) is None
            else:
                tidied = self._tidied(text, template.place)
                texts.append(tidied or "")
                wrong |= tidied is None
        if wrong:
            raise _WrongError
        return texts

    def _tidied(self, text: str, place: Location) -> str | None:
        """The text as it is bought, None if it must not be; what is odd in it is told."""
        rendered = rendered_text(text)
        for code, message in rendered.flaws:
            self._error(place, code, f"the text {message}")
        for code, message in rendered.oddities:
            self._shot.grouped.warn(place, code, f"the text {message}", self._address)
        return None if rendered.flaws else rendered.text

    def _body(self, texts: Sequence[str]) -> dict[str, Json]:
        body: dict[str, Json] = {}
        rest = iter(texts)
        for name, value in self.variant.values.items():
            body[name] = substitute(value, rest)
            if isinstance(value, Template) and not value.is_constant:
                kind = self._shot.parameter(name)
                if kind is not None and kind.kind != "string":
                    body[name] = self._typed(kind, str(body[name]))
        for chosen in self._combination:
            name, value = chosen.name, chosen.value
            if name not in self.variant.from_axes:
                continue
            if isinstance(value, dict):  # the `id` of a mapping is a name of it here alone
                kind = self._shot.parameter(name)
                if kind is not None and kind.kind == "object" and "id" not in kind.properties:
                    value = {key: item for key, item in value.items() if key != "id"}
            elif name in PROMPTS and isinstance(value, str):  # tidied like every prompt
                value = self._tidied(value, chosen.place)
                if value is None:
                    raise _WrongError
            body[name] = value
        return body

    def _typed(self, kind: Parameter, text: str) -> Json:
        """A text that is all of a parameter's value, as the parameter's type."""
        if kind.kind != "uris":
            return kind.parse(text)
        try:
            return as_json(read(text.encode(), "the rendered text"))
        except MistakesError as error:
            why = error.problems[0].message
            message = f"{kind.name} is a list; the rendered text is none: {why}"
            self._error(self._place(kind.name), "value", message)
            raise _WrongError from None

    def _place_images(self, body: dict[str, Json]) -> dict[LocalImage, str] | None:
        """The local images of a body, each with the parameter that it is of.

        The body names them by their path from here on. None when one of them cannot be used.
        """
        images: dict[LocalImage, str] = {}
        whole = True
        for name, limit in self._shot.image_parameters(str(body.get("model"))).items():
            value = body.get(name)
            urls = value if isinstance(value, list) else [value]
            is_list = limit is None or limit.kind == "uris"
            if isinstance(value, list) is not is_list or not all(isinstance(u, str) for u in urls):
                continue
            place, addresses = self._place(name), list[Json]()
            folder, most = self._shot.folder(place), limit.max_bytes if limit else None
            for url in urls:
                try:
                    image = self._shot.images.find(str(url), folder, most)
                    if limit is not None and isinstance(image, LocalImage):
                        image.check(limit)
                except BadImageError as error:
                    self._error(place, "bad-image", str(error))
                    whole = False
                    continue
                addresses.append(shown(image))
                if isinstance(image, LocalImage):
                    images[image] = name
            if whole:
                body[name] = addresses if is_list else addresses[0]
        return images if whole else None

    def _fits(self, checked: Checked) -> bool:
        """Whether the catalogue takes the request; what it has against it is told."""
        fits = True
        for finding in checked.findings:
            place = self._place(finding.parameter, key=finding.key)
            if finding.severity == "error":
                fits = False
                self._error(place, finding.code, finding.message, finding.hint)
            else:
                self._shot.grouped.warn(place, finding.code, finding.message, self._address)
        return fits

    def _error(self, place: Location, code: str, message: str, hint: str | None = None) -> None:
        self._shot.grouped.error(place, code, message, self._address, hint)
