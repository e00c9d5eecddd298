"""Clips that somebody damaged since they were delivered: no picture, no proxy, no traceback."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from support.galleries import clip

from veogen.gallery.page import write_proxy
from veogen.gallery.posters import Posters
from veogen.handover.media import NoFrameError, write_frame

WHOLE = clip((320, 180))
DAMAGES = st.lists(
    st.tuples(st.integers(0, len(WHOLE)), st.binary(min_size=1, max_size=64)), max_size=12
)


@given(DAMAGES, st.integers(0, len(WHOLE)))
@settings(max_examples=60)
def test_whatever_is_left_of_a_clip_is_looked_at_without_a_traceback(
    damages: list[tuple[int, bytes]], end: int
) -> None:
    content = bytearray(WHOLE)
    for at, replaced in damages:
        content[at : at + len(replaced)] = replaced
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        path.write_bytes(content[:end] if end % 2 else content)

        picture = Posters(path.parent, 320).picture(path, "0" * 64)
        has_proxy = write_proxy(path, path.with_name("proxy.mp4"))
        try:
            write_frame(path, "last", path.with_name("frame.png"))
        except NoFrameError:
            assert not path.with_name("frame.png").exists()

        assert picture == b"" or picture[8:12] == b"WEBP"
        assert path.with_name("proxy.mp4").exists() == has_proxy


def test_sound_alone_has_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0"
    )

    assert Posters(tmp_path, 320).data_url(path, "0" * 64) is None
    assert not write_proxy(path, tmp_path / "proxy.mp4")
