"""`-v`: every HTTP exchange on standard error, one line each."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from veogen.progress import Mode


def progress_of(given: Mapping[str, Any]) -> Mode:
    """How the run is told: a bar and a log on one screen are neither."""
    mode: Mode = given["progress"]
    return "lines" if mode == "auto" and given["verbose"] else mode


@contextmanager
def logging_exchanges(given: Mapping[str, Any]) -> Iterator[None]:
    """Show what the gateway's room logs while the block runs, if `-v` asked for it."""
    if not given["verbose"]:
        yield
        return
    logger, handler = logging.getLogger("veogen.gateway"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
