"""Planning with a project's own models and prices, and with models that nobody knows."""

from pathlib import Path

from support.project import Project

from veogen.models.model import shipped
from veogen.planner.plan import total_credits
from veogen.planner.planner import plan
from veogen.spec.load import load_spec

NEXT = """\
params: {model: veo-9, duration: 12, camera: dolly}
shots:
  - {name: opening, prompt: a boat}
"""

LITE = """\
id: veo-9
parameters:
  prompt: {type: string, required: true}
  model: {type: string, required: true}
  duration: {type: integer, enum: [12], default: 12}
  camera: {type: string}
prices: {date: 2026-11-01, credits_per_usd: 70, rule: per_second, credits: 1.5}
"""


def test_a_model_that_nobody_knows_is_a_mistake(project: Project) -> None:
    assert project.mistakes("shots: [{name: a, prompt: a boat, params: {model: veo-9}}]\n") == [
        (
            "a.yaml:2:51: error[unknown-model]: 'veo-9' is not a known model (a); known models: "
            f"{', '.join(shipped())}; --allow-unknown-model lets any through"
        )
    ]


def test_a_model_that_nobody_knows_can_be_let_through(project: Project) -> None:
    project.write("a.yaml", f"veogen: 1\n{NEXT}")

    found = plan(load_spec(Path("a.yaml"), lenient=True))

    [request] = found.requests
    assert dict(request.body) == {
        "camera": "dolly",
        "duration": 12,
        "model": "veo-9",
        "prompt": "a boat",
    }
    assert (request.credits, request.seconds) == (None, 12)
    assert [problem.code for problem in found.warnings] == ["unknown-model"]


def test_letting_models_through_does_not_let_mistakes_of_known_ones_through(
    project: Project,
) -> None:
    project.write("a.yaml", "veogen: 1\nshots: [{name: a, prompt: b, params: {durration: 4}}]\n")

    spec = load_spec(Path("a.yaml"), lenient=True)

    assert project.mistakes_of(spec) == [
        (
            "a.yaml:2:39: error[unknown-key]: 'durration' is not a request parameter (a); "
            "did you mean 'duration'?"
        )
    ]


def test_a_model_of_the_project_is_checked_and_priced(project: Project) -> None:
    project.write("models/next.yaml", LITE)

    found = project.plan(NEXT)

    assert str(total_credits(found.requests)) == "18.000"
    assert found.warnings == ()


def test_a_file_of_a_model_need_not_list_the_parameter_that_names_it(project: Project) -> None:
    listed = "  model: {type: string, required: true}\n"
    assert listed in LITE
    project.write("models/next.yaml", LITE.replace(listed, ""))

    [request] = project.plan(NEXT).requests

    assert (request.body["model"], str(request.credits)) == ("veo-9", "18.000")


def test_a_model_of_the_project_has_its_own_limits(project: Project) -> None:
    project.write("models/next.yaml", LITE)

    assert project.mistakes(NEXT.replace("duration: 12", "duration: 8")) == [
        "a.yaml:2:34: error[value]: duration is one of 12, not 8 (opening)"
    ]
    assert project.mistakes(NEXT.replace("dolly", "3")) == [
        "a.yaml:2:46: error[value]: camera is a string, not 3"
    ]


def test_the_teams_prices_win(project: Project) -> None:
    project.write("veogen.yaml", "prices: team/prices.yaml\n")
    project.write(
        "team/prices.yaml",
        "veo-3.1-fast-generate-preview:\n"
        "  {date: 2026-11-01, source: us, credits_per_usd: 70, rule: per_call, credits: 11}\n",
    )

    found = project.plan("shots: [{name: a, prompt: a boat}]\n")

    assert str(total_credits(found.requests)) == "11.000"
