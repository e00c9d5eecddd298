"""Rendering many templates at once, each in the cheapest way that is safe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from veogen.document.files import Files, OutsideRootError, inside, nearest_file
from veogen.templates.inline import NeedsJinjaError, inline_template
from veogen.templates.template import FOLDER, Template, TemplateFailure

if TYPE_CHECKING:
    from veogen.templates.sandbox import Sandbox

LARGEST = 1024 * 1024
"""Bytes of a template; what is larger is none."""

Order: TypeAlias = tuple[Template, Mapping[str, Any], Mapping[str, Any]]
"""A template, what all requests of its variant see, and what this one sees besides."""


class Renderer:
    """Renders the templates of one project; to be closed, as it may have started a process."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._sandbox: Sandbox | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if one was started."""
        if self._sandbox is not None:
            self._sandbox.close()

    def prepare(self, template: Template) -> Template:
        """The template with its text, ready to be rendered, or with the fault that it has."""
        if template.name is not None:
            text = self.load(template.name)
            if text is None:
                message, raw = f"there is no template {template.name!r}", self._read(template.name)
                path = template_path(template.name)
                hint = None if path is None else nearest_file(self._files, path)
                if raw is not None:  # why a file that is there is none
                    is_large = len(raw) > LARGEST
                    hint = f"the file is {'larger than 1 MiB' if is_large else 'not UTF-8'}"
                fault = TemplateFailure("template-not-found", message, hint)
                return Template("", template.place, fault=fault)
            template = replace(template, text=text)
        inline = inline_template(template.text, template.mode)
        if inline is None:
            self._guard().start()
        return replace(template, inline=inline)

    def render(self, orders: Sequence[Order]) -> list[str | TemplateFailure]:
        """The text of each order, in order; those that need the guard go to it together."""
        results: list[str | TemplateFailure] = []
        guarded: list[int] = []
        for index, (template, shared, own) in enumerate(orders):
            result: str | TemplateFailure | None = template.fault
            if template.inline is not None:
                result = template.inline.constant
                if result is None:
                    try:
                        result = template.inline.render({**shared, **own})
                    except NeedsJinjaError:
                        result = None
            if result is None:
                guarded.append(index)
            results.append("" if result is None else result)
        if guarded:
            made = self._guard().render([orders[index] for index in guarded])
            for index, text in zip(guarded, made, strict=True):
                results[index] = text
        return results

    def _guard(self) -> "Sandbox":
        from veogen.templates.sandbox import Sandbox  # noqa: PLC0415 - most templates need none

        if self._sandbox is None:
            self._sandbox = Sandbox(self.load)
        return self._sandbox

    def load(self, name: str) -> str | None:
        """The text of a file below `templates/`, None if there is none or it lies outside."""
        raw = self._read(name)
        if raw is None or len(raw) > LARGEST:
            return None
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def _read(self, name: str) -> bytes | None:
        path = template_path(name)
        try:
            return None if path is None else self._files.read(path, LARGEST)
        except (OSError, OutsideRootError):
            return None


def template_path(name: str) -> PurePosixPath | None:
    """The path below the root of a template, None if it leaves `templates/`."""
    try:
        path = inside(FOLDER, name)
    except OutsideRootError:
        return None
    return path if path.is_relative_to(FOLDER) and path != FOLDER else None
