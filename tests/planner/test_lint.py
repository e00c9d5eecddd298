"""What is allowed but likely costs money for nothing is a warning where it stands."""

import pytest
from support.project import Project


def warned(project: Project, text: str) -> list[str]:
    return [
        f"{w.place.path}:{w.place.line}:{w.place.column} {w.code}: {w.text}"
        for w in project.plan(text).warnings
    ]


@pytest.mark.parametrize(
    ("shots", "expected"),
    [
        pytest.param(
            "{name: s, prompt: x, matrix: {a: [1]}}",
            ["a.yaml:3:35 unused-axis: no template or parameter of 's' uses the axis 'a'"],
            id="an axis that nothing uses",
        ),
        pytest.param(
            "{name: s, prompt: x, matrix: {rowss: [1]}}",
            [
                (
                    "a.yaml:3:35 unused-axis: no template or parameter of 's' uses the axis 'rowss'; "
                    "did you mean 'rows'?"
                )
            ],
            id="an axis that is a misspelt word of a matrix",
        ),
        pytest.param(
            '{name: s, prompt: "{{ a }}", matrix: {a: [1, 2], exclude: [{a: [1, 2]}]}}',
            ["a.yaml:3:63 no-requests: the excludes of 's' leave none of its combinations"],
            id="a shot that makes nothing",
        ),
        pytest.param(
            '{name: s, prompt: "{{ b }}", matrix: {a: [1], b: [1], seed: [2]}, output: "{{ a }}"}',
            [],
            id="an axis of a template, of a parameter, of the output",
        ),
        pytest.param(
            "{name: s, prompt: x, matrix: {a: [1]}, overrides: [{when: {a: 1}, takes: 1}]}",
            [],
            id="an axis that an override asks for",
        ),
        pytest.param(
            "{name: s, prompt: \"{% include 'i.j2' %}\", matrix: {a: [1], b: [1]}, vars: {v: 1}}",
            ["a.yaml:3:64 unused-axis: no template or parameter of 's' uses the axis 'b'"],
            id="an include uses names too",
        ),
        pytest.param(
            '{name: s, prompt: "{% include name %}{{ vars | tojson }}", matrix: {a: [1]}, vars: {name: i.j2, v: 2}}',
            [],
            id="an include by a variable may use everything",
        ),
        pytest.param(
            "{name: s, prompt: \"{{ vars.used }}{{ vars['also'] }}\", vars: {used: 1, also: 2, not: 3}}",
            ["a.yaml:3:85 unused-var: no template uses the var 'not'"],
            id="a var that no template uses",
        ),
        pytest.param(
            '{name: s, prompt: "A {{ v }} lamp", vars: {v: " "}}',
            ["a.yaml:3:23 doubled-space: the text holds two spaces in a row (s)"],
            id="doubled spaces",
        ),
        pytest.param(
            '{name: s, prompt: "A {{ v.light }} lamp", matrix: {v: [{id: a, light: null}]}}',
            ["a.yaml:3:23 bare-none: the text holds a bare 'None' (s[v=a])"],
            id="a bare None",
        ),
        pytest.param(
            '{name: s, prompt: "A \\ufffd lamp"}',
            [
                "a.yaml:3:23 lost-character: the text holds U+FFFD, which stands for a lost character (s)"
            ],
            id="a lost character",
        ),
        pytest.param(
            '{name: s, prompt: "A {city} lamp"}',
            [
                "a.yaml:3:23 placeholder: the text holds '{city}', which is bought as it stands: a template writes {{ name }} (s)"
            ],
            id="a placeholder of Python",
        ),
        pytest.param(
            '{name: s, prompt: "A ${mood} lamp"}',
            [
                "a.yaml:3:23 placeholder: the text holds '${mood}', which is bought as it stands: a template writes {{ name }} (s)"
            ],
            id="a placeholder of a shell",
        ),
        pytest.param(
            '{name: s, prompt: "A lamp TODO"}',
            ["a.yaml:3:23 todo: the text holds 'TODO' (s)"],
            id="something to do",
        ),
        pytest.param(
            '{name: s, prompt: "A #REF! lamp"}',
            ["a.yaml:3:23 spreadsheet-error: the text holds '#REF!', a spreadsheet's error (s)"],
            id="an error of a spreadsheet",
        ),
        pytest.param(
            '{name: s, prompt: "#N/A"}',
            ["a.yaml:3:23 spreadsheet-error: the text holds '#N/A', a spreadsheet's error (s)"],
            id="a missing cell of a spreadsheet",
        ),
        pytest.param(
            '{name: s, prompt: "A #NAME? lamp"}',
            ["a.yaml:3:23 spreadsheet-error: the text holds '#NAME?', a spreadsheet's error (s)"],
            id="an unknown name of a spreadsheet",
        ),
        pytest.param(
            '{name: s, prompt: "A lamp #1 of {} and { a: b }, notTODO"}', [], id="nothing of that"
        ),
        pytest.param(
            '{name: s, prompt: "A lamp\\n \\t\\nglows"}',
            ["a.yaml:3:23 white-space: a line of the text is only white space"],
            id="a line of white space",
        ),
        pytest.param(
            '{name: s, prompt: "{{ a }}", matrix: {a: [New York, "new  york"]}}',
            [
                'a.yaml:3:5 near-duplicate: s[a="new  york"] differs from s[a="New York"] only in case and white space',
                'a.yaml:3:23 doubled-space: the text holds two spaces in a row (s[a="new  york"])',
                'a.yaml:3:57 near-duplicate: "new  york" and "New York" differ only in case and white space',
            ],
            id="near-duplicates",
        ),
        pytest.param(
            "{name: s, prompt: x, params: {seed: 3, n: 2}, takes: 2}",
            [
                "a.yaml:3:41 takes-with-seed: all takes have one seed: they may come out alike",
                "a.yaml:3:47 takes-with-n: 2 takes of 2 videos each: 4 videos",
            ],
            id="takes with a seed, and with n",
        ),
        pytest.param(
            "{name: s, prompt: x, matrix: {seed: [3, 4], n: [1, 2]}, takes: 2}",
            [
                "a.yaml:3:42 takes-with-seed: all takes have one seed: they may come out alike",
                "a.yaml:3:56 takes-with-n: 2 takes of 2 videos each: 4 videos",
            ],
            id="takes with an axis of seeds, and one of n",
        ),
        pytest.param(
            '{name: s, prompt: x, params: {seed: "{{ 3 + 1 }}"}, takes: 2}',
            ["a.yaml:3:41 takes-with-seed: all takes have one seed: they may come out alike"],
            id="takes with a seed that a template makes",
        ),
        pytest.param(
            '{name: s, prompt: x, params: {seed: "{{ 3 + take }}"}, takes: 2}',
            [],
            id="takes with a seed for each",
        ),
        pytest.param(
            "{name: s, prompt: x, params: {quality: 4k, duration: 4}}",
            [
                (
                    "a.yaml:3:44 short-high-resolution: Google's own service makes 1080p and 4k only with "
                    "8 seconds; the gateway states no such rule (s)"
                )
            ],
            id="high resolution with less than eight seconds",
        ),
        pytest.param(
            "{name: s, prompt: x, params: {generation_type: REFERENCE, seed: 4, image_urls: [https://example.com/a.png]}}",
            ["a.yaml:3:69 reference-ignores: REFERENCE takes no other parameter (s)"],
            id="a parameter that REFERENCE ignores",
        ),
    ],
)
def test_doubts_are_warnings(project: Project, shots: str, expected: list[str]) -> None:
    project.write("templates/i.j2", "{{ a }}{% include 'j.j2' %}")
    project.write("templates/j.j2", "{{ v }}")

    assert warned(project, f"shots:\n  - {shots}\n") == expected


def test_a_large_shot_of_which_nothing_is_left_is_told_as_a_small_one_is(project: Project) -> None:
    values = list(range(110))
    text = f"a: {values}, b: {values}, exclude: [{{a: {values}}}]"
    spec = f'shots: [{{name: s, prompt: "{{{{ a }}}} {{{{ b }}}}", matrix: {{{text}}}}}]'

    warnings = project.plan(spec, max_requests=20_000).warnings

    assert [w.text for w in warnings] == ["the excludes of 's' leave none of its combinations"]


def test_a_var_of_a_base_may_be_meant_for_other_specs(project: Project) -> None:
    project.base("_base.yaml", "vars: {v: 1}")

    assert warned(project, "extends: _base.yaml\nvars: {w: 1}\nshots: [{name: s, prompt: x}]") == [
        "a.yaml:3:8 unused-var: no template uses the var 'w'"
    ]


def test_a_var_that_one_of_two_shots_uses_is_used(project: Project) -> None:
    text = 'vars: {v: 1}\nshots: [{name: s, prompt: x}, {name: t, prompt: "{{ v }}"}]'

    assert warned(project, text) == []


def test_a_setting_that_no_template_uses_is_a_typo(project: Project) -> None:
    text = "shots: [{name: s, prompt: '{{ light }}', vars: {light: low}}]"

    warnings = project.warnings(text, settings=("vars.lihgt=high",))

    assert warnings == [
        "--set vars.lihgt=high:1:1: warning[unused-var]: no template uses the var 'lihgt'"
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            "shots:\n  - name: s\n    prompt: Close-up of item #1 on the table\n",
            "a.yaml:4:30 comment: the prompt ends here: what follows is a comment; "
            "quote the text, or give the comment a line of its own",
            id="a prompt",
        ),
        pytest.param(
            "shots:\n  - name: s\n    prompt: x\n    negative_prompt: cans\t# 1 and 2\n",
            "a.yaml:5:27 comment: the negative_prompt ends here: what follows is a comment; "
            "quote the text, or give the comment a line of its own",
            id="a negative prompt",
        ),
        pytest.param(
            "shots:\n  - name: s\n    prompt: The switch\n      of item #1\n",
            "a.yaml:5:15 comment: the prompt ends here: what follows is a comment; "
            "quote the text, or give the comment a line of its own",
            id="the last of several lines",
        ),
        pytest.param(
            "params:\n  prompt: item #1\nshots: [{name: s}]\n",
            "a.yaml:3:16 comment: the prompt ends here: what follows is a comment; "
            "quote the text, or give the comment a line of its own",
            id="the prompt of all shots",
        ),
    ],
)
def test_a_comment_that_cuts_a_prompt_is_a_warning(
    project: Project, spec: str, expected: str
) -> None:
    assert warned(project, spec) == [expected]


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("'item #1' # quoted", id="quotes"),
        pytest.param("item#1", id="no blank before it"),
        pytest.param("|\n      item #1", id="a block"),
        pytest.param("x\n    # of its own", id="a line of its own"),
    ],
)
def test_what_cuts_no_prompt_is_none(project: Project, prompt: str) -> None:
    assert warned(project, f"shots:\n  - name: s\n    prompt: {prompt}\n") == []


def test_one_thing_that_is_odd_in_several_shots_is_told_once(project: Project) -> None:
    text = """params: {quality: 4k, duration: 4}
shots: [{name: a, prompt: x}, {name: b, prompt: y}, {name: c, prompt: z}]
"""

    assert warned(project, text) == [
        (
            "a.yaml:2:19 short-high-resolution: Google's own service makes 1080p and 4k only with "
            "8 seconds; the gateway states no such rule (a and 2 more)"
        )
    ]
