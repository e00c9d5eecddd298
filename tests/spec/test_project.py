"""Where a project begins, which files of a folder are specs, and the team's policy."""

import errno
from decimal import Decimal
from pathlib import Path, PurePosixPath

import pytest
from support.project import MemoryFiles, Project

from veogen.document.files import Folder
from veogen.document.nodes import Location
from veogen.document.problems import MistakesError
from veogen.spec.project import load_policy, project_root, specs_in
from veogen.spec.types import Limits, Policy

SHOT = "shots: [{name: a, prompt: x}]"


@pytest.mark.parametrize(
    ("marks", "root"),
    [
        pytest.param(["p/specs/"], "p", id="the folder that holds specs"),
        pytest.param(["p/templates/"], "p", id="the folder that holds templates"),
        pytest.param(["p/veogen.yaml"], "p", id="the folder that holds the policy"),
        pytest.param(
            ["veogen.yaml", "p/specs/", "p/templates/"], ".", id="a policy before all others"
        ),
        pytest.param(["specs/", "p/q/templates/"], "p/q", id="the nearest"),
        pytest.param([], "p/q", id="the spec's own folder, without any mark"),
        pytest.param(["../specs/", "../veogen.yaml"], "p/q", id="never above the work tree"),
        pytest.param(["p/specs"], "p/q", id="a file is no folder"),
    ],
)
def test_the_root_is_the_nearest_folder_with_a_mark(
    marks: list[str], root: str, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    (tree / ".git").mkdir(parents=True)
    for mark in marks:
        path = tree / mark
        path.parent.mkdir(parents=True, exist_ok=True)
        if mark.endswith("/"):
            path.mkdir()
        else:
            path.write_text("")

    (tree / "p/q").mkdir(parents=True, exist_ok=True)

    assert project_root(tree / "p/q/a.yaml") == (tree / root).resolve()


def test_a_work_tree_of_git_may_be_marked_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/.git").write_text("gitdir: elsewhere")

    assert project_root(tmp_path / "tree/a.yaml") == (tmp_path / "tree").resolve()


def test_the_specs_of_a_folder(project: Project) -> None:
    for name, text in {
        "b.yaml": "veogen: 1",
        "a.yml": "{veogen: 1}",
        "c.yaml": "name: x\n'veogen': 1",
        "broken.yaml": "veogen: 1\nshots: [",
        "_base.yaml": "veogen: 1",
        ".hidden.yaml": "veogen: 1",
        "a.lock.yaml": "veogen: 1",
        "a.draft.lock.yml": "veogen: 1",
        "other.yaml": "name: x\nnested:\n  veogen: 1",
        "broken-other.yaml": "[",
        "notes.txt": "veogen: 1",
        "veogen.yaml": "veogen: 1",
        "sub/d.yaml": "veogen: 1",
    }.items():
        project.write(f"specs/{name}", text)

    found = specs_in(Folder(project.root), PurePosixPath("specs"))

    assert [path.name for path in found] == ["a.yml", "b.yaml", "broken.yaml", "c.yaml"]


class LockedFiles(MemoryFiles):
    """Files that are others' to read."""

    def read(self, path: PurePosixPath, at_most: int | None = None) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", f"{path}, {at_most}")


def test_a_file_of_a_folder_that_cannot_be_read_is_left_to_whoever_reads_it_to_tell_of() -> None:
    files = LockedFiles({"specs/a.yaml": "veogen: 1", "specs/notes.txt": "", "specs/_b.yaml": ""})

    assert list(specs_in(files, PurePosixPath("specs"))) == [PurePosixPath("specs/a.yaml")]


def test_a_policy_is_read_from_the_root(project: Project) -> None:
    project.write(
        "veogen.yaml",
        "limits: {max_credits: 100.5, max_requests: 9, models: [m]}",
    )

    spec = project.spec(SHOT, name="specs/a.yaml")

    assert spec.policy == Policy(
        limits=Limits(Decimal("100.5"), 9, ("m",), spec.policy.limits.place),
    )
    assert str(spec.policy.limits.place) == "veogen.yaml:1:9"
    assert load_policy(Folder(project.root)) == spec.policy


def test_a_policy_may_say_the_version_of_its_language(project: Project) -> None:
    project.write("veogen.yaml", "veogen: 1\nlimits: {max_requests: 9}\n")

    assert project.spec(SHOT, name="specs/a.yaml").policy.limits.max_requests == 9


def test_a_project_without_a_policy_has_no_limits(project: Project) -> None:
    assert load_policy(Folder(project.root)) == Policy()


def test_an_empty_policy_only_marks_the_root(project: Project) -> None:
    place = Location("veogen.yaml", 1, 1)
    project.write("veogen.yaml", "# ours\n")

    assert load_policy(Folder(project.root)) == Policy(limits=Limits(place=place))


@pytest.mark.parametrize(
    ("policy", "line"),
    [
        pytest.param(
            "limit: {}",
            "veogen.yaml:1:1: error[unknown-key]: 'limit' is not a key of a policy; "
            "did you mean 'limits'?",
            id="an unknown key",
        ),
        pytest.param(
            "limits: {max_credits: lots}",
            "veogen.yaml:1:23: error[type]: 'max_credits' is a number of credits, not 'lots'",
            id="no number",
        ),
        pytest.param(
            "prices: ../ours.yaml",
            "veogen.yaml:1:9: error[outside-root]: '../ours.yaml' leaves the project",
            id="prices elsewhere",
        ),
        pytest.param(
            "limits: {models: one}",
            "veogen.yaml:1:18: error[type]: 'models' is a list, not 'one'",
            id="models that are no list",
        ),
        pytest.param(
            "store: s4://bucket",
            "veogen.yaml:1:8: error[store]: a store is s3://bucket/prefix, gs://…, az://… or "
            "file:///folder, without credentials and options",
            id="a store of no kind",
        ),
        pytest.param(
            "store: s3://KEY:SECRET@bucket/prefix",
            "veogen.yaml:1:8: error[store]: a store is s3://bucket/prefix, gs://…, az://… or "
            "file:///folder, without credentials and options",
            id="a key in the URL of a store",
        ),
    ],
)
def test_a_mistake_in_the_policy_is_told_with_its_place(
    policy: str, line: str, project: Project
) -> None:
    project.write("veogen.yaml", policy)

    assert project.spec_mistakes(SHOT) == [line]
    with pytest.raises(MistakesError) as caught:
        load_policy(Folder(project.root))
    assert str(caught.value) == line


def test_a_spec_may_only_lower_the_limits_of_the_team(project: Project) -> None:
    project.write("veogen.yaml", "limits: {max_credits: 100, max_requests: 9}")

    assert project.spec(f"budget: {{max_credits: 100}}\n{SHOT}").budget.max_credits == 100
    assert project.spec_mistakes(f"budget: {{max_credits: 100.5, max_requests: 10}}\n{SHOT}") == [
        (
            "a.yaml:2:23: error[raised-limit]: a spec may only lower the limit in veogen.yaml: "
            "max_credits is at most 100"
        ),
        (
            "a.yaml:2:44: error[raised-limit]: a spec may only lower the limit in veogen.yaml: "
            "max_requests is at most 9"
        ),
    ]
