"""What became of the words between two runs, told in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from support.browser import Visit, chromium, visit
from support.galleries import Shown, make_page, make_run

pytestmark = pytest.mark.slow

CASES = {
    "words": (
        "a red boat at dusk.",
        "a boat at dawn.",
        ["=a ", "-red ", "=boat at ", "-dusk", "+dawn", "=."],
    ),
    "all-new": ("a boat", "ein Schiff", ["-a boat", "+ein Schiff"]),
    "more": ("the boat", "the boat at dusk", ["=the ", "-boat", "+boat at dusk"]),
    "without-spaces": ("東京の夜", "東京の朝", ["=東京の", "-夜", "+朝"]),
    "lines": ("a boat\nat dusk", "a boat\nat dawn", ["=a boat\nat ", "-dusk", "+dawn"]),
    "accents": ("Café Zoë", "Café Zoé", ["=Café ", "-Zoë", "+Zoé"]),
    "a-comma": ("wide, slow", "wide slow", ["-wide, ", "+wide ", "=slow"]),
}
SIDES: list[tuple[str, dict[str, Any]]] = [
    ("old", {"duration": 4, "negative_prompt": "text"}),
    ("new", {"seed": 7}),
]
LONG = ("a " * 1200, "b a " * 600)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("words")
    texts = {name: case[:2] for name, case in CASES.items()} | {"long": LONG}
    runs = [
        make_run(
            root / word,
            [
                Shown(shot=name, values={}, prompt=pair[side], end="planned", params=extra)
                for name, pair in texts.items()
            ],
        )
        for side, (word, extra) in enumerate(SIDES)
    ]
    return make_page(runs[1], runs[0])


@pytest.fixture
def seen(browser: Browser, page: Path) -> Iterator[Visit]:
    with visit(browser, page) as seen:
        seen.page.get_by_role("button", name="Compare").click()
        yield seen
        assert seen.complaints == []


PIECES = """paragraph => [...paragraph.childNodes]
  .map(node => ({DEL: "-", INS: "+"}[node.nodeName] ?? "=") + node.textContent)"""


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_told_in_words(seen: Visit, name: str) -> None:
    first = seen.page.locator(f'.strip[aria-label="{name}"] .difference').first

    assert first.evaluate(PIECES) == CASES[name][2]


def test_both_texts_can_be_read_from_the_changes_however_long(seen: Visit) -> None:
    first = seen.page.locator('.strip[aria-label="long"] .difference').first
    pieces: list[str] = first.evaluate(PIECES)

    assert "".join(piece[1:] for piece in pieces if piece[0] != "+") == LONG[0]
    assert "".join(piece[1:] for piece in pieces if piece[0] != "-") == LONG[1]


def test_other_parameters_are_told_with_old_and_new_value(seen: Visit) -> None:
    strip = seen.page.locator('.strip[aria-label="words"]')

    assert strip.locator(".difference").all_text_contents()[1:] == ["negative prompt: text"]
    assert strip.locator(".facts dt").all_text_contents() == ["duration", "seed"]
    assert strip.locator(".facts del").all_text_contents() == ["4"]
    assert strip.locator(".facts ins").all_text_contents() == ["7"]
