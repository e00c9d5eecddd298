"""What `export --as` and `--frames` write beside the clips, and what each cannot carry."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from veogen.executor.directory import write_whole
from veogen.handover.export import Export
from veogen.handover.frames import End, NoFrameError, frame_name, write_frame
from veogen.handover.m3u import m3u_text
from veogen.handover.media import TimelineClip, timeline_clips
from veogen.handover.otio import otio_text
from veogen.handover.xmp import sidecar_name, xmp_text

Format: TypeAlias = Literal["otio", "xml", "edl", "xmp", "m3u"]
FORMATS: tuple[Format, ...] = get_args(Format)

Text: TypeAlias = Callable[[str, Sequence[TimelineClip]], str]

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
        if format_ == "xmp":
            yield from _sidecars(exported, folder)
            continue
        place = folder / f"{name}.{format_}"
        text = m3u_text(media) if format_ == "m3u" else _timeline(format_)(name, clips)
        write_whole(place, text.encode())
        yield place


def _timeline(format_: Format) -> Text:
    if format_ == "otio":
        return otio_text
    from veogen.handover import edit  # noqa: PLC0415 - needs an extra

    return edit.edl_text if format_ == "edl" else edit.xml_text


def _sidecars(exported: Iterable[Export], folder: Path) -> Iterator[Path]:
    for export in exported:
        place = folder / sidecar_name(export.name)
        if not place.exists():
            write_whole(place, xmp_text(export.media).encode())
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
