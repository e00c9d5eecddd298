"""What comes of a request: a whole answer, or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "unresolved",
    "refused",
    "connect-timeout",
    "tls",
    "forbidden",
    "timeout",
    "lost",
    "oversized",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return self.status // 100 == 2  # noqa: PLR2004 - as the standard has them


@dataclass(frozen=True, slots=True)
class Broken:
    """There is no whole answer. `sent` is False when surely no byte of the request was written."""

    kind: Kind
    message: str
    sent: bool = True
