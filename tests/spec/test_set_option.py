"""What --set takes, and what it says when it does not."""

import pytest
from support.project import Project, top_of

from veogen.document.nodes import Value

SHOT = "shots: [{name: a, prompt: x}]"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("vars.x=8", 8, id="a number"),
        pytest.param("vars.x=-1.5", -1.5, id="a fraction"),
        pytest.param("vars.x=1.0", 1.0, id="a fraction that is whole"),
        pytest.param("vars.x=true", True, id="true"),
        pytest.param("vars.x=null", None, id="null takes away"),
        pytest.param('vars.x=[1, {"y": "z"}]', [1, {"y": "z"}], id="a list"),
        pytest.param('vars.x={"y": [1.10]}', {"y": [1.1]}, id="a mapping"),
        pytest.param('vars.x="8"', "8", id="a quoted number"),
        pytest.param(r'vars.x="\ud83d\ude00\/"', "\U0001f600/", id="escapes of JSON"),
        pytest.param("vars.x.y=z", {"y": "z"}, id="deep down"),
        pytest.param("vars.x=", "", id="the empty text"),
        pytest.param("vars.x=007", "007", id="a number that JSON does not have"),
        pytest.param("vars.x=1.10", "1.10", id="a number that would be written otherwise"),
        pytest.param("vars.x=1e3", "1e3", id="a number with an exponent"),
        pytest.param("vars.x=-0", "-0", id="a zero that would lose its sign"),
        pytest.param("vars.x=1e400", "1e400", id="a number that no float holds"),
        pytest.param(f"vars.x={'9' * 5000}", "9" * 5000, id="a number that is not read"),
        pytest.param("vars.x= 7", " 7", id="a number after a blank"),
        pytest.param("vars.x=NaN", "NaN", id="no number"),
        pytest.param("vars.x=16:9", "16:9", id="a ratio"),
        pytest.param("vars.x=a=b", "a=b", id="an equals sign"),
        pytest.param("vars.x=a: b #1", "a: b #1", id="what YAML would read"),
        pytest.param("vars.x='8'", "'8'", id="quotes that are not JSON's"),
        pytest.param("vars.x=True", "True", id="a word of YAML"),
        pytest.param("vars.x=~", "~", id="a null of YAML"),
        pytest.param("vars.x=0x10", "0x10", id="another base"),
        pytest.param(
            "vars.x=a\x1b[31m", "a\x1b[31m", id="control characters, until it is rendered"
        ),
    ],
)
def test_the_value_is_json_or_the_text_letter_for_letter(
    setting: str, value: Value, project: Project
) -> None:
    read = top_of(project.shot(SHOT, set_=(setting,))).vars

    assert (read, type(read["x"])) == (
        {"x": value},
        type(value) if not isinstance(value, dict | list) else type(read["x"]),
    )


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
            "--set vars.x=[1:1:8: error[setting]: this is not JSON: Expecting ',' delimiter; "
            'write JSON, or the text in JSON quotes: "[1"',
            id="a bracket of no JSON",
        ),
        pytest.param(
            "vars.x={{ y }}",
            "--set vars.x={{ y }}:1:8: error[setting]: this is not JSON: Expecting property name "
            'enclosed in double quotes; write JSON, or the text in JSON quotes: "{{ y }}"',
            id="a brace of no JSON",
        ),
        pytest.param(
            'vars.x={"a": 1, "a": 2}',
            '--set vars.x={"a": 1, "a": 2}:1:8: error[setting]: this is not JSON that '
            "can be read: 'a' stands twice in one object; "
            'write JSON, or the text in JSON quotes: "{\\"a\\": 1, \\"a\\": 2}"',
            id="a key twice",
        ),
        pytest.param(
            r'vars.x="\ud800"',
            r'--set vars.x="\ud800":1:8: error[encoding]: half of a surrogate pair is no text',
            id="half a character",
        ),
        pytest.param(
            "params.duration=08",
            "--set params.duration=08:1:17: error[value]: duration is an integer, not '08'; write 8",
            id="a text where a number belongs",
        ),
        pytest.param(
            "params=8",
            "--set params=8:1:1: error[setting]: "
            "'params' cannot be set; only params.NAME and vars.NAME can",
            id="a room alone",
        ),
    ],
)
def test_a_wrong_setting_shows_itself(setting: str, line: str, project: Project) -> None:
    assert project.spec_mistakes(SHOT, set_=(setting,)) == [line]


def test_a_later_setting_wins(project: Project) -> None:
    shot = project.shot(SHOT, set_=("vars.x.y=1", "vars.x.z=2", "vars.x.y=3"))

    assert top_of(shot).vars == {"x": {"y": 3, "z": 2}}
