"""Clips from a server of this machine: hashed, verified, durable; against curl, and the disk alone."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from bench.measuring import ROUNDS, Measure, Rounds, process, take_turns, versions
from bench.tables import Table, processes

AT_ONCE = 8
CURL = "curl --parallel, no hash"
OURS = "veogen's downloads"
DISK = "written and synced, no network"
IDLE = "a process that downloads nothing"

CLIP = """\
import os, sys
import av
size = int(sys.argv[2])
with av.open(sys.argv[1], "w") as container:
    stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "qp": "0"})
    stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
    written = number = 0
    while written < size:
        frame = av.VideoFrame(320, 180, "yuv420p")
        for plane in frame.planes:
            plane.update(os.urandom(plane.buffer_size))
        frame.pts = number
        packets = stream.encode(frame)
        number += 1
        written += sum(packet.size for packet in packets)
        container.mux(packets)
    container.mux(stream.encode(None))
"""
"""Noise, which no codec makes smaller: the clip is as large as its samples."""

SERVER = """\
import asyncio, sys
from aiohttp import web

async def serve():
    async def clip(request):
        return web.FileResponse(sys.argv[1])
    application = web.Application()
    application.router.add_get("/{name}", clip)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""

PROGRAM = """\
import json, sys
from pathlib import Path
from veogen.executor.connect import expected_of
from veogen.executor.transfer import ClipDownloader
from veogen.executor.workers import ThreadPool
from veogen.gateway.media_host import MediaClient
from veogen.planner.plan import Request
import av
url, folder, count, sha256, at_once = sys.argv[1:]
left, videos = list(range(int(count))), []
workers = ThreadPool()
with MediaClient(local=True) as media:
    downloader = ClipDownloader(media, Path(folder), expected_of())
    def start():
        number = left.pop()
        entry = Request(address=f"clip[n={number}]", hash=f"{number:064x}", shot="clip", take=1,
                      variables={"n": number}, output=f"clip/{number}", body={}, credits=None)
        workers.start(lambda: downloader.download(entry, 0, 1, f"{url}/{number}.mp4"))
    for _ in range(min(int(at_once), len(left))):
        start()
    while len(videos) < int(count):
        for video in workers.wait(60):
            assert video.sha256 == sha256, video
            videos.append(video)
            if left:
                start()
"""

KEEP = """\
import os, sys
from concurrent.futures import ThreadPoolExecutor
clip, folder, count, at_once = sys.argv[1:]
with open(clip, "rb") as file:
    content = file.read()
def keep(number):
    with open(f"{folder}/{number}.mp4", "wb", buffering=0) as file:
        file.write(content)
        os.fdatasync(file.fileno())
with ThreadPoolExecutor(int(at_once)) as workers:
    list(workers.map(keep, range(int(count))))
"""
"""What durable clips cost when nothing has to be fetched: no download of ours can be faster."""


def tables(*, small: bool) -> Iterator[Table]:
    count, size = (4, 100_000) if small else (200, 10_000_000)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        clip = root / "clip.mp4"
        subprocess.run([sys.executable, "-c", CLIP, clip, str(size)], check=True)
        sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
        with serving(clip) as url:
            candidates = {
                CURL: partial(_curl, url, root / "curl", count),
                DISK: partial(_kept, clip, root / "kept", count),
                OURS: partial(_ours, url, root / "ours", count, sha256),
                IDLE: partial(_ours, url, root / "idle", 0, sha256),
            }
            if shutil.which("curl") is None:
                del candidates[CURL]
            rounds = take_turns(candidates, 1 if small else ROUNDS)
    base = CURL if CURL in rounds.found else IDLE
    more = rounds.median(OURS, _memory) - rounds.median(IDLE, _memory)
    notes = [f"Veogen has {more:.0f} MiB more than a process that downloads nothing (at most 40)."]
    if base == CURL:
        fast, running = 1 / rounds.ratio(OURS, CURL, _wall), median(_running(rounds))
        notes.append(f"Veogen is {fast:.2f} times as fast as curl (at least 0.65);")
        notes.append(f"{running:.2f} times without what a process that downloads nothing takes.")
        bound = 1 / rounds.ratio(DISK, CURL, _wall)
        notes.append(f"Clips that are only written and synced are {bound:.2f} times as fast.")
    else:
        notes.append("curl is not installed.")
    title = f"Downloads: {count} clips of {size / 1e6:g} MB, {AT_ONCE} at a time"
    yield processes(title, rounds, base, [*notes, versions("requests", "urllib3", "av")])


def _running(rounds: Rounds[Measure]) -> Iterator[float]:
    """How many times as fast as curl our downloads are, once the interpreter has started."""
    names = (CURL, OURS, IDLE)
    for curl, ours, idle in zip(*(rounds.found[name] for name in names), strict=True):
        yield curl.wall / (ours.wall - idle.wall)


def _memory(measure: Measure) -> float:
    return measure.mebibytes


def _wall(measure: Measure) -> float:
    return measure.wall


def _curl(url: str, folder: Path, count: int) -> Measure:
    folder.mkdir()
    lines = (f'url = "{url}/{n}.mp4"\noutput = "{folder}/{n}.mp4"\n' for n in range(count))
    (folder / "list").write_text("".join(lines))
    words = ["curl", "--silent", "--fail", "--parallel", "--parallel-max", str(AT_ONCE)]
    return _cleared(folder, process([*words, "--config", str(folder / "list")]))


def _ours(url: str, folder: Path, count: int, sha256: str) -> Measure:
    folder.mkdir()
    words = (url, str(folder), str(count), sha256, str(AT_ONCE))
    return _cleared(folder, process([sys.executable, "-c", PROGRAM, *words]))


def _kept(clip: Path, folder: Path, count: int) -> Measure:
    folder.mkdir()
    words = [sys.executable, "-c", KEEP, str(clip), str(folder), str(count), str(AT_ONCE)]
    return _cleared(folder, process(words))


def _cleared(folder: Path, measure: Measure) -> Measure:
    """The disk has written what one wrote before the next begins."""
    shutil.rmtree(folder)
    os.sync()
    return measure


@contextmanager
def serving(clip: Path) -> Iterator[str]:
    """Where the clip is served under any name."""
    command = [sys.executable, "-c", SERVER, str(clip)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()
