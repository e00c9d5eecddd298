"""A gallery of a simulated run, before a real browser: filter, lay out, play, compare, pick."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.browser import Visit, chromium, visit

SPEC = """\
veogen: 1
name: lamp
params: {model: veo-3.1-fast-generate-preview, duration: 4}
matrix: {look: [noir, gold]}
shots:
  - name: opening
    prompt: The lamp in {{ city }} at PLACE, {{ look }}.
    matrix: {city: [Tokyo, Paris]}
  - name: detail
    prompt: The switch, {{ look }}.
    takes: 2
    params: {generate_audio: SOUND}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated runs, and the page of the newer one, compared with the older."""
    root = tmp_path_factory.mktemp("project")
    (root / ".git").mkdir()
    (root / "specs").mkdir()
    (root / "fast.yaml").write_text("gateway: {clips: shared}\n")
    for name, place, sound in [("old", "dusk", "true"), ("new", "the blue hour", "false")]:
        text = SPEC.replace("PLACE", place).replace("SOUND", sound)
        (root / "specs/lamp.yaml").write_text(text)
        _veogen(
            root, "run", "specs/lamp.yaml", "--dir", f"runs/{name}", "--progress", "none",
            "--simulate", "--generation-time", "0", "--faults", "fast.yaml", "--max-in-flight", "8",
        )  # fmt: skip
    _veogen(root, "gallery", "runs/new", "--compare", "runs/old")
    return root


def _veogen(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "veogen", *words]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def seen(browser: Browser, project: Path) -> Iterator[Visit]:
    with visit(browser, project / "runs/new/gallery.html") as seen:
        yield seen
        assert seen.complaints == []


@pytest.fixture
def grid(seen: Visit) -> Visit:
    seen.page.get_by_role("button", name="Grid", exact=True).click()
    return seen


ALL = [
    "opening[city=Tokyo,look=noir]",
    "opening[city=Paris,look=noir]",
    "opening[city=Tokyo,look=gold]",
    "opening[city=Paris,look=gold]",
    "detail[look=noir]",
    "detail[look=noir]#2",
    "detail[look=gold]",
    "detail[look=gold]#2",
]


def test_every_request_has_a_card_in_the_order_of_the_plan(grid: Visit) -> None:
    assert grid.names == ALL
    expect(grid.page.get_by_role("heading", level=1)).to_have_text("lamp")
    expect(grid.page.locator("header .title")).to_contain_text("8 requests · 8 clips")
    expect(grid.page.locator("header .title")).to_contain_text("simulated")


def test_the_first_paint_shows_every_clip_and_asks_for_nothing(grid: Visit) -> None:
    frames = grid.page.locator("#stage .frame img")

    assert grid.requests == [grid.page.url]
    assert frames.count() == 8
    sizes = frames.evaluate_all("all => all.map(img => [img.naturalWidth, img.naturalHeight])")
    assert sizes == [[320, 180]] * 8
    pictures = frames.evaluate_all("all => all.map(img => img.src)")
    assert {src.partition(",")[0] for src in pictures} == {"data:image/webp;base64"}


def test_the_page_asks_for_a_clip_where_it_is_played_and_for_nothing_else(
    grid: Visit, project: Path
) -> None:
    frame = f'[data-address="{ALL[0]}"] .frame'
    grid.page.click(frame)
    grid.playing(frame)

    folder = (project / "runs/new").as_uri()
    assert {url.rpartition("#")[0] or url for url in grid.requests} == {
        f"{folder}/gallery.html",
        f"{folder}/{grid.page.get_attribute(frame, 'data-src')}",
    }


def test_a_card_tells_prompt_parameters_hash_and_money(grid: Visit) -> None:
    card = grid.page.locator(f'[data-address="{ALL[4]}"]')
    card.locator("summary").click()

    for text in [
        "The switch, noir.",
        "generate_audio",
        "false",
        "25.344",
        "1280 \N{MULTIPLICATION SIGN} 720, 4 s",
    ]:
        expect(card).to_contain_text(text)
    expect(card).to_contain_text(re.compile("[0-9a-f]{64}"))


@pytest.mark.parametrize(
    ("label", "value", "shown"),
    [
        pytest.param("shot", "detail", ALL[4:], id="shot"),
        pytest.param("city", "Paris", [ALL[1], ALL[3]], id="axis"),
    ],
)
def test_clips_are_filtered_by_shot_and_axis(
    grid: Visit, label: str, value: str, shown: list[str]
) -> None:
    grid.page.get_by_label(label, exact=True).select_option(value)

    assert grid.names == shown
    expect(grid.page.locator("output.count")).to_have_text(f"{len(shown)} of 8 clips")

    grid.page.get_by_role("button", name="Clear filters").click()
    assert grid.names == ALL


def test_clips_are_found_by_words_of_address_and_prompt(grid: Visit) -> None:
    search = grid.page.get_by_role("searchbox")

    search.fill("SWITCH gold")
    assert grid.names == ALL[6:]

    search.fill("nothing of the kind")
    expect(grid.page.get_by_text("Nothing fits these filters.")).to_be_visible()


def test_the_matrix_has_rows_columns_and_filters(grid: Visit) -> None:
    page = grid.page
    page.get_by_role("button", name="Matrix").click()
    page.get_by_label("rows").select_option("city")
    page.get_by_label("columns").select_option("look")
    page.get_by_label("shot", exact=True).select_option("opening")

    assert page.locator("thead th").all_text_contents() == ["noir", "gold"]
    assert page.locator("tbody th").all_text_contents() == ["Tokyo", "Paris"]
    cells = [
        [
            cell.locator("[data-address]").get_attribute("data-address")
            for cell in row.locator("td").all()
        ]
        for row in page.locator("tbody tr").all()
    ]
    assert cells == [[ALL[0], ALL[2]], [ALL[1], ALL[3]]]

    page.get_by_role("button", name="Swap").click()
    assert page.locator("thead th").all_text_contents() == ["Tokyo", "Paris"]


def test_the_matrix_begins_with_what_tells_most_clips_apart(grid: Visit) -> None:
    grid.page.get_by_role("button", name="Matrix").click()

    assert grid.page.locator(".corner").text_content() == "look \u2193  shot \u2192"


def test_a_clip_without_an_axis_has_a_place_in_the_matrix(grid: Visit) -> None:
    page = grid.page
    page.get_by_role("button", name="Matrix").click()
    page.get_by_label("rows").select_option("city")
    page.get_by_label("columns").select_option("look")

    assert page.locator("tbody th").all_text_contents() == ["Tokyo", "Paris", "no city"]


def test_a_clip_plays_without_sound_under_the_pointer(grid: Visit) -> None:
    frame = f'[data-address="{ALL[0]}"] .frame'
    grid.page.hover(frame)

    assert grid.playing(frame) is False

    grid.page.mouse.move(2, 2)
    expect(grid.page.locator(f"{frame} video")).to_have_count(0)


def test_a_click_plays_one_clip_with_sound_and_another_click_ends_it(grid: Visit) -> None:
    one, other = (f'[data-address="{address}"] .frame' for address in ALL[:2])
    grid.page.click(one)
    assert grid.playing(one) is True

    grid.page.click(other)
    assert grid.playing(other) is True
    expect(grid.page.locator(f"{one} video")).to_have_count(0)

    grid.page.click(other)
    grid.page.wait_for_function("s => document.querySelector(s).paused", arg=f"{other} video")


def test_takes_stand_side_by_side_and_play_together(grid: Visit) -> None:
    page = grid.page
    page.get_by_role("button", name="Takes").click()
    assert grid.names == ALL[4:]
    expect(page.locator("output.count")).to_have_text("4 of 8 clips")

    strip = page.locator(".strip").first
    strip.get_by_role("button", name="Play together").click()

    for take in ALL[4:6]:
        assert grid.playing(f'[data-address="{take}"] .frame') is False


def test_old_and_new_are_compared_with_what_became_of_the_prompt(seen: Visit) -> None:
    page = seen.page
    expect(page.locator(".choosers")).to_contain_text("runs/old → runs/new: 8 changed")
    strip = page.locator(f'.strip[aria-label="{ALL[0]}"]')

    assert strip.locator("del").all_text_contents() == ["dusk"]
    assert strip.locator("ins").all_text_contents() == ["the blue hour"]
    sources = [str(f.get_attribute("data-src")) for f in strip.locator(".frame").all()]
    assert sources[0].startswith("../old/videos/opening/")
    assert sources[1].startswith("videos/opening/")
    strip.get_by_role("button", name="Play together").click()
    seen.playing(f'.strip[aria-label="{ALL[0]}"] .frame[data-src^="../old"]')


def test_old_and_new_of_an_address_follow_each_other_when_large(seen: Visit) -> None:
    page = seen.page
    page.get_by_role("button", name=f"Open old {ALL[0]}").click()
    heads = []
    for _ in range(3):
        heads.append(page.locator("dialog[open] h2").text_content())
        page.keyboard.press("ArrowRight")

    assert heads == [f"{ALL[0]} in runs/old", ALL[0], f"{ALL[1]} in runs/old"]


def test_a_changed_parameter_is_compared_too(seen: Visit) -> None:
    facts = seen.page.locator(f'.strip[aria-label="{ALL[4]}"] .facts')

    expect(facts.locator("dt")).to_have_text("generate_audio")
    expect(facts.locator("del")).to_have_text("true")
    expect(facts.locator("ins")).to_have_text("false")


def test_a_prompt_can_be_copied(grid: Visit) -> None:
    page = grid.page
    page.locator(f'[data-address="{ALL[4]}"] summary').click()
    page.get_by_role("button", name="Copy prompt").click()
    expect(page.locator("#said")).to_have_text("Prompt copied")

    search = page.get_by_role("searchbox")
    search.focus()
    page.keyboard.press("Control+V")

    assert search.input_value() == "The switch, noir."


def test_a_clip_opens_large_with_sound_and_leads_to_the_next(grid: Visit) -> None:
    page = grid.page
    page.get_by_role("button", name=f"Open {ALL[0]}").click()
    expect(page.get_by_role("dialog")).to_contain_text("The lamp in Tokyo at the blue hour, noir.")
    assert grid.playing("dialog .screen") is True

    page.keyboard.press("ArrowRight")
    expect(page.locator("dialog[open] h2")).to_have_text(ALL[1])

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_everything_can_be_done_by_keyboard(grid: Visit) -> None:
    page = grid.page
    page.locator("body").press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("p")
    expect(page.locator(".picked")).to_have_attribute("data-address", ALL[1])

    page.keyboard.press("Space")
    assert grid.playing(f'[data-address="{ALL[1]}"] .frame') is True

    page.keyboard.press("o")
    expect(page.locator("dialog[open] h2")).to_have_text(ALL[1])
    page.keyboard.press("Escape")

    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Matrix")).to_have_attribute("aria-current", "page")
    page.keyboard.press("/")
    page.keyboard.type("gold")
    assert len(set(grid.names)) == 4
    page.keyboard.press("Escape")
    assert len(set(grid.names)) == 8

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("from clip to clip")


def test_dark_and_light_follow_the_system_until_somebody_decides(
    browser: Browser, project: Path
) -> None:
    with visit(browser, project / "runs/new/gallery.html", dark=True) as seen:
        colour = "getComputedStyle(document.documentElement).backgroundColor"
        dark = seen.page.evaluate(colour)
        seen.page.get_by_role("button", name="Light or dark").click()
        light = seen.page.evaluate(colour)
        other = seen.page.context.new_page()  # a browser may keep it a moment after it was told to
        other.goto(seen.page.url)
        other.wait_for_function("() => localStorage.getItem('veogen:theme')")
        seen.page.reload()

        assert (dark, light) == ("rgb(19, 18, 17)", "rgb(244, 242, 238)")
        assert seen.page.evaluate(colour) == light
