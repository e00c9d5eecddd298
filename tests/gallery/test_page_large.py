"""A page of two thousand clips: quick to come, and quick in all that is done to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.browser import Visit, chromium, visit
from support.galleries import Shown, make_page, make_run

pytestmark = pytest.mark.slow

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
FILLED = "() => performance.getEntriesByName('filled').length > 0"
NEXT_FRAME = "await new Promise(done => requestAnimationFrame(() => setTimeout(done)));"


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
        for number in range(2000)
    ]  # fmt: skip
    return make_page(make_run(tmp_path_factory.mktemp("large") / "run", requests))


@pytest.fixture
def seen(browser: Browser, page: Path) -> Iterator[Visit]:
    with visit(browser, page) as seen:
        yield seen
        assert seen.complaints == []


def test_two_thousand_clips_are_painted_within_a_second(browser: Browser, page: Path) -> None:
    """The best of three: the machine may be busy with other tests."""
    painted = []
    for _ in range(3):
        with visit(browser, page) as seen:
            seen.page.wait_for_function(FILLED)
            painted.append(seen.page.evaluate(PAINTED))
            assert seen.page.locator("#stage .card .frame img").count() == 2000
            assert seen.page.locator("video").count() == 0
        if painted[-1] < 1000:
            break

    assert min(painted) < 1000


FILTERED = f"""async text => {{
  const search = document.getElementById("search");
  const start = performance.now();
  search.value = text;
  search.dispatchEvent(new Event("input"));
  {NEXT_FRAME}
  return performance.now() - start;
}}"""


def test_filters_answer_at_once(seen: Visit) -> None:
    seen.page.wait_for_function(FILLED)

    milliseconds = {
        text: min(seen.page.evaluate(FILTERED, text) for _ in range(3))
        for text in ("shot1", "shot1 place=p5,", "harbour", "")
    }

    assert max(milliseconds.values()) < 100, milliseconds
    seen.page.locator("#search").fill("shot1")
    expect(seen.page.locator(".card")).to_have_count(500)


DECIDED = f"""async () => {{
  const start = performance.now();
  document.querySelector(".verdict.pick").click();
  {NEXT_FRAME}
  return performance.now() - start;
}}"""


def test_a_verdict_is_there_at_once(seen: Visit) -> None:
    seen.page.wait_for_function(FILLED)

    milliseconds = [seen.page.evaluate(DECIDED) for _ in range(3)]

    assert min(milliseconds) < 100, milliseconds
    expect(seen.page).to_have_title("1,999 unreviewed \N{MIDDLE DOT} trip \N{MIDDLE DOT} veogen")


def test_the_keys_go_where_the_page_has_not_come_yet(seen: Visit) -> None:
    seen.page.get_by_label("Search addresses and prompts").fill("seed=1999")
    expect(seen.page.locator(".card")).to_have_count(1)
    seen.page.keyboard.press("Escape")
    seen.page.keyboard.press("ArrowDown")

    seen.page.evaluate("document.activeElement.blur()")
    for key in ("n", "x", "n"):
        seen.page.keyboard.press(key)

    focused = "document.activeElement.closest('[data-address]').dataset.address"
    assert seen.page.evaluate(focused) == "shot1[place=p1,seed=1]"


def test_the_matrix_leaves_out_what_tells_every_clip_apart(seen: Visit) -> None:
    seen.page.locator(".views button", has_text="Matrix").click()

    assert seen.page.locator(".corner").text_content() == "place \u2193  shot \u2192"
    assert seen.page.locator("tbody tr").count() == 25
    assert seen.page.locator("td.none").count() == 0
    expect(seen.page.locator("#stage .tile")).to_have_count(2000)
