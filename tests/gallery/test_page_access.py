"""The page for everybody: axe-core finds nothing serious, and it fits a phone."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser
from support.browser import DESKTOP, PHONE, Visit, chromium, visit
from support.galleries import Shown, make_page, make_run

VIEWS = ["Grid", "Matrix", "Takes", "Compare"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with something of everything, long words included."""
    root = tmp_path_factory.mktemp("access")
    prompt = "The lamp at dusk. " + "Donaudampfschifffahrtsgesellschaft" * 4
    requests = [
        Shown(values={"city": "Tokyo", "look": "noir"}, prompt=f"{prompt} 1"),
        Shown(values={"city": "Paris", "look": "noir"}, prompt=f"{prompt} 2", end="failed"),
        Shown(values={"city": "Tokyo", "look": "gold"}, prompt=f"{prompt} 3", end="indeterminate"),
        Shown(values={"city": "Paris", "look": "gold"}, prompt=f"{prompt} 4", end="planned"),
        Shown(shot="detail", values={}, prompt="The switch."),
        Shown(shot="detail", values={}, prompt="The switch.", take=2),
        Shown(shot="crowd", values={}, prompt="A crowd.", videos=4),
        Shown(shot="away", values={"city": "Oslo"}, prompt="Gone."),
    ]
    new = make_run(root / "new", requests)
    (new / requests[-1].entry.path(0, 1)).unlink()
    old = make_run(root / "old", [
        Shown(values={"city": "Tokyo", "look": "noir"}, prompt="The lamp at noon.",
              params={"duration": 4}),
    ])  # fmt: skip
    return make_page(new, old)


def problems(seen: Visit) -> list[str]:
    """What axe-core finds serious, with the elements that it means."""
    found = Axe().run(seen.page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_view_can_be_used_by_everybody(
    browser: Browser, page: Path, size: tuple[int, int], *, dark: bool
) -> None:
    with visit(browser, page, size, dark=dark) as seen:
        for name in VIEWS:
            seen.page.get_by_role("button", name=name, exact=True).click()
            assert (name, problems(seen)) == (name, [])
            assert (name, seen.overflow()) == (name, 0)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_what_lies_above_the_page_can_be_used_too(
    browser: Browser, page: Path, size: tuple[int, int]
) -> None:
    with visit(browser, page, size) as seen:
        seen.page.get_by_role("button", name="Grid", exact=True).click()
        for summary in seen.page.locator("#stage summary").all():
            summary.click()
        seen.page.get_by_role("button", name="Pick detail", exact=True).click()
        assert problems(seen) == []
        assert seen.overflow() == 0

        seen.page.get_by_role("button", name="Open opening[city=Paris,look=noir]").click()
        assert problems(seen) == []

        seen.page.keyboard.press("Escape")
        seen.page.get_by_role("button", name="Keys").click()
        assert problems(seen) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_videos_of_one_request_do_not_cover_each_other(
    browser: Browser, page: Path, size: tuple[int, int]
) -> None:
    with visit(browser, page, size) as seen:
        seen.page.get_by_role("button", name="Grid", exact=True).click()
        seen.page.get_by_role("button", name="Open crowd").click()
        boxes = [video.bounding_box() for video in seen.page.locator("dialog video").all()]

        found = [(b["x"], b["y"], b["width"], b["height"]) for b in boxes if b]
        assert len(found) == 4
        assert all(width > 300 and height > 150 for _, _, width, height in found), found
        for (x, y, width, height), (right, below, _, _) in itertools.combinations(found, 2):
            assert right >= x + width or below >= y + height, found
