"""Requests that are one and the same, or nearly."""

from collections.abc import Mapping

from veogen.catalogue.parameters import Json
from veogen.document.problems import Problems
from veogen.planner.canonical import canonical
from veogen.planner.layers import PROMPTS
from veogen.planner.lint import folded
from veogen.planner.plan import Request

MOST_COMPARED = 10_000
"""Requests of a plan that are looked at for near-duplicates: beyond, nobody reads warnings."""


class Twins:
    """Remembers the requests of a plan and tells of those that were there before."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}
        self._alike: dict[bytes, str] = {}
        self.met = 0

    def meet(self, request: Request, problems: Problems) -> None:
        self.met += 1
        first = self._addresses.setdefault(request.hash, request.address)
        if first != request.address:
            message = f"{request.address} is the same request as {first}"
            hint = "'takes' buys one request several times"
            problems.error(request.place, "same-request", message, hint)
        elif len(self._alike) < MOST_COMPARED:
            self._compare(request, problems)

    def _compare(self, request: Request, problems: Problems) -> None:
        first = self._alike.setdefault(_likeness(request), request.address)
        if first != request.address:
            message = f"{request.address} differs from {first} only in case and white space"
            problems.warn(request.place, "near-duplicate", message)


def _likeness(request: Request) -> bytes:
    return canonical([request.take, {name: _folded(name, request.body) for name in request.body}])


def _folded(name: str, body: Mapping[str, Json]) -> Json:
    value = body[name]
    return folded(value) if name in PROMPTS and isinstance(value, str) else value
