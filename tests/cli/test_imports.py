"""A command loads what it needs: what it does not need costs every call of it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ALWAYS_LATE = {
    "PIL",
    "aiohttp",
    "asyncio",
    "av",
    "importlib.metadata",
    "pydantic",
    "requests",
    "sqlite3",
    "tqdm",
    "urllib3",
    "waitress",
}
NOTHING_OF_A_COMMAND = {
    "decimal",
    "jinja2",
    "json",
    "traceback",
    "veogen.cli.exit_codes",
    "veogen.document",
    "veogen.planner",
    "yaml",
}
CODE = """\
import atexit, sys
atexit.register(lambda: print("\\n".join(sys.modules), file=sys.stderr))
from veogen.cli import main
main()
"""


def loaded(*words: str) -> set[str]:
    """The modules that are loaded when a command has ended."""
    command = [sys.executable, "-c", CODE, *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(ended.stderr.splitlines())


@pytest.mark.parametrize(
    ("words", "late"),
    [
        pytest.param(("--help",), NOTHING_OF_A_COMMAND, id="help"),
        pytest.param(("plan", "--help"), NOTHING_OF_A_COMMAND, id="help of plan"),
        pytest.param(
            ("run", "--help"),
            {"jinja2", "yaml", "veogen.gateway", "veogen.planner", "veogen.results"},
            id="help of run",
        ),
        pytest.param(("--version",), NOTHING_OF_A_COMMAND, id="version"),
        pytest.param(("schema",), {"jinja2", "veogen.planner.planner"}, id="schema"),
        pytest.param(
            ("validate", "specs/takes.yaml"), {"veogen.results", "veogen.executor"}, id="validate"
        ),
        pytest.param(
            ("plan", "specs/takes.yaml"),
            {"veogen.results", "veogen.executor", "veogen.planner.bulk", "veogen.gateway"},
            id="plan",
        ),
    ],
)
def test_a_command_loads_nothing_that_it_does_not_need(
    words: tuple[str, ...], late: set[str]
) -> None:
    assert loaded(*words) & (late | ALWAYS_LATE) == set()
