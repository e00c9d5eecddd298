"""What costs a story time and tells it nothing: done once, or smaller."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from veogen.executor import directory, transfer
from veogen.executor.mp4 import ClipInfo, probe
from world.gateway import same_clip

_BALLAST = 4096
"""Bytes that a run keeps back of a world's disk, which is full when the world says so."""

_measured: dict[int, ClipInfo | str] = {}


@contextmanager
def left_out() -> Iterator[None]:
    """Let a story spend no time on them while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(directory, "_RESERVE", _BALLAST)
        patch.setattr(transfer, "measure", _measured_once)
        yield


def _measured_once(path: Path) -> ClipInfo | str:
    """What is measured of a clip; those that differ in their names alone are measured once."""
    length = same_clip(path.read_bytes())
    if length is None:
        return probe(path)
    if length not in _measured:
        _measured[length] = probe(path)
    return _measured[length]


def keep_what_is_imported() -> None:
    """Have the collector of garbage pass over what stays, and look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
