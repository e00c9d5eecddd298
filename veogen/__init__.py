"""Plan, review, buy and keep batches of AI video clips from YAML manifests in git.

As a library: `from veogen import load_spec, plan, run`; `veogen help python` is the guide.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veogen.library import (
        Difference,
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
        Snapshot,
        Spec,
        VeogenError,
        collect,
        diff,
        export,
        gallery,
        load_spec,
        open_store,
        plan,
        progress,
        run,
        simulated,
        status,
    )

__version__ = "0.1.0"
__all__ = [
    "Difference",
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
    "Snapshot",
    "Spec",
    "VeogenError",
    "collect",
    "diff",
    "export",
    "gallery",
    "load_spec",
    "open_store",
    "plan",
    "progress",
    "run",
    "simulated",
    "status",
]


class _Package(ModuleType):
    """Keeps its functions where a room has the same name: `veogen.diff(old, new)`.

    To import a room makes Python set it as an attribute here.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Import the library when something of it is wanted: the command line starts without it."""
    if name not in __all__:
        raise AttributeError(f"module 'veogen' has no attribute {name!r}")
    return getattr(import_module("veogen.library"), name)


def __dir__() -> list[str]:
    """What a notebook completes: all of it, imported or not."""
    return sorted({*globals(), *__all__})
