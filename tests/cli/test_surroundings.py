"""What surrounds a command: closed streams, nobody who reads, a locale of old."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from veogen.errors import ExitCode

SPEC = """\
veogen: 1
name: trip
params: {model: veo-3.1-fast-generate-preview, duration: 4}
shots:
  - name: city
    prompt: "{{ name }} at dusk."
    matrix: {name: [東京, Oslo]}
"""
OLD = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "trip.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def veogen(
    project: Path, words: str, *, into: str | None = None, within: str = "", **environ: str
) -> tuple[int, str, str]:
    """What a command says that is run for itself, its output perhaps sent elsewhere."""
    python = f"{within}{sys.executable} -m veogen {words}"
    ended = subprocess.run(
        ["/bin/sh", "-c", python if into is None else f"{python} {into}"],
        cwd=project,
        env={**os.environ, **environ},
        capture_output=True,
        check=False,
    )
    return ended.returncode, os.fsdecode(ended.stdout), ended.stderr.decode()


@pytest.mark.parametrize(
    ("closed", "heard"),
    [
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in ((">&-", False), ("<&-", True), ("<&- >&- 2>&-", False))
        ),
        ("2>&-", True),
    ],
)
def test_what_is_closed_is_written_by_nobody(project: Path, closed: str, *, heard: bool) -> None:
    command = "run trip.yaml --select '*Oslo*' --simulate --generation-time 0 --progress json"

    code, out, err = veogen(project, command, into=closed)

    assert (code, bool(out)) == (ExitCode.DONE, heard), err
    [video] = (project / "runs").rglob("*.mp4")
    assert video.read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(
            "run trip.yaml --simulate --generation-time 0", ExitCode.DONE, marks=pytest.mark.slow
        ),
        ("lock trip.yaml", ExitCode.DONE),
        ("lock --check trip.yaml", ExitCode.STALE),
        ("status", ExitCode.USAGE),
        ("status --nothing", ExitCode.USAGE),
    ],
)
@pytest.mark.parametrize("environ", [{}, OLD], ids=["today", "of old"])
def test_a_message_that_is_lost_changes_nothing(
    project: Path, words: str, code: ExitCode, environ: dict[str, str]
) -> None:
    (project / "trip.yaml").write_text(SPEC.replace("東京", "Bergen"))

    assert veogen(project, words, into="2>/dev/full", **environ) == (code, "", "")


def test_nobody_waits_for_a_reader_that_does_not_read(project: Path) -> None:
    """A pipe that must not block, as some programs hand on, and that is full."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(1 << 16))

    words = [sys.executable, "-m", "veogen", "lock", "trip.yaml"]
    ended = subprocess.run(words, cwd=project, stderr=writer, check=False)

    assert ended.returncode == ExitCode.DONE
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("format_", ["jsonl", "json", "table"])
def test_a_reader_may_leave(project: Path, format_: str) -> None:
    """Before it has read more than a pipe holds."""
    many = list(range(1000))
    text = SPEC.replace("{name: [東京, Oslo]}", f"{{name: {many}}}").replace("dusk", "dusk, " * 20)
    (project / "trip.yaml").write_text(text)

    _, out, err = veogen(project, f"plan trip.yaml --format {format_}", into="| head -c 9")

    assert (len(out), err) == (9, "")


@pytest.mark.slow
def test_a_path_that_no_encoding_has_is_printed_as_it_is(project: Path) -> None:
    run, cut = (os.fsdecode(name) for name in (b"run\xe9", b"cut\xe9"))
    veogen(project, f"run trip.yaml --select '*Oslo*' --simulate --generation-time 0 --dir {run}")

    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    page = veogen(project, f"gallery {run}", **strict)
    copied = veogen(project, f"export {run} {cut} --select '*Oslo*'", **strict)

    assert page == (ExitCode.DONE, f"{run}/gallery.html\n", "")
    assert copied == (ExitCode.DONE, f"{cut}/clips.csv\n", "1 clip\n")


def test_nothing_is_bought_whose_file_could_not_be_named(project: Path) -> None:
    ended = veogen(project, "run trip.yaml --simulate --progress none", **OLD)

    message = (
        "error: city[name=東京]: names of files are ascii here, which cannot spell city/東京; "
        "nothing was sent. Set PYTHONUTF8=1\n"
    )
    assert ended == (ExitCode.USAGE, "", message)


@pytest.mark.slow
def test_many_specs_are_run_where_few_files_may_be_open(project: Path) -> None:
    for number in range(20):
        text = f"{{veogen: 1, shots: [{{name: boat, prompt: Boat {number}}}]}}"
        (project / f"boat{number}.yaml").write_text(text)

    code, _, err = veogen(
        project,
        "run . --simulate --generation-time 0 --max-credits 38.016 --progress none",
        within="ulimit -Sn 60; ",
    )

    assert code == ExitCode.STOPPED, err
    assert len(list((project / "runs").rglob("results.json"))) == 21
