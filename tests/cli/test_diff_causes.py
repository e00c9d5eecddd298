"""Every change in a diff names its cause: the line, row, template or image that differs."""

from pathlib import Path

import pytest
from support.galleries import picture
from support.project import Repo, Shell

SPEC = """\
veogen: 1
extends: _base.yaml
vars: {brand: Lumen}
profiles:
  draft: {params: {seed: 1}}
shots:
  - name: rows
    template: rows.j2
    matrix: {rows: cities.csv, rows_key: [city]}
  - name: inline
    prompt: |
      {{ brand }} in
      {{ look.light }} light.
    matrix:
      look: [{id: a, light: soft}]
    params: {image_urls: ["../a.png"], person_generation: "{{ people }}"}
    vars: {people: dont_allow}
    output: "{{ brand }}/{{ look.id }}"
  - name: word
    prompt: "one {{ shot }}"
    overrides:
      - {when: {}, params: {seed: 7}}
"""
FILES = {
    "specs/a.yaml": SPEC,
    "specs/_base.yaml": "params:\n  duration: 4\nveogen: 1\n",
    "specs/cities.csv": "city,mood,aspect_ratio\nTokyo,calm,16:9\nParis,loud,9:16\n",
    "templates/rows.j2": '{% include "parts/start.j2" %}\n{{ city }} is {{ mood }}.\n',
    "templates/parts/start.j2": "A film.\n{% import 'parts/deep.j2' as deep %}{{ deep.end() }}\n",
    "templates/parts/deep.j2": "{% macro end() %}\nThe end.\n{% endmacro %}\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    for name, content in FILES.items():
        repo.write(name, content)
    repo.write("a.png", picture())
    repo.commit()
    return repo


@pytest.mark.parametrize(
    ("name", "old", "new", "causes"),
    [
        pytest.param(
            "templates/rows.j2", "is {{", "looks {{", ["because of templates/rows.j2:2"],
            id="a line of a template",
        ),
        pytest.param(
            "templates/parts/start.j2", "A film", "A clip",
            ["because of templates/parts/start.j2:1"],
            id="a template that it includes",
        ),
        pytest.param(
            "templates/parts/deep.j2", "The end", "Finis",
            ["because of templates/parts/deep.j2:2"],
            id="a template that this one imports",
        ),
        pytest.param(
            "specs/cities.csv", "loud", "quiet", ["because of specs/cities.csv:3:7"],
            id="a cell that a template shows",
        ),
        pytest.param(
            "specs/cities.csv", "Tokyo,calm,16:9", "Tokyo,calm,9:16",
            ["because of specs/cities.csv:2:12"],
            id="a cell that is a parameter",
        ),
        pytest.param(
            "specs/a.yaml", "}} light", "}} lamps", ["because of specs/a.yaml:13"],
            id="a line of a prompt in the spec",
        ),
        pytest.param(
            "specs/a.yaml", '"one {{', '"two {{', ["because of specs/a.yaml:20:13"],
            id="a prompt on one line",
        ),
        pytest.param(
            "specs/a.yaml", "light: soft", "light: hard", ["because of specs/a.yaml:15:14"],
            id="a value of an axis",
        ),
        pytest.param(
            "specs/a.yaml", "Lumen", "Lucid", ["because of specs/a.yaml:3:15"],
            id="a var, in a prompt and a path",
        ),
        pytest.param(
            "specs/a.yaml", "people: dont_allow", "people: allow_adult",
            ["because of specs/a.yaml:17:20"],
            id="a var in a parameter",
        ),
        pytest.param(
            "specs/_base.yaml", "duration: 4", "duration: 6", ["because of specs/_base.yaml:2:13"],
            id="a parameter of a base",
        ),
        pytest.param(
            "specs/_base.yaml", "duration: 4\n", "duration: 4\n  quality: 1080p\n",
            ["because of specs/_base.yaml:3:12"],
            id="a parameter that came",
        ),
        pytest.param(
            "specs/_base.yaml", "  duration: 4\n", "  {}\n", ["because of HEAD:specs/_base.yaml:2:13"],
            id="a parameter that went",
        ),
        pytest.param(
            "specs/a.yaml", "{seed: 7}", "{seed: 8}", ["because of specs/a.yaml:22:35"],
            id="an override",
        ),
        pytest.param("a.png", None, None, ["because of the bytes of a.png"], id="an image"),
    ],
)  # fmt: skip
def test_a_change_names_what_differs(
    repo: Repo,
    capsys: pytest.CaptureFixture[str],
    name: str,
    old: str | None,
    new: str | None,
    causes: list[str],
) -> None:
    if old is None or new is None:
        repo.write(name, picture(size=(1280, 721)))
    else:
        assert old in FILES[name]
        repo.write(name, FILES[name].replace(old, new))

    ended = Shell(repo.path, capsys, {}).veogen("diff", "HEAD:specs/a.yaml", "specs/a.yaml")

    found = [line.strip() for line in ended.out.splitlines() if line.startswith("      because")]
    assert (ended.code, sorted(set(found))) == (0, causes)


def test_a_change_of_a_lock_names_where_the_new_value_is_written(
    repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(repo.path, capsys, {})
    shell.veogen("lock", "specs/a.yaml")
    repo.write("templates/parts/start.j2", "A clip.\n")
    repo.write("a.png", picture(size=(1280, 721)))

    told = shell.veogen("diff", "specs/a.lock.yaml", "specs/a.yaml").out

    found = [line.strip() for line in told.splitlines() if line[6:9] in ("see", "bec")]
    assert found == ["see templates/rows.j2:1", "because of the bytes of a.png"]
