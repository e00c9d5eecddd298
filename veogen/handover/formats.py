"""What `export --as` and `--frames` write beside the clips, and what each cannot carry.

Playlists, OpenTimelineIO's own JSON and XMP sidecars are written by hand, so that they need no
library; the tests read them back with others. What needs one is in `edit`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from xml.sax.saxutils import escape, quoteattr

from veogen.executor.directory import write_whole
from veogen.handover.export import Export
from veogen.handover.media import (
    End,
    Media,
    NoFrameError,
    TimelineClip,
    frame_name,
    timeline_clips,
    write_frame,
)
from veogen.jsontext import indented

Format: TypeAlias = Literal["otio", "xml", "edl", "xmp", "m3u"]
FORMATS: tuple[Format, ...] = get_args(Format)

LIMITS: Mapping[Format, str] = {
    "otio": "no order of editing: it has a clip for each combination in the order of the spec, "
    "with all its takes; editors that know no takes show the active one",
    "xml": "one take of each combination, the picked one, and no sound of its own: take that from "
    "the clips; it has one frame rate",
    "edl": "one take of each combination, the picked one, no sound, no prompts and no notes; it "
    "has one frame rate, and reels of 8 characters",
    "xmp": "no order and no takes side by side; where there is a sidecar already it stays as it is",
    "m3u": "the order alone: no prompts, verdicts or notes",
}
"""What is said of a format that is written, once."""


def check_formats(formats: Iterable[Format]) -> None:
    """Raise `UsageError` where a format cannot be written here."""
    if {"xml", "edl"} & set(formats):
        from veogen.handover.edit import check_library  # noqa: PLC0415 - needs an extra

        check_library()


def write_formats(
    formats: Iterable[Format], name: str, exported: Sequence[Export], folder: Path
) -> Iterator[Path]:
    """Write them beside the clips; the files. Timelines are written anew, sidecars stay."""
    media = [export.media for export in exported]
    clips = timeline_clips(media)
    for format_ in formats:
        place = folder / f"{name}.{format_}"
        if format_ == "xmp":
            for clip in media:
                sidecar = folder / sidecar_name(clip.name)
                if not sidecar.exists():
                    write_whole(sidecar, xmp_text(clip).encode())
                    yield sidecar
            continue
        if format_ == "m3u":
            text = m3u_text(media)
        elif format_ == "otio":
            text = otio_text(name, clips)
        else:
            from veogen.handover import edit  # noqa: PLC0415 - needs an extra

            text = (edit.edl_text if format_ == "edl" else edit.xml_text)(name, clips)
        write_whole(place, text.encode())
        yield place


def write_frames(
    ends: Iterable[End], exported: Iterable[Export], folder: Path
) -> Iterator[Path | NoFrameError]:
    """Write the ends of clips as PNG, but where a file is already; what went wrong is no end."""
    ends = tuple(ends)
    for export in exported:
        for end in ends:
            place = folder / frame_name(export.name, end)
            if place.exists():
                continue
            draft = place.with_name(f".{place.name}.part")
            try:
                write_frame(folder / export.name, end, draft)
                draft.replace(place)
                yield place
            except NoFrameError as error:
                yield error
            finally:
                draft.unlink(missing_ok=True)


def m3u_text(exported: Iterable[Media]) -> str:
    """Extended M3U in UTF-8, for any player: every clip in order, with its length and address."""
    lines = ["#EXTM3U"]
    for media in exported:
        title = " ".join(media.address.split())
        lines += [f"#EXTINF:{max(1, round(media.duration))},{title}", media.name]
    return "".join(f"{line}\n" for line in lines)


def otio_text(name: str, clips: Sequence[TimelineClip]) -> str:
    """A timeline of one track: a clip for each combination, its takes as media references.

    It is written after https://opentimelineio.readthedocs.io (Timeline.1, Clip.2).
    """
    return indented(otio_document(name, clips)) + "\n"


def otio_document(name: str, clips: Sequence[TimelineClip]) -> dict[str, Any]:
    """The timeline as plain data."""
    track = _item("Track.1", "V1", kind="Video", source_range=None, effects=[], markers=[])
    track |= {"enabled": True, "color": None, "children": [_clip(clip) for clip in clips]}
    stack = _item("Stack.1", "tracks", source_range=None, effects=[], markers=[])
    stack |= {"enabled": True, "color": None, "children": [track]}
    return _item("Timeline.1", name, global_start_time=None, tracks=stack)


def _item(schema: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"OTIO_SCHEMA": schema, "metadata": {}, "name": name, **fields}


def _clip(clip: TimelineClip) -> dict[str, Any]:
    keys = reference_keys(clip)
    item = _item(
        "Clip.2", clip.combination, source_range=range_data(clip.active.frames, clip.active.rate)
    )
    return item | {
        "metadata": {"veogen": {"shot": clip.active.shot, "state": clip.active.state}},
        "effects": [],
        "markers": [],
        "enabled": True,
        "color": None,
        "media_references": {keys[m.name]: _reference(m) for m in clip.media},
        "active_media_reference_key": keys[clip.active.name],
    }


def reference_keys(clip: TimelineClip) -> dict[str, str]:
    """What an editor reads in its list of takes, by name of the file: take and video."""
    keys: dict[str, str] = {}
    for media in clip.media:
        key = f"take {media.take}"
        _, dash, video = media.clip.partition("-")
        key += f" video {video}" if dash else ""
        keys[media.name] = key if key not in keys.values() else f"{key} {media.clip}"
    return keys


def _reference(media: Media) -> dict[str, Any]:
    item = _item(
        "ExternalReference.1",
        media.name,
        available_range=range_data(media.frames, media.rate),
        available_image_bounds=None,
        target_url=media.name,
    )
    item["metadata"]["veogen"] = {
        "address": media.address,
        "clip": media.clip,
        "hash": media.hash,
        "shot": media.shot,
        "take": media.take,
        "variables": dict(media.variables),
        "model": media.model,
        "prompt": media.prompt,
        "credits": media.credits,
        "state": media.state,
        "verdicts": [opinion._asdict() for opinion in media.opinions],
        "width": media.width,
        "height": media.height,
        "audio": media.audio,
    }
    return item


def range_data(frames: int, rate: float) -> dict[str, Any]:
    """A whole clip of so many frames."""
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": time_data(0, rate),
        "duration": time_data(frames, rate),
    }


def time_data(frames: int, rate: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frames)}


PICKED, REJECTED = 5, -1
"""`xmp:Rating`: from 1 to 5 stars, -1 is rejected."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_HEAD = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/\""""
_TAIL = """\
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def sidecar_name(name: str) -> str:
    """`NAME.xmp` beside `NAME.mp4`."""
    return f"{name.removesuffix('.mp4')}.xmp"


def xmp_text(media: Media) -> str:
    """What a person decided and what was asked for, as XMP; only a verdict has a rating.

    The names are those of Adobe's XMP Specification Part 2 (xmp, dc and the Dynamic Media schema).
    """
    rating = PICKED if media.is_picked else REJECTED if media.state == "rejected" else None
    named = {
        "xmp:Rating": "" if rating is None else str(rating),
        "xmp:Label": media.state,
        "dc:identifier": media.clip,
        "xmpDM:shotName": media.shot,
        "xmpDM:takeNumber": str(media.take),
        "xmpDM:logComment": "; ".join(media.notes),
    }
    attributes = "".join(
        f"\n    {name}={quoteattr(xml_safe(value))}" for name, value in named.items() if value
    )
    texts = "".join(
        f'   <{name}>\n    <rdf:Alt>\n     <rdf:li xml:lang="x-default">{escape(xml_safe(value))}'
        f"</rdf:li>\n    </rdf:Alt>\n   </{name}>\n"
        for name, value in (("dc:title", media.address), ("dc:description", media.prompt))
        if value
    )
    return f"{_HEAD}{attributes}>\n{texts}{_TAIL}"


def xml_safe(text: str) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
