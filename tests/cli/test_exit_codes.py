"""Every way in which a command may end with an exception, and its exit code."""

import errno
import subprocess
import sys

import click
import pytest

from veogen.cli.exit_codes import exit_code_for
from veogen.document.nodes import Location
from veogen.document.problems import MistakesError, Problem
from veogen.errors import ExitCode, StaleError, UsageError

MISTAKE = Problem(
    place=Location("a.yaml", 12, 9), severity="error", code="unknown-key", message="'x' is no key"
)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        pytest.param(
            click.UsageError("no such thing"), ExitCode.USAGE, "Error: no such thing\n", id="click"
        ),
        pytest.param(click.Abort(), ExitCode.INTERRUPTED, "Interrupted.\n", id="ctrl-c"),
        pytest.param(
            MistakesError([MISTAKE]),
            ExitCode.USAGE,
            "a.yaml:12:9: error[unknown-key]: 'x' is no key\n",
            id="mistakes",
        ),
        pytest.param(
            UsageError("two\nlines\x1b[2J"),
            ExitCode.USAGE,
            "error: two\nlines\\x1b[2J\n",
            id="usage",
        ),
        pytest.param(StaleError("old"), ExitCode.STALE, "error: old\n", id="stale"),
    ],
)
def test_a_dead_end_is_told_in_words(
    error: Exception, code: ExitCode, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (exit_code_for(error), capsys.readouterr()) == (code, ("", told))


BUGGY = """\
import veogen.cli, veogen.cli.commands
def broken():
    raise {error}
veogen.cli.commands.schema.callback = broken
veogen.cli.main()
"""


def ended(error: str) -> tuple[int, str]:
    command = [sys.executable, "-c", BUGGY.format(error=error), "schema"]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    assert process.stdout == ""
    return process.returncode, process.stderr


def test_a_bug_is_a_traceback_and_what_its_report_needs() -> None:
    code, told = ended("KeyError('odd')")

    *_, error, advice = told.splitlines()
    assert (code, error) == (70, "KeyError: 'odd'")
    assert told.startswith("Traceback (most recent call last):\n")
    assert advice.startswith("This is a bug in veogen. Please report it")
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in advice


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            f"OSError({errno.ENOSPC}, 'No space left on device')",
            (3, "error: what was to be written found no room: No space left on device\n"),
        ),
        (
            f"PermissionError({errno.EACCES}, 'Permission denied', 'runs/mine')",
            (2, "error: runs/mine: Permission denied\n"),
        ),
        (
            f"OSError({errno.ENAMETOOLONG}, 'File name too long', 'aaaa')",
            (2, "error: aaaa: File name too long\n"),
        ),
        (
            f"OSError({errno.EROFS}, 'Read-only file system', 'runs/mine')",
            (2, "error: runs/mine: Read-only file system\n"),
        ),
        ("BrokenPipeError()", (1, "")),
        ("KeyboardInterrupt()", (130, "\nInterrupted.\n")),
    ],
)
def test_what_is_nobodys_mistake_is_no_bug(error: str, expected: tuple[int, str]) -> None:
    assert ended(error) == expected
