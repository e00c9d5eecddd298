"""Starting and ending a simulator: in this process beside other work, or as all it does."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import web

from veogen.errors import UsageError
from veogen.simulator.api import application
from veogen.simulator.kiln import Kiln
from veogen.simulator.media import media_host
from veogen.simulator.options import Options
from veogen.simulator.service import Service


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
    with TemporaryDirectory(prefix="veogen-simulator-") as folder:
        kiln = Kiln(Path(folder), shared=options.gateway.clips == "shared")
        service = Service(options, kiln)
        media = await _listen(media_host(service), options.host, 0)
        service.links.port = _port(media)
        try:
            api = await _listen(application(service), options.host, options.port)
            try:
                url = _url(options.host, _port(api))
                yield Simulator(url, url, service.links.base(), service.report)
            finally:
                await api.cleanup()
        finally:
            await media.cleanup()
            await service.close()
            await asyncio.to_thread(kiln.close)


@contextmanager
def running(options: Options | None = None) -> Iterator[Simulator]:
    """Serve from a thread of its own until the block ends."""
    desk = _Desk(options or Options())
    thread = threading.Thread(target=desk.work, name="simulator", daemon=True)
    thread.start()
    try:
        yield desk.opened.result()
    finally:
        desk.close()
        thread.join()


@dataclass
class _Desk:
    """Where the thread that serves and the one that asked for it meet."""

    options: Options
    opened: "Future[Simulator]" = field(default_factory=Future)

    def work(self) -> None:
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
            self.opened.set_result(simulator)
            await self._closed.wait()


async def _listen(app: web.Application, host: str, port: int) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except (OSError, OverflowError) as error:
        await runner.cleanup()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"the simulator cannot listen on {host}:{port}: {reason}") from None
    return runner


def _port(runner: web.AppRunner) -> int:
    port: int = runner.addresses[0][1]
    return port


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
