"""OpenTimelineIO's own JSON: the one format that carries every take.

Written by hand after https://opentimelineio.readthedocs.io (Timeline.1, Clip.2), so that it needs
no library; the tests read it back with OpenTimelineIO itself.
"""

from collections.abc import Sequence
from typing import Any

from veogen.handover.media import Media, TimelineClip
from veogen.jsontext import indented


def otio_text(name: str, clips: Sequence[TimelineClip]) -> str:
    """A timeline of one track: a clip for each combination, its takes as media references."""
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
    return _item(
        "ExternalReference.1",
        media.name,
        available_range=range_data(media.frames, media.rate),
        available_image_bounds=None,
        target_url=media.name,
    ) | {"metadata": {"veogen": _metadata(media)}}


def _metadata(media: Media) -> dict[str, Any]:
    return {
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


def range_data(frames: int, rate: float) -> dict[str, Any]:
    """A whole clip of so many frames."""
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": time_data(0, rate),
        "duration": time_data(frames, rate),
    }


def time_data(frames: int, rate: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frames)}
