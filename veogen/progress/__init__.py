"""What people and programs see of a run while it goes on; tqdm is imported for a bar alone."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol, Self, TypeAlias

from veogen.executor.clock import Clock
from veogen.executor.desk import Listener
from veogen.progress.lines import Lines
from veogen.progress.news import Reporter
from veogen.progress.nobody import Nobody
from veogen.progress.out import Out
from veogen.progress.stream import JsonStream
from veogen.results.advice import Names
from veogen.results.states import RETRIES
from veogen.terminal import Terminal, is_screen, paint

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
