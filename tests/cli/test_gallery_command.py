"""`veogen gallery`: where the page goes, and what is said when it cannot."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.virtual import World, cities

from veogen.cli import veogen
from veogen.errors import UsageError
from veogen.executor.directory import DirectoryError


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path / "runs/trip")
    world.run(cities("Tokyo", "Oslo"))
    return world


def gallery(*words: str) -> Result:
    return CliRunner().invoke(veogen, ["gallery", *words], standalone_mode=False)


def data(path: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text())
    assert found
    read: dict[str, Any] = json.loads(found[1])
    return read


def test_the_page_stands_in_the_run_directory(world: World) -> None:
    result = gallery()

    assert (result.stdout, result.stderr) == ("runs/trip/gallery.html\n", "")
    page = data(world.path / "gallery.html")
    assert page["name"] == "trip"
    assert [clip["address"] for clip in page["clips"]] == ["city[name=Tokyo]", "city[name=Oslo]"]
    assert [clip["videos"][0]["url"][:12] for clip in page["clips"]] == ["videos/city/"] * 2
    assert page["credits"] == "76.032"


def test_a_fresh_clone_gets_a_page_without_prompts_and_clips(world: World, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "results.json").write_bytes((world.path / "results.json").read_bytes())

    gallery("clone")

    clips = data(clone / "gallery.html")["clips"]
    assert [(clip["prompt"], clip["videos"][0]["here"]) for clip in clips] == [(None, False)] * 2


def test_another_run_is_compared_by_paths_from_the_page(world: World, tmp_path: Path) -> None:
    other = World(tmp_path / "runs/other")
    other.run(cities("Tokyo"))

    gallery("runs/trip", "--compare", "runs/other")

    page = data(world.path / "gallery.html")
    assert [(pair["kind"], pair["old"], pair["new"]) for pair in page["pairs"]] == [
        ("same", 0, 0),
        ("new", None, 1),
    ]
    assert page["other"]["clips"][0]["videos"][0]["url"].startswith("../other/videos/city/Tokyo-")


def test_the_same_run_makes_the_same_page(world: World) -> None:
    gallery()
    before = (world.path / "gallery.html").read_bytes()
    gallery()

    assert (world.path / "gallery.html").read_bytes() == before


def test_a_page_that_cannot_be_written_is_told(world: World) -> None:
    (world.path / "gallery.html").mkdir()

    result = gallery()

    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == ("runs/trip/gallery.html: it cannot be written: Is a directory")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(["runs"], UsageError, id="no run directory"),
        pytest.param(["runs/trip", "--compare", "gone"], UsageError, id="nothing to compare with"),
    ],
)
def test_what_is_no_run_gets_no_page(
    world: World, words: list[str], error: type[UsageError | DirectoryError]
) -> None:
    assert isinstance(gallery(*words).exception, error)
    assert not (world.path / "gallery.html").exists()
