"""Clips, from the host that serves them: another one, which never sees the key."""

import re
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from itertools import chain
from typing import Self
from urllib.parse import urljoin, urlsplit

from urllib3 import BaseHTTPResponse

from veogen.gateway import http
from veogen.gateway.api import InterruptedDownload, OpenDownload, ReadError
from veogen.gateway.pool import ConnectionPool, PublicPool, certificates, private_message
from veogen.gateway.settings import Proxies, Settings, is_local
from veogen.gateway.transport import NETWORK_ERRORS, NotConnectedError, sanitize, transport_error
from veogen.hosts import is_literal, is_loopback, is_public
from veogen.text import is_plain

CHUNK = 256 * 1024
MOST_REDIRECTS = 5
SLOWEST = 1024  # bytes a second, over the time that a request may take

_WHOLE, _PART = 200, 206
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)", re.ASCII)
_LENGTH = re.compile(r"\d{1,15}", re.ASCII)
_LONGEST_ETAG = 256
_PACKINGS = frozenset({"gzip", "x-gzip", "deflate", "compress", "br", "zstd"})
_HEAD = 512  # bytes of which can be told what they are
_GZIP, _GZIP_MAGIC = 16 + zlib.MAX_WBITS, b"\x1f\x8b\x08"


class MediaClient:
    """Opens links. Only where the gateway is on this machine may they lead to this machine."""

    def __init__(
        self,
        *,
        local: bool,
        request_timeout: float = 60.0,
        connections: int = 8,
        proxies: Proxies | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self._local = local
        self._timeout = request_timeout
        self._proxies = proxies or Proxies()
        trusted = None if local else certificates(ca_bundle)
        self._pool = (ConnectionPool if local else PublicPool)(trusted, connections=connections)

    @classmethod
    def from_settings(cls, settings: Settings, *, request_timeout: float = 60.0) -> Self:
        return cls(
            local=is_local(settings.base_url),
            request_timeout=request_timeout,
            proxies=settings.proxies,
            ca_bundle=settings.ca_bundle,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that wait for their next use."""
        self._pool.close()

    @contextmanager
    def fetch(
        self, url: str, *, start: int = 0, etag: str | None = None
    ) -> Iterator[OpenDownload | ReadError]:
        """Open a link, from `start` on if the file still is the one with `etag`."""
        headers = {}
        if start:
            headers["Range"] = f"bytes={start}-"
            # A weak tag does not promise equal bytes, and If-Range takes none.
            if etag and not etag.startswith("W/"):
                headers["If-Range"] = etag
        opened = self._open(url, headers)
        if isinstance(opened, ReadError):
            yield opened
            return
        with closing(opened):
            yield self._body(opened, is_part=start > 0)

    def _open(self, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse | ReadError:
        """Follow redirects by hand: each of them must lead where a link may lead."""
        for _ in range(MOST_REDIRECTS + 1):
            rejection = self._rejected(url)
            if rejection:
                return rejection
            begun = time.monotonic()
            try:
                request = http.prepare("GET", url, headers)
                opened = http.open_response(
                    self._pool, request, timeout=self._timeout, proxies=self._proxies
                )
            except NotConnectedError as error:
                return ReadError(code=error.kind, message=str(error), reached=False)
            except NETWORK_ERRORS as error:
                failure = transport_error(error)
                return ReadError(code=failure.kind, message=failure.message, reached=False)
            http.log_download(request, opened, seconds=time.monotonic() - begun)
            if opened.status not in _REDIRECTS:
                return opened
            opened.close()
            try:
                url = urljoin(url, opened.headers.get("location", ""))
            except ValueError:
                url = ""  # nowhere is no URL, and is refused as one
        return ReadError(code="redirects", message=f"more than {MOST_REDIRECTS} redirects")

    def _rejected(self, url: str) -> ReadError | None:
        """Why a link is not even tried."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return ReadError(code="bad-link", message="the link is not a URL")
        if not host or not is_plain(url, limit=16_384) or parts.username is not None:
            return ReadError(code="bad-link", message="the link is not a URL of a file")
        loopback = is_loopback(host)
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback and self._local):
            return ReadError(code="insecure-link", message=f"the link to {host} is not https")
        private = loopback or (is_literal(host) and not is_public(host))
        if private and not self._local:
            return ReadError(code="forbidden", message=private_message(host))
        return None

    def _body(self, opened: BaseHTTPResponse, *, is_part: bool) -> OpenDownload | ReadError:
        """What is behind a link, of which a part was asked for or all."""
        headers = http.lower(opened)
        if opened.status not in (_WHOLE, _PART):
            message = f"status {opened.status} from the host of the clip"
            return ReadError(code=f"http_{opened.status}", message=message, status=opened.status)
        stated = headers.get("content-length", "").strip()
        start, length = 0, int(stated) if _LENGTH.fullmatch(stated) else None
        if opened.status == _PART:
            content_range = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
            if content_range is not None:
                whole = content_range[3]
                start, length = int(content_range[1]), None if whole == "*" else int(whole)
            elif is_part:
                return ReadError(code="bad-range", message="a part of the clip that is not named")
        etag = headers.get("etag", "").strip()
        chunks = self._chunks(opened)
        if start == 0:  # whether it is packed the bytes decide, not what it is called
            packings = [w.strip() for w in headers.get("content-encoding", "").lower().split(",")]
            head, chunks = _begun(chunks, len(_GZIP_MAGIC))
            if head == _GZIP_MAGIC or not _PACKINGS.isdisjoint(packings):
                length, etag, chunks = None, "", _unpacked(chunks)
        return OpenDownload(
            start=start,
            length=length,
            etag=etag if is_plain(etag, limit=_LONGEST_ETAG) else None,
            content_type=sanitize(headers.get("content-type")).lower() or None,
            chunks=chunks,
        )

    def _chunks(self, opened: BaseHTTPResponse) -> Iterator[bytes]:
        begun, received = time.monotonic(), 0
        try:
            # What has come, not a full chunk: a host that sends a byte a minute must be noticed.
            while chunk := opened.read1(CHUNK, decode_content=False):
                received += len(chunk)
                yield chunk
                seconds = time.monotonic() - begun
                if seconds > self._timeout and received < SLOWEST * seconds:
                    raise InterruptedDownload("the download was too slow")
        except NETWORK_ERRORS as error:
            raise InterruptedDownload(transport_error(error).message) from error


def _begun(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, as many as `size` if there are; and all of them."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= size:
            break
    return head[:size], chain([head] if head else [], chunks)


def _unpacked(chunks: Iterator[bytes], layers: int = 2) -> Iterator[bytes]:
    """The bytes of a clip: whether they are packed they say themselves, whatever their label.

    They come a piece at a time: how many are taken is for the reader to say.
    """
    head, rest = _begun(chunks, _HEAD)
    for window in () if head[4:8] == b"ftyp" else (_GZIP, zlib.MAX_WBITS, -zlib.MAX_WBITS):
        with suppress(zlib.error):
            inner = zlib.decompressobj(window).decompress(head, _HEAD)
            if inner[4:8] == b"ftyp":
                yield from _inflated(rest, window)
                return
            if layers > 1 and inner.startswith(_GZIP_MAGIC):
                yield from _unpacked(_inflated(rest, window), layers - 1)
                return
    yield from rest


def _inflated(chunks: Iterator[bytes], window: int) -> Iterator[bytes]:
    packer = zlib.decompressobj(window)
    for chunk in chunks:
        left = chunk
        while left and not packer.eof:
            try:
                yield packer.decompress(left, CHUNK)
            except zlib.error as error:
                raise InterruptedDownload(f"what came is not packed as it began: {error}") from None
            left = packer.unconsumed_tail
    if not packer.eof:
        raise InterruptedDownload("the packed clip breaks off")
