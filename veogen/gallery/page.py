"""The page as a file, alone or in a folder with its clips: it asks nothing of anybody.

Style and script are read from `page/`, put together and allowed by their hashes; the data is
JSON that cannot leave its element. Nothing else may run or be loaded but the clips.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

from veogen.gallery.data import PageRun, PlaceOf, pairs, run_data
from veogen.handover.export import Fetch, bring
from veogen.handover.media import picture_stream
from veogen.jsontext import compact
from veogen.results.events import Video

_SCRIPTS = (
    "dom",
    "clips",
    "picks",
    "verdicts",
    "player",
    "parts",
    "words",
    "card",
    "filters",
    "grid",
    "matrix",
    "takes",
    "former",
    "compare",
    "viewer",
    "beside",
    "keys",
    "main",
)

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def html(data: dict[str, Any]) -> str:
    """The whole document."""
    style = _source("gallery.css")
    sources = "\n".join(_source(f"{name}.js") for name in _SCRIPTS)
    script = f'\n(() => {{\n"use strict";\n\n{sources}\n}})();\n'  # with a scope of its own
    rules = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "media-src": "'self' file:",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    title = f"{data['name']} · veogen"
    filled = {
        "title": title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
        "policy": "; ".join(f"{name} {value}" for name, value in rules.items()),
        "style": style,
        "script": script,
        "data": embedded(data),
    }
    return _PLACE.sub(lambda match: filled[match[1]], _source("gallery.html"))


def embedded(data: Any) -> str:
    """JSON that neither ends its element nor means anything to an HTML parser."""
    text = compact(data)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode(errors="backslashreplace").decode()


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _source(name: str) -> str:
    return (files("veogen.gallery") / "page" / name).read_text(encoding="utf-8")


def gallery(run: PageRun, now: float, *, folder: Path, other: PageRun | None = None) -> str:
    """The page of a run; `folder` is where it will stand, `other` a run to compare with."""
    data = run_data(run, now, folder)
    if other is not None:
        data["other"] = run_data(other, now, folder)
        old, new = ([state.request for state in one.planned] for one in (other, run))
        data["pairs"] = list(pairs(old, new))
    return html(data)


PROXIES = "proxies"

_ACROSS = 480  # pixels of the longer side of a proxy
_OPTIONS = {"preset": "veryfast", "crf": "30"}


def clips_of_page(run: PageRun) -> tuple[Video, ...]:
    """Every video that a page shows, former ones too."""
    states = (*run.planned, *run.former)
    return tuple(video for state in states for video in state.record.videos.values())


def copied_clips(
    run: PageRun, folder: Path, fetch: Fetch | None, *, proxies: bool
) -> tuple[PlaceOf, list[Video]]:
    """Have the clips of a run in a folder, and say where; those that cannot be had."""
    places: dict[str, Path] = {}
    missing = []
    for video in clips_of_page(run):
        if proxies:
            place = folder / video.path.replace("videos/", f"{PROXIES}/", 1)
            is_there = _proxied(video, place, run, fetch)
        else:
            place = folder / video.path
            is_there = bring(video, place, run.snapshot.path, fetch) is None
        if is_there:
            places[video.path] = place
        else:
            missing.append(video)
    return lambda video: places.get(video.path), missing


def _proxied(video: Video, place: Path, run: PageRun, fetch: Fetch | None) -> bool:
    """Whether a proxy is there, made of the clip that is here or was fetched for it."""
    if place.exists():
        return True
    place.parent.mkdir(parents=True, exist_ok=True)
    source, fetched = run.snapshot.file(video), place.with_name(f".{place.name}.clip")
    try:
        if not run.snapshot.is_here(video):
            if fetch is None or not fetch(video, fetched):
                return False
            source = fetched
        return write_proxy(source, place)
    finally:
        fetched.unlink(missing_ok=True)


def write_proxy(clip: Path, place: Path) -> bool:
    """Write a small copy of a clip; False where it has no pictures that can be read."""
    import av  # noqa: PLC0415 - heavy

    draft = place.with_name(f".{place.name}.part")
    try:
        with (
            av.open(str(clip)) as source,
            av.open(str(draft), "w", format="mp4", options={"movflags": "+faststart"}) as target,
        ):
            _encode(source, target)
        draft.replace(place)
    except (av.FFmpegError, ValueError, FileNotFoundError):  # the last: nothing was written
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _encode(source: Any, target: Any) -> None:
    """The pictures smaller, the sound as it is."""
    pictures = picture_stream(source)
    video = target.add_stream(
        "libx264", rate=pictures.average_rate or Fraction(24), options=_OPTIONS
    )
    # So large that the longer side fits, in even numbers, as the codec wants them.
    width, height = pictures.codec_context.width, pictures.codec_context.height
    scale = min(1.0, _ACROSS / max(width, height, 1))
    video.width = max(2, round(width * scale / 2) * 2)
    video.height = max(2, round(height * scale / 2) * 2)
    video.pix_fmt = "yuv420p"
    sound = next(iter(source.streams.audio), None)
    copied = None if sound is None else target.add_stream_from_template(sound)
    for packet in source.demux([stream for stream in (pictures, sound) if stream is not None]):
        if packet.dts is None:
            continue
        if packet.stream is sound:
            packet.stream = copied
            target.mux(packet)
        else:
            target.mux(_smaller(packet.decode(), video))
    target.mux(_smaller(pictures.decode(None), video))
    target.mux(video.encode())


def _smaller(frames: Iterable[Any], video: Any) -> list[Any]:
    packets = []
    for frame in frames:
        small = frame.reformat(width=video.width, height=video.height, format=video.pix_fmt)
        packets += video.encode(small)
    return packets
