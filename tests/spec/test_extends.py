"""Specs that are laid over others: chains, lists, loops, and paths that are refused."""

import os

import pytest
from support.project import Project

SHOT = "shots: [{name: a, prompt: x}]"


def test_a_chain_and_a_list_of_bases(project: Project) -> None:
    project.base("specs/_one.yaml", "extends: deep/_zero.yaml\nvars: {a: one, b: one}")
    project.base("specs/deep/_zero.yaml", "vars: {a: zero, b: zero, c: zero}")
    project.base("specs/_two.yaml", "vars: {b: two}")

    shot = project.shot(f"extends: [_one.yaml, _two.yaml]\n{SHOT}", name="specs/a.yaml")

    assert shot.base.vars == {"a": "one", "b": "two", "c": "zero"}


def test_shots_of_a_base_keep_their_place(project: Project) -> None:
    project.base("b.yaml", "shots: [{name: a, prompt: x, takes: 2}, {name: b, prompt: y}]")

    spec = project.spec("extends: b.yaml\nshots: [{name: c, prompt: z}, {name: a, template: t.j2}]")

    assert [shot.name for shot in spec.shots] == ["a", "b", "c"]
    assert spec.shots[0].base.takes == 2
    assert spec.shots[0].base.prompt is not None
    assert spec.shots[0].base.prompt.name == "t.j2"


@pytest.mark.parametrize(
    ("extends", "lines"),
    [
        pytest.param(
            "nope.yaml",
            ["a.yaml:2:10: error[missing-file]: there is no file 'nope.yaml'"],
            id="a base that is not there",
        ),
        pytest.param(
            "../nope.yaml",
            ["a.yaml:2:10: error[outside-root]: '../nope.yaml' leaves the project"],
            id="a path that leaves the project",
        ),
        pytest.param(
            "/etc/hosts",
            ["a.yaml:2:10: error[outside-root]: '/etc/hosts' leaves the project"],
            id="an absolute path",
        ),
        pytest.param(
            "link.yaml",
            ["a.yaml:2:10: error[outside-root]: link.yaml leaves the project"],
            id="a link that leaves the project",
        ),
        pytest.param(
            "[base.yaml, 5]",
            ["a.yaml:2:22: error[type]: an item of 'extends' is a string, not 5"],
            id="no path",
        ),
        pytest.param(
            "folder",
            ["a.yaml:2:10: error[missing-file]: 'folder' cannot be read: this is not a file"],
            id="a folder",
        ),
        pytest.param(
            "a.yaml",
            ["a.yaml:2:10: error[extends-loop]: a spec cannot extend itself: a.yaml -> a.yaml"],
            id="itself",
        ),
        pytest.param(
            "loop.yaml",
            [
                (
                    "loop.yaml:1:10: error[extends-loop]: a spec cannot extend itself: "
                    "a.yaml -> loop.yaml -> a.yaml"
                )
            ],
            id="a base that extends it",
        ),
        pytest.param(
            "wrong.yaml",
            ["wrong.yaml:1:20: error[value]: duration is one of 4, 6, 8, not 99"],
            id="a base with a mistake",
        ),
    ],
)
def test_a_base_that_cannot_be_used_is_told_where_it_is_named(
    extends: str, lines: list[str], project: Project
) -> None:
    project.base("base.yaml", "vars: {}")
    project.base("loop.yaml", "extends: a.yaml")
    project.base("wrong.yaml", "params: {duration: 99}")
    (project.root / "folder").mkdir()
    (project.root / "link.yaml").symlink_to("/etc/hostname")

    assert project.spec_mistakes(f"extends: {extends}\n{SHOT}") == lines


@pytest.mark.parametrize(
    ("rest", "profile"),
    [
        pytest.param("name: a", None, id="all shots"),
        pytest.param("shots: [{name: a, takes: 2}]", None, id="a prompt"),
        pytest.param(SHOT, "draft", id="a profile"),
    ],
)
def test_what_a_base_that_is_not_there_may_have_written_is_not_missed(
    rest: str, profile: str | None, project: Project
) -> None:
    assert project.spec_mistakes(f"extends: nope.yaml\n{rest}", profile=profile) == [
        "a.yaml:2:10: error[missing-file]: there is no file 'nope.yaml'"
    ]


def test_whether_a_target_outside_exists_is_not_told(project: Project) -> None:
    (project.root / "there").symlink_to("/etc/hostname")
    (project.root / "not-there").symlink_to("/etc/no-such-file")

    there = project.spec_mistakes(f"extends: there\n{SHOT}")
    not_there = project.spec_mistakes(f"extends: not-there\n{SHOT}")

    assert there[0].replace("there", "x") == not_there[0].replace("not-there", "x")


def test_a_chain_ends_somewhere(project: Project) -> None:
    for number in range(60):
        project.base(f"b{number}.yaml", f"extends: b{number + 1}.yaml")

    assert project.spec_mistakes(f"extends: b0.yaml\n{SHOT}") == [
        "b48.yaml:1:10: error[extends-depth]: a chain of 'extends' has at most 50 files"
    ]


def test_bases_that_all_extend_two_others_are_read_once_each(project: Project) -> None:
    for number in range(40):
        project.base(f"b{number}.yaml", f"extends: [b{number + 1}.yaml, b{number + 1}.yaml]")
    project.base("b40.yaml", "vars: {x: 1}")

    assert project.shot(f"extends: b0.yaml\n{SHOT}").base.vars == {"x": 1}


def test_a_pipe_is_not_waited_for(project: Project) -> None:
    os.mkfifo(project.root / "pipe.yaml")

    assert project.spec_mistakes(f"extends: pipe.yaml\n{SHOT}") == [
        "a.yaml:2:10: error[missing-file]: 'pipe.yaml' cannot be read: this is not a file"
    ]


def test_the_version_is_not_inherited(project: Project) -> None:
    """A folder knows its specs by that key."""
    project.base("_base.yaml", "shots: [{name: a, prompt: x}]")
    path = project.write("a.yaml", "extends: _base.yaml\n")

    assert project.file_mistakes(path) == [
        "a.yaml:1:1: error[missing-key]: a spec begins with 'veogen: 1', the version of its language"
    ]


def test_a_base_says_its_version_too(project: Project) -> None:
    project.write("_base.yaml", "vars: {v: 1}\n")

    assert project.spec_mistakes("extends: _base.yaml\nshots: [{name: a, prompt: x}]") == [
        "_base.yaml:1:1: error[missing-key]: a base begins with 'veogen: 1', the version of its language"
    ]
