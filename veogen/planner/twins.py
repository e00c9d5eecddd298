"""Requests that are one and the same, that would write one file, or that are nearly alike."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from veogen.catalogue.parameters import Json
from veogen.document.problems import Problems
from veogen.document.values import Place
from veogen.planner.canonical import canonical
from veogen.planner.lint import folded
from veogen.planner.plan import Request
from veogen.planner.seen import Seen
from veogen.spec.model import PROMPTS

MOST_COMPARED = 10_000
"""Requests of a plan that is still looked through for near-duplicates: nobody reads more."""


class Met(NamedTuple):
    """As much of a request as it takes to tell it from others."""

    address: str
    hash: str
    output: str
    place: Place


class Twins:
    """Watches the requests of a plan. Those that may be twins are looked at again at the end."""

    def __init__(self, most: int) -> None:
        self.seen = Seen()
        self._alike: dict[bytes, Met] | None = {} if most <= MOST_COMPARED else None

    def meet(self, request: Request, problems: Problems) -> None:
        self.seen.add(request.hash)
        if self._alike is not None:
            first = self._alike.setdefault(_likeness(request), met(request))
            if first.hash != request.hash:
                both = f"{request.address} differs from {first.address}"
                message = f"{both} only in case and white space"
                problems.warn(request.place, "near-duplicate", message)

    def tell(self, again: Iterable[Met], problems: Problems) -> None:
        """Tell of the twins; `again` are all requests, asked for only if there may be any."""
        if not self.seen.suspects:
            return
        hashes: dict[str, str] = {}
        paths: dict[tuple[str, str], Met] = {}
        for one in again:
            if one.hash[:10] not in self.seen.suspects:
                continue
            first = hashes.setdefault(one.hash, one.address)
            other = paths.setdefault((one.hash[:10], one.output.casefold()), one)
            if first != one.address:
                message = f"{one.address} is the same request as {first}"
                hint = "'takes' buys one request several times"
                problems.error(one.place, "same-request", message, hint)
            elif other != one:
                message = f"the videos of {one.address} and {other.address} have one path"
                problems.error(one.place, "same-path", message, "write another 'output'")


def met(request: Request) -> Met:
    return Met(request.address, request.hash, request.output, request.place)


def _likeness(request: Request) -> bytes:
    """Equal for bodies that differ only in case and white space of their prompts."""
    return canonical([request.take, {name: _folded(name, request.body) for name in request.body}])


def _folded(name: str, body: Mapping[str, Json]) -> Json:
    value = body[name]
    return folded(value) if name in PROMPTS and isinstance(value, str) else value
