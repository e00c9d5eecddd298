"""A judge that remembers says of each request what one says that sees nothing else."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from veogen.models.model import Model, shipped
from veogen.models.parameters import Json
from veogen.planner.checks import RequestChecker

MODELS = {**shipped(), "theirs": Model.unknown("theirs")}
VALUES: Mapping[str, list[Json]] = {
    "model": [*MODELS, "veo", None],
    "prompt": ["A boat.", "A harbour.", "x" * 3000, 1],
    "negative_prompt": ["text", "", 2],
    "seed": [1, 2, 0, True, "1", 2**40],
    "duration": [4, 8, 5, "4"],
    "n": [1, 4, 9],
    "quality": ["720p", "4k", "8k"],
    "aspect_ratio": ["16:9", "9:16", "1:1"],
    "generation_type": ["TEXT", "REFERENCE", "FIRST&LAST"],
    "person_generation": ["allow_adult", "dont_allow", "all"],
    "resize_mode": ["pad", "crop", 3],
    "generate_audio": [True, False, 1],
    "image_urls": [[], ["https://example.com/1.png"], ["a", "b"], "a"],
    "callback_url": ["https://example.com/done", "http://example.com"],
    "durration": [4, 5],
}
ALONE = ("prompt", "negative_prompt", "seed", "person_generation", "durration")


def bodies(*names: str) -> st.SearchStrategy[dict[str, Json]]:
    return st.fixed_dictionaries({}, optional={n: st.sampled_from(VALUES[n]) for n in names})


@given(bodies(*VALUES), st.lists(bodies(*ALONE), max_size=6))
def test_what_a_judge_remembers_changes_no_judgement(
    body: Mapping[str, Json], changes: list[Mapping[str, Json]]
) -> None:
    remembering = RequestChecker(MODELS)

    for one in ({**body, **change} for change in ({}, *changes)):
        known, fresh = remembering.check(one), RequestChecker(MODELS).check(one)

        assert known.findings == fresh.findings
        assert (known.credits, known.seconds) == (fresh.credits, fresh.seconds)
        assert known.effective.get("aspect_ratio") == fresh.effective.get("aspect_ratio")
