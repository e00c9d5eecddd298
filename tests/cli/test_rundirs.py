from pathlib import Path

import pytest
from support.project import Shell

from veogen.cli.lock import write_locks
from veogen.cli.options import RunOptions, SpecOptions
from veogen.cli.plan import write_plans
from veogen.cli.rundirs import commands_for, default_directory, find_run
from veogen.document.problems import MistakesError
from veogen.errors import UsageError

SPEC = "veogen: 1\nname: boats\nshots: [{name: a, prompt: x}]\nprofiles: {draft: {}}\n"
RESULTS = (
    '{"format": "veogen.results/1", "name": "boats", "gateway": "evolink", '
    '"results": [], "former": []}'
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/a.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_runs(project: Path, *names: str) -> None:
    for name in names:
        (project / "runs" / name).mkdir(parents=True)
        (project / "runs" / name / "results.json").write_text(
            RESULTS.replace("evolink", "simulated" if "simulated" in name else "evolink")
        )


@pytest.mark.parametrize(
    ("profile", "simulated", "name"),
    [
        pytest.param(None, False, "boats", id="a spec"),
        pytest.param("draft", False, "boats.draft", id="with a profile"),
        pytest.param(None, True, "boats.simulated", id="simulated"),
        pytest.param("draft", True, "boats.draft.simulated", id="both"),
    ],
)
def test_a_run_has_a_directory_below_the_project(
    profile: str | None, *, simulated: bool, name: str
) -> None:
    found = default_directory(Path.cwd().parent, "boats", profile, simulated=simulated)

    assert found == Path("../runs") / name


@pytest.mark.parametrize(
    ("runs", "written", "profile", "found"),
    [
        pytest.param(["x"], "runs/x", None, "x", id="a directory"),
        pytest.param(["x"], None, None, "x", id="the only one"),
        pytest.param(["boats", "x"], "specs/a.yaml", None, "boats", id="a spec"),
        pytest.param(
            ["boats", "boats.simulated", "boats.draft"],
            "specs/a.yaml",
            None,
            "boats",
            id="a spec whose default is there",
        ),
        pytest.param(
            ["boats.simulated"], "specs/a.yaml", None, "boats.simulated", id="only simulated"
        ),
        pytest.param(["boats.draft"], "specs/a.yaml", None, "boats.draft", id="only of a profile"),
        pytest.param(
            ["boats", "boats.draft"], "specs/a.yaml", "draft", "boats.draft", id="of a profile"
        ),
        pytest.param(
            ["boats", "boats.draft"],
            "specs/a.draft.lock.yaml",
            None,
            "boats.draft",
            id="of a lock, which is of a profile",
        ),
        pytest.param(["x", "x.simulated"], None, None, "x", id="the only real one"),
        pytest.param(
            ["x", "practice of simulated things", "y.simulated"],
            None,
            None,
            "x",
            id="whatever a simulated one is called",
        ),
    ],
)
def test_a_run_is_found(
    project: Path, runs: list[str], written: str | None, profile: str | None, found: str
) -> None:
    make_runs(project, *runs)
    write_locks([Path("specs/a.yaml")], SpecOptions(profile="draft"))

    assert find_run(written, profile) == Path("runs") / found


def test_a_simulated_run_of_a_spec_is_found_when_that_is_asked_for(project: Path) -> None:
    make_runs(project, "boats", "boats.simulated", "boats.draft.simulated")

    assert find_run("specs/a.yaml", simulate=True) == Path("runs/boats.simulated")
    assert find_run("specs/a.yaml", "draft", simulate=True) == Path("runs/boats.draft.simulated")


@pytest.mark.parametrize(
    ("runs", "profile", "meant", "other"),
    [
        pytest.param(["boats.draft"], None, "boats", "boats.draft", id="of a profile"),
        pytest.param(["boats"], "draft", "boats.draft", "boats", id="of none"),
        pytest.param(
            ["boats", "boats.draft.simulated"],
            "draft",
            "boats.draft",
            "boats.draft.simulated",
            id="of the profile first",
        ),
    ],
)
def test_another_run_of_the_spec_than_was_meant_is_said(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    runs: list[str],
    profile: str | None,
    meant: str,
    other: str,
) -> None:
    make_runs(project, *runs)

    assert find_run("specs/a.yaml", profile) == Path("runs") / other

    told = f"note: runs/{meant} is not there; this is about runs/{other}\n"
    assert capsys.readouterr() == ("", told)


def test_practice_is_never_taken_for_what_was_paid(project: Path) -> None:
    make_runs(project, "boats")

    with pytest.raises(UsageError) as caught:
        find_run("specs/a.yaml", simulate=True)

    assert str(caught.value) == (
        "specs/a.yaml: it has not been run yet (runs/boats.simulated); "
        "type: veogen run specs/a.yaml --simulate"
    )


@pytest.mark.parametrize(
    ("runs", "written", "message"),
    [
        pytest.param(
            [], None, "runs: there is no run yet; name a run directory or a spec", id="none"
        ),
        pytest.param(
            ["x", "y z"],
            None,
            "runs holds several runs; name one of them: runs/x, 'runs/y z'",
            id="several",
        ),
        pytest.param([], "gone", "gone: there is no such run directory or spec", id="not there"),
        pytest.param(
            [],
            "specs",
            "specs: this is not a run directory: it has neither results.json nor journal.db",
            id="another directory",
        ),
        pytest.param(
            ["x"],
            "specs/a.yaml",
            "specs/a.yaml: it has not been run yet (runs/boats); type: veogen run specs/a.yaml",
            id="a spec without a run",
        ),
        pytest.param(
            ["boats.draft", "boats.simulated"],
            "specs/a.yaml",
            "specs/a.yaml: it has several runs; name one of them: runs/boats.simulated, "
            "runs/boats.draft",
            id="a spec with several runs",
        ),
        pytest.param(
            ["x"],
            "runs/x/results.json",
            "runs/x/results.json: a run is named by its directory, runs/x",
            id="the results of a run",
        ),
        pytest.param(
            [],
            "specs/a.draft.lock.yaml",
            "specs/a.draft.lock.yaml: it has not been run yet (runs/boats.draft); "
            "type: veogen run specs/a.draft.lock.yaml",
            id="a lock that was not run",
        ),
        pytest.param(
            [],
            "plan.json",
            "plan.json: this is neither a run directory nor a spec",
            id="a plan",
        ),
        pytest.param(["x"], "", "an empty text names no run", id="a variable that is not set"),
    ],
)
def test_a_run_that_is_not_clear_is_asked_for(
    project: Path, runs: list[str], written: str | None, message: str
) -> None:
    make_runs(project, *runs)
    write_locks([Path("specs/a.yaml")], SpecOptions(profile="draft"))
    write_plans((Path("specs/a.yaml"),), SpecOptions(), "json", Path("plan.json"), RunOptions())

    with pytest.raises(UsageError) as caught:
        find_run(written)

    assert str(caught.value) == message


def test_without_a_name_the_only_simulated_run_is_meant_where_one_is_asked_for(
    project: Path,
) -> None:
    make_runs(project, "x", "y.simulated")

    assert find_run(None, simulate=True) == Path("runs/y.simulated")
    make_runs(project, "z.simulated")
    with pytest.raises(UsageError, match=r"name one of them: runs/y\.simulated, runs/z\.simulated"):
        find_run(None, simulate=True)


@pytest.mark.parametrize("written", [None, "runs/x"])
def test_a_profile_is_for_a_spec(project: Path, written: str | None) -> None:
    make_runs(project, "x", "y")

    with pytest.raises(UsageError, match="--profile is for a SPEC"):
        find_run(written, "draft")


def test_a_lock_has_the_profile_that_it_was_made_with(project: Path) -> None:
    make_runs(project, "boats.draft")
    write_locks([Path("specs/a.yaml")], SpecOptions(profile="draft"))

    with pytest.raises(UsageError, match="a lock has a profile of its own: leave yours out"):
        find_run("specs/a.draft.lock.yaml", "draft")


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        pytest.param(
            "draft",
            "specs/a.yaml: it has not been run yet (runs/boats.draft); "
            "type: veogen run specs/a.yaml --profile draft",
            id="one that it has",
        ),
        pytest.param(
            "drift", "specs/a.yaml: 'drift' is not a profile of this spec", id="one that it has not"
        ),
    ],
)
def test_a_profile_that_was_not_run_is_said_with_what_to_type(
    project: Path, profile: str, message: str
) -> None:
    make_runs(project, "boats", "boats.simulated")

    with pytest.raises(UsageError) as caught:
        find_run("specs/a.yaml", profile)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("run", "name", "arguments"),
    [
        pytest.param("runs/a", "a", "specs/a.yaml", id="of a spec"),
        pytest.param("runs/a.draft", "a", "specs/a.yaml --profile draft", id="with a profile"),
        pytest.param("runs/a.simulated", "a", "specs/a.yaml --simulate", id="simulated"),
        pytest.param("runs/x", "a", "specs/a.yaml --dir runs/x", id="in another directory"),
        pytest.param("runs/b", "b", "SPEC", id="of a spec that is elsewhere"),
        pytest.param("runs/b.draft", "b", "SPEC --profile draft", id="elsewhere, with a profile"),
        pytest.param("runs/b.simulated", "b", "SPEC --simulate", id="elsewhere, simulated"),
        pytest.param("out/a", "a", "SPEC --dir out/a", id="in a directory that is elsewhere"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_run_is_called_as_it_was_begun(run: str, name: str, arguments: str) -> None:
    assert commands_for(Path(run), name).buy == f"veogen run {arguments}"


def test_the_only_run_is_found_from_a_folder_of_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_runs(project, "x")
    monkeypatch.chdir(project / "specs")

    assert find_run(None) == Path("../runs/x")


def test_the_name_may_come_from_a_base(project: Path) -> None:
    make_runs(project, "ships")
    (project / "specs/_base.yaml").write_text("name: ships\n")
    (project / "specs/b.yaml").write_text("veogen: 1\nextends: _base.yaml\nshots: [{nme: a}]\n")

    assert find_run("specs/b.yaml").name == "ships"


def test_a_file_that_is_no_spec_at_all_is_a_mistake(project: Path) -> None:
    (project / "specs/b.yaml").write_text("[")

    with pytest.raises(MistakesError, match=r"specs/b\.yaml"):
        find_run("specs/b.yaml")


def test_a_name_cannot_lead_out_of_the_project(project: Path) -> None:
    (project / "specs/b.yaml").write_text("veogen: 1\nname: ../../boats\n")

    with pytest.raises(UsageError, match="is not a name"):
        find_run("specs/b.yaml")


@pytest.mark.parametrize("name", ["../../boats", "a/b", ""])
@pytest.mark.parametrize(
    "command",
    [["status"], ["collect"], ["plan"], ["lock", "--check"], ["run", "--locked"]],
    ids=" ".join,
)
def test_a_profile_cannot_lead_out_of_a_folder(
    project: Path, capsys: pytest.CaptureFixture[str], command: list[str], name: str
) -> None:
    ended = Shell(project, capsys, {}).veogen(*command, "specs/a.yaml", "--profile", name)

    assert (ended.code, ended.out) == (2, "")
    assert f"'--profile': {name!r} is not the name of a profile" in ended.err
