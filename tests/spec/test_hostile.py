"""Specs that are made to keep a reader busy: each is read, or refused, in good time."""

import time

import pytest
from support.project import Project

from veogen.document.problems import MistakesError

MANY = 20_000
SHOT = "shots: [{name: a, prompt: x}]\n"


def listed(form: str, count: int = MANY) -> str:
    return ", ".join(form.format(number) for number in range(count))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SHOT + "\n".join(f"shotz{n}: 1" for n in range(MANY)), id="unknown keys"),
        pytest.param(
            "shots: [{name: a, prompt: x, params: {" + listed("duraton{}: 1") + "}}]",
            id="unknown parameters",
        ),
        pytest.param("shots: [" + listed("{{nam: a{}}}") + "]", id="misspelt keys everywhere"),
        pytest.param("shots: [" + listed("{{name: a{}}}") + "]", id="shots without prompts"),
        pytest.param(
            SHOT + "profiles: {p: {shots: [" + listed("{{name: a{}}}") + "]}}",
            id="shots without prompts in a profile",
        ),
        pytest.param(
            "vars: {" + listed("v{}: 1") + "}\nshots: [" + listed("{{name: a{}, prompt: x}}") + "]",
            id="many vars for many shots",
        ),
        pytest.param(
            "vars: {"
            + listed("v{}: 1")
            + "}\nshots: ["
            + listed("{{name: a{}, prompt: x, vars: {{w: 1}}}}")
            + "]",
            id="many vars for many shots with vars of their own",
        ),
        pytest.param(
            "matrix: {"
            + listed("v{}: [1]")
            + "}\nshots: ["
            + listed("{{name: a{}, prompt: x, matrix: {{w: [1]}}}}")
            + "]",
            id="many axes for many shots",
        ),
        pytest.param(SHOT + "extends: [" + listed("b.yaml") + "]", id="many bases"),
        pytest.param(SHOT + "profiles: {" + listed("p{}: {{}}") + "}", id="many profiles"),
        pytest.param(
            "vars:\n  a: &a {"
            + listed("k{}: 1", 9000)
            + "}\n"
            + "  b: ["
            + "*a, " * 80
            + "]\n"
            + SHOT,
            id="aliases up to the limit",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, params: {image_urls: [" + listed("a{}.png") + "]}}]",
            id="many images",
        ),
    ],
)
def test_it_ends_in_good_time(text: str, project: Project) -> None:
    project.write("b.yaml", "vars: {" + listed("v{}: 1", 100) + "}")
    start = time.process_time()

    try:
        project.spec(text, profile="p" if "profiles: {p: " in text else None)
    except MistakesError as error:
        assert len(error.problems) <= 1001  # noqa: PT017 - either end is right

    assert time.process_time() - start < 5
