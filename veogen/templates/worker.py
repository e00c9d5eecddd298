"""The process that a guard starts: it compiles and renders, under limits that really stop it.

It reads one line of JSON for each batch and answers with one line for each task. The kernel
ends it when a task takes too long, whatever the interpreter is busy with, and refuses it memory,
writing to files and other processes. (Reading them is what the sandbox refuses.)
"""

import contextlib
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, Any, TypeVar

from jinja2 import BaseLoader, ChainableUndefined, Environment, Template, Undefined
from jinja2.exceptions import TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.utils import missing

from veogen.document.problems import did_you_mean
from veogen.templates.environment import (
    TEXT_LIMIT,
    NotTextError,
    OutputLimiter,
    SpecEnvironment,
    TooMuchTextError,
    WholeError,
)
from veogen.templates.template import Mode, TemplateFailure

FILES_LIMIT = 200
"""Files that one template may ask for: whoever answers has no clock on it."""

_LONGEST_NAME = 1024
_MOST_KEYS = 12  # in a hint
_MOST_UNDEFINED = 20  # in one template

_T = TypeVar("_T")
_UNDEFINED = re.compile(r"'(\w+)' is not defined$")

TOO_MUCH_TEXT = TemplateFailure(
    "template-limit", f"the template makes more than {TEXT_LIMIT // 1024} KiB of text"
)
TOO_MUCH_MEMORY = TemplateFailure(
    "template-limit", "the template takes more than 256 MiB of memory"
)
ENDLESS = TemplateFailure("template-limit", "the template calls itself without end")
TOO_MANY_FILES = TemplateFailure(
    "template-limit", f"the template asks for more than {FILES_LIMIT} files below templates/"
)
TOO_DEEP = TemplateFailure("template-limit", "the template is nested too deeply")


class TooManyFilesError(Exception):
    """A template has asked for more files than it may."""


class TemplateCompiler:
    """Compiles each template once, renders it as often as asked.

    `load` gives the text of a file below `templates/`, None if there is no such file.
    """

    def __init__(self, load: Callable[[str], str | None]) -> None:
        self._meter = OutputLimiter()
        self._loader = _Loader(load)
        self._error: Exception | None = None
        self._environments: Mapping[Mode, SpecEnvironment] = {
            "text": SpecEnvironment(self._loader, self._meter),
            "path": SpecEnvironment(self._loader, self._meter, "path"),
            "value": SpecEnvironment(self._loader, self._meter, "value"),
        }

    def compile(self, text: str, name: str | None, mode: Mode) -> Template | TemplateFailure:
        """The template, or why it is none; `name` is the file below `templates/`, if any."""
        environment = self._environments[mode]
        result = self._guarded(
            lambda: Template.from_code(
                environment, environment.compile(text, name, name), environment.make_globals(None)
            ),
            {},
        )
        return TOO_DEEP if result == ENDLESS else result

    def render(self, template: Template, scope: Mapping[str, Any]) -> str | TemplateFailure:
        """The text, or why there is none."""
        return self._guarded(lambda: self._render(template, scope), scope)

    def gap(self, scope: dict[str, Any]) -> tuple[dict[Any, Any], str] | None:
        """The mapping that lacked a name when the last text was made, and that name.

        The frame that raised the error has what stood for it.
        """
        traceback = self._error.__traceback__ if isinstance(self._error, UndefinedError) else None
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        stood = None if traceback is None else traceback.tb_frame.f_locals.get("self")
        if not isinstance(stood, Undefined):
            return None
        name, owner = stood._undefined_name, stood._undefined_obj  # noqa: SLF001 - Jinja2 has no other way to tell
        owner = scope if owner is missing else owner
        if not isinstance(owner, dict) or name is None or name in owner:
            return None
        return owner, name

    def _render(self, template: Template, scope: Mapping[str, Any]) -> str:
        self._meter.reset()
        self._loader.reset()
        self._error = None
        return self._meter.join(template.root_render_func(template.new_context(dict(scope))))

    def _guarded(self, work: Callable[[], _T], scope: Mapping[str, Any]) -> _T | TemplateFailure:
        try:
            return work()
        except TooMuchTextError:
            return TOO_MUCH_TEXT
        except TooManyFilesError:
            return TOO_MANY_FILES
        except MemoryError:
            return TOO_MUCH_MEMORY
        except RecursionError:
            return ENDLESS
        except Exception as error:  # noqa: BLE001 - whatever a template raises is its own fault
            self._error = error
            return _fault(error, scope)


class _Loader(BaseLoader):
    """Asks for each file once; Jinja2 keeps what there is, this what there is not."""

    def __init__(self, load: Callable[[str], str | None]) -> None:
        self._load = load
        self._missing: set[str] = set()
        self._asked = 0

    def reset(self) -> None:
        self._missing.clear()
        self._asked = 0

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        del environment
        name, text = str(template), None
        if name not in self._missing and len(name) <= _LONGEST_NAME:
            self._asked += 1
            if self._asked > FILES_LIMIT:
                raise TooManyFilesError
            text = self._load(name)
            if text is None:
                self._missing.add(name)
        if text is None:
            raise TemplateNotFound(template)
        return text, template, None


def _fault(error: Exception, scope: Mapping[str, Any]) -> TemplateFailure:
    hint: str | None = None
    match error:
        case TemplateSyntaxError():
            message = str(error.message)
            return TemplateFailure("template-syntax", message, None, error.name, error.lineno)
        case UndefinedError():
            code, message = "undefined", str(error)
            if (match := _UNDEFINED.match(message)) is not None:
                there = (name for name, value in scope.items() if not isinstance(value, Undefined))
                names = sorted(filter(str.isidentifier, there))  # a column may have another name
                hint = did_you_mean(match[1], names) or f"known here: {', '.join(names)}"
        case TemplateNotFound():
            code, message = "template-not-found", f"there is no template {str(error)!r}"
        case NotTextError():
            code, message, hint = "not-text", str(error), error.hint
        case WholeError():
            code, message, hint = "not-text", str(error), _part_of(error.value, scope)
        case _:
            message = " ".join(str(error).split())[:300] or type(error).__name__
            code = "template"
    name, line, traceback = None, 1, error.__traceback__
    while traceback is not None:  # the innermost template on the way to the error
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            name, line = template.name, template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return TemplateFailure(code, message, hint, name, line)


def _part_of(value: Any, scope: Mapping[str, Any]) -> str:
    """What to write in the place of a mapping or list that is put out whole."""
    name = _path_to(value, scope) or ""
    if not isinstance(value, Mapping):
        return f'write `{name or "LIST"} | join(", ")`'
    keys = sorted(map(str, value), key=lambda key: key != "id")
    if not keys:
        return "it has no keys"
    others = f", or another of its keys: {', '.join(keys[1:_MOST_KEYS])}" if keys[1:] else ""
    return f"write `{name}.{keys[0]}`{others}"


def _path_to(value: Any, scope: Mapping[str, Any], depth: int = 3) -> str | None:
    """The expression under which templates see `value` itself."""
    for name, item in scope.items():
        if item is value:
            return str(name)
        if depth and isinstance(item, Mapping):
            below = _path_to(value, item, depth - 1)
            if below is not None:
                return f"{name}.{below}"
    return None


SECONDS = 2.0
MEMORY = 256 * 1024 * 1024


def main() -> None:
    """Answer until the guard hangs up."""
    worker = _Worker(sys.stdin, sys.stdout, _Memory())
    # Nothing is written, and no other process is started.
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        with contextlib.suppress(ValueError, OSError):  # a system without this limit
            resource.setrlimit(limit, (0, 0))
    worker.tell({"ready": True})
    for line in sys.stdin:
        worker.work(json.loads(line))


class _Worker:
    def __init__(self, orders: IO[str], answers: IO[str], memory: "_Memory") -> None:
        self._orders, self._answers, self._memory = orders, answers, memory
        self._workshop = TemplateCompiler(self._load)
        self._sources: dict[int, list[Any]] = {}
        self._templates: dict[int, Any] = {}
        self._shared: dict[int, dict[str, Any]] = {}

    def work(self, batch: dict[str, Any]) -> None:
        self._sources.update(batch["sources"])  # pairs of a number and what it stands for
        self._shared.update(batch["shared"])
        for source, shared, own in batch["tasks"]:
            self._memory.allow(MEMORY)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            result = self._render(source, {**self._shared[shared], **own})
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._memory.allow(2 * MEMORY)  # so that the answer can be told in any case
            if isinstance(result, str):
                self.tell({"text": result})
            else:
                first, *others = (
                    (fault.code, fault.message, fault.hint, fault.name, fault.line)
                    for fault in (result, *result.also)
                )
                self.tell({"fault": first, "also": others})

    def tell(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def _render(self, source: int, scope: dict[str, Any]) -> str | TemplateFailure:
        if source not in self._templates:
            self._templates[source] = self._workshop.compile(*self._sources[source])
        template = self._templates[source]
        if isinstance(template, TemplateFailure):
            return template
        return self._with_others(self._workshop.render(template, scope), template, scope)

    def _with_others(
        self, result: str | TemplateFailure, template: Template, scope: dict[str, Any]
    ) -> str | TemplateFailure:
        """The result, and what else is undefined once what was found to be so counts as empty."""
        others: list[TemplateFailure] = []
        filled: list[tuple[dict[Any, Any], str]] = []
        last = result
        while (
            isinstance(last, TemplateFailure)
            and last.code == "undefined"
            and (gap := self._workshop.gap(scope)) is not None
            and len(others) < _MOST_UNDEFINED
            and signal.getitimer(signal.ITIMER_PROF)[0] > SECONDS / 2
        ):
            owner, name = gap
            filled.append(gap)
            owner[name] = ChainableUndefined(name=name)
            last = self._workshop.render(template, scope)
            if isinstance(last, TemplateFailure) and last.code == "undefined":
                others.append(last)
        for owner, name in filled:  # a mapping is other requests' too
            del owner[name]
        return (
            replace(result, also=tuple(others)) if isinstance(result, TemplateFailure) else result
        )

    def _load(self, name: str) -> str | None:
        self.tell({"load": name})
        text: str | None = json.loads(self._orders.readline())
        return text


class _Memory:
    """How much memory this process may have, reckoned from what it has."""

    def __init__(self) -> None:
        self._statm: int | None = None
        with contextlib.suppress(OSError):  # a system that does not tell
            self._statm = os.open("/proc/self/statm", os.O_RDONLY)

    def allow(self, more: int) -> None:
        if self._statm is not None:
            pages = int(os.pread(self._statm, 100, 0).split()[0])
            most = pages * os.sysconf("SC_PAGE_SIZE") + more
            resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
