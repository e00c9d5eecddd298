"""Requests, and whatever may happen to them in any order."""

from decimal import Decimal

from hypothesis import strategies as st

from support.virtual import VIDEO
from veogen.planner.plan import Request
from veogen.results import events
from veogen.results.events import Event

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
