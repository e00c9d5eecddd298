"""Locks: their bytes, that they read back as what they were, and what counts as drift."""

from dataclasses import replace
from decimal import Decimal

import pytest
import yaml
from support.galleries import picture
from support.project import Project

from veogen.document.nodes import Location
from veogen.document.problems import MistakesError
from veogen.document.reader import read
from veogen.lockfile import LoadedPlan, drift, lock_text, moved_price, read_lock
from veogen.models.model import Model, shipped
from veogen.models.prices import Price
from veogen.planner.plan import Plan

NOWHERE = Location("", 1, 1)
FAST = "veo-3.1-fast-generate-preview"
SPEC = """\
params: {duration: 8}
budget: {max_credits: 1000}
profiles: {draft: {params: {quality: 720p}}}
shots:
  - name: opening
    prompt: |
      {{ city }} at dusk.
      No people.
    matrix: {city: [Tokyo, "no"], aspect_ratio: [16:9]}
    params: {image_urls: ["a.png"]}
  - {name: end, prompt: The lamp goes out, takes: 2}
"""

LOCK = """\
# Written by 'veogen lock': what was approved, to be reviewed and committed.
# Change the spec and lock again; what is edited here by hand is refused.
format: veogen.plan/1
name: a
spec: a.yaml
profile: draft
set:
  - params.seed=7
budget:
  max_credits: "1000"
prices:
  veo-3.1-fast-generate-preview:
    date: "2026-10-10"
    source: the gateway's public price rules, default group
    credits_per_usd: "68"
totals:
  requests: 1
  videos: 1
  seconds: 8
  credits: "76.032"
  usd: "1.12"
requests:
  - address: "opening[aspect_ratio=16:9,city=no]"
    hash: {hash}
    shot: opening
    take: 1
    variables:
      aspect_ratio: "16:9"
      city: "no"
    output: opening/16-9-no
    credits: "76.032"
    request:
      aspect_ratio: "16:9"
      duration: 8
      image_urls:
        - file:a.png
      model: veo-3.1-fast-generate-preview
      prompt: |-
        no at dusk.
        No people.
      quality: "720p"
      seed: 7
    images:
      - path: a.png
        sha256: {sha256}
        bytes: {bytes}
"""


@pytest.fixture(autouse=True)
def image(project: Project) -> None:
    project.write("a.png", picture())


def locked(plan: Plan) -> LoadedPlan:
    return read_lock(lock_text(plan, shipped()).encode(), "a.lock.yaml")


def dearer(models: dict[str, Model]) -> dict[str, Model]:
    price = models[FAST].price
    assert isinstance(price, Price)
    risen = replace(price, date="2026-12-01", credits=price.credits * 2)
    return {**models, FAST: replace(models[FAST], price=risen)}


def test_a_lock_is_the_plan_as_a_reviewer_reads_it(project: Project) -> None:
    found = project.plan(SPEC, profile="draft", settings=("params.seed=7",))
    one = replace(found, requests=found.requests[1:2])

    [request] = one.requests
    [image_] = request.images
    quoted = request.hash if not request.hash[0].isdigit() else f'"{request.hash}"'
    sha256 = image_.sha256 if not image_.sha256[0].isdigit() else f'"{image_.sha256}"'

    assert lock_text(one, shipped()) == LOCK.format(hash=quoted, sha256=sha256, bytes=image_.bytes)


def test_readers_of_both_versions_of_yaml_read_the_same(project: Project) -> None:
    text = lock_text(project.plan(SPEC), shipped())

    assert yaml.safe_load(text) == read(text.encode(), "a.lock.yaml")


def test_a_lock_reads_back_as_the_plan_it_was_made_of(project: Project) -> None:
    plan = project.plan(SPEC, settings=("params.seed=7",))

    stored = locked(plan)

    assert [replace(r, place=NOWHERE) for r in stored.plan.requests] == [
        replace(r, place=NOWHERE) for r in plan.requests
    ]
    assert not drift(stored.plan, plan)
    assert lock_text(stored.plan, shipped()) == lock_text(plan, shipped())


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        pytest.param("shots", "name: b\nshots", "name: a → b", id="name"),
        pytest.param(
            "1000", "900", "budget.max_credits: 1000 → 900", id="a budget that was lowered"
        ),
        pytest.param(
            "{max_credits: 1000}",
            "{}",
            "budget.max_credits: 1000 → nothing",
            id="a budget that is gone",
        ),
        pytest.param(
            '[Tokyo, "no"]', '["no", Tokyo]', "the order of the requests", id="another order"
        ),
    ],
)
def test_what_a_lock_holds_beside_its_requests_counts(
    project: Project, old: str, new: str, fact: str
) -> None:
    before = project.plan(SPEC)

    after = project.plan(SPEC.replace(old, new))

    found = drift(before, after)
    assert (found.facts, bool(found.difference)) == ((fact,), False)


def test_settings_count_though_they_change_no_request(project: Project) -> None:
    before = project.plan(SPEC, settings=("vars.mood=quiet",))

    assert drift(before, project.plan(SPEC)).facts == ("--set: vars.mood=quiet → nothing",)


def test_an_image_with_other_bytes_is_drift(project: Project) -> None:
    before = project.plan(SPEC)
    project.write("a.png", picture(size=(1280, 721)))

    found = drift(before, project.plan(SPEC))

    assert [list(change.fields) for change in found.difference.changed] == [["image_urls"]] * 2


def test_a_price_that_moved_is_a_note_and_no_drift(project: Project) -> None:
    stored = locked(project.plan(SPEC))

    now = project.plan(SPEC, models=dearer(dict(shipped())))

    assert not drift(stored.plan, now)
    assert moved_price(stored, now) == (
        "a price moved since prices of 2026-10-10: 304.128 credits → 608.256 credits "
        "for the same requests"
    )


def test_a_price_that_did_not_move_is_not_worth_a_note(project: Project) -> None:
    plan = project.plan(SPEC)

    assert moved_price(locked(plan), plan) is None


def test_a_lock_holds_the_estimates_of_its_day(project: Project) -> None:
    stored = locked(project.plan(SPEC))

    assert stored.rates[FAST] is not None
    assert sum(r.credits or 0 for r in stored.plan.requests) == Decimal("304.128")


TAMPERED = [
    pytest.param("No people.", "No people, no cars.", "the hash is not that", id="a prompt"),
    pytest.param("duration: 8", "duration: 6", "the hash is not that", id="a parameter"),
    pytest.param("take: 1", "take: 2", "the address is not made of", id="a take"),
    pytest.param("file:a.png", "file:b.png", "its images are not those", id="an image"),
    pytest.param("path: a.png", "path: ../a.png", "leaves the project", id="a path"),
    pytest.param(
        "output: opening/16-9-no", "output: ../../x", "is not a path below", id="an output"
    ),
    pytest.param("requests: 4", "requests: 3", "the totals are not those", id="a count"),
    pytest.param('credits: "304', 'credits: "30', "are not the sum", id="a sum"),
    pytest.param("name: a\n", "name: ../a\n", "is not a name", id="a name"),
    pytest.param("veogen.plan/1", "veogen.plan/2", "reads 'veogen.plan/1'", id="a format"),
    pytest.param("images:", "imagse:", "'imagse' is not a key", id="a key"),
]


@pytest.mark.parametrize(("old", "new", "told"), TAMPERED)
def test_a_lock_that_was_edited_by_hand_is_refused(
    project: Project, old: str, new: str, told: str
) -> None:
    text = lock_text(project.plan(SPEC), shipped())
    assert old in text

    with pytest.raises(MistakesError) as caught:
        read_lock(text.replace(old, new).encode(), "a.lock.yaml")

    assert told in str(caught.value)


def test_a_request_that_stands_in_a_lock_twice_is_refused(project: Project) -> None:
    plan = project.plan(SPEC)
    twice = replace(plan, requests=(*plan.requests, plan.requests[0]))

    with pytest.raises(MistakesError, match="it stands in this plan twice"):
        locked(twice)


def test_a_spec_is_not_a_lock() -> None:
    with pytest.raises(MistakesError, match="a plan needs 'format'"):
        read_lock(b"veogen: 1\nshots: []\n", "a.yaml")


def test_an_unknown_price_is_null_and_reads_back_as_unknown(project: Project) -> None:
    unpriced = {**shipped(), FAST: replace(shipped()[FAST], price=None)}
    plan = project.plan(SPEC.replace("budget: {max_credits: 1000}\n", ""), models=unpriced)

    text = lock_text(plan, unpriced)
    stored = read_lock(text.encode(), "a.lock.yaml")

    assert f"prices:\n  {FAST}: null\ntotals:\n" in text
    assert stored.rates == {FAST: None}
    assert [request.credits for request in stored.plan.requests] == [None] * 4
    assert moved_price(stored, project.plan(SPEC)) == (
        "a price moved since it was locked: unknown → 304.128 credits for the same requests"
    )
