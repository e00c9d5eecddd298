"""A real Chromium, offline, before which pages of the gallery are opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, sync_playwright

CHROMIUM = "/usr/bin/chromium"
DESKTOP = (1280, 900)
PHONE = (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser, without a window."""
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--autoplay-policy=user-gesture-required",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page that somebody looks at, with everything that it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._asked)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    @property
    def names(self) -> list[str]:
        """The addresses of the clips that are shown, in order."""
        return [
            str(element.get_attribute("data-address"))
            for element in self.page.query_selector_all("#stage [data-address]")
        ]

    def playing(self, selector: str) -> bool:
        """Wait until the video within has moved; whether it is heard."""
        self.page.wait_for_function(
            "s => { const v = document.querySelector(s);"
            " return v && !v.paused && v.currentTime > 0.2; }",
            arg=f"{selector} video",
        )
        return not self.page.eval_on_selector(f"{selector} video", "video => video.muted")

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(
            self.page.evaluate(
                "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
            )
        )


@contextmanager
def visit(
    browser: Browser, path: Path, size: tuple[int, int] = DESKTOP, *, dark: bool = False
) -> Iterator[Visit]:
    """Open a page from the disk, without a network."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        has_touch=size == PHONE,
        offline=True,
        accept_downloads=True,
    )
    context.set_default_timeout(10_000)
    try:
        seen = Visit(context.new_page())
        seen.page.goto(path.absolute().as_uri())
        yield seen
    finally:
        context.close()
