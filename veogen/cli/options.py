"""The options that every command shares which reads a spec."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypedDict

import click

from veogen.errors import UsageError


class ProfileName(click.ParamType[str]):
    """The name of a profile, which becomes a part of the names of files."""

    name = "profile"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = str(value)
        if not name or "/" in name:
            self.fail(f"{name!r} is not the name of a profile", param, ctx)
        return name


def profile_option(help_: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--profile`, wherever a command has it."""
    return click.option("--profile", type=ProfileName(), metavar="NAME", help=help_)


def profile_words(profile: str | None) -> list[str]:
    """The option as it is typed."""
    return ["--profile", profile] if profile else []


class Reading(TypedDict):
    """How a spec is read."""

    settings: tuple[str, ...]
    lenient: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecOptions:
    """How a spec is read and which of its requests are meant."""

    profile: str | None = None
    settings: tuple[str, ...] = ()
    max_requests: int | None = None
    select: tuple[str, ...] = ()
    deselect: tuple[str, ...] = ()
    allow_unknown_model: bool = False

    @property
    def reading(self) -> Reading:
        """What `load_spec` has to know beside the profile."""
        return {"settings": self.settings, "lenient": self.allow_unknown_model}

    @property
    def words(self) -> list[str]:
        """What a command has to be given to read a spec so, as it is typed."""
        set_ = [word for setting in self.settings for word in ("--set", setting)]
        most = ["--max-requests", str(self.max_requests)] if self.max_requests else []
        lenient = ["--allow-unknown-model"] if self.allow_unknown_model else []
        return [*profile_words(self.profile), *set_, *most, *lenient]

    @property
    def selecting(self) -> list[str]:
        """Which requests are meant, as it is typed."""
        meant = [word for glob in self.select for word in ("--select", glob)]
        return meant + [word for glob in self.deselect for word in ("--deselect", glob)]


specs_argument = click.argument(
    "specs",
    metavar="SPEC...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)

_SELECTING = (
    click.option(
        "--select",
        metavar="GLOB",
        multiple=True,
        help="Only requests whose address fits; @FILE reads addresses. May be repeated.",
    ),
    click.option(
        "--deselect",
        metavar="GLOB",
        multiple=True,
        help="Not the requests whose address fits; @FILE reads addresses. May be repeated.",
    ),
)

_OPTIONS = (
    profile_option("Lay a profile of the spec over it."),
    click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="Set params.NAME or vars.NAME; the value is read as YAML. May be repeated.",
    ),
    click.option(
        "--max-requests",
        type=click.IntRange(min=1),
        metavar="N",
        help="Refuse a plan of more requests (default: the spec's budget, else 1,000).",
    ),
    *_SELECTING,
    click.option(
        "--allow-unknown-model",
        is_flag=True,
        help="Let models through that nobody knows: unchecked, and at an unknown price.",
    ),
)


def spec_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the shared options to a command, which takes them as `options: SpecOptions`."""

    @wraps(function)
    def command(
        profile: str | None,
        settings: tuple[str, ...],
        max_requests: int | None,
        select: tuple[str, ...],
        deselect: tuple[str, ...],
        allow_unknown_model: bool,
        **rest: Any,
    ) -> Any:
        options = SpecOptions(
            profile=profile,
            settings=settings,
            max_requests=max_requests,
            select=read_select(select),
            deselect=read_globs(deselect),
            allow_unknown_model=allow_unknown_model,
        )
        return function(options=options, **rest)

    return with_options(_OPTIONS, command)


def selecting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add those that choose requests, to a command that reads no spec."""
    return with_options(_SELECTING, function)


def with_options(options: Sequence[Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """Add options to a command; its help shows them in this order."""
    for option in reversed(options):
        function = option(function)
    return function


def read_select(written: tuple[str, ...]) -> tuple[str, ...]:
    """As `read_globs`; raises `UsageError` for empty files alone, as no glob means everything."""
    globs = read_globs(written)
    if written and not globs:
        raise UsageError(f"--select {' '.join(written)} names no address")
    return globs


def read_globs(written: tuple[str, ...]) -> tuple[str, ...]:
    """The globs as written, with `@FILE` replaced by the file's lines."""
    return tuple(glob for text in written for glob in _lines(text))


def _lines(text: str) -> list[str]:
    if not text.startswith("@"):
        return [text]
    try:
        content = Path(text[1:]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{text[1:]!r} cannot be read as a list of addresses: {reason}") from None
    return [line.strip() for line in content.split("\n") if line.strip()]
