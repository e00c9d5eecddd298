"""veogen as a library, as its docstring shows it."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.virtual import Memory

import veogen
from veogen import Outcome, Settings, load_spec, plan, run
from veogen.errors import ExitCode
from veogen.results.events import Accepted, Delivered, Made
from veogen.simulator.options import Options
from veogen.simulator.serve import running

SPEC = """
veogen: 1
name: trip
shots: [{name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "trip.yaml").write_text(SPEC)
    return tmp_path


def test_a_spec_is_loaded_planned_and_run(project: Path) -> None:
    spec, memory = load_spec(project / "trip.yaml"), Memory()
    with running(Options(generation_time=0.1)) as simulator:
        settings = Settings(
            key="sk-any", base_url=simulator.base_url, files_url=simulator.files_url
        )
        outcome: Outcome = run(
            plan(spec),
            project / "runs/trip",
            settings=settings,
            root=spec.files.root,
            listener=memory,
            selected={"boat[hour=dawn]"},
        )

    statuses = {s.entry.address: s.record.status for s in outcome.ledger.planned}
    assert statuses == {"boat[hour=dawn]": "completed", "boat[hour=dusk]": "planned"}
    assert outcome.code == ExitCode.DONE
    kept = [type(e) for e in memory.events if isinstance(e, Accepted | Made | Delivered)]
    assert kept == [Accepted, Made, Delivered]


def test_everything_that_is_promised_can_be_imported() -> None:
    assert [name for name in veogen.__all__ if not hasattr(veogen, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'invented'"):
        _ = veogen.invented


def test_importing_veogen_imports_nothing_else() -> None:
    code = "import sys, veogen; print([m for m in sys.modules if m.startswith('veogen.')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
