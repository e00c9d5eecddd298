"""A port that listens, and can be shut for a while so that nothing does."""

import errno
import os

from aiohttp import web

from veogen.errors import UsageError
from veogen.simulator.links import address
from veogen.simulator.notices import logger


class Door:
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
            await self.unshut()
        except (OSError, UnicodeError) as error:  # a host may be no name at all
            await self.close()
            message = f"the simulator cannot listen on {self.host}:{self.port}: {_reason(error)}"
            raise UsageError(message) from None
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        await self._runner.cleanup()

    async def shut(self) -> None:
        """Stop listening and end every connection."""
        for site in list(self._runner.sites):
            await site.stop()
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.force_close()

    async def unshut(self) -> None:
        await web.TCPSite(self._runner, self.host, self.port).start()


def _reason(error: OSError | UnicodeError) -> str:
    """What the system says; a name that leads nowhere has no number of the system's."""
    if isinstance(error, UnicodeError):
        return "this is not the name of a host"
    if error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    return error.strerror or str(error)
