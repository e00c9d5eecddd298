"""What a run has to remember of each request, so that it needs no spec to go on."""

from collections.abc import Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from veogen.catalogue.parameters import Json
from veogen.planner.plan import Image, Request, video_paths
from veogen.results.shared import amount, members


class Entry(NamedTuple):
    """A request as the run directory knows it; `body` has local images as `file:<path>`."""

    address: str
    hash: str
    shot: str
    take: int
    variables: Mapping[str, Json]
    output: str
    body: Mapping[str, Json]
    credits: Decimal | None
    images: tuple[Image, ...] = ()

    @classmethod
    def of(cls, request: Request) -> "Entry":
        return cls._make(_FIELDS(request))

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

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "hash": self.hash,
            "shot": self.shot,
            "take": self.take,
            "variables": dict(self.variables),
            "output": self.output,
            "body": dict(self.body),
            "images": [[i.path, i.sha256, i.bytes] for i in self.images],
            "credits": None if self.credits is None else str(self.credits),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Entry":
        fields = members(data)
        fields["variables"] = members(data["variables"])
        fields["body"] = members(data["body"])
        fields["images"] = tuple(Image(*image) for image in data["images"])
        fields["credits"] = amount(data["credits"])
        return cls(**fields)


_FIELDS = attrgetter(*Entry._fields)
