"""One request from its draft and its rendered texts, or what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import TypeAlias

from veogen.document.nodes import Place
from veogen.document.problems import MistakesError, Problem, Problems, Severity
from veogen.document.reader import read
from veogen.models.model import Json, Model, parameter
from veogen.planner.checks import Judge, Judgement
from veogen.planner.identity import BadPathError, default_output, output_path, request_hash
from veogen.planner.images import BadImageError, Found, Images, doubts, shown
from veogen.planner.plan import Request
from veogen.planner.rows import rows_path
from veogen.planner.variants import Blank, Draft, filled
from veogen.spec.grammar import as_json
from veogen.spec.types import PROMPTS, Shot, Spec
from veogen.templates.rendered import Rendered, rendered_text
from veogen.templates.template import Fault, place_of

Key: TypeAlias = tuple[Place, Severity, str, str, str | None]


@dataclass(slots=True)
class _Heard:
    address: str
    count: int


class Complaints:
    """Collects what is wrong with combinations; a thousand like ones become one line."""

    def __init__(self) -> None:
        self._heard: dict[Key, _Heard] = {}

    def error(
        self, place: Place, code: str, message: str, address: str, hint: str | None = None
    ) -> None:
        self._add((place, "error", code, message, hint), address)

    def warn(self, place: Place, code: str, message: str, address: str) -> None:
        self._add((place, "warning", code, message, None), address)

    def _add(self, key: Key, address: str) -> None:
        heard = self._heard.get(key)
        if heard is None:
            self._heard[key] = _Heard(address, 1)
        else:
            heard.count += 1

    def tell(self, problems: Problems) -> None:
        """Hand all of them over, each with the first address it is true of."""
        problems.extend(_problem(key, heard) for key, heard in self._heard.items())
        self._heard.clear()


def _problem(key: Key, heard: _Heard) -> Problem:
    place, severity, code, message, hint = key
    more = f" and {heard.count - 1} more" if heard.count > 1 else ""
    return Problem(place, severity, code, f"{message} ({heard.address}{more})", hint)


class _WrongError(Exception):
    """The request cannot be made; why has been told."""


class Maker:
    """Makes the requests of a spec; what is wrong with them goes to `complaints`."""

    def __init__(
        self, spec: Spec, models: Mapping[str, Model], images: Images, judge: Judge
    ) -> None:
        self._spec, self._models, self._images, self._judge = spec, models, images, judge
        self.complaints = Complaints()
        self._kind = cache(lambda name: parameter(name, models.values()))

    def request(self, draft: Draft, rendered: Sequence[str | Fault]) -> Request | None:
        """The request, or None when there is a mistake in it."""
        try:
            return self._request(draft, rendered)
        except _WrongError:
            return None

    def _request(self, draft: Draft, rendered: Sequence[str | Fault]) -> Request:
        texts = self._texts(draft, rendered)
        body = self._body(draft, texts)
        found = self._place_images(draft, body)
        judgement = self._judge.judge(body)
        if not self._fits(draft, judgement) or found is None:
            raise _WrongError
        self._doubt(draft, found, judgement.effective)
        images = tuple(one.image for one in found)
        return Request(
            address=draft.address,
            hash=request_hash(body, draft.take, images),
            shot=draft.shot.name,
            take=draft.take,
            variables=draft.keys,
            output=self._output(draft, texts),
            body={name: body[name] for name in sorted(body)},
            images=images,
            credits=judgement.credits,
            seconds=judgement.seconds,
            place=draft.shot.place,
        )

    def _texts(self, draft: Draft, rendered: Sequence[str | Fault]) -> list[str]:
        """The rendered texts tidied; every flaw of all of them is told."""
        texts, wrong = [], False
        for index, (prepared, text) in enumerate(zip(draft.form.texts, rendered, strict=True)):
            source = prepared.source
            if isinstance(text, Fault):
                place = place_of(text, source, self._spec.files)
                self._error(draft, place, text.code, text.message, text.hint)
                wrong = True
            elif index == draft.form.output:
                texts.append(text)
                wrong |= bool(text.strip()) and self._flawed(
                    draft, source.place, rendered_text(text)
                )
            else:
                found = rendered_text(text)
                texts.append(found.text)
                wrong |= self._flawed(draft, source.place, found)
        if wrong:
            raise _WrongError
        return texts

    def _flawed(self, draft: Draft, place: Place, found: Rendered) -> bool:
        for code, message in found.flaws:
            self._error(draft, place, code, f"the text {message}")
        for code, message in found.oddities:
            self.complaints.warn(place, code, f"the text {message}", draft.address)
        return bool(found.flaws)

    def _body(self, draft: Draft, texts: Sequence[str]) -> dict[str, Json]:
        body: dict[str, Json] = {}
        for name, value in draft.form.values.items():
            body[name] = filled(value, texts)
            if isinstance(value, Blank) and value.template:
                body[name] = self._typed(draft, name, texts[value.index])
        for one in draft.combination:
            if one.name in draft.form.from_axes:
                body[one.name] = self._chosen(draft, one.name, one.value, one.place)
        return body

    def _typed(self, draft: Draft, name: str, text: str) -> Json:
        """A text that is all of a parameter's value, as the parameter's type."""
        kind = self._kind(name)
        if kind is None or kind.kind != "uris":
            return text if kind is None else kind.parse(text)
        try:
            return as_json(read(text.encode(), "the rendered text"))
        except MistakesError as error:
            message = f"{name} is a list; the rendered text is none: {error.problems[0].message}"
            self._error(draft, draft.place(name), "value", message)
            raise _WrongError from None

    def _chosen(self, draft: Draft, name: str, value: Json, place: Place) -> Json:
        """What an axis or column sets; a prompt is tidied like every prompt."""
        if name not in PROMPTS or not isinstance(value, str):
            return value
        found = rendered_text(value)
        if self._flawed(draft, place, found):
            raise _WrongError
        return found.text

    def _place_images(self, draft: Draft, body: dict[str, Json]) -> tuple[Found, ...] | None:
        """The local images of a body, which names them by their path from here on.

        None when one of them cannot be used.
        """
        urls = body.get("image_urls")
        if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
            return ()
        place = draft.place("image_urls")
        folder = self._folder(place, draft.shot)
        model = self._models.get(str(body.get("model")))
        limit = model.parameters.get("image_urls") if model else None
        most = limit.max_bytes if limit else None
        found = [self._found(draft, str(url), folder, most) for url in urls]
        if None in found:
            return None
        body["image_urls"] = [shown(image) for image in found if image is not None]
        return tuple(dict.fromkeys(image for image in found if isinstance(image, Found)))

    def _folder(self, place: Place, shot: Shot) -> PurePosixPath:
        """The folder of the file that wrote the value at `place`."""
        rows = rows_path(shot.matrix)
        if rows is not None and place.path == self._spec.files.shown(rows):
            return rows.parent
        return self._spec.folder(place)

    def _found(
        self, draft: Draft, url: str, folder: PurePosixPath, max_bytes: int | None
    ) -> Found | str | None:
        try:
            return self._images.find(url, folder, max_bytes)
        except BadImageError as error:
            self._error(draft, draft.place("image_urls"), "bad-image", str(error))
            return None

    def _doubt(self, draft: Draft, found: Sequence[Found], effective: Mapping[str, Json]) -> None:
        for one in found:
            for code, message in doubts(one, effective):
                self.complaints.warn(draft.place("image_urls"), code, message, draft.address)

    def _fits(self, draft: Draft, judgement: Judgement) -> bool:
        """Whether the catalogue takes the request; what it has against it is told."""
        fits = True
        for found in judgement.objections:
            place = draft.place(found.parameter, key=found.key)
            if found.severity == "error":
                fits = False
                self._error(draft, place, found.code, found.message, found.hint)
            else:
                self.complaints.warn(place, found.code, found.message, draft.address)
        return fits

    def _output(self, draft: Draft, texts: Sequence[str]) -> str:
        index = draft.form.output
        if index is None:
            return default_output(draft.shot.name, draft.keys, draft.take)
        try:
            return output_path(texts[index])
        except BadPathError as error:
            place = draft.form.texts[index].source.place
            self._error(draft, place, "bad-output", f"the output {error}")
            raise _WrongError from None

    def _error(
        self, draft: Draft, place: Place, code: str, message: str, hint: str | None = None
    ) -> None:
        self.complaints.error(place, code, message, draft.address, hint)
