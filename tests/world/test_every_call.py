"""Whatever call goes wrong, once and in whatever way: nothing is bought twice, or lost, or stuck."""

import pytest

from world.every_call import DECISIONS, TALE, WAYS, calls_of_decision, decided, failures
from world.play import play


def test_the_story_itself_holds() -> None:
    seen = play(TALE)

    assert seen.violations == ()
    assert seen.calls > 200


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
def test_each_call_goes_wrong_once(way: str) -> None:
    assert list(failures(TALE, way)) == []


@pytest.mark.parametrize("second", ["abandon", "rebuy"])
@pytest.mark.parametrize("first", DECISIONS)
def test_a_decision_is_made_once(first: str, second: str) -> None:
    assert play(decided(first, second)).violations == ()


@pytest.mark.slow
@pytest.mark.parametrize("second", DECISIONS)
@pytest.mark.parametrize("first", DECISIONS)
def test_of_two_who_decide_at_once_one_has_something_sent(first: str, second: str) -> None:
    """The second one begins so many seconds after the first, who then ends within four."""
    seen = [play(decided(first, second, wait=tenths / 10)) for tenths in range(0, 40, 4)]

    assert [each.violations for each in seen] == [()] * len(seen)
    assert max(each.tasks for each in seen) <= 2


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("second", "way"), [("abandon", "killed"), ("abandon", "after"), ("rebuy", "killed")]
)
@pytest.mark.parametrize("first", DECISIONS)
def test_a_decision_is_made_once_wherever_it_breaks_off(first: str, second: str, way: str) -> None:
    """Who decides dies, or is not answered, at each call; another one finds what is in the store."""
    tale = decided(first, second)

    assert list(failures(tale, way, calls_of_decision(tale))) == []
