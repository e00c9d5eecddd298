"""veogen as a library: as the README shows it, typed, silent, within every limit."""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from decimal import Decimal
from pathlib import Path

import pytest
from support.gateways import clean_environment, quick_simulator
from support.virtual import Memory

import veogen
from veogen import (
    ExitCode,
    MistakesError,
    Outcome,
    Settings,
    VeogenError,
    collect,
    diff,
    export,
    gallery,
    load_spec,
    open_store,
    plan,
    progress,
    run,
    simulated,
    status,
)
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

    planned = plan(load_spec(ROOT / "specs/quickstart.yaml"))
    clips = [f"runs/quickstart/{path}" for request in planned.requests for path in request.paths]
    told = "\n".join([repr(planned), *clips, ""])
    assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", told)
    assert [clip for clip in clips if not (tmp_path / clip).is_file()] == []


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
    assert set(veogen.__all__) <= set(dir(veogen))
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose spec was run in `runs/trip`, on a simulator of the library."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "trip.yaml").write_text(SPEC)
    with simulated(generation_time=0.05) as settings:
        run(load_spec(str(folder / "trip.yaml")), str(folder / "runs/trip"), settings=settings)
    return folder


def test_a_run_says_where_its_clips_are(finished: Path) -> None:
    found = status(str(finished / "runs/trip"))

    assert repr(found) == (f"<Snapshot of {finished}/runs/trip: trip: 2 completed, 76.032 credits>")
    assert [path.name.split("-")[0] for path in found.clips] == ["dawn", "dusk"]
    assert all(path.is_file() for path in found.clips)


def test_a_plan_needs_the_spec_that_it_was_made_of(finished: Path) -> None:
    with pytest.raises(TypeError, match="spec="):
        run(plan(load_spec(finished / "trip.yaml")), finished / "runs/trip")


def test_a_spec_is_loaded_with_a_profile_and_settings(project: Path) -> None:
    (project / "trip.yaml").write_text(SPEC + "profiles: {draft: {params: {duration: 4}}}\n")

    draft = plan(load_spec(project / "trip.yaml", profile="draft", settings=["params.seed=7"]))

    bodies = [(r.body["duration"], r.body["seed"]) for r in draft.requests]
    assert bodies == [(4, 7), (4, 7)]


def test_clips_that_were_deleted_are_brought_home_again(project: Path) -> None:
    directory = project / "runs/trip"
    with simulated(generation_time=0.05) as settings:
        bought = run(load_spec(project / "trip.yaml"), directory, settings=settings)
        for clip in bought.clips:
            clip.unlink()

        collected = collect(directory, settings=settings)

    assert (collected.code, collected.spent) == (ExitCode.DONE, Decimal(0))
    assert len(collected.clips) == 2


def test_a_run_in_a_store_goes_on_in_another_folder(project: Path, tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/shared")
    spec = load_spec(project / "trip.yaml")

    with simulated(generation_time=0.1) as settings:
        run(spec, tmp_path / "here", settings=settings, store=store)
        outcome = run(spec, tmp_path / "there", settings=settings, store=store)
        home = collect(tmp_path / "there", settings=settings)

    assert (outcome.code, outcome.spent) == (ExitCode.DONE, Decimal(0))
    assert sorted(clip.exists() for clip in home.clips) == [True, True]


def test_clips_are_copied_and_shown(finished: Path, tmp_path: Path) -> None:
    copies = export(finished / "runs/trip", tmp_path / "cut", select=["*dawn*"])
    page = gallery(finished / "runs/trip")

    assert copies == (tmp_path / "cut/boat/dawn.mp4",)
    assert (tmp_path / "cut/clips.csv").is_file()
    assert page == finished / "runs/trip/gallery.html"
    assert "videos/boat/dawn-" in page.read_text()


def test_two_plans_are_compared(project: Path) -> None:
    old = plan(load_spec(project / "trip.yaml"))
    (project / "trip.yaml").write_text(SPEC.replace("dawn, dusk", "dusk, noon, night"))

    difference = diff(old, plan(load_spec(project / "trip.yaml")))

    assert repr(difference) == (
        "<Difference 2 added, 1 removed, 0 renamed, 0 changed, 1 unchanged>"
    )


def test_a_run_can_be_shown_as_the_command_line_shows_it(project: Path) -> None:
    stream = io.StringIO()
    with (
        simulated(generation_time=0.05) as settings,
        progress(project / "runs/trip", "lines", stream=stream) as listener,
    ):
        run(
            load_spec(project / "trip.yaml"),
            project / "runs/trip",
            settings=settings,
            listener=listener,
        )

    assert stream.getvalue().splitlines()[-1] == "2 of 2 completed, 76.032 credits"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(lambda spec: spec, "<Spec trip: 1 shot in trip.yaml>", id="spec"),
        pytest.param(plan, "<Plan trip: 2 requests, 76.032 credits>", id="plan"),
        pytest.param(
            lambda spec: plan(spec).requests[0],
            "<Request boat[hour=dawn]: 38.016 credits>",
            id="request",
        ),
    ],
)
def test_a_value_is_shown_in_one_line(
    project: Path, make: Callable[[veogen.Spec], object], told: str
) -> None:
    assert repr(make(load_spec(project / "trip.yaml"))) == told


def test_a_notebook_shows_a_table_in_which_no_text_is_markup(project: Path) -> None:
    (project / "trip.yaml").write_text(SPEC.replace("A boat", "<b>A boat</b>"))

    table = plan(load_spec(project / "trip.yaml"))._repr_html_()

    assert table.startswith("<p><b>trip: 2 requests, 76.032 credits</b></p><table><thead><tr>")
    assert "<td>&lt;b&gt;A boat&lt;/b&gt; at dusk</td>" in table


def test_a_notebook_shows_where_a_run_stands(finished: Path) -> None:
    table = status(finished / "runs/trip")._repr_html_()

    assert table.startswith("<p><b>trip: 2 completed, 76.032 credits</b></p>")
    assert table.count("<tr>") == 3


def test_a_room_does_not_hide_a_function_of_its_name() -> None:
    code = (
        "import veogen.diff.compare, veogen.gallery.page, veogen.progress\n"
        "from veogen import diff, gallery, progress\n"
        "print(callable(diff), callable(gallery), callable(progress))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "True True True\n"
