"""Timelines for editing programs that know no OTIO, through OpenTimelineIO's adapters.

One rate a timeline: that of most clips. Clips of another rate keep their length in seconds.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from veogen.errors import UsageError
from veogen.handover.formats import otio_document, range_data, time_data, xml_safe
from veogen.handover.media import TimelineClip

REEL = 8
"""Characters of a reel's name in an EDL (CMX 3600); some readers cut longer ones."""

_TIMECODE_RATES = (24.0, 25.0, 30.0, 24000 / 1001, 30000 / 1001, 50.0, 60.0, 60000 / 1001, 48.0)


def edl_text(name: str, clips: Sequence[TimelineClip]) -> str:
    """An EDL (CMX 3600): the active take of each combination, each on a reel of its own."""
    if not clips:  # the adapter writes none
        return f"TITLE: {name}\n\n"
    document, rate = _document(name, clips), timeline_rate(clips)
    for clip, reel in zip(_clips_of(document), reels(clips), strict=True):
        # A line separator in an address would end a line for those who read it.
        clip["name"] = " ".join(clip["name"].splitlines())
        clip["metadata"] = {"cmx_3600": {"reel": reel}}
    return _written(document, "cmx_3600", rate=rate)


def xml_text(name: str, clips: Sequence[TimelineClip]) -> str:
    """Final Cut Pro 7 XML, which Premiere and Resolve read: the active take of each combination.

    Its format element says the size and rate of the sequence: without it both guess, Premiere
    with 720 by 480.
    """
    document: dict[str, Any] = _for_xml(_document(name, clips))
    document["metadata"] = {"fcp_xml": {"media": {"video": {"format": _format(clips)}}}}
    for data, clip in zip(_clips_of(document), clips, strict=True):
        media = clip.active
        log = {
            "description": xml_safe(media.prompt),
            "scene": media.shot,
            "shottake": str(media.take),
            "lognote": xml_safe("; ".join(media.notes)),
        }
        size = {"width": str(media.width), "height": str(media.height)}
        streams: dict[str, Any] = {
            "video": {"samplecharacteristics": size | {"pixelaspectratio": "square"}}
        }
        if media.audio:
            streams["audio"] = {"channelcount": "2"}
        data["metadata"] = {"fcp_xml": {"logginginfo": log}}  # what editors show of a clip
        _reference(data)["metadata"] = {"fcp_xml": {"media": streams}}
    return _written(document, "fcp_xml")


def timeline_rate(clips: Sequence[TimelineClip]) -> float:
    """The frames a second of most clips, as a rate that a timecode can count."""
    rates = Counter(round(clip.active.rate, 3) for clip in clips)
    wanted = rates.most_common(1)[0][0] if rates else _TIMECODE_RATES[0]
    alike = [rate for rate in _TIMECODE_RATES if rate.is_integer() == wanted.is_integer()]
    return min(alike, key=lambda rate: abs(rate - wanted))


def reels(clips: Sequence[TimelineClip]) -> Iterator[str]:
    """A name of 8 capital letters and digits for each clip, of its name and never one twice."""
    taken: set[str] = set()
    for clip in clips:
        stem = clip.active.name.rpartition("/")[2].removesuffix(".mp4").upper()
        letters = "".join(c for c in stem if c.isascii() and c.isalnum()) or "CLIP"
        reel, number = letters[:REEL].ljust(REEL, "0"), 1
        while reel in taken:
            number += 1
            reel = letters[: REEL - len(str(number))].ljust(REEL - len(str(number)), "0")
            reel += str(number)
        taken.add(reel)
        yield reel


def _document(name: str, clips: Sequence[TimelineClip]) -> dict[str, Any]:
    """The timeline with nothing but the active takes, all in one rate."""
    rate = timeline_rate(clips)
    alone = [TimelineClip(clip.combination, (clip.active,)) for clip in clips]
    document = otio_document(name, alone)
    document["global_start_time"] = time_data(0, rate)
    for data, clip in zip(_clips_of(document), alone, strict=True):
        # In whole frames, and not one more than there are.
        frames = max(1, int(clip.active.frames / clip.active.rate * rate + 1e-6))
        data["source_range"] = _reference(data)["available_range"] = range_data(frames, rate)
    return document


def _clips_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    [track] = document["tracks"]["children"]
    clips: list[dict[str, Any]] = track["children"]
    return clips


def _reference(clip: dict[str, Any]) -> dict[str, Any]:
    [reference] = clip["media_references"].values()
    return reference  # type: ignore[no-any-return]  # plain data


def _format(clips: Sequence[TimelineClip]) -> dict[str, Any]:
    """The size of most clips, and the rate, as Final Cut Pro writes them."""
    sizes = Counter((clip.active.width, clip.active.height) for clip in clips)
    rate = timeline_rate(clips)
    ntsc = "FALSE" if rate.is_integer() else "TRUE"  # a thousandth slower than its time base
    (width, height), _ = sizes.most_common(1)[0] if sizes else ((1920, 1080), 0)
    return {
        "samplecharacteristics": {
            "rate": {"timebase": str(round(rate)), "ntsc": ntsc},
            "width": str(width),
            "height": str(height),
            "anamorphic": "FALSE",
            "pixelaspectratio": "square",
            "fielddominance": "none",
        }
    }


def _for_xml(data: Any) -> Any:
    """Plain data whose every text can stand in XML: addresses may hold what cannot."""
    match data:
        case str():
            return xml_safe(data)
        case list():
            return list(map(_for_xml, data))
        case dict():
            return {key: _for_xml(value) for key, value in data.items()}
        case _:
            return data


def _written(document: dict[str, Any], adapter: str, **options: Any) -> str:
    adapters = _library().adapters
    timeline = adapters.read_from_string(json.dumps(document), "otio_json")
    text: str = adapters.write_to_string(timeline, adapter, **options)
    return text if text.endswith("\n") else f"{text}\n"


def check_library() -> None:
    """Raise `UsageError` where the library is not installed, before anything is written."""
    _library()


def _library() -> Any:
    """OpenTimelineIO with its adapters; raises `UsageError` where the extra is not installed."""
    try:
        import opentimelineio  # noqa: PLC0415 - heavy, and an extra
        import otio_cmx3600_adapter  # noqa: F401, PLC0415 - found by its entry point
        import otio_fcp_adapter  # noqa: F401, PLC0415 - likewise
    except ImportError:
        raise UsageError(
            "for EDL and XML OpenTimelineIO is needed: pip install 'veogen[edit]'"
        ) from None
    return opentimelineio
