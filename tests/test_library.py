"""veogen as a library: as the README shows it, typed, silent, within every limit."""

import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest
from support.simulators import clean_environment, quick_simulator
from support.virtual import Memory

import veogen
from veogen import ExitCode, MistakesError, Outcome, Settings, VeogenError, load_spec, plan, run
from veogen.results.events import TaskCompleted, TaskCreated, VideoSaved
from veogen.simulator.scenario import Options
from veogen.simulator.server import running

ROOT = Path(__file__).parent.parent
SPEC = """
veogen: 1
name: trip
shots: [{name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}]
"""
NOBODY = Settings(key="sk-any", base_url="http://127.0.0.1:9", files_url="http://127.0.0.1:9")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "trip.yaml").write_text(SPEC)
    return tmp_path


def test_the_example_of_the_readme_runs_as_it_is_written(tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for folder in ("specs", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "example.py").write_text(example)

    with quick_simulator(tmp_path) as served:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "example.py"],
            cwd=tmp_path,
            env=clean_environment(served),
            capture_output=True,
            text=True,
            check=False,
        )

    addresses = [r.address for r in plan(load_spec(ROOT / "specs/quickstart.yaml")).requests]
    told = "".join(f"{address} completed\n" for address in addresses)
    assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", told)
    assert len(list((tmp_path / "runs/quickstart/videos").rglob("*.mp4"))) == len(addresses)


def test_a_spec_is_loaded_planned_and_run(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    spec, memory = load_spec(project / "trip.yaml"), Memory()
    with running(Options(generation_time=0.1)) as simulator:
        settings = Settings(
            key="sk-any", base_url=simulator.base_url, files_url=simulator.files_url
        )
        outcome: Outcome = run(
            plan(spec),
            project / "runs/trip",
            spec=spec,
            settings=settings,
            listener=memory,
            selected={"boat[hour=dawn]"},
        )

    statuses = {s.request.address: s.record.status for s in outcome.ledger.planned}
    assert statuses == {"boat[hour=dawn]": "completed", "boat[hour=dusk]": "planned"}
    assert outcome.code == ExitCode.DONE
    kept = [
        type(e) for e in memory.events if isinstance(e, TaskCreated | TaskCompleted | VideoSaved)
    ]
    assert kept == [TaskCreated, TaskCompleted, VideoSaved]
    assert memory.ended
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("selected", "unknown"),
    [
        pytest.param({"boat[hour=noon]"}, "boat[hour=noon]", id="an address of nothing"),
        pytest.param("boat[hour=dawn]", "b", id="one address, which is a collection of letters"),
    ],
)
def test_what_no_request_is_called_is_not_selected(
    project: Path, selected: Collection[str], unknown: str
) -> None:
    spec = load_spec(project / "trip.yaml")

    with pytest.raises(VeogenError) as refused:
        run(plan(spec), project / "runs/trip", spec=spec, settings=NOBODY, selected=selected)

    assert str(refused.value) == f"no request has the address {unknown!r}"
    assert not (project / "runs").exists()


def test_the_budget_counts_what_was_spent_before(project: Path) -> None:
    directory = project / "runs/trip"
    (project / "trip.yaml").write_text(SPEC + "budget: {max_credits: 80}\n")
    with running(Options(generation_time=0.1)) as simulator:
        settings = Settings(
            key="sk-any", base_url=simulator.base_url, files_url=simulator.files_url
        )
        spec = load_spec(project / "trip.yaml")
        run(plan(spec), directory, spec=spec, settings=settings)
        (project / "trip.yaml").write_text(
            SPEC.replace("dawn", "noon") + "budget: {max_credits: 80}\n"
        )
        spec = load_spec(project / "trip.yaml")

        with pytest.raises(VeogenError, match="pass the budget of 80; nothing was sent"):
            run(plan(spec), directory, spec=spec, settings=settings)

        assert simulator.audit()["submits"]["accepted"] == 2


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("limits: {max_credits: 50}", "76.032 credits are more than the limits allow: 50"),
        ("limits: {models: [veo3.1-pro-beta]}", "the limits allow no"),
    ],
)
def test_a_plan_keeps_to_the_limits_of_the_team(project: Path, policy: str, told: str) -> None:
    (project / "veogen.yaml").write_text(policy)

    with pytest.raises(MistakesError) as refused:
        plan(load_spec(project / "trip.yaml"))

    assert [told in problem.message for problem in refused.value.problems] == [True]


def test_without_settings_the_environment_has_them(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVOLINK_API_KEY", raising=False)
    spec = load_spec(project / "trip.yaml")

    with pytest.raises(VeogenError, match="EVOLINK_API_KEY is not set"):
        run(plan(spec), project / "runs/trip", spec=spec)


def test_everything_that_is_promised_can_be_imported() -> None:
    assert [name for name in veogen.__all__ if not hasattr(veogen, name)] == []
    assert sorted(veogen.__all__) == sorted(veogen.library.__all__)
    with pytest.raises(AttributeError, match="no attribute 'invented'"):
        _ = veogen.invented


def test_importing_veogen_imports_nothing_else() -> None:
    code = "import sys, veogen; print([m for m in sys.modules if m.startswith('veogen.')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_library_loads_nothing_of_the_command_line() -> None:
    code = "import sys, veogen.library; print({'click', 'tqdm', 'veogen.cli'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
