"""`-v`: every HTTP exchange on standard error, one line each."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def logging_exchanges(given: dict[str, Any]) -> Iterator[None]:
    """Show what the gateway's room logs while the block runs, if `-v` asked for it."""
    if not given["verbose"]:
        yield
        return
    if given["progress"] == "auto":
        given["progress"] = "lines"  # a bar and a log on one screen are neither
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
