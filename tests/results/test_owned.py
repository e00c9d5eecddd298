"""What a run would do about a request, judged by what is owned."""

import time

import pytest

from veogen.results.events import Status
from veogen.results.facts import Failure
from veogen.results.manifest import Manifest, ManifestLine, Owned, PlanState

ADDRESS = "city[name=Tokyo]"


def line(number: int, status: Status = "completed") -> ManifestLine:
    return ManifestLine(
        address=ADDRESS,
        hash=f"{number:064x}",
        shot="city",
        take=1,
        variables={"name": "Tokyo"},
        status=status,
        task_id=f"task-{number}",
        attempts=1,
        credits=None,
        error=Failure("content_filter", "no") if status == "failed" else None,
        videos=(),
    )


def holdings(*former: ManifestLine) -> Owned:
    return Owned.of_manifest(Manifest(name="trip", gateway="evolink", results=(), former=former))


@pytest.mark.parametrize(
    ("known", "state"),
    [
        pytest.param((), "new", id="nothing is known"),
        pytest.param((line(1),), "bought", id="it is bought"),
        pytest.param((line(1, "indeterminate"),), "bought", id="it may be"),
        pytest.param((line(1, "failed"),), "failed", id="it failed"),
        pytest.param((line(2),), "changed", id="its address was bought as something else"),
        pytest.param((line(2), line(1, "planned")), "changed", id="and it is planned"),
        pytest.param((line(2, "failed"),), "new", id="what failed there was not bought"),
    ],
)
def test_a_request_is_judged_by_its_hash_and_then_by_its_address(
    known: tuple[ManifestLine, ...], state: PlanState
) -> None:
    assert holdings(*known).state(ADDRESS, line(1).hash) == state


def test_many_purchases_under_one_address_are_taken_in_good_time() -> None:
    former = [line(number) for number in range(40_000)]
    start = time.process_time()

    found = holdings(*former)

    assert time.process_time() - start < 5
    assert found.by_address == {ADDRESS: [one.hash for one in former]}
