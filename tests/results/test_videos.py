"""A manifest is input: a video of it may be below `videos/` and nowhere else."""

import pytest

from veogen.results.events import is_video_path


@pytest.mark.parametrize(
    ("path", "sound"),
    [
        ("videos/a.mp4", True),
        ("videos/a b/ö-2.mp4", True),
        ("videos/..a/.mp4", True),
        ("videos", False),
        ("videos/", False),
        ("/videos/a.mp4", False),
        ("./videos/a.mp4", False),
        ("videos//a.mp4", False),
        ("videos/./a.mp4", False),
        ("videos/a/", False),
        ("videos/../a.mp4", False),
        ("videos/a/..", False),
        ("images/a.mp4", False),
        ("videos\\a.mp4", False),
        ("videos/a\\..\\b.mp4", False),
        ("videos/a\n.mp4", False),
        ("videos/a\x00.mp4", False),
        ("videos/a\u202e.mp4", False),
        ("", False),
    ],
)
def test_a_video_is_below_videos_by_its_plain_path(path: str, *, sound: bool) -> None:
    assert is_video_path(path) is sound
