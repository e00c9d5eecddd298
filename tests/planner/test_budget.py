"""An estimate over a ceiling is a mistake."""

from pathlib import Path

import pytest
from support.project import Project

from veogen.document.problems import MistakesError
from veogen.planner.planner import plan_specs
from veogen.spec.load import load_spec

SHOTS = 'shots: [{name: s, prompt: "{{ a }}", matrix: {a: [1, 2]}, params: {duration: 8}}]\n'


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        pytest.param("max_credits: 152.064", None, id="just enough"),
        pytest.param(
            "max_credits: 152.063",
            "2:9 over-budget: 152.064 credits are more than the budget allows: 152.063",
            id="a thousandth too little",
        ),
        pytest.param("max_requests: 2", None, id="enough requests"),
    ],
)
def test_a_budget(project: Project, budget: str, expected: str | None) -> None:
    text = f"budget: {{{budget}}}\n{SHOTS}"

    if expected is None:
        assert len(project.requests(text)) == 2
    else:
        assert project.told(text) == [expected]


def test_a_profile_has_its_own_estimate(project: Project) -> None:
    text = f"budget: {{max_credits: 100}}\nprofiles: {{long: {{params: {{n: 4}}}}, quiet: {{params: {{generate_audio: false, duration: null}}}}}}\n{SHOTS.replace('duration: 8', 'resize_mode: null')}"

    assert len(project.requests(text, profile="quiet")) == 2
    assert project.told(text, profile="long") == [
        "2:9 over-budget: 304.128 credits are more than the budget with profile 'long' allows: 100"
    ]


LIMITS = "limits: {max_credits: 200, max_requests: 3, models: [veo-3.1-generate-preview]}\n"


def test_the_teams_limits_hold_for_all_specs_together(project: Project) -> None:
    project.write("veogen.yaml", LIMITS)
    for name in ("a.yaml", "b.yaml"):
        project.write(name, f"veogen: 1\n{SHOTS}")

    with pytest.raises(MistakesError) as caught:
        plan_specs([load_spec(Path("a.yaml")), load_spec(Path("b.yaml"))])

    assert [str(problem) for problem in caught.value.problems] == [
        "veogen.yaml:1:9: error[over-budget]: 4 requests are more than the limits allow: 3",
        "veogen.yaml:1:9: error[over-budget]: 304.128 credits are more than the limits allow: 200",
        (
            "veogen.yaml:1:9: error[model-not-allowed]: the limits allow no "
            "'veo-3.1-fast-generate-preview'; they allow veo-3.1-generate-preview"
        ),
    ]
