"""The rules of the store, small: what several machines can do, in every order of their steps.

Time is counted in looks: a POST leaves at the moment of its last look or after a new one, and a
machine of which nothing was seen for two moments is silent. The environment lets time pass.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from support.stores import Process, Step, explore

SILENT = 2
"""Moments without a sign; a POST waits for none without another look."""

LOST = "lost"


@dataclass
class Shared:
    """The store, the gateway, the time, and what was decided by a person."""

    objects: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    posts: tuple[tuple[int, str], ...] = ()
    carried_out: int | None = None
    now: int = 0
    spent: int = 0

    def state(self) -> Hashable:
        objects = tuple(sorted(self.objects.items()))
        seen = tuple(sorted(self.seen.items()))
        return objects, seen, self.posts, self.carried_out, self.now, self.spent

    def copy(self) -> "Shared":
        return replace(self, objects=dict(self.objects), seen=dict(self.seen))


def step(do: Callable[[Shared], Hashable]) -> Step:
    return Step((do,))


def read(name: str) -> Step:
    return step(lambda world: world.objects.get(name))


def now() -> Step:
    return step(lambda world: world.now)


def create(name: str, value: Hashable, by: str, *, loses: bool = False) -> Step:
    """Create only if absent. With `loses` the answer may be lost, before or after it was done."""

    def done(world: Shared) -> Hashable:
        if name in world.objects:
            return False
        world.objects[name] = value
        world.seen[by] = world.now
        return True

    def answer_lost(world: Shared) -> Hashable:
        done(world)
        return LOST

    def request_lost(_: Shared) -> Hashable:
        return LOST

    return Step((done, answer_lost, request_lost) if loses else (done,))


def sign(by: str) -> Step:
    def signed(world: Shared) -> Hashable:
        world.seen[by] = world.now
        return None

    return step(signed)


def is_silent(who: str) -> Step:
    return step(lambda world: world.now - world.seen.get(who, 0) >= SILENT)


def post(attempt: int, by: str, looked: int) -> Step:
    """A POST that leaves now, unless its look is old: then it does not leave."""

    def posted(world: Shared) -> Hashable:
        if world.now != looked:
            return False
        world.posts = (*world.posts, (attempt, by))
        return True

    return step(posted)


def settled(name: str, by: str, *, loses: bool = False) -> "Settling":
    """Create a claim; a lost answer is settled by reading it back, an absent one is tried again."""
    answer: Any = LOST
    while answer == LOST:
        answer = yield create(name, by, by, loses=loses)
        owner = True if answer is True else (yield read(name))
        if owner is not None:
            return owner in (True, by)
        loses = False  # one loss is enough: it begins as before
    return False


Settling = Any


def passing(moments: int) -> Process:
    def tick(world: Shared) -> Hashable:
        world.now += 1
        return None

    for _ in range(moments):
        yield step(tick)


def buyer(me: str, attempt: int = 1, *, loses: bool = False) -> Process:
    """Claim an attempt and send it, however long that takes."""
    looked = yield now()
    if not (yield from settled(f"claim/{attempt}", me, loses=loses)):
        return
    yield from sending(me, attempt, looked)


def sending(me: str, attempt: int, looked: int) -> Any:
    while not (yield post(attempt, me, looked)):
        looked = yield now()
        yield sign(me)
        ends = (f"decision/{attempt}", f"claim/{attempt + 1}", f"closed/{me}")
        for name in ends:
            if (yield read(name)) is not None:
                return False
    yield create(f"task/{attempt}", me, me)
    return True


def decider(me: str, whose: str, kind: str) -> Process:
    """A person has a claim without a task id bought anew or sent again."""
    if (yield read("claim/1")) is None or (yield read("task/1")) is not None:
        return
    if not (yield is_silent(whose)):
        return
    if not (yield create("decision/1", kind, me)):
        return
    if not (yield is_silent(whose)):
        return

    def carried_out(world: Shared) -> Hashable:
        world.carried_out = len(world.posts)
        return world.now

    looked = yield step(carried_out)
    attempt = 1
    if kind == "rebuy":
        attempt = 2
        looked = yield now()
        if not (yield from settled("claim/2", me)):
            return
    yield from sending_decided(me, attempt, looked)


def sending_decided(me: str, attempt: int, looked: int) -> Any:
    while not (yield post(attempt, me, looked)):
        looked = yield now()
        yield sign(me)
        if (yield read(f"closed/{me}")) is not None:
            return


def no_attempt_twice(world: Shared, trail: tuple[str, ...]) -> None:
    """Without a person nothing is sent by two, and only one attempt is."""
    senders = {by for _, by in world.posts}
    assert len(senders) <= 1, trail
    assert len(world.posts) <= 1, trail


def nothing_after_a_decision(world: Shared, trail: tuple[str, ...]) -> None:
    """Whoever was decided about sends nothing once the decision was carried out."""
    if world.carried_out is not None:
        late = [by for _, by in world.posts[world.carried_out :] if by == "a"]
        assert late == [], trail
    decided = [by for _, by in world.posts if by != "a"]
    assert len(decided) <= 1, trail


@pytest.mark.parametrize("loses", [False, True], ids=["answers come", "answers are lost"])
def test_of_three_machines_that_want_one_request_one_buys_it(loses: bool) -> None:
    machines = [partial(buyer, m, loses=loses) for m in "abc"]

    states = explore(Shared(), machines, no_attempt_twice, crashes=2)

    assert states > 100


@pytest.mark.parametrize("kind", ["rebuy", "replay"])
def test_a_machine_that_wakes_sends_nothing_over_which_was_decided(kind: str) -> None:
    processes = [
        lambda: buyer("a", loses=True),
        lambda: decider("p", "a", kind),
        lambda: passing(3),
    ]

    states = explore(Shared(), processes, nothing_after_a_decision, crashes=1)

    assert states > 100


def test_of_two_people_who_decide_at_once_one_does() -> None:
    processes = [
        lambda: buyer("a"),
        lambda: decider("p", "a", "rebuy"),
        lambda: decider("q", "a", "replay"),
        lambda: passing(3),
    ]

    assert explore(Shared(), processes, nothing_after_a_decision) > 100


def successor(me: str, before: str) -> Process:
    """The next process of a journal, or of a copy of it: it sends again what was not answered.

    It looks whether the one before is silent after it has read that one's claim: a claim is a sign.
    """
    if not (yield is_silent(before)) or not (yield create(f"closed/{before}", me, me)):
        return
    if (yield read("claim/1")) != before or (yield read("task/1")) is not None:
        return
    if not (yield is_silent(before)):
        return

    def carried_out(world: Shared) -> Hashable:
        world.carried_out = len(world.posts)
        return world.now

    looked = yield step(carried_out)
    yield from sending_decided(me, 1, looked)


def test_a_journal_and_its_copy_are_never_both_the_next_process() -> None:
    processes = [
        lambda: buyer("a"),
        lambda: successor("b", "a"),
        lambda: successor("c", "a"),
        lambda: passing(3),
    ]

    assert explore(Shared(), processes, nothing_after_a_decision, crashes=1) > 100


def next_attempt(me: str) -> Process:
    """A second attempt by whoever has seen the end of the first; `a` writes that it failed."""
    if (yield read("ended/1")) is None:
        return
    yield from buyer(me, 2)


def failing(me: str) -> Process:
    yield from buyer(me)
    if (yield read("task/1")) == me:
        yield create("ended/1", me, me)
        yield from buyer(me, 2)


def each_attempt_once(world: Shared, trail: tuple[str, ...]) -> None:
    attempts = [attempt for attempt, _ in world.posts]
    assert len(attempts) == len(set(attempts)), trail
    assert 2 not in attempts or "ended/1" in world.objects, trail


def test_the_next_attempt_is_bought_once_and_after_the_end_of_the_one_before() -> None:
    processes = [lambda: failing("a"), lambda: next_attempt("b"), lambda: next_attempt("c")]

    assert explore(Shared(), processes, each_attempt_once, crashes=1) > 100


BUDGET = 2


def chain_of(world: Shared) -> tuple[tuple[str, int], ...]:
    records: list[tuple[str, int]] = []
    while (record := world.objects.get(f"money/{len(records)}")) is not None:
        records.append(record)
    return tuple(records)


def spender(me: str, wants: int) -> Process:
    """Take pieces of the budget, spend them, give back what is left over, unless it is closed."""
    allowance, spent, signed = 0, 0, -1
    while spent < wants:
        at = yield now()
        if at != signed:
            signed = at
            yield sign(me)
            if (yield read(f"closed/{me}")) is not None:
                break
        if allowance == spent:
            chain = yield step(chain_of)
            left = BUDGET - sum(amount for _, amount in chain)
            piece = min(2, left)
            if piece <= 0:
                break
            if (yield create(f"money/{len(chain)}", (me, piece), me)):
                allowance += piece
            continue
        yield from buying_for_one(me, signed)
        spent += 1
    yield from giving_back(me)


def buying_for_one(me: str, signed: int) -> Any:
    def claimed_and_posted(world: Shared) -> Hashable:
        if world.now != signed:
            return False
        world.objects[f"bought/{world.spent}"] = me
        world.spent += 1
        return True

    while not (yield step(claimed_and_posted)):
        signed = yield now()
        yield sign(me)
        if (yield read(f"closed/{me}")) is not None:
            return


def giving_back(whose: str) -> Any:
    """Append what is left over of a process's pieces: nobody spends from them any more."""
    appended = False
    while not appended:
        chain = yield step(chain_of)
        bought = yield step(
            lambda world: sum(
                name.startswith("bought/") and by == whose for name, by in world.objects.items()
            )
        )
        left_over = sum(amount for who, amount in chain if who == whose) - bought
        if left_over <= 0:
            return
        appended = yield create(f"money/{len(chain)}", (whose, -left_over), f"-{whose}")


def closer(whose: str) -> Process:
    """A person says that a machine is gone: its piece comes back if it is silent."""
    yield create(f"closed/{whose}", "p", "p")
    if (yield is_silent(whose)):
        yield from giving_back(whose)


def within_the_budget(world: Shared, trail: tuple[str, ...]) -> None:
    assert world.spent <= BUDGET, trail


def test_three_machines_never_pass_the_budget() -> None:
    processes = [partial(spender, m, 2) for m in "abc"]

    assert explore(Shared(), processes, within_the_budget, crashes=1) > 100


@pytest.mark.slow
@pytest.mark.slow
def test_a_closed_machine_that_wakes_passes_no_budget() -> None:
    processes = [
        lambda: spender("a", 2),
        lambda: spender("b", 1),
        lambda: closer("a"),
        lambda: passing(SILENT),
    ]

    assert explore(Shared(), processes, within_the_budget, crashes=1) > 100


def deliverer(me: str) -> Process:
    yield create("clip", me, me)
    yield create("completed", me, me)


def test_whoever_reads_that_a_request_is_completed_can_fetch_its_clip() -> None:
    def clip_first(world: Shared, trail: tuple[str, ...]) -> None:
        assert "completed" not in world.objects or "clip" in world.objects, trail

    processes = [lambda: deliverer("a"), lambda: deliverer("b")]

    assert explore(Shared(), processes, clip_first, crashes=2) > 10
