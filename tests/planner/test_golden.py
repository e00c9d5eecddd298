"""Every spec that is shipped plans to a file that was reviewed.

`UPDATE_GOLDEN=1 pytest tests/planner/test_golden.py` writes the files anew.
"""

import json
import os
from decimal import Decimal
from pathlib import Path, PurePosixPath

import pytest

from veogen.document.files import Folder
from veogen.document.problems import Problems
from veogen.models.model import shipped
from veogen.planner.plan import Plan, plan_data, totals_of
from veogen.planner.planner import plan
from veogen.results.promotion import with_picks
from veogen.spec.load import load_spec
from veogen.spec.project import specs_in

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden"
SPECS = [ROOT / path for path in specs_in(Folder(ROOT), PurePosixPath("specs"))]
PLANNED = [(path, None) for path in SPECS] + [(ROOT / "specs" / "draft-final.yaml", "final")]


def as_json(plan_: Plan) -> str:
    totals = totals_of(plan_.requests, shipped())
    data = plan_data(plan_, totals, lambda _: "new", totals.credits or Decimal(0))
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("path", "profile"), PLANNED, ids=lambda value: getattr(value, "stem", value or "plain")
)
def test_a_shipped_spec_plans_to_its_golden_file(path: Path, profile: str | None) -> None:
    problems = Problems()
    planned = plan(with_picks(load_spec(path, profile=profile), problems), problems)
    golden = GOLDEN / f"{path.stem}{f'.{profile}' if profile else ''}.json"

    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(as_json(planned), encoding="utf-8")

    assert as_json(planned) == golden.read_text(encoding="utf-8")
    assert problems.all == ()


def test_every_golden_file_has_its_spec() -> None:
    names = {f"{path.stem}{f'.{profile}' if profile else ''}.json" for path, profile in PLANNED}

    assert {path.name for path in GOLDEN.glob("*.json")} == names
