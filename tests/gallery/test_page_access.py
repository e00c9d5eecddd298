"""The page for everybody: axe-core finds nothing serious, and it fits a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser
from support.browser import DESKTOP, PHONE, Visit, chromium, visit
from support.galleries import Shown, make_page, make_run

from veogen.results.picks import Decision, Picks, clip_id

pytestmark = pytest.mark.slow

SIZES, SIZE_NAMES = [DESKTOP, PHONE], ["desktop", "phone"]
VIEWS = ["Grid", "Matrix", "Takes", "Former", "Compare"]


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
    former = [
        Shown(values={"city": "Tokyo", "look": "noir"}, prompt="The lamp at noon."),
        Shown(values={"city": "Rome", "look": "noir"}, prompt="The lamp in Rome."),
    ]
    new = make_run(root / "new", requests, former=former)
    (new / requests[-1].entry.path(0, 1)).unlink()
    old = make_run(root / "old", [
        Shown(values={"city": "Tokyo", "look": "noir"}, prompt="The lamp at noon.",
              params={"duration": 4}),
    ])  # fmt: skip
    ids = [clip_id(one.entry.hash) for one in (*requests, *former)]
    anna = (
        Decision(requests[0].entry.address, ids[0], "pick", f"the one with rain {'x' * 60}"),
        Decision(requests[4].entry.address, ids[4], "reject"),
        Decision(former[0].entry.address, ids[-2], "pick"),
    )
    ben = (Decision(requests[0].entry.address, ids[0], "reject", "too dark"),)
    return make_page(new, old, Picks({"anna": anna, "ben": ben}))


def problems(seen: Visit) -> list[str]:
    """What axe-core finds against WCAG 2 A and AA, with the elements that it means."""
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]}}
    found = Axe().run(seen.page, options=options).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_every_view_can_be_used_by_everybody(
    browser: Browser, page: Path, size: tuple[int, int], *, dark: bool
) -> None:
    with visit(browser, page, size, dark=dark) as seen:
        for name in VIEWS:
            seen.page.get_by_role("button", name=name, exact=True).click()
            assert (name, problems(seen)) == (name, [])
            assert (name, seen.overflow()) == (name, 0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_what_lies_above_the_page_can_be_used_too(
    browser: Browser, page: Path, size: tuple[int, int], *, dark: bool
) -> None:
    with visit(browser, page, size, dark=dark) as seen:
        seen.page.get_by_role("button", name="Grid", exact=True).click()
        for summary in seen.page.locator("#stage summary").all():
            summary.click()
        seen.page.get_by_role("button", name="Pick detail", exact=True).click()
        assert ("cards", problems(seen)) == ("cards", [])
        assert seen.overflow() == 0

        seen.page.get_by_role("button", name="Note on detail", exact=True).click()
        assert ("note", problems(seen)) == ("note", [])
        seen.page.keyboard.press("Escape")

        seen.page.get_by_role("button", name="Your name").click()
        assert ("name", problems(seen)) == ("name", [])
        seen.page.keyboard.press("Escape")

        seen.page.get_by_role("button", name="Open opening[city=Paris,look=noir]").click()
        assert ("failed", problems(seen)) == ("failed", [])
        seen.page.keyboard.press("Escape")

        seen.page.get_by_role("button", name="Open opening[city=Tokyo,look=noir]").click()
        assert ("viewer", problems(seen)) == ("viewer", [])
        seen.page.get_by_role("button", name="Beside another").click()
        assert ("beside", problems(seen)) == ("beside", [])
        seen.page.keyboard.press("w")
        assert ("wipe", problems(seen)) == ("wipe", [])
        assert seen.overflow() == 0
        seen.page.keyboard.press("Escape")
        seen.page.keyboard.press("Escape")

        seen.page.get_by_role("button", name="Keys").click()
        assert ("keys", problems(seen)) == ("keys", [])


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_verdicts_are_seen_and_large_enough_for_a_finger(
    browser: Browser, page: Path, size: tuple[int, int]
) -> None:
    with visit(browser, page, size) as seen:
        seen.page.get_by_role("button", name="Grid", exact=True).click()
        for button in seen.page.locator("#stage .verdict").all():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 32
            assert button.evaluate("button => getComputedStyle(button).opacity") == "1"
