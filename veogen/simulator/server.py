"""Starting and ending a simulator: in this process beside other work, or as all it does."""

import asyncio
import errno
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from veogen.errors import UsageError
from veogen.simulator.delivery import media_host
from veogen.simulator.routes import application
from veogen.simulator.scenario import Options, Outage
from veogen.simulator.service import Service
from veogen.simulator.task import address
from veogen.simulator.video import ClipEncoder


def logger() -> logging.Logger:
    """Where the server writes: tracebacks of what broke in here, and no others."""
    server_log = logging.getLogger("veogen.simulator")
    server_log.addFilter(_is_logged)
    return server_log


def _is_logged(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        # What is wrong, without the bytes that show where.
        lines = [line.strip() for line in error.message.splitlines() if line.strip()]
        first = lines[0].rstrip(":") if lines else type(error).__name__
        record.msg, record.args = "a client of the simulator speaks no HTTP: %s", (first,)
    return not isinstance(error, web.RequestPayloadError)  # which was answered


class HttpListener:
    """Serves `app` at `host`; `port` 0 becomes the one that was free."""

    def __init__(self, app: web.Application, host: str, port: int = 0) -> None:
        self.host = host
        self.port = port
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=logger(),
            handler_cancellation=True,
            shutdown_timeout=0.1,
        )

    @property
    def url(self) -> str:
        return address(self.host, self.port)

    async def open(self) -> None:
        """Listen; raises `UsageError`."""
        await self._runner.setup()
        try:
            await self.resume()
        except (OSError, UnicodeError) as error:  # a host may be no name at all
            await self.close()
            reason = "this is not the name of a host"
            if isinstance(error, OSError):
                reason = error.strerror or str(error)
                if error.errno is not None and error.errno in errno.errorcode:
                    reason = os.strerror(error.errno)  # aiohttp has words of its own
            message = f"the simulator cannot listen on {self.host}:{self.port}: {reason}"
            raise UsageError(message) from None
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        await self._runner.cleanup()

    async def pause(self) -> None:
        """Stop listening and end every connection."""
        for site in list(self._runner.sites):
            await site.stop()
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.force_close()

    async def resume(self) -> None:
        await web.TCPSite(self._runner, self.host, self.port).start()


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulator that serves: where it is reached, and what it has seen."""

    base_url: str
    files_url: str
    media_url: str
    audit: Callable[[], dict[str, Any]]


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[Simulator]:
    """Serve in the running event loop."""
    async with AsyncExitStack() as ending:
        folder = ending.enter_context(TemporaryDirectory(prefix="veogen-simulator-"))
        encoder = ClipEncoder(Path(folder), shared=options.gateway.clips == "shared")
        ending.push_async_callback(asyncio.to_thread, encoder.close)
        service = Service(options, encoder)
        ending.push_async_callback(service.close)
        media, api = (
            HttpListener(media_host(service), options.host),
            HttpListener(application(service), options.host, options.port),
        )
        for listener in (media, api):
            await listener.open()
            ending.push_async_callback(listener.close)
        service.links.port = media.port
        service.restore(options.restored_tasks)
        outages = asyncio.create_task(_outages(options.gateway.outages, service.begun, media, api))
        ending.callback(outages.cancel)
        yield Simulator(api.url, api.url, media.url, service.report)


@contextmanager
def running(options: Options | None = None) -> Iterator[Simulator]:
    """Serve from a thread of its own until the block ends."""
    server = _ServerThread(options or Options())
    thread = threading.Thread(target=server.run, name="simulator", daemon=True)
    thread.start()
    try:
        yield server.opened.result()
    finally:
        server.close()
        thread.join()


@dataclass
class _ServerThread:
    """The thread that serves, and how the one that asked for it waits for it and ends it."""

    options: Options
    opened: "Future[Simulator]" = field(default_factory=Future)

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self.opened.done():
                raise
            self.opened.set_exception(error)

    def close(self) -> None:
        if self.opened.done() and not self.opened.exception():
            self._loop.call_soon_threadsafe(self._closed.set)

    async def _serve(self) -> None:
        self._loop, self._closed = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self.options) as simulator:
            self.opened.set_result(replace(simulator, audit=partial(self._audit, simulator)))
            await self._closed.wait()

    def _audit(self, simulator: Simulator) -> dict[str, Any]:
        """What was seen, read in the thread that writes it while there is one."""
        if self._loop.is_closed():
            return simulator.audit()

        async def read() -> dict[str, Any]:
            return simulator.audit()

        return asyncio.run_coroutine_threadsafe(read(), self._loop).result()


async def _outages(
    outages: Iterable[Outage], begun: asyncio.Event, *listeners: HttpListener
) -> None:
    """Stop listening when it is time for that, counted from the first request."""
    await begun.wait()
    now = asyncio.get_running_loop().time
    start = now()
    for outage in sorted(outages, key=lambda outage: outage.since):
        await asyncio.sleep(start + outage.since - now())
        for listener in listeners:
            await listener.pause()
        await asyncio.sleep(outage.seconds)
        for listener in listeners:
            await listener.resume()
