"""A file that is not there is told with the one beside it that was probably meant."""

import pytest
from support.galleries import picture
from support.project import Project


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "extends: _bse.yaml\nshots: [{name: a, prompt: x}]",
            "a.yaml:2:10: error[missing-file]: there is no file '_bse.yaml'; did you mean '_base.yaml'?",
            id="a base",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, matrix: {rows: data/prodcts.csv}}]",
            "a.yaml:2:45: error[rows]: data/prodcts.csv cannot be read: No such file or directory; "
            "did you mean 'products.csv'?",
            id="rows",
        ),
        pytest.param(
            "shots: [{name: a, template: openning.j2}]",
            "a.yaml:2:29: error[template-not-found]: there is no template 'openning.j2' (a); "
            "did you mean 'opening.j2'?",
            id="a template",
        ),
        pytest.param(
            "shots: [{name: a, prompt: x, params: {image_urls: [data/rom.png]}}]",
            "a.yaml:2:51: error[bad-image]: 'data/rom.png' cannot be read: No such file or "
            "directory; did you mean 'room.png'? (a)",
            id="an image",
        ),
        pytest.param(
            "shots: [{name: a, template: nowhere/opening.j2}]",
            "a.yaml:2:29: error[template-not-found]: there is no template 'nowhere/opening.j2' (a)",
            id="in a folder that is not there either",
        ),
    ],
)
def test_the_nearest_file_is_named(project: Project, text: str, expected: str) -> None:
    project.base("_base.yaml", "vars: {}")
    project.write("data/products.csv", "id\n1\n")
    project.write("data/room.png", picture())
    project.write("templates/opening.j2", "x")

    assert project.mistakes(text) == [expected]
