"""Mistakes of single combinations, told once for all combinations that share them."""

from dataclasses import dataclass
from typing import TypeAlias

from veogen.document.problems import Problem, Problems, Severity
from veogen.document.values import Place

Key: TypeAlias = tuple[Place, Severity, str, str, str | None]


@dataclass(slots=True)
class _Heard:
    address: str
    count: int


class Complaints:
    """Collects what is wrong with combinations; a thousand like ones become one line."""

    def __init__(self) -> None:
        self._heard: dict[Key, _Heard] = {}

    def error(
        self, place: Place, code: str, message: str, address: str, hint: str | None = None
    ) -> None:
        self._add((place, "error", code, message, hint), address)

    def warn(self, place: Place, code: str, message: str, address: str) -> None:
        self._add((place, "warning", code, message, None), address)

    def _add(self, key: Key, address: str) -> None:
        heard = self._heard.get(key)
        if heard is None:
            self._heard[key] = _Heard(address, 1)
        else:
            heard.count += 1

    def tell(self, problems: Problems) -> None:
        """Hand all of them over, each with the first address it is true of."""
        problems.extend(_problem(key, heard) for key, heard in self._heard.items())
        self._heard.clear()


def _problem(key: Key, heard: _Heard) -> Problem:
    place, severity, code, message, hint = key
    more = f" and {heard.count - 1} more" if heard.count > 1 else ""
    return Problem(place, severity, code, f"{message} ({heard.address}{more})", hint)
