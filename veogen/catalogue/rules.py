"""Rules between the parameters of one request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from veogen.catalogue.parameters import Json, shown


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a request, and the parameter it is about."""

    severity: Literal["error", "warning"]
    code: str
    parameter: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Applies when every condition of `when` holds; the name `images` stands for their number."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    source: str
    when: Mapping[str, tuple[Json, ...]]
    images: tuple[int, int | None] | None = None
    fixes: Mapping[str, Json] = field(default_factory=dict)
    refuses: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    about: str | None = None

    def applies(self, effective: Mapping[str, Json]) -> bool:
        """Whether the rule holds for a request with its defaults filled in."""
        facts = {**effective, "images": images_of(effective)}
        return all(
            any(
                type(facts.get(name)) is type(value) and facts.get(name) == value
                for value in values
            )
            for name, values in self.when.items()
        )

    def findings(self, written: Mapping[str, Json]) -> Iterator[Finding]:
        """What is wrong in a request that the rule applies to; `written` has no defaults."""
        if self.about:
            yield self._finding(self.about, self.message)
        if self.images and not self._fits(images_of(written)):
            about = "image_urls" if "image_urls" in written else "generation_type"
            yield self._finding(about, f"{self.message}, not {images_of(written)}")
        for name, value in self.fixes.items():
            if name in written and written[name] != value:
                yield self._finding(
                    name,
                    f"{self.message}: {name} is {shown(value)} there, not {shown(written[name])}",
                )
        for name in (*self.refuses, *self.ignores):
            if name in written:
                yield self._finding(name, self.message)

    def doubts(
        self, written: Mapping[str, Json], effective: Mapping[str, Json], why: str
    ) -> Iterator[Finding]:
        """What would be otherwise than asked for, if the rule applied; `why` says how it might."""
        for name, value in self.fixes.items():
            if effective.get(name, value) != value:
                told = f"{why}: {name} is {shown(value)} there, not {shown(effective[name])}"
                about = name if name in written else "image_urls"
                yield Finding("warning", self.code, about, told)
        for name in self.ignores:
            if name in written:
                yield Finding("warning", self.code, name, f"{why}: {name} is not taken there")

    def _fits(self, images: int) -> bool:
        low, high = self.images or (0, None)
        return low <= images and (high is None or images <= high)

    def _finding(self, parameter: str, message: str) -> Finding:
        return Finding(self.severity, self.code, parameter, message)


def images_of(body: Mapping[str, Json]) -> int:
    """How many images a request has."""
    images = body.get("image_urls")
    return len(images) if isinstance(images, list) else 0
