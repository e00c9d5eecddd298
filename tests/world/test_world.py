"""The world itself: a seed replays, what it would find is found, and some seeds hold."""

import pytest

from world.play import play
from world.stories import Story, shrunk, story


def test_a_seed_is_played_the_same_again() -> None:
    told: list[list[str]] = [[], []]

    seen = [play(story(9), lines.append, calls=False) for lines in told]

    assert seen[0] == seen[1]
    assert told[0] == told[1]


def test_a_failing_story_is_shrunk_to_the_steps_that_it_takes() -> None:
    def buys_and_then_waits(candidate: Story) -> bool:
        kinds = [step.kind for step in candidate.steps]
        return "buy" in kinds and "wait" in kinds[kinds.index("buy") :]

    long = next(s for s in map(story, range(100)) if buys_and_then_waits(s))

    assert [step.kind for step in shrunk(long, buys_and_then_waits).steps] == ["buy", "wait"]


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(10, 60, 10))]
)
def test_seeds_hold(first: int) -> None:
    """A few of them that are always the same; the whole check plays hundreds of new ones."""
    seen = {seed: play(story(seed)).violations for seed in range(first, first + 10)}

    assert {seed: violations for seed, violations in seen.items() if violations} == {}
