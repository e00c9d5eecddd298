"""Compiling and rendering with Jinja2: what happens inside the guard."""

import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from jinja2 import BaseLoader, Environment, Template
from jinja2.exceptions import TemplateNotFound, TemplateSyntaxError, UndefinedError

from veogen.document.problems import did_you_mean
from veogen.planner.templates.environment import (
    TEXT_LIMIT,
    Meter,
    NotTextError,
    SpecEnvironment,
    TooMuchTextError,
)
from veogen.planner.templates.source import Fault, Mode

FILES_LIMIT = 200
"""Files that one template may ask for: whoever answers has no clock on it."""

_LONGEST_NAME = 1024

_T = TypeVar("_T")
_UNDEFINED = re.compile(r"'(\w+)' is not defined$")

TOO_MUCH_TEXT = Fault(
    "template-limit", f"the template makes more than {TEXT_LIMIT // 1024} KiB of text"
)
TOO_MUCH_MEMORY = Fault("template-limit", "the template takes more than 256 MiB of memory")
ENDLESS = Fault("template-limit", "the template calls itself without end")
TOO_MANY_FILES = Fault(
    "template-limit", f"the template asks for more than {FILES_LIMIT} files below templates/"
)
TOO_DEEP = Fault("template-limit", "the template is nested too deeply")


class TooManyFilesError(Exception):
    """A template has asked for more files than it may."""


class Workshop:
    """Compiles each template once, renders it as often as asked.

    `load` gives the text of a file below `templates/`, None if there is no such file.
    """

    def __init__(self, load: Callable[[str], str | None]) -> None:
        self._meter = Meter()
        self._loader = _Loader(load)
        self._environments: Mapping[Mode, SpecEnvironment] = {
            "text": SpecEnvironment(self._loader, self._meter),
            "path": SpecEnvironment(self._loader, self._meter, "path"),
        }

    def compile(self, text: str, name: str | None, mode: Mode) -> Template | Fault:
        """The template, or why it is none; `name` is the file below `templates/`, if any."""
        result = self._guarded(lambda: self._compile(text, name, mode), {})
        return TOO_DEEP if result == ENDLESS else result

    def render(self, template: Template, scope: Mapping[str, Any]) -> str | Fault:
        """The text, or why there is none."""
        return self._guarded(lambda: self._render(template, scope), scope)

    def _compile(self, text: str, name: str | None, mode: Mode) -> Template:
        environment = self._environments[mode]
        code = environment.compile(text, name, name)
        return Template.from_code(environment, code, environment.make_globals(None))

    def _render(self, template: Template, scope: Mapping[str, Any]) -> str:
        self._meter.reset()
        self._loader.reset()
        return self._meter.join(template.root_render_func(template.new_context(dict(scope))))

    def _guarded(self, work: Callable[[], _T], scope: Mapping[str, Any]) -> _T | Fault:
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
        name = str(template)
        text = None if name in self._missing or len(name) > _LONGEST_NAME else self._ask(name)
        if text is None:
            raise TemplateNotFound(template)
        return text, template, None

    def _ask(self, name: str) -> str | None:
        self._asked += 1
        if self._asked > FILES_LIMIT:
            raise TooManyFilesError
        text = self._load(name)
        if text is None:
            self._missing.add(name)
        return text


def _fault(error: Exception, scope: Mapping[str, Any]) -> Fault:
    match error:
        case TemplateSyntaxError():
            return Fault("template-syntax", str(error.message), None, error.name, error.lineno)
        case UndefinedError():
            code, message, hint = "undefined", str(error), _nearest(str(error), scope)
        case TemplateNotFound():
            code, message, hint = "template-not-found", f"there is no template {str(error)!r}", None
        case NotTextError():
            code, message, hint = "not-text", str(error), error.hint
        case _:
            code, message, hint = "template", _message(error), None
    name, line = _where(error.__traceback__)
    return Fault(code, message, hint, name, line)


def _nearest(message: str, scope: Mapping[str, Any]) -> str | None:
    match = _UNDEFINED.match(message)
    if match is None:
        return None
    return did_you_mean(match[1], scope) or f"known here: {', '.join(sorted(scope))}"


def _message(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _where(traceback: TracebackType | None) -> tuple[str | None, int]:
    """The innermost template on the way to the error, and its line there."""
    name, line = None, 1
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            name, line = template.name, template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return name, line
