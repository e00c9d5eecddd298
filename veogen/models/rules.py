"""What does not go together in a request, and what the gateway takes a parameter to be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from veogen.models.parameters import Json, is_among, shown, value_at

Bounds: TypeAlias = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said of a request, and which parameter it is about; `key`: with its name."""

    severity: Literal["error", "warning"]
    code: str
    parameter: str
    message: str
    hint: str | None = None
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Applies when every condition of `when` holds.

    The names `images`, `videos` and `audios` stand for their numbers, `outer.inner` for a parameter
    within another. `needs` are parameters that must be there; `adds_up` says of which parameter the
    sum is another one.
    """

    code: str
    severity: Literal["error", "warning"]
    message: str
    source: str
    when: Mapping[str, tuple[Json, ...]]
    images: Bounds | None = None
    videos: Bounds | None = None
    audios: Bounds | None = None
    fixes: Mapping[str, Json] = field(default_factory=dict)
    refuses: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    adds_up: Mapping[str, str] = field(default_factory=dict)
    about: str | None = None

    def applies(self, effective: Mapping[str, Json]) -> bool:
        """Whether the rule holds for a request with its defaults filled in."""
        for name, allowed in self.when.items():
            counted = COUNTED.get(name)
            value = count_of(effective, counted) if counted else value_at(effective, name)
            if not is_among(value, allowed):
                return False
        return True

    def findings(
        self, written: Mapping[str, Json], effective: Mapping[str, Json]
    ) -> Iterator[Finding]:
        """What is wrong in a request that the rule applies to; `written` has no defaults."""
        if self.about:
            yield self._finding(self.about, self.message)
        yield from self._miscounted(written)
        for name, value in self.fixes.items():
            if name in written and written[name] != value:
                yield self._finding(
                    name,
                    f"{self.message}: {name} is {shown(value)} there, not {shown(written[name])}",
                )
        for name in (*self.refuses, *self.ignores):
            if value_at(written, name) is not None:
                yield self._finding(name.partition(".")[0], self.message)
        for name in self.needs:
            if value_at(written, name) is None:
                yield self._finding(name.partition(".")[0], f"{self.message}: {name} is missing")
        for name, whole in self.adds_up.items():
            yield from self._added_up(name, whole, written, effective)

    def doubts(
        self, written: Mapping[str, Json], effective: Mapping[str, Json], why: str
    ) -> Iterator[Finding]:
        """What would be otherwise than asked for, if the rule applied; `why` says how it might."""
        for name, value in self.fixes.items():
            if effective.get(name, value) != value:
                message = f"{why}: {name} is {shown(value)} there, not {shown(effective[name])}"
                about = name if name in written else "image_urls"
                yield Finding("warning", self.code, about, message)
        for name in self.ignores:
            if name in written:
                yield Finding("warning", self.code, name, f"{why}: {name} is not taken there")

    def _miscounted(self, written: Mapping[str, Json]) -> Iterator[Finding]:
        for name, parameter in COUNTED.items():
            bounds: Bounds | None = getattr(self, name)
            number = count_of(written, parameter)
            low, high = bounds or (0, None)
            if number < low or (high is not None and number > high):
                about = parameter
                if parameter not in written:  # what asks for media that are not there
                    asks = (
                        asking.partition(".")[0] for asking in self.when if asking not in COUNTED
                    )
                    about = next(asks, parameter)
                yield self._finding(about, f"{self.message}, not {number}")

    def _added_up(
        self, name: str, whole: str, written: Mapping[str, Json], effective: Mapping[str, Json]
    ) -> Iterator[Finding]:
        """What is wrong with parts, whole numbers that may be texts, that make up another one."""
        parts, total = value_at(written, name), value_at(effective, whole)
        if not isinstance(parts, list) or not isinstance(total, int):
            return
        about = name.partition(".")[0]
        numbers = [int(part) for part in map(str, parts) if part.isascii() and part.isdigit()]
        if len(numbers) < len(parts) or 0 in numbers:
            yield self._finding(about, f"{self.message}: each is a whole number from 1")
        elif sum(numbers) != total:
            yield self._finding(
                about, f"{self.message}: {sum(numbers)} in all, and {whole} is {total}"
            )

    def _finding(self, parameter: str, message: str) -> Finding:
        return Finding(self.severity, self.code, parameter, message)


COUNTED = {"images": "image_urls", "videos": "video_urls", "audios": "audio_urls"}
"""What rules count, and the list whose items that are."""


def count_of(body: Mapping[str, Json], parameter: str) -> int:
    """How many items a request has in one of its lists."""
    items = body.get(parameter)
    return len(items) if isinstance(items, list) else 0


def images_of(body: Mapping[str, Json]) -> int:
    """How many images a request has."""
    return count_of(body, "image_urls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What `parameter` is taken as where it is left out, by the number of images from 0."""

    parameter: str
    by_images: tuple[Json, ...]
    source: str


def parse_derived(fields: Mapping[str, Any]) -> Derived:
    """What a model file says of a parameter that is left out."""
    return Derived(
        parameter=fields["parameter"],
        by_images=tuple(fields["by_images"]),
        source=fields["source"],
    )


def parse_rule(fields: Mapping[str, Any]) -> Rule:
    """A rule as a model file has it."""
    rest = {key: value for key, value in fields.items() if key not in _BUILT}
    when = {k: tuple(v) if isinstance(v, list) else (v,) for k, v in fields["when"].items()}
    built: dict[str, Any] = {
        name: (fields[name].get("min", 0), fields[name].get("max"))
        for name in COUNTED
        if fields.get(name)
    }
    built |= {key: tuple(fields.get(key, ())) for key in ("refuses", "ignores", "needs")}
    return Rule(when=when, **built, **rest)


_BUILT = frozenset({"when", "refuses", "ignores", "needs", *COUNTED})
