from email.utils import parsedate_to_datetime

import pytest

from veogen.simulator.refusals import RateLimit, RefusedError, retry_after


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def admitted(limit: RateLimit) -> bool:
    try:
        limit.admit()
    except RefusedError:
        return False
    return True


def test_a_minute_slides() -> None:
    clock = Clock()
    limit = RateLimit(2, "none", clock)
    seen = []
    for moment in (0, 30, 59, 60, 61, 90, 91):
        clock.now = moment
        seen.append((moment, admitted(limit)))

    assert seen == [
        (0, True),
        (30, True),
        (59, False),
        (60, True),
        (61, False),
        (90, True),
        (91, False),
    ]


def test_a_refusal_says_when_the_next_is_taken() -> None:
    clock = Clock()
    limit = RateLimit(1, "seconds", clock)
    limit.admit()
    clock.now = 12.5

    with pytest.raises(RefusedError) as caught:
        limit.admit()

    assert caught.value.refusal.status == 429
    assert caught.value.refusal.headers == {"Retry-After": "48"}


def test_retry_after_has_three_forms() -> None:
    date = retry_after(30, "date")["Retry-After"]

    assert retry_after(30, "seconds") == {"Retry-After": "30"}
    assert retry_after(30, "none") == {}
    assert parsedate_to_datetime(date).tzinfo is not None


def test_no_limit_takes_everything() -> None:
    limit = RateLimit(None, "none", Clock())

    assert all(admitted(limit) for _ in range(1000))
