"""Choosing requests by globs on their addresses."""

import difflib
import re
from collections.abc import Iterable, Sequence

from veogen.errors import UsageError


def selected(
    addresses: Iterable[str], select: Sequence[str] = (), deselect: Sequence[str] = ()
) -> frozenset[str]:
    """The addresses that fit; raises `UsageError` for globs that match nothing.

    Only `*` and `?` are special: the brackets of an address stand for themselves.
    """
    known = tuple(addresses)
    chosen = set(known) if not select else set()
    mistakes: list[str] = []
    for glob in select:
        chosen.update(_matches(glob, known, "--select", mistakes))
    for glob in deselect:
        chosen.difference_update(_matches(glob, known, "--deselect", mistakes))
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return frozenset(chosen)


def _matches(
    glob: str, addresses: Sequence[str], option: str, mistakes: list[str]
) -> Iterable[str]:
    if glob in addresses:  # an address is a glob for itself, whatever stands in it
        return (glob,)
    pattern = re.compile(_regex(glob), re.DOTALL)
    found = [address for address in addresses if pattern.fullmatch(address)]
    if not found:
        near = difflib.get_close_matches(glob, addresses, n=3, cutoff=0.3) or addresses[:3]
        hint = f"; the nearest are {', '.join(near)}" if near else ""
        mistakes.append(f"{option} {glob!r} matches no address{hint}")
    return found


def _regex(glob: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in glob)
