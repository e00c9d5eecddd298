"""Requests and reviews without a spec, for tests that compare them."""

from collections.abc import Iterable
from decimal import Decimal

from veogen.diff.axis_changes import axis_changes
from veogen.diff.compare import compare, credit_change
from veogen.diff.report import Report, SpecDiff, grouped
from veogen.document.nodes import Location
from veogen.models.parameters import Json
from veogen.planner.identity import request_hash
from veogen.planner.plan import Image, Request

MODEL = "veo-3.1-fast-generate-preview"
PRICE = Decimal("38.016")


def request(
    address: str,
    prompt: str = "a boat",
    *,
    output: str = "x",
    credits_: Decimal | None = PRICE,
    images: tuple[Image, ...] = (),
    **params: Json,
) -> Request:
    """A request of one axis named like its address."""
    body: dict[str, Json] = {"model": MODEL, "prompt": prompt, **params}
    if images:
        body["image_urls"] = [f"file:{image.path}" for image in images]
    return Request(
        address=address,
        hash=request_hash(body, 1, images),
        shot="s",
        take=1,
        variables={},
        output=output,
        body=body,
        images=images,
        credits=credits_,
        seconds=4,
        place=Location("a.yaml", 1, 1),
    )


def report(
    old: Iterable[Request], new: Iterable[Request], *, name: str = "a", notes: tuple[str, ...] = ()
) -> Report:
    """The difference of two plans as the command line makes it ready."""
    before, after = tuple(old), tuple(new)
    difference = compare(before, after)
    axes, rest = axis_changes(difference, before, after)
    held = {one.hash for one in before}
    review = SpecDiff(
        name=name,
        spec="specs/a.yaml",
        old="HEAD:specs/a.yaml",
        new="specs/a.yaml",
        difference=difference,
        axes=axes,
        rest=rest,
        groups=grouped(difference.changed),
        money=credit_change(before, after, lambda one: one.hash in held),
        notes=notes,
    )
    return Report(reviews=(review,))
