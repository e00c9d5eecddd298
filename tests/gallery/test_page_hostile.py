"""What prompts, values and the network say is text on the page, whatever it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.browser import Visit, chromium, visit
from support.galleries import Shown, make_page, make_run

from veogen.gallery.page import embedded
from veogen.results.picks import Decision, Picks, clip_id

ATTACKS = [
    "</script><script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    "<!--<script>",
    "'\"><svg/onload=window.hacked=1>",
    "javascript:window.hacked=1",
    "{{data}} {{script}} ${window.hacked=1}",
    "</style><style>*{display:none}",
    "line\u2028separator\u2029s",
    "\u202edesrever",
    "]]> &amp; &lt;",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every attack as a prompt, a value, a parameter, an error and the run's name."""
    root = tmp_path_factory.mktemp("hostile")
    requests = [
        Shown(
            values={"word": attack},
            prompt=f"{attack} {number}",
            params={"negative_prompt": attack, "person_generation": attack},
            end=end,
            error=(attack, attack),
        )
        for number, attack in enumerate(ATTACKS)
        for end in [("planned", "failed", "indeterminate", "completed")[number % 4]]
    ]
    old = [
        Shown(values={"word": attack}, prompt=f"before {attack}", end="planned")
        for attack in ATTACKS
    ]
    new_run = make_run(root / "<b>new", requests, name=ATTACKS[0])
    notes = tuple(
        Decision(one.entry.address, clip_id(one.entry.hash), "pick", f"{attack}{attack}")
        for one, attack in zip(requests, ATTACKS, strict=True)
    )
    picks = Picks(dict.fromkeys(ATTACKS, notes))
    return make_page(new_run, make_run(root / "old", old), picks)


@pytest.fixture
def seen(browser: Browser, page: Path) -> Iterator[Visit]:
    with visit(browser, page) as seen:
        yield seen
        assert seen.complaints == []
        assert seen.page.evaluate("window.hacked") is None
        assert seen.page.locator("script").count() == 2
        assert seen.page.locator("#stage :is(script, style, a, iframe)").count() == 0
        pictures = seen.page.locator("#stage img").evaluate_all("all => all.map(img => img.src)")
        assert all(src.startswith("data:image/webp;base64,") for src in pictures)
        assert [url for url in seen.requests if not url.startswith(page.parent.as_uri())] == []


def test_hostile_text_is_shown_as_it_is(seen: Visit) -> None:
    expect(seen.page.get_by_role("heading", level=1)).to_have_text(ATTACKS[0])
    seen.page.get_by_role("button", name="Grid", exact=True).click()
    for summary in seen.page.locator("#stage summary", has_text="Details").all():
        summary.click()

    prompts = seen.page.locator("#stage .whole").all_text_contents()
    for attack in ATTACKS:
        assert any(attack in prompt for prompt in prompts)
    values = seen.page.locator("#stage h3").all_text_contents()
    assert values == ATTACKS
    noted = seen.page.locator("#stage .opinions q").all_text_contents()
    assert sorted(set(noted)) == sorted(attack * 2 for attack in ATTACKS[3::4])
    people = seen.page.locator("#stage .card .opinions b").all_text_contents()
    assert sorted(set(people)) == sorted(ATTACKS)


@pytest.mark.parametrize("name", ["Matrix", "Compare"])
def test_hostile_text_does_nothing_in_any_view(seen: Visit, name: str) -> None:
    seen.page.get_by_role("button", name=name, exact=True).click()

    expect(seen.page.locator("#stage")).to_contain_text(ATTACKS[0])


def test_hostile_text_does_nothing_in_the_viewer(seen: Visit) -> None:
    seen.page.get_by_role("button", name="Grid", exact=True).click()
    seen.page.locator(".card .name").first.click()

    expect(seen.page.locator("dialog[open]")).to_contain_text(ATTACKS[0])


def test_a_script_that_got_in_would_not_run(browser: Browser, page: Path) -> None:
    with visit(browser, page) as seen:
        attempts = [
            seen.page.evaluate(
                "html => { try { document.body.insertAdjacentHTML('beforeend', html); }"
                " catch (error) { return error.name; } }",
                attack,
            )
            for attack in ATTACKS
        ]
        blocked = seen.page.evaluate(
            "() => fetch('https://example.org/').then(() => 'sent', (error) => error.name)"
        )

        assert seen.page.evaluate("window.hacked") is None
        assert attempts == ["TypeError"] * len(ATTACKS)
        assert blocked == "TypeError"
        assert any("Content Security Policy" in complaint for complaint in seen.complaints)


@pytest.mark.parametrize("attack", ATTACKS)
def test_embedded_data_holds_nothing_that_html_knows(attack: str) -> None:
    text = embedded({attack: attack})

    assert not set(text) & set("<>&\u2028\u2029")
