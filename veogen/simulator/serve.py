"""Starting and ending a simulator: in this process beside other work, or as all it does."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from veogen.simulator.api import application
from veogen.simulator.door import Door
from veogen.simulator.kiln import Kiln
from veogen.simulator.media import media_host
from veogen.simulator.options import Options, Outage
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
    async with AsyncExitStack() as ending:
        folder = ending.enter_context(TemporaryDirectory(prefix="veogen-simulator-"))
        kiln = Kiln(Path(folder), shared=options.gateway.clips == "shared")
        ending.push_async_callback(asyncio.to_thread, kiln.close)
        service = Service(options, kiln)
        ending.push_async_callback(service.close)
        media, api = (
            Door(media_host(service), options.host),
            Door(application(service), options.host, options.port),
        )
        for door in (media, api):
            await door.open()
            ending.push_async_callback(door.close)
        service.links.port = media.port
        service.remember(options.memories)
        outages = asyncio.create_task(_outages(options.gateway.outages, service.begun, media, api))
        ending.callback(outages.cancel)
        yield Simulator(api.url, api.url, media.url, service.report)


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
            self.opened.set_result(replace(simulator, audit=partial(self._audit, simulator)))
            await self._closed.wait()

    def _audit(self, simulator: Simulator) -> dict[str, Any]:
        """What was seen, read in the thread that writes it while there is one."""
        if self._loop.is_closed():
            return simulator.audit()
        return asyncio.run_coroutine_threadsafe(_read(simulator), self._loop).result()


async def _outages(outages: Iterable[Outage], begun: asyncio.Event, *doors: Door) -> None:
    """Shut the doors when it is time for that, counted from the first request."""
    await begun.wait()
    now = asyncio.get_running_loop().time
    start = now()
    for outage in sorted(outages, key=lambda outage: outage.since):
        await asyncio.sleep(start + outage.since - now())
        for door in doors:
            await door.shut()
        await asyncio.sleep(outage.seconds)
        for door in doors:
            await door.unshut()


async def _read(simulator: Simulator) -> dict[str, Any]:
    return simulator.audit()
