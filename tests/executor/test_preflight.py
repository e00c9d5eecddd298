"""The free look at the gateway before anything is sent: what it says against buying."""

import pytest
from support.virtual import VirtualClock, VirtualGateway

from veogen.executor.connect import Preflight, SilentGatewayError, preflight
from veogen.executor.transitions import Stop
from veogen.gateway.api import ReadError

MODEL = "veo-3.1-fast-generate-preview"


def look(answer: frozenset[str] | ReadError) -> Preflight:
    clock = VirtualClock()
    return preflight(
        VirtualGateway(clock, model_ids=answer),
        [MODEL],
        clock=clock,
        random=lambda: 1.0,
        silence=60.0,
        say=lambda _: None,
    )


def unread(status: int | None, *, denied: bool = False, reached: bool = True) -> ReadError:
    return ReadError(code="a_code", message="why", status=status, denied=denied, reached=reached)


@pytest.mark.parametrize(
    ("answer", "stop"),
    [
        pytest.param(frozenset({MODEL, "other"}), None, id="listed"),
        pytest.param(frozenset[str](), None, id="an empty list"),
        pytest.param(
            frozenset({"other"}),
            Stop("model", f"the key may not use {MODEL}; nothing was sent"),
            id="not listed",
        ),
        pytest.param(
            unread(401, denied=True),
            Stop("refused", "why (a_code); nothing was sent"),
            id="a key that is no good",
        ),
        pytest.param(unread(403, denied=True), None, id="a key that may not list models"),
        pytest.param(unread(404), None, id="no such list"),
        pytest.param(unread(500), None, id="an error"),
        pytest.param(unread(None), None, id="garbage"),
    ],
)
def test_only_what_surely_ends_in_a_refusal_stops_the_buying(
    answer: frozenset[str] | ReadError, stop: Stop | None
) -> None:
    assert look(answer) == Preflight("evolink", stop)


def test_a_gateway_that_does_not_answer_is_waited_for_and_then_given_up() -> None:
    with pytest.raises(SilentGatewayError, match=r"has not answered for 60 s \(why\)"):
        look(unread(None, reached=False))
