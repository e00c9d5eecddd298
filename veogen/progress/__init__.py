"""What people and programs see of a run while it goes on; tqdm is imported for a bar alone."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol, Self, TypeAlias

from veogen.executor.options import Clock
from veogen.executor.state import Listener
from veogen.progress.jsonl import JsonStream, NotesOnly
from veogen.progress.lines import Lines
from veogen.progress.messages import Messages, Screen
from veogen.results.advice import RunCommands
from veogen.results.manifest import RETRIES
from veogen.text import Terminal, is_screen, paint

Mode: TypeAlias = Literal["auto", "bar", "lines", "json", "none"]


class ProgressListener(Listener, AbstractContextManager["ProgressListener"], Protocol):
    """A listener to be left when the run has ended, however it ended."""

    def __enter__(self) -> Self: ...


def listener(
    mode: Mode,
    *,
    directory: Path,
    names: RunCommands,
    clock: Clock,
    terminal: Terminal,
    retries: int = RETRIES,
) -> ProgressListener:
    """Whoever watches in this way: JSON goes where data goes, what people read to messages.

    `retries` are those that the run makes by itself.
    """
    stream, environ = terminal.messages, terminal.environ
    if mode == "auto":
        mode = "bar" if is_screen(stream, environ) else "lines"
    screen = Screen(stream)
    messages = Messages(directory=directory, names=names, retries=retries)
    match mode:
        case "bar":
            from veogen.progress.bar import Bar  # noqa: PLC0415 - tqdm takes 50 ms

            erase = is_screen(stream, environ)
            return Bar(screen, clock, messages, paint(stream, environ), erase=erase)
        case "lines":
            return Lines(screen, clock, messages, paint(stream, environ))
        case "json":
            return JsonStream(Screen(terminal.data), clock, messages)
        case "none":
            return NotesOnly(screen)
