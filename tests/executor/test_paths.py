"""Which folders are inside of a run directory, however they are written and linked."""

import os
from pathlib import Path

import pytest

from veogen.executor.directory import is_inside


@pytest.mark.parametrize("root", ["run", "linked", "."])
@pytest.mark.parametrize(
    "below",
    [
        "",
        "videos",
        "videos/opening",
        "not/there",
        "inside",
        "inside/opening",
        "outside",
        "outside/deep",
        "above",
        "circle",
        "circle/deep",
        "nowhere",
        "videos/..",
        "videos/../../other",
        "../run/videos",
        "../run2",
    ],
)
def test_a_folder_is_inside_where_all_links_and_steps_lead_inside(
    root: str, below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    for folder in (run / "videos" / "opening", tmp_path / "other", tmp_path / "run2"):
        folder.mkdir(parents=True)
    (tmp_path / "linked").symlink_to(run)
    (run / "inside").symlink_to("videos")
    (run / "outside").symlink_to(tmp_path / "other")
    (run / "above").symlink_to("..")
    (run / "circle").symlink_to("circle")
    (run / "nowhere").symlink_to(tmp_path / "nothing")
    monkeypatch.chdir(run if root == "." else tmp_path)

    folder = Path(root, below)

    resolved = Path(os.path.realpath(folder))
    assert is_inside(folder, Path(root)) == resolved.is_relative_to(os.path.realpath(root))
