"""What a plan is estimated at is what its requests are, each by the gateway's price rule."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.project import Project

from veogen.planner.plan import totals_of
from veogen.spec.load import load_spec

SHOTS = st.lists(
    st.tuples(
        st.sampled_from([4, 6, 8]),
        st.integers(1, 4),
        st.booleans(),
        st.sampled_from(["720p", "1080p", "4k"]),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=5,
)


def price(seconds: int, number: int, quality: str, *, audio: bool) -> Decimal:
    """The rule of 2026-10-10, in fractions: nothing shared with the code that is tested."""
    times = {
        (False, False): Fraction(1),
        (False, True): Fraction(3, 2),
        (True, False): Fraction(3),
        (True, True): Fraction(351, 100),
    }[quality == "4k", audio]
    exact = max(Fraction(6336, 1000) * seconds * number * times, Fraction(25344, 1000))
    return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.001"), ROUND_HALF_UP)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SHOTS)
def test_the_estimate_of_a_plan_is_the_sum_of_its_requests(
    project: Project, shots: list[tuple[int, int, bool, str, int]]
) -> None:
    text = "".join(
        f"  - {{name: s{index}, prompt: 'shot {index}', takes: {takes}, params: {{duration: "
        f"{seconds}, n: {number}, generate_audio: {str(audio).lower()}, quality: {quality}}}}}\n"
        for index, (seconds, number, audio, quality, takes) in enumerate(shots)
    )
    plan = project.plan(f"shots:\n{text}")

    totals = totals_of(plan.requests, load_spec(Path("a.yaml")).policy.models)

    expected = [
        price(seconds, number, quality, audio=audio)
        for seconds, number, audio, quality, takes in shots
        for _ in range(takes)
    ]
    assert [request.credits for request in plan.requests] == expected
    assert totals.credits == sum(expected)
    assert totals.videos == sum(number * takes for _, number, _, _, takes in shots)
    assert totals.seconds == sum(seconds * number * takes for seconds, number, _, _, takes in shots)


@pytest.mark.parametrize("number", [1, 2])
def test_an_estimate_is_never_below_the_least_of_a_request(project: Project, number: int) -> None:
    [request] = project.requests(
        f"shots: [{{name: a, prompt: x, params: {{n: {number}, generate_audio: false}}}}]"
    )

    assert request.credits == Decimal("25.344") * number
