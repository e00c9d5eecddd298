"""The report for a pull request, rendered as its host would: hostile prompts stay text."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.plans import report, request

from veogen.diff.markdown import markdown
from veogen.diff.report import Report

OURS = {
    "h3", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "p", "details", "summary",
    "code", "pre", "del", "ins", "strong",
}  # fmt: skip
VERBATIM = {"code", "pre"}
A_COMMENT = 65_536

HOSTILE = [
    "</pre></details><script>alert(1)</script>",
    "</code><img src=x onerror=alert(1)>",
    "`code` ``` fence\n```\n# title\n",
    "@everyone fixes #1 and GH-2, see a1b2c3d",
    "[link](https://evil.example) ![image](https://evil.example/a.png)",
    "https://evil.example www.evil.example mail@evil.example",
    "a\n\n# heading\n\n- list\n\n| a | b |\n|---|---|\n| c | d |\n",
    "a\n\n\n<details open><summary>x</summary>",
    "a\r\n\r\n**bold**\u2028\u2028*it*\x0b\x0c\x85",
    "<!-- a --> <![CDATA[ x ]]> <?php ?> <!DOCTYPE html>",
    "&lt;script&gt; &#64;everyone &amp;amp;",
    "\u202egnp.exe \x1b[31mred\x07 \u200b",
    ":smile: $a$ $$b$$ \\[x\\] ~~x~~ [^1]\n[^1]: note",
    "    indented\n\n\tcode\n> quote",
    "{{ }} {% %} ${{ secrets.KEY }}",
]


class Page(HTMLParser):
    """What a browser would see: the tags, and the text inside `<code>` and `<pre>`."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.outside: list[str] = []
        self.inside: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)
        if tag in VERBATIM:
            self.inside.append("")
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VERBATIM:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside[-1] += data
        else:
            self.outside.append(data)

    def handle_comment(self, data: str) -> None:
        self.tags.add(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.tags.add(f"<!{decl}")

    def unknown_decl(self, data: str) -> None:
        self.tags.add(f"<![{data}")

    def handle_pi(self, data: str) -> None:
        self.tags.add(f"<?{data}")


def rendered(found: Report) -> Page:
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    return Page(renderer.render(markdown(found)))


def everywhere(text: str) -> Report:
    """A report with the text in every field that a user can write."""
    old = [
        request("removed", f"removed {text}", negative_prompt=text),
        request(f"old {text}", "renamed"),
        request(f"changed {text}", f"before {text} before", seed=1),
        request("value", "v", style=f"old {text}"),
    ]
    new = [
        request("added", f"added {text}", negative_prompt=text),
        request(f"new {text}", "renamed"),
        request(f"changed {text}", f"after {text} after", seed=2),
        request("value", "v", style=f"new {text}"),
    ]
    return report(old, new, notes=(f"note {text}",), name=f"name {text}")


def words(page: Page) -> Iterator[str]:
    yield from (text for text in page.outside if text.strip())


PLAIN = everywhere("harmless")


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_user_writes_is_text_inside_code(text: str) -> None:
    page = rendered(everywhere(text))

    assert page.tags <= OURS
    assert page.attributes <= {("align", "right")}
    assert list(words(page)) == list(words(rendered(PLAIN)))


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("<>&`*_[]()!@#|~\n\r\t -=+.:/\\'\"ax1\u2028\u202e\U0001f600")))
def test_so_is_any_other_text(text: str) -> None:
    page = rendered(everywhere(text))

    assert (page.tags <= OURS, page.attributes <= {("align", "right")}) == (True, True)
    assert list(words(page)) == list(words(rendered(PLAIN)))


def test_a_prompt_reads_as_it_would_be_sent() -> None:
    prompt = 'A <b>"boat"</b> & a `car`\n  at dusk\n\n@noon'

    page = rendered(report([], [request("a", prompt)]))

    assert f"prompt: {prompt}".replace("\n\n", "\n \n") in page.inside


def test_replaced_words_are_struck_out_and_underlined() -> None:
    found = report([request("a", "soft <light>")], [request("a", "hard <light>")])

    assert "<pre>prompt: <del>soft</del><ins>hard</ins> &lt;light&gt;</pre>" in markdown(found)


def test_the_summary_comes_first() -> None:
    old = [request("a"), request("b", "b")]
    new = [request("a", "x"), request("c", "c"), request("d", "d", n=3), request("e", "e")]

    assert markdown(report(old, new)).splitlines()[0] == (
        "### veogen: +5 clips, \u22121, 1 changed: 152.064 credits to buy"
    )


def test_no_difference_is_one_line() -> None:
    same = [request("a")]

    assert markdown(report(same, same)) == ("### veogen: no difference (1 request unchanged)")


def size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(
            report([], [request(f"s{i}", f"{i} " + "word " * 300) for i in range(2000)]),
            id="many long prompts",
        ),
        pytest.param(
            report([], [request(f"s{i}", str(i) + "\U0001f600" * 1900) for i in range(200)]),
            id="letters that count twice",
        ),
        pytest.param(
            report([], [request("s", "&<>" * 60_000)]),
            id="one endless prompt that grows when it is escaped",
        ),
        pytest.param(
            report(
                [request(f"s{i}", f"old {i}") for i in range(3000)],
                [request(f"s{i}", f"new {i} {'x' * i}") for i in range(3000)],
            ),
            id="many changes, none like another",
        ),
        pytest.param(
            report(
                [request(f"old {i} {'x' * 200}", str(i)) for i in range(3000)],
                [request(f"new {i} {'x' * 200}", str(i)) for i in range(3000)],
            ),
            id="many renames",
        ),
        pytest.param(
            Report(
                reviews=report([], [request("a")], name="&" * 100_000).reviews * 2000,
                notes=("&" * 100_000,) * 2000,
            ),
            id="many specs with endless names and notes",
        ),
    ],
)
def test_a_report_is_never_longer_than_a_comment_may_be(found: Report) -> None:
    text = markdown(found)

    assert size(text) < A_COMMENT
    assert "left out" in text
    assert rendered(found).tags <= OURS


def test_what_is_left_out_is_counted() -> None:
    found = report([], [request(f"s{i}", f"{i} " + "word " * 300) for i in range(100)])

    page = rendered(found)

    shown = sum(text.startswith("prompt:") for text in page.inside)
    assert f"{100 - shown} more left out" in page.outside
    assert 20 < shown < 100


def test_a_huge_request_does_not_hide_those_after_it() -> None:
    small = [request(f"s{i}", f"small {i}") for i in range(50)]
    huge = [request(f"h{i}", f"{i}" + "&" * 5000) for i in range(50)]

    page = rendered(report([], [*huge, *small]))

    assert [text for text in page.inside if text == "prompt: small 49"] != []
