"""Choosing requests by globs on their addresses, and narrowing plans to them."""

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from veogen.errors import UsageError
from veogen.planner.plan import Plan

_MOST_HINTS = 5
"""What is near is a long search in a large plan, and nobody reads it for a whole old list."""


def selected(
    addresses: Iterable[str], select: Sequence[str] = (), deselect: Sequence[str] = ()
) -> frozenset[str]:
    """The addresses that fit; raises `UsageError` for globs that match nothing.

    Only `*` and `?` are special: the brackets of an address stand for themselves.
    """
    every = dict.fromkeys(addresses)
    chosen = set(every) if not select else set()
    mistakes: list[str] = []
    for glob in select:
        chosen.update(_matches(glob, every, "--select", mistakes))
    for glob in deselect:
        chosen.difference_update(_matches(glob, every, "--deselect", mistakes))
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return frozenset(chosen)


def narrowed(
    plans: Sequence[Plan], select: Sequence[str], deselect: Sequence[str]
) -> tuple[Plan, ...]:
    """The plans with only the requests that are selected; a glob may be meant for any of them.

    Raises `UsageError` for globs that match nothing.
    """
    if not select and not deselect:
        return tuple(plans)
    addresses = (request.address for plan in plans for request in plan.requests)
    chosen = selected(addresses, select, deselect)
    return tuple(
        replace(plan, requests=tuple(r for r in plan.requests if r.address in chosen))
        for plan in plans
    )


def _matches(
    glob: str, addresses: Collection[str], option: str, mistakes: list[str]
) -> Iterable[str]:
    if glob in addresses:  # an address is a glob for itself, whatever stands in it
        return (glob,)
    pattern = re.compile(
        "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in glob), re.DOTALL
    )
    matching = [address for address in addresses if pattern.fullmatch(address)]
    if not matching:
        mistake = f"{option} {glob!r} matches no address"
        if len(mistakes) < _MOST_HINTS and addresses:
            if any(address.startswith((f"{glob}[", f"{glob}#")) for address in addresses):
                mistake += f"; {f'{glob}*'!r} matches all of the shot"
            close = difflib.get_close_matches(glob, addresses, n=3, cutoff=0.3)
            mistake += f"; the nearest are {', '.join(close or list(addresses)[:3])}"
        mistakes.append(mistake)
    return matching
