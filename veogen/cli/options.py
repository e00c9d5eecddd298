"""What several commands have in common: options and arguments, and what they were given.

Nothing of a command is loaded here, so that its help is there at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypedDict

import click

from veogen.cli.option_types import PATIENCE, RATE, Listen, ProfileName, ShardParam, Url
from veogen.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Literal

    from veogen.executor.options import Only
    from veogen.progress import Mode

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def with_options(*options: Decorator) -> Decorator:
    """Adds options to a command; its help shows them in this order."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def completed_by(name: str) -> Callable[..., Any]:
    """A value that a shell completes as `veogen.cli.completion` knows, loaded when it is asked."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> Any:
        del parameter
        from veogen.cli import completion  # noqa: PLC0415 - for a shell alone

        return completion.items(name, context, incomplete)

    return complete


def profile_option(help_: str) -> Decorator:
    """`--profile`, wherever a command has it."""
    return click.option(
        "--profile",
        type=ProfileName(),
        metavar="NAME",
        help=help_,
        shell_complete=completed_by("profiles"),
    )


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

    @classmethod
    def taken_from(cls, given: dict[str, Any]) -> Self:
        """What `spec_options` gave a command; the rest of what it was given stays there."""
        return cls(
            profile=given.pop("profile"),
            settings=given.pop("settings"),
            max_requests=given.pop("max_requests"),
            select=read_select(given.pop("select")),
            deselect=read_globs(given.pop("deselect")),
            allow_unknown_model=given.pop("allow_unknown_model"),
        )

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


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How requests are bought and brought home; times are seconds, None is adaptive or no limit."""

    directory: Path | None = None
    simulate: bool = False
    faults: Path | None = None
    generation_time: float | None = None
    yes: bool = False
    locked: bool = False
    max_credits: "Decimal | None" = None
    only: "tuple[Only, ...]" = ()
    retry_failed: bool = False
    listen: tuple[str, int] | None = None
    callback_base: str | None = None
    max_in_flight: int = 4
    submit_rate: float | None = None
    task_retries: int = 2
    on_indeterminate: str = "hold"
    poll_interval: float | None = None
    request_timeout: float = 60.0
    task_timeout: float = 1800.0
    store: str | None = None
    keep: "Literal['store'] | None" = None
    shard: tuple[int, int] | None = None
    dask: str | None = None
    progress: "Mode" = "auto"
    verbose: bool = False

    @property
    def words(self) -> list[str]:
        """What makes it the same run, as it is typed."""
        directory = ["--dir", str(self.directory)] if self.directory else []
        store = ["--store", self.store] if self.store else []
        return [*directory, *(["--simulate"] if self.simulate else []), *store]


specs_argument = click.argument(
    "specs",
    metavar="SPEC...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)

optional_specs_argument = click.argument(
    "specs",
    metavar="[SPEC]...",
    nargs=-1,
    type=click.Path(exists=True, path_type=Path),
)


def addresses_option(name: str, help_: str, metavar: str = "ADDRESS") -> Decorator:
    """An option that names requests, and may be repeated."""
    complete = completed_by("addresses")
    return click.option(name, metavar=metavar, multiple=True, shell_complete=complete, help=help_)


selecting_options = with_options(
    addresses_option(
        "--select",
        "Only requests whose address fits; @FILE reads addresses. May be repeated.",
        "GLOB",
    ),
    addresses_option(
        "--deselect",
        "Not the requests whose address fits; @FILE reads addresses. May be repeated.",
        "GLOB",
    ),
)
"""Those that choose requests."""

spec_options = with_options(
    profile_option("Lay a profile of the spec over it."),
    click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="Set params.NAME or vars.NAME to JSON, or to the text that it is. May be repeated.",
    ),
    click.option(
        "--max-requests",
        type=click.IntRange(min=1),
        metavar="N",
        help="Refuse a plan of more requests (default: the spec's budget, else 1,000).",
    ),
    selecting_options,
    click.option(
        "--allow-unknown-model",
        is_flag=True,
        help="Let models through that nobody knows: unchecked, and at an unknown price.",
    ),
)


def read_globs(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The globs as they stand there, with `@FILE` replaced by the file's lines."""
    globs = list[str]()
    for text in texts:
        if not text.startswith("@"):
            globs.append(text)
            continue
        try:
            lines = Path(text[1:]).read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            message = f"{text[1:]!r} cannot be read as a list of addresses: {reason}"
            raise UsageError(message) from None
        globs += [line.strip() for line in lines if line.strip()]
    return tuple(globs)


def read_select(texts: tuple[str, ...]) -> tuple[str, ...]:
    """As `read_globs`; raises `UsageError` for empty files alone, as no glob means everything."""
    globs = read_globs(texts)
    if texts and not globs:
        raise UsageError(f"--select {' '.join(texts)} names no address")
    return globs


STORE = click.option(
    "--store",
    type=Url(),
    metavar="URL",
    help="The bucket or shared folder that keeps the run (default: VEOGEN_STORE).",
)


sharing_options = with_options(
    STORE,
    click.option(
        "--keep",
        type=click.Choice(["store"]),
        help="Keep clips in the store alone: a plan may be larger than the disk.",
    ),
    click.option(
        "--shard",
        type=ShardParam(),
        metavar="I/N",
        help="Buy a fixed part of the plan, 1 to N; needs a store.",
    ),
    click.option(
        "--dask",
        type=Url(),
        metavar="ADDRESS",
        help="Have the workers of a Dask cluster do it (tcp://…, tls://…, local:N); needs a store.",
    ),
)


collecting_options = with_options(
    click.option(
        "--poll-interval",
        type=PATIENCE,
        metavar="S",
        help="Look at a task every S seconds (default: adaptive).",
    ),
    click.option(
        "--request-timeout",
        type=PATIENCE,
        default=RunOptions.request_timeout,
        show_default=True,
        metavar="S",
        help="Patience with one HTTP request.",
    ),
    click.option(
        "--task-timeout",
        type=PATIENCE,
        default=RunOptions.task_timeout,
        show_default=True,
        metavar="S",
        help="Patience with one task; it stays submitted after that.",
    ),
    click.option(
        "--progress",
        type=click.Choice(["auto", "bar", "lines", "json", "none"]),
        default=RunOptions.progress,
        show_default=True,
        help="How the run is told; JSON goes to standard output.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="Log every HTTP exchange, never the key."),
)
"""Those of a command that polls and downloads."""

submitting_options = with_options(
    click.option(
        "--max-in-flight",
        type=click.IntRange(1, 256),
        default=RunOptions.max_in_flight,
        show_default=True,
        metavar="N",
        help="Tasks at a time; lowered by itself when the gateway has no room.",
    ),
    click.option(
        "--submit-rate",
        type=RATE,
        metavar="PER_MINUTE",
        help="Submits per minute, at most.",
    ),
    click.option(
        "--task-retries",
        type=click.IntRange(0, 100),
        default=RunOptions.task_retries,
        show_default=True,
        metavar="N",
        help="New attempts of a task that failed for a passing reason.",
    ),
    click.option(
        "--on-indeterminate",
        type=click.Choice(["hold", "replay"]),
        default=RunOptions.on_indeterminate,
        show_default=True,
        help="What to do when it is unknown whether a request was accepted.",
    ),
    collecting_options,
)
"""Those of a command that also submits."""


listening_options = with_options(
    click.option(
        "--listen",
        type=Listen(),
        metavar="HOST:PORT",
        help="Take the gateway's callbacks there, as hints to look at a task at once.",
    ),
    click.option(
        "--callback-base",
        type=Url(),
        metavar="URL",
        help="With --listen: the public https address that leads there.",
    ),
)


options_of_run = with_options(
    profile_option("When RUN is a SPEC: the run of this profile."),
    click.option("--simulate", is_flag=True, help="When RUN is a SPEC: its simulated run."),
    STORE,
)
"""Which run of a SPEC is meant, as `run` has it, and its store: `find_shared_run` takes them."""

run_argument = with_options(
    click.argument(
        "run",
        metavar="[RUN]",
        required=False,
        type=click.Path(),
        shell_complete=completed_by("runs"),
    ),
    options_of_run,
)
"""RUN, which may be left out, and which one of a SPEC is meant."""


def format_option(help_: str, default: str, *others: str) -> Decorator:
    """`--format`, taken as `format_`."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice([default, *others]),
        default=default,
        show_default=True,
        help=help_,
    )


def as_typed(text: str) -> str:
    """Help whose paragraphs keep their lines."""
    return "\n\n".join(f"\b\n{part}" for part in text.strip().split("\n\n"))


def examples(*lines: str) -> str:
    """An epilog whose lines stay as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
