"""Outputs that cannot write every letter: those are escaped, and nothing ends for them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = """\
veogen: 1
shots: [{name: a, prompt: "désk → 😀 {{ c }}", matrix: {c: [São, 東京]}}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/a.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "specs/b.yaml").write_text(SPEC.replace("désk", "lämp"), encoding="utf-8")
    return tmp_path


def veogen(project: Path, encoding: str, *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "veogen", *words],
        cwd=project,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding},
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    return ended.stdout.decode(encoding)


def test_a_table_has_escapes_for_what_is_not_in_latin_1(project: Path) -> None:
    lines = veogen(project, "latin-1", "plan", "specs/a.yaml").splitlines()

    assert lines[3:5] == [
        r"a[c=São]         4   38.016  désk \u2192 \ud83d\ude00 São",
        r"a[c=\u6771\u4eac]        4   38.016  désk \u2192 \ud83d\ude00 \u6771\u4eac",
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("plan", "specs/a.yaml", "--format", "json"), id="plan"),
        pytest.param(("diff", "specs/a.yaml", "specs/b.yaml", "--format", "json"), id="diff"),
    ],
)
def test_json_says_the_same_in_every_encoding(
    project: Path, words: tuple[str, ...], encoding: str
) -> None:
    assert json.loads(veogen(project, encoding, *words)) == json.loads(
        veogen(project, "utf-8", *words)
    )


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_a_diff_is_written_whole(project: Path, format_: str) -> None:
    out = veogen(project, "cp1252", "diff", "specs/a.yaml", "specs/b.yaml", "--format", format_)

    assert "désk" in out
    assert "lämp" in out
    assert r"\u6771\u4eac" in out
