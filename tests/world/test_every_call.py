"""Whatever call goes wrong, once and in whatever way: nothing is bought twice, or lost, or stuck."""

import pytest

from world.every_call import TALE, WAYS, failures
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
