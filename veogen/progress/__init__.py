"""What people and programs see of a run while it goes on; tqdm is imported for a bar alone."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol, Self, TypeAlias

from veogen.executor.options import Clock
from veogen.executor.state import Listener
from veogen.progress.jsonl import JsonStream, Nobody
from veogen.progress.lines import Lines
from veogen.progress.messages import Out, Reporter
from veogen.results.advice import Names
from veogen.results.manifest import RETRIES
from veogen.text import Terminal, is_screen, paint

Mode: TypeAlias = Literal["auto", "bar", "lines", "json", "none"]


class Watching(Listener, AbstractContextManager["Watching"], Protocol):
    """A listener to be left when the run has ended, however it ended."""

    def __enter__(self) -> Self: ...


def listener(
    mode: Mode,
    *,
    directory: Path,
    names: Names,
    clock: Clock,
    terminal: Terminal,
    retries: int = RETRIES,
) -> Watching:
    """Whoever watches in this way: JSON goes where data goes, what people read to messages.

    `retries` are those that the run makes by itself.
    """
    messages, environ = terminal.messages, terminal.environ
    if mode == "auto":
        mode = "bar" if is_screen(messages, environ) else "lines"
    out = Out(messages)
    reporter = Reporter(directory=directory, names=names, retries=retries)
    match mode:
        case "bar":
            from veogen.progress.bar import Bar  # noqa: PLC0415 - tqdm takes 50 ms

            erase = is_screen(messages, environ)
            return Bar(out, clock, reporter, paint(messages, environ), erase=erase)
        case "lines":
            return Lines(out, clock, reporter, paint(messages, environ))
        case "json":
            return JsonStream(Out(terminal.data), clock, reporter)
        case "none":
            return Nobody(out)
