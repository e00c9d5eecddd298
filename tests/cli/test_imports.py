"""A command loads what it needs: what it does not need costs every call of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from veogen.models.model import DEFAULT_MODEL, shipped

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

OPENED = """\
import sys
sys.addaudithook(lambda event, args: event == "open" and print(args[0], file=sys.stderr))
from veogen.cli import main
main()
"""


def said(code: str, *words: str) -> list[str]:
    """The lines that `code` around a command prints to stderr."""
    command = [sys.executable, "-c", code, *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return ended.stderr.splitlines()


def loaded(*words: str) -> set[str]:
    """The modules that are loaded when a command has ended."""
    return set(said(CODE, *words))


@pytest.mark.parametrize(
    ("words", "models"),
    [
        pytest.param(("plan", "specs/takes.yaml"), [DEFAULT_MODEL], id="plan"),
        pytest.param(("validate", "specs/takes.yaml"), [DEFAULT_MODEL], id="validate"),
        pytest.param(("models",), list(shipped()), id="models"),
    ],
)
def test_a_command_reads_the_files_of_the_models_that_it_asks_for(
    words: tuple[str, ...], models: list[str]
) -> None:
    paths = [Path(line) for line in said(OPENED, *words) if "models/data/" in line]
    assert sorted(path.stem for path in paths) == sorted(models)


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
            {
                "veogen.diff",
                "veogen.executor",
                "veogen.gateway",
                "veogen.lockfile",
                "veogen.planner.bulk",
                "veogen.results",
                "veogen.templates.sandbox",
            },
            id="plan",
        ),
    ],
)
def test_a_command_loads_nothing_that_it_does_not_need(
    words: tuple[str, ...], late: set[str]
) -> None:
    assert loaded(*words) & (late | ALWAYS_LATE) == set()
