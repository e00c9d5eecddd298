"""A playlist of the exported clips, for any player."""

from collections.abc import Iterable, Iterator

from veogen.handover.media import Media


def m3u_text(exported: Iterable[Media]) -> str:
    """Extended M3U in UTF-8: every clip in order, with its length and address."""
    return "".join(f"{line}\n" for line in _lines(exported))


def _lines(exported: Iterable[Media]) -> Iterator[str]:
    yield "#EXTM3U"
    for media in exported:
        title = " ".join(media.address.split())
        yield f"#EXTINF:{max(1, round(media.duration))},{title}"
        yield media.name
