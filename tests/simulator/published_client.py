"""EvoLink's own published client, an MCP server over stdio, installed from npm and asked by us."""

import json
import os
import selectors
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from veogen.simulator.server import Simulator

PACKAGE = "@evolinkai/evolink-media"
VERSION = "1.2.1"
REDIRECT = Path(__file__).with_name("redirect.mjs")
PATIENCE = 60.0


class NotInstalledError(Exception):
    """The client could not be had; the test cannot say anything about the simulator."""


def install(folder: Path) -> Path:
    """The client's entry point, installed into `folder`; raises `NotInstalledError`."""
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    command = ["npm", "install", "--prefix", str(folder), *options, f"{PACKAGE}@{VERSION}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=2 * PATIENCE, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(f"npm cannot be used: {error}") from None
    if done.returncode:
        raise NotInstalledError(f"npm cannot install {PACKAGE}: {done.stderr.strip()}")
    return folder / "node_modules" / PACKAGE / "dist" / "evolink-media" / "src" / "index.js"


class PublishedClient:
    """Calls the client's tools, one after the other."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._number = 0

    def begin(self) -> None:
        """Shake hands, as MCP asks for."""
        who = {"name": "veogen-tests", "version": "1"}
        self._ask(
            "initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": who}
        )
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, tool: str, **arguments: object) -> str:
        """What a tool says."""
        answer = self._ask("tools/call", {"name": tool, "arguments": arguments})
        return "\n".join(part["text"] for part in answer["content"])

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        while (answer := self._hear()).get("id") != self._number:
            pass
        return answer["result"]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            deadline = time.monotonic() + PATIENCE
            assert ready.select(deadline - time.monotonic()), "the client says nothing"
        line = self._process.stdout.readline()
        assert line, "the client has ended"
        heard: dict[str, Any] = json.loads(line)
        return heard


@contextmanager
def asking(entry: Path, simulator: Simulator) -> Iterator[PublishedClient]:
    """The client, with its hosts redirected to `simulator`."""
    environment = {
        **os.environ,
        "EVOLINK_API_KEY": "sk-evo-0123456789abcdef",
        "SIMULATOR_BASE_URL": simulator.base_url,
        "SIMULATOR_FILES_URL": simulator.files_url,
    }
    command = ["node", "--import", str(REDIRECT), str(entry)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1, env=environment
    ) as process:
        client = PublishedClient(process)
        try:
            client.begin()
            yield client
        finally:
            process.kill()
            process.communicate()
