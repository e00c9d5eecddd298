"""Choosing, before a real browser: picks, rejects and notes, and the file that they become."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.browser import PHONE, Visit, chromium, visit
from support.galleries import Shown, make_page, make_run

from veogen.results.picks import Decision, Picks, clip_id, picks_text

TOKYO = Shown(values={"city": "Tokyo"}, prompt="The lamp in Tokyo at dusk.")
PARIS = Shown(values={"city": "Paris"}, prompt="The lamp in Paris at dusk.")
OSLO = Shown(values={"city": "Oslo"}, prompt="The lamp in Oslo at dusk.")
PAIR = Shown(shot="pair", values={"look": 'a "b" <c>'}, prompt="Two at once.", videos=2)
FAILED = Shown(shot="closing", values={}, prompt="No clip.", end="failed")
OLD = Shown(values={"city": "Tokyo"}, prompt="The lamp in Tokyo at noon.")

AT_TOKYO, AT_PARIS, AT_OSLO, CLOSING = (
    "opening[city=Tokyo]",
    "opening[city=Paris]",
    "opening[city=Oslo]",
    "closing",
)
PAIR_ADDRESS = PAIR.entry.address


def line(shown: Shown, verdict: str, note: str = "", index: int = 0) -> Decision:
    clip = clip_id(shown.entry.hash, index, shown.videos)
    return Decision(shown.entry.address, clip, "pick" if verdict == "pick" else "reject", note)


COMMITTED = {
    "anna": (line(TOKYO, "pick", "the one with rain"), line(PARIS, "reject")),
    "ben": (line(OSLO, "pick"),),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("picks") / "trip"
    make_run(run, [TOKYO, PARIS, OSLO, PAIR, FAILED], former=[OLD])
    return make_page(run, picks=Picks(COMMITTED))


@pytest.fixture
def seen(browser: Browser, page: Path) -> Iterator[Visit]:
    with visit(browser, page) as seen:
        yield seen
        assert seen.complaints == []


def named(seen: Visit, name: str) -> None:
    """Say who decides. (A script that runs before the page is given a storage that may be lost.)"""
    seen.page.evaluate("name => localStorage.setItem('veogen:reader', name)", name)
    wait_until_kept(seen, "veogen:reader")
    seen.page.reload()


def wait_until_kept(seen: Visit, name: str = "veogen:marks:") -> None:
    """Wait until the browser keeps what is so named: each page that is opened sees what is kept."""
    deadline, names = time.monotonic() + 30, ""
    while name not in names:
        assert time.monotonic() < deadline
        other = seen.page.context.new_page()
        other.goto(seen.page.url)
        names = other.evaluate("Object.keys(localStorage).join()")
        other.close()


def saved(seen: Visit, tmp_path: Path) -> tuple[str, str]:
    """The name and the text of the file that is saved."""
    with seen.page.expect_download() as download:
        seen.page.get_by_role("button", name="Save picks").click()
    place = tmp_path / download.value.suggested_filename
    download.value.save_as(place)
    return place.name, place.read_text(encoding="utf-8")


def states(seen: Visit) -> dict[str, str]:
    """What is shown of each clip of the grid: its class."""
    found = seen.page.locator("#stage .card").evaluate_all(
        "cards => cards.map(card => [card.dataset.address + (card.dataset.clip.split('-')[1] ?? ''),"
        " ['picked', 'rejected', 'contested', 'unreviewed', 'unsaved']"
        " .filter(name => card.classList.contains(name)).join(' ')])"
    )
    return {str(address): str(state) for address, state in found}


COMMITTED_STATES = {
    AT_TOKYO: "picked",
    AT_PARIS: "rejected",
    AT_OSLO: "picked",
    f"{PAIR_ADDRESS}1": "unreviewed",
    f"{PAIR_ADDRESS}2": "unreviewed",
    CLOSING: "",
}


def test_what_everybody_decided_is_shown(seen: Visit) -> None:
    assert states(seen) == COMMITTED_STATES
    opinions = seen.page.locator(f'[data-address="{AT_TOKYO}"] .opinions li')
    expect(opinions).to_have_text(["anna picked: the one with rain"])
    expect(seen.page).to_have_title("2 unreviewed \N{MIDDLE DOT} trip \N{MIDDLE DOT} veogen")
    expect(seen.page.locator("header .title")).to_contain_text("2 unreviewed")
    expect(seen.page.locator(".picks")).to_be_hidden()


def test_a_verdict_lies_over_what_is_committed_and_is_marked(seen: Visit) -> None:
    page = seen.page
    named(seen, "cleo")
    page.get_by_role("button", name=f"Reject {AT_TOKYO}", exact=True).click()
    page.get_by_role("button", name=f"Pick {PAIR_ADDRESS}, video 2").click()

    expected = COMMITTED_STATES | {
        AT_TOKYO: "contested unsaved",
        f"{PAIR_ADDRESS}2": "picked unsaved",
    }
    assert states(seen) == expected
    expect(page.locator(".picks strong")).to_have_text("2 not saved")
    expect(page.locator(f'[data-address="{AT_TOKYO}"] .opinions li')).to_have_text(
        ["anna picked: the one with rain", "cleo rejected not saved"]
    )
    expect(page).to_have_title("1 unreviewed \N{MIDDLE DOT} trip \N{MIDDLE DOT} veogen")

    wait_until_kept(seen)
    page.reload()
    assert states(seen) == expected


def test_the_same_verdict_again_takes_it_back(seen: Visit) -> None:
    button = seen.page.get_by_role("button", name=f"Pick {PAIR_ADDRESS}, video 1")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")

    button.click()

    expect(button).to_have_attribute("aria-pressed", "false")
    assert states(seen) == COMMITTED_STATES
    expect(seen.page.locator(".picks")).to_be_hidden()


def test_the_saved_file_is_the_readers_own_as_veogen_would_write_it(
    seen: Visit, tmp_path: Path
) -> None:
    page = seen.page
    named(seen, "anna")
    note = 'two lines\nzero\u200bwidth, "quoted" \\ \U0001f44d, soft\xadhyphen, \U000e0041'
    page.get_by_role("button", name=f"Note on {PAIR_ADDRESS}, video 2").click()
    page.locator("#note").fill(note)
    page.get_by_role("button", name="Pick", exact=True).click()
    page.get_by_role("button", name=f"Reject {AT_PARIS}", exact=True).click()
    page.get_by_role("button", name=f"Reject {AT_OSLO}", exact=True).click()

    assert saved(seen, tmp_path) == (
        "trip.picks.anna.yaml",
        picks_text([COMMITTED["anna"][0], line(PAIR, "pick", note, index=1), line(OSLO, "reject")]),
    )
    expect(page.locator("#said")).to_contain_text("veogen picks runs/trip --import trip.picks.anna")
    expect(page.locator(".picks strong")).to_have_text("3 saved, not yet in the page")


def test_who_saves_first_says_who_it_is(seen: Visit, tmp_path: Path) -> None:
    page = seen.page
    page.get_by_role("button", name=f"Pick {AT_PARIS}", exact=True).click()
    page.get_by_role("button", name="Save picks").click()
    page.locator("#reader").fill("not a name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Letters, digits")

    page.locator("#reader").fill("Zoë")
    with page.expect_download() as download:
        page.keyboard.press("Enter")

    assert download.value.suggested_filename == "trip.picks.Zoë.yaml"
    download.value.save_as(tmp_path / "x")
    assert (tmp_path / "x").read_text() == picks_text([line(PARIS, "pick")])


FAKE_PICKER = """
window.written = [];
window.showSaveFilePicker = async ({ suggestedName }) => ({
  name: suggestedName,
  createWritable: async () => ({
    write: async (text) => { window.written.push(text); },
    close: async () => { window.written.push("closed"); },
  }),
});
"""


def test_where_the_browser_allows_it_the_file_itself_is_written(
    browser: Browser, page: Path
) -> None:
    with visit(browser, page) as seen:
        seen.page.add_init_script(FAKE_PICKER)
        named(seen, "cleo")
        seen.page.get_by_role("button", name=f"Pick {AT_PARIS}", exact=True).click()

        seen.page.get_by_role("button", name="Save into the file").click()

        expect(seen.page.locator("#said")).to_have_text(
            "Written into trip.picks.cleo.yaml; commit it"
        )
        assert seen.page.evaluate("window.written") == [picks_text([line(PARIS, "pick")]), "closed"]
        assert seen.complaints == []


def test_a_note_goes_with_a_verdict_from_the_keys(seen: Visit) -> None:
    page = seen.page
    named(seen, "cleo")
    page.locator("body").press("n")
    page.keyboard.press("e")
    page.keyboard.type("too fast, P and X are letters here")
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    page.keyboard.press("n")
    page.keyboard.press("p")
    page.keyboard.press("n")

    expect(page.locator("#said")).to_have_text("Every clip is reviewed")
    assert states(seen) == COMMITTED_STATES | {
        f"{PAIR_ADDRESS}1": "rejected unsaved",
        f"{PAIR_ADDRESS}2": "picked unsaved",
    }
    expect(page.locator(".unsaved.rejected .opinions li")).to_have_text(
        "cleo rejected: too fast, P and X are letters here not saved"
    )
    expect(page).to_have_title("trip \N{MIDDLE DOT} veogen")
    expect(page.get_by_role("button", name="All reviewed")).to_be_disabled()


def test_verdicts_are_filters_too(seen: Visit) -> None:
    page = seen.page
    page.get_by_role("button", name="picked 2").click()
    assert seen.names == [AT_TOKYO, AT_OSLO]

    page.get_by_role("button", name="rejected 1").click()
    assert seen.names == [AT_TOKYO, AT_PARIS, AT_OSLO]


def test_a_finger_decides_on_a_phone(browser: Browser, page: Path) -> None:
    with visit(browser, page, PHONE) as seen:
        seen.page.get_by_role("button", name=f"Reject {AT_OSLO}", exact=True).tap()

        assert states(seen)[AT_OSLO] == "contested unsaved"
        assert seen.overflow() == 0
        assert seen.complaints == []


def test_a_former_clip_stands_beside_its_successor_and_can_be_picked(
    seen: Visit, tmp_path: Path
) -> None:
    page = seen.page
    named(seen, "cleo")
    page.get_by_role("button", name="Former", exact=True).click()
    strip = page.locator(f'.strip[aria-label="{AT_TOKYO}, former"]')
    assert strip.locator("del").all_text_contents() == ["noon"]
    assert strip.locator("ins").all_text_contents() == ["dusk"]
    assert strip.locator("[data-clip]").evaluate_all("all => all.map(one => one.dataset.clip)") == [
        clip_id(OLD.entry.hash),
        clip_id(TOKYO.entry.hash),
    ]

    strip.get_by_role("button", name=f"Pick {AT_TOKYO}, former").click()

    assert saved(seen, tmp_path)[1] == picks_text([line(OLD, "pick")])
    expect(strip.locator(".stale")).to_have_count(1)


TIMES = "[...document.querySelectorAll('.duel video')].map(video => video.currentTime)"


def test_two_clips_play_in_step_with_a_wipe(seen: Visit) -> None:
    page = seen.page
    page.locator(f'[data-address="{AT_PARIS}"] .frame').focus()
    page.keyboard.press("b")
    page.locator(f'[data-address="{AT_OSLO}"] .frame').focus()
    page.keyboard.press("b")
    duel = page.get_by_role("dialog", name="Two clips")
    expect(duel.get_by_label("The left clip").locator("option:checked")).to_have_text(AT_PARIS)
    expect(duel.get_by_label("The right clip").locator("option:checked")).to_have_text(AT_OSLO)
    expect(duel.locator("del")).to_have_text("Paris")

    page.wait_for_function(f"() => {{ const [a, b] = {TIMES}; return a > 0.5 && b > 0.5; }}")
    left, right = page.evaluate(TIMES)
    assert abs(left - right) < 0.12

    duel.get_by_role("button", name="Play or pause").click()
    page.keyboard.press("w")
    duel.get_by_label("Wipe", exact=True).last.fill("25")
    right_clip = "getComputedStyle(document.querySelector('.duel .right')).clipPath"
    assert page.evaluate(right_clip) == "inset(0px 0px 0px 25%)"

    duel.get_by_label("The left clip").select_option(label=f"{AT_TOKYO}, former")
    expect(duel.locator("del").first).to_have_text("Tokyo")


def test_large_clips_go_frame_by_frame_and_slower_or_faster(seen: Visit) -> None:
    page = seen.page
    page.get_by_role("button", name=f"Open {AT_TOKYO}", exact=True).click()
    video = page.locator("dialog .screen video")
    page.wait_for_function("() => document.querySelector('dialog video').readyState > 2")
    page.keyboard.press(".")
    at = video.evaluate("video => [video.paused, Math.floor(video.currentTime * 24)]")
    assert at[0] is True

    for key, frames in [(".", 1), (".", 2), (",", 1)]:
        page.keyboard.press(key)
        page.wait_for_function("() => !document.querySelector('dialog video').seeking")
        assert video.evaluate("video => Math.floor(video.currentTime * 24)") == at[1] + frames

    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelector('dialog video').paused")
    for key, speed in [("]", 1.5), ("]", 2), ("[", 1.5)]:
        page.keyboard.press(key)
        assert video.evaluate("video => video.playbackRate") == speed
    expect(page.locator("dialog .speed")).to_have_text(f"{speed}\N{MULTIPLICATION SIGN}")


def test_what_a_browser_holds_that_is_no_mark_is_passed_over(browser: Browser, page: Path) -> None:
    with visit(browser, page) as seen:
        for junk in ("{", '[{"clip": 1}]', "null", "[null]"):
            seen.page.evaluate(
                "text => localStorage.setItem('veogen:marks:' + location.pathname + ':trip', text)",
                junk,
            )
            seen.page.reload()
            assert states(seen) == COMMITTED_STATES
        assert seen.complaints == []


def test_two_windows_of_one_page_keep_the_marks_of_both(browser: Browser, page: Path) -> None:
    with visit(browser, page) as seen:
        named(seen, "cleo")
        other = seen.page.context.new_page()
        other.goto(seen.page.url)

        seen.page.get_by_role("button", name=f"Pick {AT_PARIS}", exact=True).click()
        expect(other.locator(f'[data-address="{AT_PARIS}"].contested')).to_be_visible()
        other.get_by_role("button", name=f"Reject {AT_OSLO}", exact=True).click()
        expect(seen.page.locator(f'[data-address="{AT_OSLO}"].contested')).to_be_visible()

        for window in (seen.page, other):
            window.reload()
            expect(window.locator(".picks strong")).to_have_text("2 not saved")
        assert seen.complaints == []


def test_marks_that_were_committed_since_are_no_marks_any_more(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    with visit(browser, page) as seen:
        named(seen, "cleo")
        seen.page.get_by_role("button", name=f"Pick {AT_PARIS}", exact=True).click()
        saved(seen, tmp_path)
        expect(seen.page.locator(".picks strong")).to_have_text("1 saved, not yet in the page")
        wait_until_kept(seen)
        before = page.read_bytes()
        make_page(page.parent, picks=Picks({**COMMITTED, "cleo": (line(PARIS, "pick"),)}))

        seen.page.reload()

        expect(seen.page.locator(".picks")).to_be_hidden()
        assert states(seen)[AT_PARIS] == "contested"
        seen.page.get_by_role("button", name=f"Pick {AT_PARIS}", exact=True).click()
        assert saved(seen, tmp_path)[1] == "format: veogen.picks/1\npicks: []\n"
        expect(seen.page.locator("#said")).to_contain_text("delete by hand 1 line")
        assert seen.complaints == []
        page.write_bytes(before)
