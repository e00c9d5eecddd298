"""Queueing, rate limits and chance."""

import time
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from customer import Customer, eventually

from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import running


def test_only_so_many_tasks_are_worked_on_at_once() -> None:
    told = Options(
        generation_time=0.6, gateway=AccountSettings(concurrency=2, clips="shared", spread=0)
    )
    with running(told) as simulator:
        customer = Customer(simulator)
        ids = [customer.submit(seed=seed).json()["id"] for seed in range(1, 6)]

        def states() -> list[str]:
            tasks = customer.ask("POST", "/v1/tasks/batch", json={"task_ids": ids}).json()["data"]
            return [task["status"] for task in tasks]

        first = eventually(states, lambda seen: "processing" in seen)
        later = eventually(states, lambda seen: "completed" in seen)
        eventually(states, lambda seen: set(seen) == {"completed"})
        audit = simulator.audit()

    assert first == ["processing"] * 2 + ["pending"] * 3
    assert later.count("processing") <= 2
    assert later[4] == "pending"
    assert audit["most_in_flight"] == 5


def test_progress_grows() -> None:
    with running(Options(generation_time=0.5)) as simulator:
        customer = Customer(simulator)
        task_id = customer.submit().json()["id"]
        seen: list[int] = []

        def ended() -> str:
            task = customer.read(task_id)
            seen.append(task["progress"])
            return str(task["status"])

        eventually(ended, lambda status: status == "completed")

    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert seen[-1] == 100


def times_of(seed: int, number: int = 60) -> list[float]:
    """How long tasks of a simulator took, by its own account."""
    gateway = AccountSettings(concurrency=number, clips="shared", spread=0.5)
    with running(Options(generation_time=0.2, seed=seed, gateway=gateway)) as simulator:
        customer = Customer(simulator)
        customer.make(seed=10**6)
        ids = [customer.submit(seed=n).json()["id"] for n in range(1, number + 1)]
        tasks: list[dict[str, Any]] = [customer.wait(task_id) for task_id in ids]
    return [task["duration"] for task in tasks]


@pytest.mark.slow
def test_generation_times_are_spread_around_the_median_by_the_seed() -> None:
    first, again, other = (times_of(seed) for seed in (1, 1, 2))

    def apart(one: list[float], two: list[float]) -> float:
        return median(abs(a - b) for a, b in zip(one, two, strict=True))

    assert 0.15 < median(first) < 0.3
    assert max(first) > 1.5 * min(first)
    assert apart(first, again) < 0.03 < apart(first, other)


def test_too_many_submits_in_a_minute_are_refused_and_reads_are_not() -> None:
    gateway = AccountSettings(requests_per_minute=3, retry_after="seconds")
    with running(Options(gateway=gateway)) as simulator:
        customer = Customer(simulator)
        answers = [customer.submit(seed=seed) for seed in range(1, 6)]
        reads = [customer.ask("GET", "/v1/credits").status_code for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 50 <= int(answers[3].headers["Retry-After"]) <= 60
    assert answers[3].json()["error"]["type"] == "rate_limit_error"
    assert reads == [200] * 5


def test_too_many_reads_in_a_minute_are_refused_and_submits_are_not() -> None:
    with running(Options(gateway=AccountSettings(reads_per_minute=3))) as simulator:
        customer = Customer(simulator)
        task_id = customer.submit().json()["id"]

        def many() -> int:
            ids = {"task_ids": [task_id]}
            return customer.ask("POST", "/v1/tasks/batch", json=ids).status_code

        def one() -> int:
            return customer.ask("GET", f"/v1/tasks/{task_id}").status_code

        reads = [read() for read in (one, many, one, one, many)]
        submits = [customer.submit(seed=seed).status_code for seed in range(1, 5)]

    assert reads == [200, 200, 200, 429, 429]
    assert submits == [200] * 4


def test_credits_end() -> None:
    gateway = AccountSettings(credits=Decimal(40))
    with running(Options(gateway=gateway)) as simulator:
        customer = Customer(simulator)
        taken, refused = customer.submit(), customer.submit()

    assert taken.status_code == 200
    assert refused.status_code == 402
    assert refused.json()["error"] == {
        "code": "insufficient_user_quota",
        "message": "the balance is not enough",
        "type": "insufficient_quota_error",
        "param": "",
        "estimated_credits": 38.016,
        "account_balance_credits": 1.984,
        "remaining_credits": 1.984,
    }


@pytest.mark.slow
def test_links_expire() -> None:
    with running(
        Options(generation_time=0, gateway=AccountSettings(links_expire=3, clips="shared"))
    ) as simulator:
        customer = Customer(simulator)
        [link] = customer.make()["results"]
        alive = customer.fetch(link).status_code
        dead = eventually(lambda: customer.fetch(link), lambda answer: answer.status_code == 403)

    assert alive == 200
    assert dead.text == "the link has expired"


def test_a_read_takes_no_time() -> None:
    with running(Options(generation_time=60)) as simulator:
        customer = Customer(simulator)
        task_id = customer.submit(quality="4k", duration=8).json()["id"]
        before = time.monotonic()
        for _ in range(50):
            customer.read(task_id)
        spent = time.monotonic() - before

    assert spent < 30  # half of what the task itself takes, on however busy a machine
