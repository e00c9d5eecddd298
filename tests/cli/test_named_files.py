"""Files that somebody named beside specs, as a glob of a shell does."""

import os

import pytest
from support.project import Ended, Repo, Shell

NO_SPECS = (
    "error: specs/_base.yaml is a base: it has no shots; "
    "name the specs that extend it, or the folder specs/\n"
    "specs/a.draft.picks.anna.yaml is a picks file; "
    "name the spec specs/a.yaml, or the folder specs/\n"
)
A_LOCK = "specs/a.lock.yaml is a lock; name the spec specs/a.yaml, or the folder specs/\n"
A_LOCK_TOO = (
    "specs/a.lock.yaml is the lock of specs/a.yaml, which is named too; "
    "leave one of them out, or name the folder specs/\n"
)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param("plan", NO_SPECS + A_LOCK, id="plan"),
        pytest.param("validate", NO_SPECS + A_LOCK, id="validate"),
        pytest.param("lock", NO_SPECS + A_LOCK, id="lock"),
        pytest.param("lock --check", NO_SPECS, id="lock --check"),
        pytest.param("run --simulate", NO_SPECS + A_LOCK_TOO, id="run"),
        pytest.param("diff --base HEAD", NO_SPECS + A_LOCK_TOO, id="diff"),
    ],
)
def test_what_a_glob_of_a_shell_names_beside_the_specs_is_said(
    shell: Shell, words: str, message: str
) -> None:
    repo = Repo(shell.folder)
    repo.write("specs/_base.yaml", "veogen: 1\nvars: {city: Tokyo}\n")
    for name in ("a", "b"):
        repo.write(f"specs/{name}.yaml", "veogen: 1\nshots: [{name: a, prompt: x}]\n")
    repo.write("specs/a.draft.picks.anna.yaml", "format: veogen.picks/1\npicks: []\n")
    shell.veogen("lock", "specs/a.yaml")
    repo.commit()
    names = sorted(str(path) for path in (shell.folder / "specs").iterdir())
    glob = [os.path.relpath(name, shell.folder) for name in names]

    ended = shell.veogen(*words.split(), *glob)

    assert ended == Ended(2, "", message)


def test_a_lock_and_its_spec_are_checked_once(shell: Shell) -> None:
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/a.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: x}]\n")
    shell.veogen("lock", "specs")

    ended = shell.veogen("lock", "--check", "specs/a.lock.yaml", "specs/a.yaml")

    assert ended == Ended(0, "", "specs/a.lock.yaml: up to date, 1 request, 38.016 credits\n")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param(
            "plan.json",
            '{"format": "veogen.plan/1"}',
            "plan.json is a plan file; name the spec that makes it",
            id="a plan",
        ),
        pytest.param(
            "runs/a/results.json",
            '{"format": "veogen.results/1"}',
            "runs/a/results.json is a file of results; name the spec that they are of",
            id="results",
        ),
        pytest.param(
            "veogen.yaml",
            "limits: {max_credits: 1}",
            "veogen.yaml is the policy of a project; name its specs",
            id="a policy",
        ),
    ],
)
def test_another_file_of_a_project_is_named_by_what_it_is(
    shell: Shell, name: str, text: str, message: str
) -> None:
    path = shell.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

    assert shell.veogen("plan", name) == Ended(2, "", f"error: {message}\n")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("init", id="init"),
        pytest.param("export runs/a.simulated", id="export"),
        pytest.param("plan specs --dir", id="plan --dir"),
        pytest.param("plan specs --out", id="plan --out"),
        pytest.param("run specs --simulate --dir", id="run --dir"),
        pytest.param("gallery --out", id="gallery --out"),
    ],
)
def test_a_variable_that_is_not_set_is_not_the_folder_that_one_stands_in(
    shell: Shell, words: str
) -> None:
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/a.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: x}]\n")
    quick = ("--simulate", "--generation-time", "0", "--progress", "none")
    assert shell.veogen("run", "specs", *quick).code == 0
    before = sorted(shell.folder.rglob("*"))

    ended = shell.veogen(*words.split(), "")

    assert (ended.code, ended.out) == (2, "")
    assert "an empty text is no path" in ended.err
    assert sorted(shell.folder.rglob("*")) == before


@pytest.mark.parametrize("option", ["--store", "--dask", "--callback-base"])
def test_a_variable_that_is_not_set_is_not_an_option_left_out(shell: Shell, option: str) -> None:
    (shell.folder / "a.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: x}]\n")

    ended = shell.veogen("run", "a.yaml", "--simulate", option, "")

    assert (ended.code, ended.out) == (2, "")
    assert f"Invalid value for '{option}': an empty text is no address" in ended.err
    assert not (shell.folder / "runs").exists()
