"""Clips that are not as they were delivered: what a run, `collect` and `export` make of them."""

import os
from pathlib import Path

import pytest
from support.project import Shell

from veogen.errors import ExitCode

SPEC = """
veogen: 1
name: trip
params: {duration: 4}
shots: [{name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk, noon]}}]
"""


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "trip.yaml").write_text(SPEC)
    return Shell(tmp_path, capsys, {})


def test_what_was_emptied_cut_or_deleted_is_fetched_again_and_export_copies_the_rest(
    shell: Shell, tmp_path: Path
) -> None:
    run = ("run", "trip.yaml", "--simulate", "--progress", "none")
    assert shell.veogen(*run).code == ExitCode.DONE
    clips = sorted((tmp_path / "runs/trip.simulated/videos/boat").iterdir())
    before = [clip.read_bytes() for clip in clips]
    clips[0].write_bytes(b"")
    os.truncate(clips[1], 1000)
    clips[2].unlink()

    exported = shell.veogen("export", "runs/trip.simulated", "out")
    again = shell.veogen(*run)

    assert exported.code == ExitCode.INCOMPLETE
    assert again.code == ExitCode.DONE
    assert [clip.read_bytes() for clip in clips] == before
    assert "3 videos." in again.err
    assert shell.veogen("export", "runs/trip.simulated", "out").code == ExitCode.DONE
    assert len(list((tmp_path / "out").rglob("*.mp4"))) == 3


def test_clips_without_any_record_are_not_bought_again(shell: Shell, tmp_path: Path) -> None:
    run = ("run", "trip.yaml", "--simulate", "--progress", "none")
    shell.veogen(*run)
    for name in ("journal.db", "results.json"):
        (tmp_path / "runs/trip.simulated" / name).unlink()

    ended = shell.veogen(*run)

    assert ended.code == ExitCode.USAGE
    assert "3 clips of exactly these requests lie there" in ended.err
    assert "Bring results.json back" in ended.err
