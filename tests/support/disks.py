"""A small disk, to be filled, and one that nobody waits for."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SHARED_MEMORY = Path("/dev/shm")
IN_MEMORY = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
"""Where thousands of durable writes do not wait for a busy disk; what is written is the same."""


@contextmanager
def small_disk(mount: Path, kib: int) -> Iterator[Path]:
    """A disk of so many KiB, mounted until the block ends."""
    mount.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", mount],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk takes root")
    try:
        yield mount
    finally:
        subprocess.run(["umount", mount], check=True)


def fill(folder: Path, left: int) -> Path:
    """A file that leaves so many KiB free."""
    state = os.statvfs(folder)
    filler = folder / "filler"
    filler.write_bytes(bytes(state.f_bavail * state.f_frsize - left * 1024))
    return filler
