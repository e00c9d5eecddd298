"""Whether a plan that was read from a file is sound: that it was made, and not made up."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import PurePosixPath

from veogen.document.files import OutsideRootError, inside
from veogen.document.problems import Problem
from veogen.document.shape import amount
from veogen.document.values import Map, Place
from veogen.planner.address import address
from veogen.planner.canonical import FILE, request_hash
from veogen.planner.output import BadPathError, output_path
from veogen.planner.plan import Request


def contradictions(totals: Map, requests: tuple[Request, ...], place: Place) -> Iterator[Problem]:
    """What a plan says of itself that is not so: nobody reviewed what it would buy."""
    seen: set[str] = set()
    for request in requests:
        for message in _request_contradictions(request, seen):
            yield Problem(request.place, "error", "plan", f"{request.address}: {message}")
        seen.update((request.address, request.hash))
    counted = (len(requests), sum(request.videos for request in requests))
    if (totals["requests"], totals["videos"]) != counted:
        message = "the totals are not those of the requests"
        yield Problem(place, "error", "plan", message)
    prices = [request.credits for request in requests]
    known = sum((price for price in prices if price is not None), Decimal(0))
    if amount(totals["credits"]) != (None if None in prices else known):
        message = "the credits of the totals are not the sum of those of the requests"
        yield Problem(place, "error", "plan", message)


def _request_contradictions(request: Request, seen: set[str]) -> Iterator[str]:
    if request.address in seen or request.hash in seen:
        yield "it stands in this plan twice"
    if request.address != address(request.shot, request.variables, request.take):
        yield "the address is not made of its shot, variables and take"
    if request.hash != request_hash(request.body, request.take, request.images):
        yield "the hash is not that of the request: it was edited by hand"
    if not _is_path(request.output):
        yield f"the output {request.output!r} is not a path below the run directory"
    urls = request.body.get("image_urls")
    local = [u for u in urls if str(u).startswith(FILE)] if isinstance(urls, list) else []
    if set(local) != {FILE + image.path for image in request.images}:
        yield "its images are not those of the request"
    for image in request.images:
        if not _is_inside(image.path):
            yield f"{image.path!r} leaves the project"


def _is_path(output: str) -> bool:
    try:
        return output_path(output) == output
    except BadPathError:
        return False


def _is_inside(path: str) -> bool:
    try:
        return str(inside(PurePosixPath(), path)) == path
    except OutsideRootError:
        return False
