"""Plan, review, buy and keep batches of AI video clips from YAML manifests in git.

As a library: `from veogen import load_spec, plan, run`; `veogen.library` tells more.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veogen.library import (
        Event,
        ExitCode,
        Listener,
        MistakesError,
        NullListener,
        Outcome,
        Plan,
        RequestState,
        RunPolicy,
        RunProgress,
        Settings,
        Spec,
        VeogenError,
        load_spec,
        plan,
        run,
    )

__version__ = "0.1.0"
__all__ = [
    "Event",
    "ExitCode",
    "Listener",
    "MistakesError",
    "NullListener",
    "Outcome",
    "Plan",
    "RequestState",
    "RunPolicy",
    "RunProgress",
    "Settings",
    "Spec",
    "VeogenError",
    "load_spec",
    "plan",
    "run",
]


def __getattr__(name: str) -> Any:
    """Import the library when something of it is wanted: the command line starts without it."""
    if name not in __all__:
        raise AttributeError(f"module 'veogen' has no attribute {name!r}")
    return getattr(import_module("veogen.library"), name)
