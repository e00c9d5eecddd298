"""Reading below a root, and nowhere else."""

import os
from pathlib import Path, PurePosixPath

import pytest

from veogen.document.files import Folder, OutsideRootError, inside


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"content")
    (root / "deep" / "b.txt").write_bytes(b"b")
    (tmp_path / "outside.txt").write_bytes(b"secret")
    return Folder(root)


@pytest.mark.parametrize(
    ("base", "written", "path"),
    [
        pytest.param("specs", "a.csv", "specs/a.csv", id="beside"),
        pytest.param("specs", "../images/a.png", "images/a.png", id="up and down"),
        pytest.param("", "./a//b/../c", "a/c", id="not normal"),
        pytest.param("a/b", "../..", ".", id="the root itself"),
    ],
)
def test_a_written_path_is_relative_to_its_writer(base: str, written: str, path: str) -> None:
    assert inside(PurePosixPath(base), written) == PurePosixPath(path)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("/etc/hosts", id="absolute"),
        pytest.param("../../x", id="above"),
        pytest.param("a/../../../x", id="above in the end"),
        pytest.param("..", id="the folder above"),
        pytest.param("..\\x", id="the separator of another system"),
        pytest.param("a\0b", id="a character that no path has"),
    ],
)
def test_a_written_path_that_leaves_the_root_is_refused(written: str) -> None:
    with pytest.raises(OutsideRootError, match="leaves the project"):
        inside(PurePosixPath("specs") if written != ".." else PurePosixPath(), written)


def test_links_are_followed_as_long_as_they_stay_inside(folder: Folder) -> None:
    (folder.root / "near").symlink_to("deep/b.txt")
    (folder.root / "far").symlink_to("../outside.txt")
    (folder.root / "up").symlink_to("..")

    assert folder.read(PurePosixPath("near")) == b"b"
    for path in ("far", "up/outside.txt", "up"):
        with pytest.raises(OutsideRootError, match="leaves the project"):
            folder.read(PurePosixPath(path))


def test_links_that_lead_in_a_circle_are_an_error_of_the_system(folder: Folder) -> None:
    (folder.root / "one").symlink_to("two")
    (folder.root / "two").symlink_to("one")

    with pytest.raises(OSError, match="symbolic links"):
        folder.read(PurePosixPath("one"))


def test_no_more_is_read_than_is_asked_for_and_one_byte(folder: Folder) -> None:
    assert folder.read(PurePosixPath("a.txt"), 3) == b"cont"
    assert folder.read(PurePosixPath("a.txt"), 7) == b"content"


def test_only_files_are_read(folder: Folder) -> None:
    os.mkfifo(folder.root / "pipe")

    for path in ("pipe", "deep"):
        with pytest.raises(OSError, match="this is not a file"):
            folder.read(PurePosixPath(path))


def test_the_names_of_a_folder_are_sorted_and_those_of_its_files(folder: Folder) -> None:
    (folder.root / "Z.txt").touch()
    for name, target in {"link": "a.txt", "up": "..", "circle": "circle", "none": "no"}.items():
        (folder.root / name).symlink_to(target)

    assert list(folder.names(PurePosixPath())) == ["Z.txt", "a.txt", "link"]
    assert list(folder.names(PurePosixPath("nope"))) == []


def test_paths_are_shown_from_where_the_user_stands(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.root / "deep")

    assert folder.shown(PurePosixPath("a.txt")) == "../a.txt"
