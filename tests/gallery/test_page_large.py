"""A page of a thousand clips: quick to come, and light however far one goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.browser import chromium, visit
from support.galleries import Shown, make_page, make_run

READY = "performance.getEntriesByName('ready')[0].startTime"
LIVE = "document.querySelectorAll('video').length"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prompt = "A boat leaves the harbour at dusk, camera low over the water. " * 6
    requests = [
        Shown(shot=f"shot{number % 4}", values={"place": f"p{number % 25}", "seed": number},
              prompt=f"{prompt}{number}")
        for number in range(1000)
    ]  # fmt: skip
    return make_page(make_run(tmp_path_factory.mktemp("large") / "run", requests))


def test_a_thousand_clips_are_ready_within_two_seconds(browser: Browser, page: Path) -> None:
    with visit(browser, page) as seen:
        assert seen.page.locator(".card").count() == 1000
        assert seen.page.evaluate(READY) < 2000


def test_only_clips_that_are_about_to_be_seen_are_loaded(browser: Browser, page: Path) -> None:
    with visit(browser, page) as seen:
        seen.page.wait_for_function(f"() => {LIVE} > 0")
        for fraction in (0.3, 0.6, 1.0):
            seen.page.evaluate(f"window.scrollTo(0, document.body.scrollHeight * {fraction})")
            seen.page.wait_for_function(
                "() => [...document.querySelectorAll('video')].some(video => {"
                " const box = video.getBoundingClientRect();"
                " return video.readyState > 0 && box.bottom > 0 && box.top < innerHeight; })"
            )
            assert seen.page.evaluate(LIVE) <= 48


def test_filters_answer_at_once(browser: Browser, page: Path) -> None:
    with visit(browser, page) as seen:
        seconds = seen.page.evaluate(
            "() => { const search = document.getElementById('search'); search.value = 'shot1';"
            " const start = performance.now(); search.dispatchEvent(new Event('input'));"
            " return performance.now() - start; }"
        )

        assert len(seen.names) == 250
        assert seconds < 500


def test_the_matrix_leaves_out_what_tells_every_clip_apart(browser: Browser, page: Path) -> None:
    with visit(browser, page) as seen:
        seen.page.locator(".views button", has_text="Matrix").click()

        assert seen.page.locator(".corner").text_content() == "place \u2193  shot \u2192"
        assert seen.page.locator("tbody tr").count() == 25
        assert seen.page.locator("td.none").count() == 0
