"""The words for where a request stands."""

from typing import Literal, TypeAlias

Status: TypeAlias = Literal[
    "planned", "submitted", "completed", "failed", "indeterminate", "undelivered"
]

STATUSES: tuple[Status, ...] = (
    "planned",
    "submitted",
    "completed",
    "failed",
    "indeterminate",
    "undelivered",
)


def status_of(value: object) -> Status:
    """The status that was written down; raises `ValueError` for anything else."""
    for status in STATUSES:
        if status == value:
            return status
    raise ValueError(f"{value!r} is not a status")
