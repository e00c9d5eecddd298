"""What may be written where: every rule with the line that says so when it is broken."""

import os

import pytest
from support.project import Project

SHOT = "shots: [{name: a, prompt: x}]\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            SHOT + "nmae: b",
            "a.yaml:3:1: error[unknown-key]: 'nmae' is not a key of a spec; did you mean 'name'?",
            id="an unknown key of a spec",
        ),
        pytest.param(
            SHOT + "zzz: b",
            "a.yaml:3:1: error[unknown-key]: 'zzz' is not a key of a spec",
            id="an unknown key that resembles none",
        ),
        pytest.param(
            "shots: [{name: a, promt: x}]",
            "a.yaml:2:19: error[unknown-key]: 'promt' is not a key of a shot; "
            "did you mean 'prompt'?",
            id="an unknown key of a shot",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, duration: 8}]",
            "a.yaml:2:30: error[unknown-key]: 'duration' is not a key of a shot; "
            "as a request parameter it stands below 'params'",
            id="a parameter beside params",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, rows: a.csv}]",
            "a.yaml:2:30: error[unknown-key]: 'rows' is not a key of a shot; "
            "it stands below 'matrix': matrix: {rows: …}",
            id="a word of a matrix in a shot",
        ),
        pytest.param(
            SHOT + "profiles: {p: {takes: 2}}",
            "a.yaml:3:16: error[unknown-key]: 'takes' is not a key of a profile; "
            "it belongs to a shot: shots: [{name: …, takes: …}]",
            id="a key of a shot in a profile",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, params: {resolution: 720p}}]",
            "a.yaml:2:39: error[unknown-key]: 'resolution' is not a request parameter; "
            "did you mean 'quality'?",
            id="a parameter by the name that other services give it",
        ),
        pytest.param(
            "shots: [{name: a, prompt: '{{ c }}', matrix: {c: [1], zip: [c]}}]",
            "a.yaml:2:61: error[type]: an item of 'zip' is a list, not 'c'; write zip: [[look, move]]",
            id="a zip without a list for each group",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, params: {durration: 8}}]",
            "a.yaml:2:39: error[unknown-key]: 'durration' is not a request parameter; "
            "did you mean 'duration'?",
            id="an unknown parameter",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, overrides: [{when: {}, tak: 2}]}]",
            "a.yaml:2:53: error[unknown-key]: 'tak' is not a key of an override; "
            "did you mean 'takes'?",
            id="an unknown key of an override",
        ),
        pytest.param(
            SHOT + "profiles: {draft: {parms: {}}}",
            "a.yaml:3:20: error[unknown-key]: 'parms' is not a key of a profile; "
            "did you mean 'params'?",
            id="an unknown key of a profile",
        ),
        pytest.param(
            SHOT + "budget: {max_credit: 5}",
            "a.yaml:3:10: error[unknown-key]: 'max_credit' is not a key of 'budget'; "
            "did you mean 'max_credits'?",
            id="an unknown key of a budget",
        ),
        pytest.param(
            SHOT + "matrix: {sample: {count: 1, sead: 2}}",
            "a.yaml:3:29: error[unknown-key]: 'sead' is not a key of 'sample'; "
            "did you mean 'seed'?",
            id="an unknown key of a sample",
        ),
        pytest.param(
            "shots: [{prompt: x}]",
            "a.yaml:2:9: error[missing-key]: a shot needs 'name'",
            id="a shot without a name",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, overrides: [{takes: 2}]}]",
            "a.yaml:2:42: error[missing-key]: an override needs 'when'",
            id="an override without a condition",
        ),
        pytest.param(
            "name: b",
            "a.yaml:1:1: error[missing-key]: a spec needs 'shots', a list with at least one",
            id="no shots",
        ),
        pytest.param(
            "shots: []",
            "a.yaml:2:8: error[missing-key]: a spec needs 'shots', a list with at least one",
            id="an empty list of shots",
        ),
        pytest.param(
            "shots: [{name: a}]",
            "a.yaml:2:9: error[missing-prompt]: shot 'a' needs a 'prompt' or a 'template'",
            id="a shot without a prompt",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, template: y.j2}]",
            "a.yaml:2:30: error[conflict]: 'prompt' and 'template' exclude each other",
            id="a prompt and a template",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, negative_prompt: y, params: {negative_prompt: z}}]",
            "a.yaml:2:59: error[conflict]: 'negative_prompt' stands beside 'params' as well",
            id="one text written twice",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x}, {name: a, prompt: y}]",
            "a.yaml:2:38: error[duplicate-name]: 'a' is the name of another shot (a.yaml:2:16)",
            id="two shots of one name",
        ),
        pytest.param(
            "shots: [{name: A, prompt: x}]",
            "a.yaml:2:16: error[bad-name]: 'A' is not a name: "
            "a-z, 0-9, '.', '_' and '-', not first a mark",
            id="a bad name of a shot",
        ),
        pytest.param(
            SHOT + "name: -a",
            "a.yaml:3:7: error[bad-name]: '-a' is not a name: "
            "a-z, 0-9, '.', '_' and '-', not first a mark",
            id="a bad name of a spec",
        ),
        pytest.param(
            SHOT + "profiles: {Big: {}}",
            "a.yaml:3:12: error[bad-name]: 'Big' is not a name: "
            "a-z, 0-9, '.', '_' and '-', not first a mark",
            id="a bad name of a profile",
        ),
        pytest.param(
            SHOT + "vars: {mood-2: x}",
            "a.yaml:3:8: error[bad-name]: 'mood-2' is not a name: "
            "letters, digits and '_', not first a digit",
            id="a bad name of a var",
        ),
        pytest.param(
            SHOT + "vars: {take: x}",
            "a.yaml:3:8: error[reserved-name]: 'take' means something else in templates; "
            "choose another name",
            id="a reserved name of a var",
        ),
        pytest.param(
            SHOT + "matrix: {vars: [x]}",
            "a.yaml:3:10: error[reserved-name]: 'vars' means something else in templates; "
            "choose another name",
            id="a reserved name of an axis",
        ),
        pytest.param(
            SHOT + "matrix: {look-2: [x]}",
            "a.yaml:3:10: error[bad-name]: 'look-2' is not a name: "
            "letters, digits and '_', not first a digit",
            id="a bad name of an axis",
        ),
        pytest.param(
            SHOT + "matrix: {city: Tokyo}",
            "a.yaml:3:16: error[type]: 'city' is a list, not 'Tokyo'",
            id="an axis that is no list",
        ),
        pytest.param(
            SHOT + "matrix: {city: []}",
            "a.yaml:3:16: error[empty-axis]: an axis without values makes no request; "
            "null takes an axis away",
            id="an empty axis",
        ),
        pytest.param(
            SHOT + "matrix: {city: [Tokyo, ~]}",
            "a.yaml:3:24: error[axis-value]: null is not a value of an axis",
            id="null on an axis",
        ),
        pytest.param(
            SHOT + "matrix: {city: [.nan]}",
            "a.yaml:3:17: error[axis-value]: .nan is not a value of an axis",
            id="not a number on an axis",
        ),
        pytest.param(
            SHOT + "matrix: {city: [-.inf]}",
            "a.yaml:3:17: error[axis-value]: -.inf is not a value of an axis",
            id="infinity on an axis",
        ),
        pytest.param(
            SHOT + "matrix: {exlude: [{light: low}]}",
            "a.yaml:3:19: error[missing-id]: a mapping on an axis needs an 'id', "
            "a string or a number, to stand for it; did you mean 'exclude'?",
            id="a misspelt word of a matrix that reads as an axis",
        ),
        pytest.param(
            SHOT + "matrix: {sampel: {count: 2}}",
            "a.yaml:3:18: error[type]: 'sampel' is a list, not a mapping; did you mean 'sample'?",
            id="a misspelt word of a matrix whose value is none of an axis",
        ),
        pytest.param(
            SHOT + "matrix: {look: [{light: low}]}",
            "a.yaml:3:17: error[missing-id]: a mapping on an axis needs an 'id', "
            "a string or a number, to stand for it",
            id="a mapping without an id",
        ),
        pytest.param(
            SHOT + "matrix: {seed: [1, 0]}",
            "a.yaml:3:20: error[value]: seed is at least 1, not 0",
            id="an axis that is a parameter, with a value that it does not take",
        ),
        pytest.param(
            SHOT + "matrix: {sample: {count: 0}}",
            "a.yaml:3:26: error[value]: 'count' is at least 1, not 0",
            id="a sample of nothing",
        ),
        pytest.param(
            SHOT + "matrix: {rows: 5}",
            "a.yaml:3:16: error[type]: 'rows' is a path or a list, not 5",
            id="rows that are no table",
        ),
        pytest.param(
            SHOT + "params: {duration: 99}",
            "a.yaml:3:20: error[value]: duration is one of 4, 6, 8, not 99",
            id="a value that a parameter does not take",
        ),
        pytest.param(
            SHOT + "params: {generate_audio: no}",
            "a.yaml:3:26: error[value]: generate_audio is true or false, not 'no'; write false",
            id="a word that was a boolean in YAML 1.1",
        ),
        pytest.param(
            "params: {generate_audio: 'True'}\nshots: [{name: a, prompt: x}]",
            "a.yaml:2:26: error[value]: generate_audio is true or false, not 'True'; write true",
            id="a boolean in quotes",
        ),
        pytest.param(
            "params: {duration: ' 08'}\nshots: [{name: a, prompt: x}]",
            "a.yaml:2:20: error[value]: duration is an integer, not ' 08'; write 8",
            id="an integer in quotes",
        ),
        pytest.param(
            "params: {quality: 720}\nshots: [{name: a, prompt: x}]",
            "a.yaml:2:19: error[value]: quality is a string, not 720; did you mean '720p'?",
            id="a word without its unit",
        ),
        pytest.param(
            "params: {aspect_ratio: 16x9}\nshots: [{name: a, prompt: x}]",
            "a.yaml:2:24: error[value]: aspect_ratio is one of 'auto', '16:9', '9:16', not '16x9'; "
            "did you mean '16:9'?",
            id="a word that is nearly one",
        ),
        pytest.param(
            "params: {image_urls: [null]}\nshots: [{name: a, prompt: x}]",
            "a.yaml:2:22: error[value]: image_urls is a list of paths or https URLs, not [null]",
            id="a list with a value that none of it may be",
        ),
        pytest.param(
            "shots: [{name: a, prompt: 5}]",
            "a.yaml:2:27: error[type]: 'prompt' is a string, not 5",
            id="a prompt that is a number",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, takes: true}]",
            "a.yaml:2:37: error[type]: 'takes' is an integer, not true",
            id="takes that are a boolean",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, takes: 0}]",
            "a.yaml:2:37: error[value]: 'takes' is at least 1, not 0",
            id="no takes",
        ),
        pytest.param(
            "shots: {a: {prompt: x}}",
            "a.yaml:2:8: error[type]: 'shots' is a list, not a mapping",
            id="shots as a mapping",
        ),
        pytest.param(
            "shots: [x]",
            "a.yaml:2:9: error[type]: an item of 'shots' is a mapping, not 'x'",
            id="a shot that is no mapping",
        ),
        pytest.param(
            SHOT + "budget: {max_credits: -1}",
            "a.yaml:3:23: error[type]: 'max_credits' is a number of credits, not -1",
            id="a negative budget",
        ),
        pytest.param(
            SHOT + "budget: {max_requests: 1.5}",
            "a.yaml:3:24: error[type]: 'max_requests' is an integer, not 1.5",
            id="half a request",
        ),
    ],
)
def test_a_broken_rule_is_told_where_it_is_broken(text: str, line: str, project: Project) -> None:
    assert project.spec_mistakes(text) == [line]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "shots: []",
            "a.yaml:1:1: error[missing-key]: a spec begins with 'veogen: 1', "
            "the version of its language",
            id="no version",
        ),
        pytest.param(
            "veogen: 2\n" + SHOT,
            "a.yaml:1:9: error[version]: 'veogen' is 1, the version of this language, not 2",
            id="another version",
        ),
        pytest.param(
            "veogen: true\n" + SHOT,
            "a.yaml:1:9: error[version]: 'veogen' is 1, the version of this language, not true",
            id="a version that is a boolean",
        ),
        pytest.param("", "a.yaml:1:1: error[type]: a spec is a mapping, not null", id="empty"),
        pytest.param("[]", "a.yaml:1:1: error[type]: a spec is a mapping, not a list", id="a list"),
        pytest.param(
            "veogen: [1",
            "a.yaml:1:11: error[yaml-syntax]: did not find expected ',' or ']'; "
            "a bracket that opens here or above is never closed",
            id="no YAML",
        ),
    ],
)
def test_what_is_no_spec_is_told_first(text: str, line: str, project: Project) -> None:
    path = project.write("a.yaml", text)

    assert project.file_mistakes(path)[0] == line


def test_all_mistakes_are_told_in_the_order_of_the_file(project: Project) -> None:
    text = "nmae: b\nvars: {9: x}\nshots:\n- {name: a, promt: x, takes: 0}\n- {nam: b, prompt: y}\n"

    assert project.spec_mistakes(text) == [
        'a.yaml:3:8: error[key]: a key is a string, not 9; write "9"'
    ]
    assert project.spec_mistakes(text.replace("9: x", "9x: y")) == [
        "a.yaml:2:1: error[unknown-key]: 'nmae' is not a key of a spec; did you mean 'name'?",
        (
            "a.yaml:3:8: error[bad-name]: '9x' is not a name: "
            "letters, digits and '_', not first a digit"
        ),
        "a.yaml:5:13: error[unknown-key]: 'promt' is not a key of a shot; did you mean 'prompt'?",
        "a.yaml:5:30: error[value]: 'takes' is at least 1, not 0",
        "a.yaml:6:3: error[missing-key]: a shot needs 'name'",
        "a.yaml:6:4: error[unknown-key]: 'nam' is not a key of a shot; did you mean 'name'?",
    ]


def test_a_file_that_no_plan_can_name_is_refused(project: Project) -> None:
    name = os.fsdecode(b"caf\xe9.yaml")

    assert project.spec_mistakes(f"name: cafe\n{SHOT}", name=name) == [
        f"{name}:1:1: error[encoding]: the path of this file is not UTF-8, as it has to be in a plan"
    ]


@pytest.mark.parametrize(
    "stem",
    [pytest.param("Big", id="a capital"), pytest.param("my spec", id="a space")],
)
def test_a_file_whose_stem_is_no_name_needs_a_name(stem: str, project: Project) -> None:
    assert project.spec_mistakes(SHOT, name=f"{stem}.yaml") == [
        (
            f"{stem}.yaml:1:1: error[bad-name]: {stem!r}, from the file's name, is not a name; "
            "write 'name'"
        )
    ]
    assert project.spec(f"name: big\n{SHOT}", name=f"{stem}.yaml").name == "big"
