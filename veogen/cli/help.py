"""`veogen help`: the reference that ships with the package, a page a topic."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import cast

import click

from veogen.cli import COMMANDS
from veogen.document.problems import did_you_mean
from veogen.errors import UsageError

PAGES = files("veogen") / "reference"

_KINDS: Mapping[str, tuple[str, ...]] = {
    "Learn": ("tutorial",),
    "Do": ("team", "ci", "budgets", "machines", "cluster", "recover", "hand-over"),
    "Look up": (
        "spec",
        "matrix",
        "templates",
        "rows",
        "profiles",
        "policy",
        "store",
        "picks",
        "money",
        "models",
        "python",
        "commands",
        "files",
    ),
    "Understand": ("once", "network"),
}
"""The kinds of pages, never mixed on one, in the order in which a newcomer needs them."""

_WIDEST = 100
_ITEM = re.compile(r"\s*(?:-|\d+\.) ")
_COMMENT = re.compile(r"<!--.*?-->\n*", re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def topics() -> Mapping[str, tuple[str, ...]]:
    """The topics that have a page, by their kind; those that no kind names are looked up."""
    pages = {page.name.removesuffix(".md") for page in PAGES.iterdir() if page.name.endswith(".md")}
    kinds = {kind: [name for name in names if name in pages] for kind, names in _KINDS.items()}
    named = {name for names in kinds.values() for name in names}
    kinds["Look up"] += sorted(pages - named)
    return {kind: tuple(names) for kind, names in kinds.items()}


def page_text(topic: str) -> str:
    """The Markdown of a page, without its comments."""
    return _COMMENT.sub("", (PAGES / f"{topic}.md").read_text(encoding="utf-8"))


def print_help(topic: str | None) -> None:
    """Print a page, or the list of them: through a pager on a terminal, plain elsewhere.

    A command that no page is called after prints its own help. Raises `UsageError` for another
    word.
    """
    kinds = topics()
    pages = [name for names in kinds.values() for name in names]
    root = click.get_current_context().find_root()
    if topic is None:  # every topic with what its page begins with, by kind
        lines = ["# veogen help TOPIC"]
        for kind, names in kinds.items():
            lines += ["", f"## {kind}", ""]
            lines += [f"{name.ljust(10)}  {summary(name)}" for name in names]
        lines += ["", "'veogen COMMAND -h' tells about one command and its options.", ""]
        text = "\n".join(lines)
    elif topic in pages:
        text = page_text(topic)
    elif command := cast("click.Group", root.command).get_command(root, topic):
        text = command.get_help(click.Context(command, info_name=topic, parent=root)) + "\n"
    else:
        hint = did_you_mean(topic, (*pages, *COMMANDS)) or f"the topics are {', '.join(pages)}"
        raise UsageError(f"there is no page about {topic!r}; {hint}")
    if sys.stdout.isatty():
        shown = "\n".join(wrapped(text, min(_WIDEST, shutil.get_terminal_size().columns)))
        click.echo_via_pager(_HEADING.sub(lambda match: click.style(match[0], bold=True), shown))
    else:
        click.echo(text, nl=False)


def wrapped(text: str, width: int) -> Iterator[str]:
    """The lines of a page, paragraphs and items of lists no wider than a screen.

    Examples, tables and headings stay as they are.
    """
    paragraph: list[str] = []
    in_example = False
    for line in (*text.splitlines(), ""):
        is_fence = line.startswith("```")
        stays = in_example or is_fence or not line or line.startswith(("#", "|"))
        if stays or _ITEM.match(line):
            yield from _filled(paragraph, width)
            paragraph = []
        if stays:
            yield line
        else:
            paragraph.append(line)
        in_example ^= is_fence


def _filled(paragraph: Sequence[str], width: int) -> Iterator[str]:
    if not paragraph:
        return
    item = _ITEM.match(paragraph[0])
    indent = " " * (item.end() if item else 0)
    text = " ".join(line.strip() for line in paragraph)
    lead = paragraph[0][: len(paragraph[0]) - len(paragraph[0].lstrip())]
    yield from textwrap.wrap(
        text,
        width,
        initial_indent=lead,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(topic: str) -> str:
    """The first sentence below the title of a page."""
    _, _, rest = page_text(topic).partition("\n")
    return rest.strip().partition("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip(".")
