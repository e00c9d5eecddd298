"""What a run has to remember of each request, so that it needs no spec to go on."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct, json

from veogen.planner.plan import Image, Request, video_paths
from veogen.results.amounts import refuse_endless


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request as the run directory knows it; `body` has local images as `file:<path>`."""

    address: str
    hash: str
    shot: str
    take: int
    variables: Mapping[str, Any]
    output: str
    body: Mapping[str, Any]
    images: tuple[Image, ...] = ()
    credits: Decimal | None

    def __post_init__(self) -> None:
        refuse_endless(self.credits)

    @classmethod
    def of(cls, request: Request) -> "Entry":
        return cls(
            address=request.address,
            hash=request.hash,
            shot=request.shot,
            take=request.take,
            variables=request.variables,
            output=request.output,
            body=request.body,
            images=request.images,
            credits=request.credits,
        )

    @classmethod
    def from_json(cls, text: str) -> "Entry":
        """The entry that `to_json` wrote; raises `ValueError` for anything else."""
        return _decode(text)

    def to_json(self) -> str:
        """The entry as one line of JSON; decimals are strings."""
        return _encode(self).decode()

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def videos(self) -> int:
        n = self.body.get("n", 1)
        return n if isinstance(n, int) else 1

    def path(self, index: int, of: int) -> str:
        """Where video `index` (from 0) of `of` goes, below the run directory.

        There may be more than `of`, of which those before it are not known.
        """
        return video_paths(self.output, self.hash, max(self.videos, of, index + 1))[index]


_encode = json.Encoder().encode
_decode: Callable[[str], Entry] = json.Decoder(Entry).decode
