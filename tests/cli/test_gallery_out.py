"""`veogen gallery --out`: one folder with page and clips, which opens anywhere."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, expect
from support.browser import chromium, visit
from support.galleries import Shown, make_run
from support.project import Shell

from veogen.cli import veogen
from veogen.errors import ExitCode, UsageError

TOKYO = Shown(values={"city": "Tokyo"}, prompt="The lamp in Tokyo.")
PAIR = Shown(shot="pair", values={}, prompt="Two at once.", videos=2)
OLD = Shown(values={"city": "Tokyo"}, prompt="The lamp in Tokyo at noon.")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def run(tmp_path: Path) -> Path:
    make_run(tmp_path / "old", [OLD])
    return make_run(tmp_path / "trip", [TOKYO, PAIR], former=[OLD])


def gallery(*words: str | Path) -> Result:
    return CliRunner().invoke(veogen, ["gallery", *map(str, words)], standalone_mode=False)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def videos(*requests: Shown) -> list[str]:
    return [path for one in requests for path in one.entry.paths]


def test_page_and_clips_stand_in_one_folder_that_opens_anywhere(
    browser: Browser, run: Path, tmp_path: Path
) -> None:
    result = gallery(run, "--out", tmp_path / "sent", "--compare", tmp_path / "old")

    assert (result.return_value, result.stderr) == (ExitCode.DONE, "")
    compared = [f"compared/{path}" for path in videos(OLD)]
    assert files(tmp_path / "sent") == sorted(
        ["gallery.html", *compared, *videos(TOKYO, PAIR, OLD)]
    )
    for path in videos(TOKYO):
        assert (tmp_path / "sent" / path).read_bytes() == (run / path).read_bytes()
    shutil.move(tmp_path / "sent", tmp_path / "elsewhere")
    shutil.rmtree(run)
    with visit(browser, tmp_path / "elsewhere/gallery.html") as seen:
        seen.page.get_by_role("button", name="Grid", exact=True).click()
        expect(seen.page.locator("#stage .frame img")).to_have_count(3)
        seen.page.locator("#stage .frame").first.click()
        assert seen.playing("#stage .frame") is True
        assert seen.complaints == []


def test_proxies_are_small_and_as_long_as_the_clips(
    browser: Browser, run: Path, tmp_path: Path
) -> None:
    gallery(run, "--out", tmp_path / "sent", "--proxies")
    before = {
        path: (tmp_path / "sent" / path).stat().st_mtime_ns for path in files(tmp_path / "sent")
    }

    result = gallery(run, "--out", tmp_path / "sent", "--proxies")

    assert result.return_value == ExitCode.DONE
    proxies = [path.replace("videos/", "proxies/") for path in videos(TOKYO, PAIR, OLD)]
    assert files(tmp_path / "sent") == sorted(["gallery.html", *proxies])
    for path in proxies:
        assert (tmp_path / "sent" / path).stat().st_mtime_ns == before[path]
        with av.open(str(tmp_path / "sent" / path)) as clip:
            kinds = [stream.type for stream in clip.streams]
            frames = sum(1 for _ in clip.decode(video=0))
        assert (kinds, frames) == (["video", "audio"], 96)
    with visit(browser, tmp_path / "sent/gallery.html") as seen:
        seen.page.locator("#stage .frame").first.click()
        assert seen.playing("#stage .frame") is True


def test_a_clip_that_is_not_here_is_said_and_the_page_shows_the_others(
    run: Path, tmp_path: Path
) -> None:
    (run / videos(TOKYO)[0]).unlink()

    for words in ([], ["--proxies"]):
        result = gallery(run, "--out", tmp_path / "sent", *words)

        assert result.return_value == ExitCode.INCOMPLETE
        assert result.stderr == f"{videos(TOKYO)[0]}: it is not here, so it is not in the folder\n"


def test_proxies_need_a_folder(run: Path) -> None:
    result = gallery(run, "--proxies")

    assert isinstance(result.exception, UsageError)
    assert "--proxies needs --out" in str(result.exception)


SPEC = """\
veogen: 1
name: lamp
params: {model: veo-3.1-fast-generate-preview, duration: 4}
shots: [{name: opening, prompt: "{{ city }}.", matrix: {city: [Tokyo, Paris]}}]
"""


def test_what_is_only_in_the_store_is_shown_as_that_and_fetched_for_a_folder(
    browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "veogen.yaml").touch()
    (tmp_path / "lamp.yaml").write_text(SPEC)
    (tmp_path / "fast.yaml").write_text("gateway: {clips: shared}\n")
    shell = Shell(tmp_path, capsys, {"VEOGEN_STORE": f"file://{tmp_path}/kept"})
    ran = shell.veogen(
        "run", "lamp.yaml", "--simulate", "--generation-time", "0", "--faults", "fast.yaml",
        "--progress", "none", "--keep", "store",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    run = tmp_path / "runs/lamp.simulated"
    assert list(run.rglob("*.mp4")) == []

    assert shell.veogen("gallery", "lamp.yaml", "--simulate").code == 0
    with visit(browser, run / "gallery.html") as seen:
        expect(seen.page.locator("#stage .blank").first).to_contain_text(
            "It is only in the store; veogen collect runs/lamp.simulated brings it here."
        )

    ended = shell.veogen("gallery", "lamp.yaml", "--simulate", "--out", "sent")
    assert (ended.code, ended.err) == (0, "")
    with visit(browser, tmp_path / "sent/gallery.html") as seen:
        expect(seen.page.locator("#stage .frame img")).to_have_count(2)
