"""A small disk, to be filled."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


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
