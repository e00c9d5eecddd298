"""`veogen init`: a project that works, and nothing of anybody's overwritten."""

import shlex
import subprocess
from pathlib import Path

import pytest
from support.project import Ended, Shell

PROJECT = [
    "specs/launch.yaml",
    "templates/opening.j2",
    "veogen.yaml",
    ".gitignore",
    ".gitattributes",
    "specs/veogen.schema.json",
    "specs/launch.lock.yaml",
]
NEXT = """
Now type:
  veogen plan {spec}  # what it would buy, and for how much
  veogen run {spec} --simulate  # a run without key, network and money
  veogen gallery {spec} --simulate --open  # look at its clips
  veogen help tutorial  # the rest in ten minutes

After each edit that is meant to be bought:
  veogen lock {spec}  # write down what is approved, and commit it with the spec
"""


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "home/.git").mkdir(parents=True)
    return Shell(tmp_path / "home", capsys, {})


def files(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_a_project_is_written_and_the_next_commands_said(shell: Shell) -> None:
    written = "".join(f"{name}: written\n" for name in PROJECT)

    assert shell.veogen("init") == Ended(0, "", written + NEXT.format(spec="specs/launch.yaml"))
    assert sorted(files(shell.folder)) == sorted(PROJECT)


def test_the_commands_that_are_said_work(shell: Shell) -> None:
    told = shell.veogen("init", "new campaign").err
    lines = [line.split("  #")[0] for line in told.splitlines() if line.startswith("  veogen")]

    for line in lines:
        words = [word for word in shlex.split(line)[1:] if word != "--open"]
        quick = ("--generation-time", "0.05", "--progress", "none") if "run" in words else ()
        assert shell.veogen(*words, *quick).code == 0

    assert len(lines) == 5


def test_the_project_has_no_mistakes_and_stays_within_its_own_limits(shell: Shell) -> None:
    shell.veogen("init")

    assert shell.veogen("validate", "specs") == Ended(0, "", "1 spec: no mistakes\n")
    assert shell.veogen("plan", "specs", "--profile", "draft").code == 0
    assert shell.veogen("lock", "--check", "specs").code == 0


@pytest.mark.slow
def test_the_budget_allows_each_clip_a_second_try(shell: Shell) -> None:
    shell.veogen("init")
    quick = ("--simulate", "--generation-time", "0.05", "--progress", "none")
    assert shell.veogen("run", "specs/launch.yaml", *quick).code == 0
    spec = shell.folder / "specs/launch.yaml"
    spec.write_text(spec.read_text().replace("a brass desk lamp", "an iron desk lamp"))

    again = shell.veogen("run", "specs/launch.yaml", *quick)

    assert again.code == 0
    assert "380.160 credits" in again.err


def test_an_editor_finds_the_schema_of_the_spec(shell: Shell) -> None:
    shell.veogen("init")
    first = (shell.folder / "specs/launch.yaml").read_text().splitlines()[0]

    assert first == "# yaml-language-server: $schema=veogen.schema.json"
    schema = (shell.folder / "specs/veogen.schema.json").read_text()
    assert schema == shell.veogen("schema").out


def test_github_folds_what_veogen_writes(shell: Shell) -> None:
    shell.veogen("init")
    attributes = shell.folder / ".gitattributes"
    subprocess.run(["git", "init", "-q"], cwd=shell.folder, check=True)

    asked = ["git", "check-attr", "linguist-generated", "--", *GENERATED, "specs/launch.yaml"]
    told = subprocess.run(asked, cwd=shell.folder, check=True, capture_output=True, text=True)

    assert attributes.is_file()
    assert told.stdout.splitlines() == [
        *(f"{path}: linguist-generated: set" for path in GENERATED),
        "specs/launch.yaml: linguist-generated: unspecified",
    ]


GENERATED = ["specs/launch.lock.yaml", "specs/a.draft.lock.yaml", "runs/launch/results.json"]


def test_what_is_there_is_never_overwritten(shell: Shell) -> None:
    for name in PROJECT:
        (shell.folder / name).parent.mkdir(exist_ok=True)
        (shell.folder / name).write_text("# mine\n")
    (shell.folder / "specs/launch.yaml").write_text("veogen: 1\nname: mine\n")
    before = files(shell.folder)

    ended = shell.veogen("init")

    assert ended.code == 0
    assert "veogen.yaml: kept, it was there already\n" in ended.err
    assert files(shell.folder) == before


def test_what_git_should_know_is_said_where_its_files_are_kept(shell: Shell) -> None:
    (shell.folder / ".gitignore").write_text("node_modules/\n.env\n")

    told = shell.veogen("init").err.splitlines()

    assert (
        ".gitignore: kept, it was there already; add to it: "
        "/runs/*.simulated/, *.simulated.picks.*.yaml"
    ) in told


def test_a_link_to_nowhere_is_not_written_through(shell: Shell, tmp_path: Path) -> None:
    (shell.folder / "veogen.yaml").symlink_to(tmp_path / "elsewhere")

    shell.veogen("init")

    assert not (tmp_path / "elsewhere").exists()


def test_a_project_that_has_specs_gets_no_example(shell: Shell) -> None:
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/mine.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: x}]\n")

    ended = shell.veogen("init")

    assert sorted(files(shell.folder)) == [
        ".gitattributes",
        ".gitignore",
        "specs/mine.yaml",
        "specs/veogen.schema.json",
        "veogen.yaml",
    ]
    assert ended.err.endswith(NEXT.format(spec="specs/mine.yaml"))


def test_a_folder_that_cannot_be_written_is_a_mistake(shell: Shell) -> None:
    (shell.folder / "specs").write_text("a file")

    ended = shell.veogen("init")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: specs: File exists\n"


def test_the_results_of_a_run_are_not_ignored_and_simulated_ones_are(shell: Shell) -> None:
    shell.veogen("init")
    ignored = (shell.folder / ".gitignore").read_text().splitlines()

    assert [line for line in ignored if not line.startswith("#")] == [
        "/runs/*.simulated/",
        "*.simulated.picks.*.yaml",
        ".env",
    ]
