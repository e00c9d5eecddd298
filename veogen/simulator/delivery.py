"""Sending bytes: whole or in part, and spoiled on the way when a fault says so."""

import asyncio
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import ETag, hdrs, web

from veogen.simulator.faults import Fault
from veogen.simulator.mishaps import hang_up

_STEPS = 20  # in which a slow body arrives
_INTACT = 32  # bytes of a corrupt clip that still look like an MP4


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent, and how it travels."""

    data: bytes
    etag: str
    kind: str
    length: bool = True
    seconds: float = 0.0
    lost_after: float | None = None

    def spoiled(self, fault: Fault, nth: int) -> "Parcel":
        """This parcel after `fault`; `nth` is how often it was sent."""
        match fault.do:
            case "truncated":
                end = int(len(self.data) * fault.after)
                return replace(self, data=self.data[:end], length=fault.length)
            case "corrupt":
                noise = bytes(byte ^ 0x5A for byte in self.data[_INTACT:])
                return replace(self, data=self.data[:_INTACT] + noise)
            case "changed":
                return replace(self, etag=f"{self.etag}-{nth}")
            case "no-length":
                return replace(self, length=False)
            case "drop":
                return replace(self, lost_after=fault.after)
            case "slow":
                return replace(self, seconds=fault.seconds or 0)
            case _:
                return self


async def deliver(request: web.Request, parcel: Parcel) -> web.StreamResponse:
    """Send the parcel, or the part of it that was asked for."""
    etag, size = f'"{parcel.etag}"', len(parcel.data)
    headers = {hdrs.ETAG: etag, hdrs.ACCEPT_RANGES: "bytes"}
    if instead := _instead(request, parcel.etag):
        return web.Response(status=instead, headers=headers)
    part = _part(request, size, etag)
    if part is not None and not part:
        headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
        return web.Response(status=416, headers=headers)
    data = parcel.data
    if part is not None:
        headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{size}"
        data = data[part.start : part.stop]
    answer = web.StreamResponse(status=200 if part is None else 206, headers=headers)
    answer.content_type = parcel.kind
    if parcel.length:
        answer.content_length = len(data)
    await answer.prepare(request)
    if request.method != hdrs.METH_HEAD:
        await _send(request, answer, data, parcel)
    await answer.write_eof()
    return answer


async def _send(
    request: web.Request, answer: web.StreamResponse, data: bytes, parcel: Parcel
) -> None:
    end = len(data) if parcel.lost_after is None else int(len(data) * parcel.lost_after)
    pieces = range(0, end, max(1, end // _STEPS) if parcel.seconds else max(1, end))
    for start in pieces:
        await asyncio.sleep(parcel.seconds / len(pieces))
        await answer.write(data[start : min(end, start + pieces.step)])
    if parcel.lost_after is not None:
        await hang_up(request)


def _instead(request: web.Request, etag: str) -> int | None:
    """The status of an answer without the bytes, where the client wants them on a condition."""
    if request.if_match and not _names(request.if_match, etag):
        return HTTPStatus.PRECONDITION_FAILED
    if request.if_none_match and _names(request.if_none_match, etag):
        return HTTPStatus.NOT_MODIFIED
    return None


def _names(tags: tuple[ETag, ...], etag: str) -> bool:
    return any(tag.value in ("*", etag) for tag in tags)


def _part(request: web.Request, size: int, etag: str) -> range | None:
    """The bytes asked for; None for all of them, an empty range for none that exist."""
    if request.headers.get(hdrs.IF_RANGE, etag) != etag:
        return None
    try:
        asked = request.http_range
    except ValueError:  # several ranges, or no such thing: a server may ignore it
        return None
    if asked.start is None and asked.stop is None:
        return None
    return range(*slice(asked.start, asked.stop).indices(size))
