"""Requests and reviews without a spec, and whatever may happen to them in any order."""

from collections.abc import Iterable
from decimal import Decimal

from hypothesis import strategies as st

from support.virtual import VIDEO
from veogen.diff.axis_changes import axis_changes
from veogen.diff.compare import compare, credit_change
from veogen.diff.report import Report, SpecDiff, grouped
from veogen.document.nodes import Location
from veogen.models.parameters import Json
from veogen.planner.identity import request_hash
from veogen.planner.plan import Image, Request
from veogen.results import events
from veogen.results.events import Event

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


HASHES = ("a" * 64, "b" * 64, "c" * 64)


def entry(hash_: str) -> Request:
    return Request(
        address=hash_[:1],
        hash=hash_,
        shot="shot",
        take=1,
        variables={},
        output=hash_[:1],
        body={"model": "m"},
        credits=Decimal("38.016"),
    )


AMOUNTS = st.none() | st.decimals(0, 1000, places=3)
ATTEMPTS = st.integers(1, 3)
HASH = st.sampled_from(HASHES)
TASK = st.sampled_from(["t1", "t2"])
AT = st.floats(0, 1e9)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(events.SubmitIntended, HASH, ATTEMPTS, st.just("k"), st.just("{}"), AMOUNTS, AT),
    st.builds(events.TaskCreated, HASH, ATTEMPTS, TASK, AMOUNTS, AT),
    st.builds(events.SubmitFailed, HASH, ATTEMPTS, st.just("429"), st.just("slow down")),
    st.builds(events.SubmitRejected, HASH, ATTEMPTS, st.just("400"), st.just("no")),
    st.builds(events.SubmitUnknown, HASH, ATTEMPTS, st.just("lost"), st.just("broke")),
    st.builds(events.TaskCompleted, HASH, TASK, st.just(("https://m/1",)), AMOUNTS, AT),
    st.builds(events.TaskFailed, HASH, TASK, st.just("service_error"), st.just("sorry")),
    st.builds(events.VideoSaved, HASH, st.integers(0, 1), st.just(VIDEO.at("videos/a.mp4"))),
    st.builds(events.TaskAdopted, HASH, TASK, AMOUNTS, AT),
    st.builds(events.RequestAbandoned, HASH, st.just("given up")),
    st.builds(
        events.PurchaseImported,
        HASH,
        st.sampled_from(["completed", "failed", "submitted", "indeterminate"]),
        TASK,
        ATTEMPTS,
        AMOUNTS,
        st.none(),
        st.none(),
        st.just((VIDEO.at("videos/a.mp4"),)),
        AMOUNTS,
        AT,
    ),
    st.builds(events.TaskProgressed, HASH, TASK, st.just("processing"), st.just(5)),
)
