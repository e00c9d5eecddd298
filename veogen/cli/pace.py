"""The options of the commands that talk to the gateway: how fast, how patient, how told."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from veogen.cli.amounts import PATIENCE, RATE
from veogen.cli.options import with_options
from veogen.executor.policy import Policy

_COLLECTING = (
    click.option(
        "--poll-interval",
        type=PATIENCE,
        metavar="S",
        help="Look at a task every S seconds (default: adaptive).",
    ),
    click.option(
        "--request-timeout",
        type=PATIENCE,
        default=60.0,
        show_default=True,
        metavar="S",
        help="Patience with one HTTP request.",
    ),
    click.option(
        "--task-timeout",
        type=PATIENCE,
        default=1800.0,
        show_default=True,
        metavar="S",
        help="Patience with one task; it stays submitted after that.",
    ),
    click.option(
        "--progress",
        type=click.Choice(["auto", "bar", "lines", "json", "none"]),
        default="auto",
        show_default=True,
        help="How the run is told; JSON goes to standard output.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="Log every HTTP exchange, never the key."),
)

_SUBMITTING = (
    click.option(
        "--max-in-flight",
        type=click.IntRange(1, 256),
        default=4,
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
        default=2,
        show_default=True,
        metavar="N",
        help="New attempts of a task that failed for a passing reason.",
    ),
    click.option(
        "--on-indeterminate",
        type=click.Choice(["hold", "replay"]),
        default="hold",
        show_default=True,
        help="What to do when it is unknown whether a request was accepted.",
    ),
)


def collecting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that polls and downloads."""
    return with_options(_COLLECTING, function)


def submitting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that also submits."""
    return with_options((*_SUBMITTING, *_COLLECTING), function)


def policy_of(given: Mapping[str, Any]) -> Policy:
    """The policy that the options ask for."""
    return Policy(
        max_in_flight=given.get("max_in_flight", 4),
        submit_rate=given.get("submit_rate"),
        poll_interval=given["poll_interval"],
        task_timeout=given["task_timeout"],
        task_retries=given.get("task_retries", 0),
        replay=given.get("on_indeterminate") == "replay",
        retry_failed=given.get("retry_failed", False),
        max_credits=given.get("max_credits"),
    )
