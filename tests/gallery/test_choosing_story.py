"""From twelve drafts to a cut: chosen in a real browser, committed, changed, promoted, passed on."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from playwright.sync_api import Browser, expect
from support.browser import chromium, visit
from support.project import Repo

SPEC = """\
veogen: 1
name: lamp
params: {model: veo-3.1-fast-generate-preview, duration: 4, generate_audio: false}
matrix: {look: [noir, gold]}
profiles: {final: {promotes: '', params: {duration: 8}}}
shots:
  - name: opening
    prompt: The lamp in {{ city }}, {{ look }}.
    matrix: {city: [Tokyo, Paris, Oslo]}
  - name: closing
    prompt: The lamp goes out, {{ look }}.
    takes: 3
"""
TOKYO, PARIS = "opening[city=Tokyo,look=noir]", "opening[city=Paris,look=noir]"
TAKE_2, GOLD = "closing[look=noir]#2", "closing[look=gold]"


class Project:
    """A repository with a spec, in which veogen is typed; practice runs alone."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repo(folder)
        self.repo.write("specs/lamp.yaml", SPEC)
        self.repo.write("fast.yaml", "gateway: {clips: shared}\n")
        self.repo.write(".gitignore", "runs/*/gallery.html\ncut*/\n")
        self.repo.commit()
        self.run = folder / "runs/lamp.simulated"
        self.page = self.run / "gallery.html"

    def veogen(self, *words: str | Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "veogen", *map(str, words)],
            cwd=self.repo.path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    def buy(self, *words: str) -> None:
        self.veogen(
            "run", "specs", "--simulate", "--generation-time", "0", "--faults", "fast.yaml",
            "--max-in-flight", "8", "--progress", "none", *words,
        )  # fmt: skip

    def edit(self, old: str, new: str) -> None:
        text = (self.repo.path / "specs/lamp.yaml").read_text()
        assert old in text
        self.repo.write("specs/lamp.yaml", text.replace(old, new))

    def states(self) -> dict[str, tuple[str, list[dict[str, str]]]]:
        """What `picks` tells of the clips that somebody decided about."""
        told: list[dict[str, Any]] = json.loads(
            self.veogen("picks", self.run, "--format", "json").stdout
        )
        return {
            f"{one['address']} {one['clip']}": (one["state"], one["verdicts"])
            for one in told
            if one["verdicts"]
        }

    def clips(self) -> dict[str, str]:
        """The clip of each address of the plan, as picks name it."""
        results = json.loads((self.run / "results.json").read_text())["results"]
        return {line["address"]: line["hash"][:10] for line in results}

    def files(self, folder: str) -> list[str]:
        with (self.repo.path / folder / "clips.csv").open(newline="", encoding="utf-8") as file:
            return [row["file"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.slow
def test_from_drafts_to_a_cut(browser: Browser, tmp_path: Path) -> None:  # noqa: PLR0915 - a story
    project = Project(tmp_path / "project")
    downloads = tmp_path / "Downloads"
    project.buy()
    first = project.clips()
    assert len(first) == 12

    # Anna picks three clips and rejects one, with a note, and saves her file.
    project.veogen("gallery", project.run)
    with visit(browser, project.page) as seen:
        page = seen.page
        expect(page).to_have_title("12 unreviewed \N{MIDDLE DOT} lamp \N{MIDDLE DOT} veogen")
        for address in (TOKYO, PARIS, TAKE_2):
            page.get_by_role("button", name=f"Pick {address}", exact=True).click()
        page.get_by_role("button", name=f"Note on {GOLD}", exact=True).click()
        page.locator("#note").fill("too fast")
        page.get_by_role("button", name="Reject", exact=True).click()
        expect(page).to_have_title("8 unreviewed \N{MIDDLE DOT} lamp \N{MIDDLE DOT} veogen")
        page.get_by_role("button", name="Save picks").click()
        page.locator("#reader").fill("anna")
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        saved = downloads / download.value.suggested_filename
        download.value.save_as(saved)
        assert seen.complaints == []
        assert seen.requests == [project.page.as_uri(), *seen.requests[1:]]
        assert all(url.startswith(("file:", "blob:", "data:")) for url in seen.requests)
    assert saved.name == "lamp.simulated.picks.anna.yaml"
    assert project.veogen("picks", project.run, "--check", code=5).stdout.endswith(
        "opening: no clip is picked yet\n"
        "closing: no clip is picked yet\n"
        "Nobody has decided anything: look at veogen gallery runs/lamp.simulated, save your picks, "
        "and type: veogen picks runs/lamp.simulated --import lamp.simulated.picks.NAME.yaml\n"
    )

    # It is imported and committed; nothing is open.
    project.veogen("picks", project.run, "--import", saved, "--check")
    project.repo.commit()
    anna = [{"by": "anna", "verdict": "pick", "note": ""}]
    rejected = [{"by": "anna", "verdict": "reject", "note": "too fast"}]
    assert project.states() == {
        f"{TOKYO} {first[TOKYO]}": ("picked", anna),
        f"{PARIS} {first[PARIS]}": ("picked", anna),
        f"{TAKE_2} {first[TAKE_2]}": ("picked", anna),
        f"{GOLD} {first[GOLD]}": ("rejected", rejected),
    }

    # A practice pick never counts for money; in practice it is promoted.
    assert "error[no-picks]" in project.veogen("plan", "specs", "--profile", "final", code=2).stderr
    project.buy("--profile", "final")
    results = json.loads((tmp_path / "project/runs/lamp.final.simulated/results.json").read_text())
    assert [line["address"] for line in results["results"]] == [TOKYO, PARIS, "closing[look=noir]"]

    # The prompt of one is edited and run: its pick is stale, and means the old clip still.
    project.edit(
        "    matrix: {city: [Tokyo, Paris, Oslo]}\n",
        "    matrix: {city: [Tokyo, Paris, Oslo]}\n"
        "    overrides: [{when: {city: Tokyo, look: noir}, prompt: The lamp in rain.}]\n",
    )
    project.buy()
    project.repo.commit()
    assert project.states()[f"{TOKYO} {first[TOKYO]}"] == ("stale", anna)
    project.veogen("picks", project.run, "--check", code=5)

    # Ben sees the old clip beside the new one, and picks the old one too.
    project.veogen("gallery", project.run)
    with visit(browser, project.page) as seen:
        page = seen.page
        page.get_by_role("button", name="Former", exact=True).click()
        strip = page.locator(".strip")
        expect(strip).to_have_count(1)
        expect(strip.locator(".stale .opinions li")).to_have_text("anna picked")
        assert strip.locator("ins").all_text_contents() == ["rain"]
        strip.get_by_role("button", name="In step").click()
        duel = page.get_by_role("dialog", name="Two clips")
        expect(duel.get_by_label("The left clip").locator("option:checked")).to_have_text(
            f"{TOKYO}, former"
        )
        duel.get_by_role("button", name=f"Pick {TOKYO}, former").click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Grid", exact=True).click()
        page.get_by_role("button", name=f"Reject {PARIS}", exact=True).click()
        page.get_by_role("button", name="Save picks").click()
        page.locator("#reader").fill("ben")
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        saved = downloads / download.value.suggested_filename
        download.value.save_as(saved)
        assert seen.complaints == []

    # Both committed on branches of their own: git merges them without a hand.
    project.repo.git("checkout", "-q", "-b", "ben")
    project.veogen("picks", project.run, "--import", saved)
    project.repo.commit()
    project.repo.git("checkout", "-q", "main")
    text = (tmp_path / "project/specs/lamp.simulated.picks.anna.yaml").read_text()
    project.repo.write(
        "specs/lamp.simulated.picks.anna.yaml", text.replace("too fast", "far too fast")
    )
    project.repo.commit()
    project.repo.git("merge", "-q", "--no-edit", "ben")
    states = project.states()
    assert states[f"{PARIS} {first[PARIS]}"][0] == "contested"
    assert states[f"{TOKYO} {first[TOKYO]}"] == (
        "stale", [*anna, {"by": "ben", "verdict": "pick", "note": ""}]
    )  # fmt: skip

    # What is contested is neither promoted nor passed on; what is stale is both.
    project.buy("--profile", "final")
    results = json.loads((tmp_path / "project/runs/lamp.final.simulated/results.json").read_text())
    assert [line["address"] for line in results["results"]] == [TOKYO, "closing[look=noir]"]
    project.veogen(
        "export", project.run, "cut", "--picked", "--as", "otio", "--as", "edl", "--as", "xmp",
        "--frames", "last",
    )  # fmt: skip
    assert project.files("cut") == ["opening/Tokyo-noir.mp4", "closing/noir-take2.mp4"]
    cut = tmp_path / "project/cut"
    assert sorted(str(path.relative_to(cut)) for path in cut.rglob("*") if path.is_file()) == [
        "clips.csv",
        "closing/noir-take2-last.png",
        "closing/noir-take2.mp4",
        "closing/noir-take2.xmp",
        "lamp.simulated.edl",
        "lamp.simulated.otio",
        "opening/Tokyo-noir-last.png",
        "opening/Tokyo-noir.mp4",
        "opening/Tokyo-noir.xmp",
    ]
    timeline = otio.adapters.read_from_file(str(cut / "lamp.simulated.otio"))
    assert [(clip.name, clip.media_reference.target_url) for clip in timeline.find_clips()] == [
        (TOKYO, "opening/Tokyo-noir.mp4"),
        ("closing[look=noir]", "closing/noir-take2.mp4"),
    ]
