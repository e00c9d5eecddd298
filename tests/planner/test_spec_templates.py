"""Templates where specs write them: what they see, what becomes of their text, where they fail."""

from typing import Any

import pytest
from support.project import Project


def body(project: Project, shot: str, **options: Any) -> dict[str, Any]:
    request = project.requests(f"shots:\n  - {{name: s, {shot}}}\n", **options)[0]
    return {name: value for name, value in request.body.items() if name != "model"}


@pytest.mark.parametrize(
    ("shot", "expected"),
    [
        pytest.param(
            'prompt: "  A lamp  \\n\\n   \\t\\r\\n on a desk \\n"',
            {"prompt": "A lamp\non a desk"},
            id="lines are stripped, blank ones dropped",
        ),
        pytest.param(
            'prompt: "{# a word #}A lamp\\n{% if take > 1 %}\\nagain\\n{% endif %}\\nglows"',
            {"prompt": "A lamp\nglows"},
            id="a comment or an untaken branch changes nothing",
        ),
        pytest.param(
            'prompt: x, params: {seed: "{{ 40 + take }}", generate_audio: "{{ take > 1 }}"}',
            {"prompt": "x", "seed": 41, "generate_audio": False},
            id="a parameter whose text is a template takes the parameter's type",
        ),
        pytest.param(
            'prompt: x, vars: {u: [a, b]}, params: {image_urls: "[{% for i in u %}'
            'https://example.com/{{ i }}.png, {% endfor %}]"}',
            {
                "prompt": "x",
                "image_urls": ["https://example.com/a.png", "https://example.com/b.png"],
            },
            id="a list is read as YAML",
        ),
        pytest.param(
            'prompt: x, vars: {u: [a, b]}, params: {image_urls: ["https://example.com/{{ u[1] }}"]}',
            {"prompt": "x", "image_urls": ["https://example.com/b"]},
            id="strings inside a list are templates",
        ),
        pytest.param(
            'prompt: x, params: {callback_url: "https://example.com/{{ shot | slug }}"}',
            {"prompt": "x", "callback_url": "https://example.com/s"},
            id="any string of params",
        ),
        pytest.param(
            "prompt: \"{{ look.keys }} {{ look['light'] }}\", matrix: {look: [{id: a, keys: K, light: L}]}",
            {"prompt": "K L"},
            id="an entry comes before an attribute",
        ),
        pytest.param(
            'prompt: "{{ vars.a }}", vars: {a: "{{ b }}"}',
            None,
            id="a var is not a template",
        ),
        pytest.param("template: a.j2, vars: {x: 1}", {"prompt": "base 1\nmacro"}, id="a file"),
        pytest.param(
            "template: windows.j2",
            {"prompt": "A lamp\non a desk"},
            id="the byte order mark of a file is none of its text",
        ),
    ],
)
def test_templates_become_text(
    project: Project, shot: str, expected: dict[str, Any] | None
) -> None:
    project.write("templates/windows.j2", "\ufeff{% extends 'mark.j2' %}")
    project.write("templates/mark.j2", "\ufeffA lamp\r\n\r\non a desk\r\n")
    project.write("templates/base.j2", "base {% block x %}{% endblock %}\n\n")
    project.write("templates/m.j2", "{% macro m() %}macro{% endmacro %}")
    project.write(
        "templates/a.j2",
        "{% extends 'base.j2' %}{% from 'm.j2' import m %}{% block x %}{{ x }}\n{{ m() }}{% endblock %}",
    )

    if expected is None:
        assert "left-over-template" in project.mistakes(f"shots:\n  - {{name: s, {shot}}}\n")[0]
    else:
        assert body(project, shot) == expected


@pytest.mark.parametrize(
    ("shot", "expected"),
    [
        pytest.param(
            'prompt: "{{ brnad }}", vars: {brand: x}',
            "3:23 undefined: 'brnad' is not defined (s); did you mean 'brand'?",
            id="undefined",
        ),
        pytest.param(
            'prompt: "{{ xyz }}"',
            "3:23 undefined: 'xyz' is not defined (s); known here: shot, take, vars",
            id="undefined, and nothing is near",
        ),
        pytest.param(
            'prompt: "{{ v.lihgt }}", vars: {v: {light: x}}',
            "3:23 undefined: 'lihgt' is not an entry of the mapping; did you mean 'light'? (s)",
            id="an entry that there is not",
        ),
        pytest.param(
            'prompt: "{{ x"',
            "3:23 template-syntax: unexpected end of template, expected 'end of print statement'. (s)",
            id="syntax",
        ),
        pytest.param(
            "template: none.j2",
            "3:25 template-not-found: there is no template 'none.j2' (s)",
            id="no such file",
        ),
        pytest.param(
            "template: latin.j2",
            "3:25 template-not-found: there is no template 'latin.j2' (s); the file is not UTF-8",
            id="a file that is not UTF-8",
        ),
        pytest.param(
            "template: large.j2",
            "3:25 template-not-found: there is no template 'large.j2' (s); "
            "the file is larger than 1 MiB",
            id="a file that is too large",
        ),
        pytest.param(
            "template: ../secret.j2",
            "3:25 template-not-found: there is no template '../secret.j2' (s)",
            id="a file outside templates/",
        ),
        pytest.param(
            'prompt: "{% if take > 1 %}x{% endif %}"',
            "3:23 empty-text: the text is empty once it is rendered (s)",
            id="empty",
        ),
        pytest.param(
            "prompt: \"{{ '{{ a }}' }}\"",
            "3:23 left-over-template: the text still holds '{{' once it is rendered (s)",
            id="left-over braces",
        ),
        pytest.param(
            'prompt: "{{ [v.keys] }}", vars: {v: {a: 1}}',
            "3:23 not-text: a value of the type 'builtin_function_or_method' is not text (s)",
            id="a function inside a list",
        ),
        pytest.param(
            "prompt: \"In {{ 'red or ' ~ v | map('upper') }}\", vars: {v: [blue]}",
            "3:23 not-text: a value of the type 'generator' is not text (s); "
            "`| join(', ')` makes one of its items",
            id="a generator where its items were meant",
        ),
        pytest.param(
            "prompt: In <generator object colours at 0x7f9d6e5a5240>",
            "3:23 not-text: the text holds '<generator': the insides of a program, not text (s)",
            id="a generator that another program put out",
        ),
        pytest.param(
            'prompt: "{{ [v, nothing] }}", vars: {v: 1}',
            "3:23 undefined: 'nothing' is not defined (s); known here: shot, take, v, vars",
            id="undefined inside a list",
        ),
        pytest.param(
            'prompt: "{{ v }}", vars: {v: {id: noir, light: hard, mood: dark}}',
            "3:23 not-text: a mapping cannot be put out whole (s); "
            "write `v.id`, or another of its keys: light, mood",
            id="a mapping",
        ),
        pytest.param(
            'prompt: "{{ vars.v }}", vars: {v: [a, b]}',
            '3:23 not-text: a list cannot be put out whole (s); write `vars.v | join(", ")`',
            id="a list",
        ),
        pytest.param(
            'prompt: x, output: "{{ v }}", vars: {v: [a, b]}',
            '3:34 not-text: a list cannot be put out whole (s); write `v | join(", ")`',
            id="a list as a path",
        ),
        pytest.param(
            r'prompt: "A lamp\x07 glows"',
            r"3:23 control-character: the text holds the control character '\x07' (s)",
            id="a control character",
        ),
        pytest.param(
            r'prompt: "A lamp\f"',
            r"3:23 control-character: the text holds the control character '\x0c' (s)",
            id="a control character that Python takes for white space",
        ),
        pytest.param(
            "prompt: \"{{ 'x' * 2001 }}\"",
            "3:23 value: prompt is at most 2000 characters long, not 2001 (s)",
            id="longer than the model allows",
        ),
        pytest.param(
            'prompt: x, params: {seed: "{{ vars | tojson }}"}',
            "3:41 value: seed is an integer, not '{}' (s)",
            id="not the parameter's type",
        ),
        pytest.param(
            'prompt: x, params: {image_urls: "{{ shot }}"}',
            "3:47 value: image_urls is a list of paths or https URLs, not 's' (s)",
            id="not a list",
        ),
        pytest.param(
            "prompt: \"{{ '\\\\ud800' ~ take }}\"",
            "3:23 not-text: the text holds half of a surrogate pair, which no UTF-8 text can (s)",
            id="half a character",
        ),
        pytest.param(
            'prompt: x, params: {negative_prompt: ""}',
            "3:52 empty-text: the text is empty once it is rendered (s)",
            id="an empty string",
        ),
        pytest.param(
            'prompt: x, params: {aspect_ratio: "{{ 4 }}:3"}',
            "3:49 value: aspect_ratio is one of 'auto', '16:9', '9:16', not '4:3' (s)",
            id="a value that the model does not take",
        ),
        pytest.param(
            "prompt: x, params: {model: veo-3.1-fast-generate-previeww}",
            "3:42 unknown-model: 'veo-3.1-fast-generate-previeww' is not a known model (s); did you "
            "mean 'veo-3.1-fast-generate-preview'?",
            id="an unknown model",
        ),
    ],
)
def test_what_is_wrong_stands_where_it_was_written(
    project: Project, shot: str, expected: str
) -> None:
    project.write("templates/latin.j2", "café".encode("latin-1"))
    project.write("templates/large.j2", b"x" * (1 << 20) + b"x")

    assert project.told(f"shots:\n  - {{name: s, {shot}}}\n") == [expected]


def test_tabs_and_all_line_ends_are_no_control_characters(project: Project) -> None:
    text = r'shots: [{name: s, prompt: "a\tb \r\n\t c\u2028d\x85\re"}]'

    assert [r.body["prompt"] for r in project.requests(text)] == ["a\tb\nc\nd\ne"]


def test_a_parameter_that_takes_a_list_takes_one_from_a_template(project: Project) -> None:
    text = """vars: {urls: ["https://example.com/a.png", "https://example.com/b.png"]}
shots: [{name: s, prompt: x, params: {image_urls: "{{ urls }}"}}]"""

    assert [r.body["image_urls"] for r in project.requests(text)] == [
        ["https://example.com/a.png", "https://example.com/b.png"]
    ]


def test_a_fault_in_a_block_stands_on_its_own_line(project: Project) -> None:
    text = """shots:
  - name: s
    prompt: |
      A lamp

      by {{ brnad }}
      glows
"""

    assert project.told(text) == [
        "7:1 undefined: 'brnad' is not defined (s); known here: shot, take, vars"
    ]


def test_a_fault_in_a_folded_block_stands_where_the_block_begins(project: Project) -> None:
    """Its lines are not those of the file."""
    text = """shots:
  - name: s
    prompt: >
      A lamp
      on a desk

      by {{ brnad }}
"""

    assert project.told(text) == [
        "4:13 undefined: 'brnad' is not defined (s); known here: shot, take, vars"
    ]


def test_a_fault_in_a_file_stands_in_the_file(project: Project) -> None:
    project.write("templates/a.j2", "one\ntwo\n{% include 'b.j2' %}")
    project.write("templates/b.j2", "one\n{{ brnad }}")

    assert project.mistakes("shots: [{name: s, template: a.j2}]") == [
        (
            "templates/b.j2:2:1: error[undefined]: 'brnad' is not defined (s); "
            "known here: shot, take, vars"
        )
    ]


def test_all_names_that_a_template_lacks_are_told_at_once(project: Project) -> None:
    project.write("templates/b.j2", "one\n{{ brnad | upper }} {{ oops | default('x') }}")
    text = """vars: {look: {light: soft}}
shots:
  - name: s
    prompt: |
      {{ ctiy }} in {{ look.lihgt }} {{ look.mdoo }}
      {% if seasn == 'fall' %}leaves{% endif %} {% include 'b.j2' %}
  - name: t
    prompt: "{{ look.lihgt }}"
"""

    mapping = "is not an entry of the mapping; "
    known = "known here: look, shot, take, vars"
    assert project.mistakes(text) == [
        f"a.yaml:6:1: error[undefined]: 'ctiy' is not defined (s); {known}",
        f"a.yaml:6:1: error[undefined]: 'lihgt' {mapping}did you mean 'light'? (s)",
        f"a.yaml:6:1: error[undefined]: 'mdoo' {mapping}it has light (s)",
        f"a.yaml:7:1: error[undefined]: 'seasn' is not defined (s); {known}",
        f"a.yaml:9:13: error[undefined]: 'lihgt' {mapping}did you mean 'light'? (t)",
        f"templates/b.j2:2:1: error[undefined]: 'brnad' is not defined (s); {known}",
    ]


def test_one_mistake_of_many_combinations_is_told_once(project: Project) -> None:
    text = 'shots: [{name: s, prompt: "{{ y }}", matrix: {x: [1, 2, 3]}}]'

    assert project.told(text) == [
        "2:27 undefined: 'y' is not defined (s[x=1] and 2 more); known here: shot, take, vars, x"
    ]


def test_all_shots_are_told_about_at_once(project: Project) -> None:
    text = """shots:
  - {name: a, prompt: "{{ y }}"}
  - {name: b, prompt: x, matrix: {x: [1, 1]}}
  - {name: c, prompt: x, params: {seed: "{{ shot }}", image_urls: [none.png]}}
"""

    assert [line.split(": ")[0] for line in project.told(text)] == [
        "3:23 undefined",
        "4:42 repeated-value",
        "5:41 value",
        "5:67 bad-image",
    ]


def test_two_requests_of_one_hash_are_a_mistake(project: Project) -> None:
    text = """shots:
  - {name: a, prompt: x, matrix: {y: [1, 2]}}
  - {name: b, prompt: x}
"""

    assert project.told(text) == [
        (
            "3:5 same-request: a[y=2] is the same request as a[y=1]; 'takes' buys one request several "
            "times"
        ),
        "4:5 same-request: b is the same request as a[y=1]; 'takes' buys one request several times",
    ]
