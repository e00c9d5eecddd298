"""The words of a text, as faults look for them."""

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def words(text: str) -> frozenset[str]:
    """Letters and digits in a row, without regard to case."""
    return frozenset(re.findall(r"[^\W_]+", text.casefold()))
