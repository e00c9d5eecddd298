"""What --set takes, and what it says when it does not."""

import pytest
from support.project import Project, top_of

from veogen.document.nodes import Value

SHOT = "shots: [{name: a, prompt: x}]"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("vars.x=8", 8, id="a number"),
        pytest.param("vars.x=16:9", "16:9", id="a ratio"),
        pytest.param("vars.x=a=b", "a=b", id="an equals sign"),
        pytest.param("vars.x=[1, {y: z}]", [1, {"y": "z"}], id="a list"),
        pytest.param("vars.x='8'", "8", id="a quoted number"),
        pytest.param("vars.x=", None, id="nothing takes away"),
        pytest.param("vars.x.y=z", {"y": "z"}, id="deep down"),
    ],
)
def test_the_value_is_read_as_yaml(setting: str, value: Value, project: Project) -> None:
    assert top_of(project.shot(SHOT, set_=(setting,))).vars == {"x": value}


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        pytest.param(
            "params.durration=8",
            "--set params.durration=8:1:1: error[unknown-key]: "
            "'durration' is not a request parameter; did you mean 'duration'?",
            id="an unknown parameter",
        ),
        pytest.param(
            "params.duration=99",
            "--set params.duration=99:1:17: error[value]: duration is one of 4, 6, 8, not 99",
            id="a value that it does not take",
        ),
        pytest.param(
            "duration=8",
            "--set duration=8:1:1: error[setting]: "
            "'duration' cannot be set; only params.NAME and vars.NAME can; "
            "did you mean 'params.duration'?",
            id="a parameter without its room",
        ),
        pytest.param(
            "param.duration=8",
            "--set param.duration=8:1:1: error[setting]: "
            "'param.duration' cannot be set; only params.NAME and vars.NAME can; "
            "did you mean 'params.duration'?",
            id="a misspelt room",
        ),
        pytest.param(
            "budget.max_credits=8",
            "--set budget.max_credits=8:1:1: error[setting]: "
            "'budget.max_credits' cannot be set; only params.NAME and vars.NAME can",
            id="something else",
        ),
        pytest.param(
            "params.duration",
            "--set params.duration:1:1: error[setting]: 'params.duration' is not KEY=VALUE",
            id="no value",
        ),
        pytest.param(
            "vars.x=\udcff",  # how Python passes on what is no UTF-8
            "--set 'vars.x=\\udcff':1:8: error[encoding]: this is not UTF-8 text",
            id="not UTF-8",
        ),
        pytest.param(
            "vars.=8",
            "--set vars.=8:1:1: error[setting]: "
            "'vars.' cannot be set; only params.NAME and vars.NAME can",
            id="no name",
        ),
        pytest.param(
            "vars.2x=8",
            "--set vars.2x=8:1:1: error[bad-name]: '2x' is not a name: "
            "letters, digits and '_', not first a digit",
            id="a bad name",
        ),
        pytest.param(
            "vars.x=[1",
            "--set vars.x=[1:1:8: error[yaml-syntax]: did not find expected ',' or ']'; "
            "a bracket that opens here or above is never closed",
            id="no YAML",
        ),
        pytest.param(
            "params=8",
            "--set params=8:1:1: error[setting]: "
            "'params' cannot be set; only params.NAME and vars.NAME can",
            id="a room alone",
        ),
        pytest.param(
            "vars.x=\x1b[31m",
            "--set 'vars.x=\\x1b[31m':1:8: error[encoding]: the character '\\x1b' may stand here "
            "only escaped, in double quotes",
            id="a control character",
        ),
    ],
)
def test_a_wrong_setting_shows_itself(setting: str, line: str, project: Project) -> None:
    assert project.spec_mistakes(SHOT, set_=(setting,)) == [line]


def test_a_later_setting_wins(project: Project) -> None:
    shot = project.shot(SHOT, set_=("vars.x.y=1", "vars.x.z=2", "vars.x.y=3"))

    assert top_of(shot).vars == {"x": {"y": 3, "z": 2}}
