"""Bringing a clip home over real HTTP, onto a real disk: whole, once, and never outside."""

import errno
import gzip
import hashlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.disks import fill, small_disk
from support.galleries import FAST, clip
from support.scripted_host import Host, Step, answer, close, closed_port, dribble, say

from veogen.executor.directory import RESERVED
from veogen.executor.downloads import DiskFull, DownloadFailed
from veogen.executor.mp4 import ClipInfo
from veogen.executor.transfer import LARGEST, ClipDownloader, WholeClip, download
from veogen.gateway.media_host import MediaClient
from veogen.models.model import ExpectedClip, expected_clip, shipped
from veogen.planner.plan import Request
from veogen.results.events import Video

CLIP = clip()
SHA256 = hashlib.sha256(CLIP).hexdigest()
FACTS = ClipInfo(
    brand="isom", codec="h264", duration=4.0, width=1280, height=720, fps=24.0, audio=True
)
TAG = '"a1"'


@pytest.fixture
def media() -> Iterator[MediaClient]:
    with MediaClient(local=True, request_timeout=2) as host:
        yield host


def whole(data: bytes = CLIP, etag: str | None = TAG) -> Step:
    if etag is None:
        return answer(200, data, content_type="video/mp4")
    return answer(200, data, content_type="video/mp4", etag=etag)


def cut(kept: int, data: bytes = CLIP, etag: str = TAG) -> Step:
    """An answer that breaks off after `kept` bytes."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\nETag: {etag}\r\n\r\n"
    return say(head.encode() + data[:kept])


def rest(start: int, data: bytes = CLIP, etag: str = TAG) -> Step:
    span = f"bytes {start}-{len(data) - 1}/{len(data)}"
    return answer(206, data[start:], etag=etag, content_range=span)


def bring(
    media: MediaClient,
    folder: Path,
    *steps: Step,
    path: str = "/a.mp4?signature=1",
    largest: int = LARGEST,
) -> tuple[WholeClip | DownloadFailed | DiskFull, Host]:
    target = folder / "videos" / "opening" / "clip.mp4"
    with Host(*steps) as host:
        return download(media, host.url + path, target, root=folder, largest=largest), host


def code_of(outcome: WholeClip | DownloadFailed | DiskFull) -> str:
    assert isinstance(outcome, DownloadFailed)
    return outcome.code


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "videos" / "opening").iterdir())


def test_a_clip_is_brought_home_whole(media: MediaClient, tmp_path: Path) -> None:
    outcome, _ = bring(media, tmp_path, whole())

    target = tmp_path / "videos" / "opening" / "clip.mp4"
    assert outcome == WholeClip(path=target, sha256=SHA256, bytes=len(CLIP), info=FACTS)
    assert target.read_bytes() == CLIP
    assert names(tmp_path) == ["clip.mp4"]


def test_a_clip_of_unknown_length_is_brought_home(media: MediaClient, tmp_path: Path) -> None:
    outcome, _ = bring(media, tmp_path, say(b"HTTP/1.1 200 OK\r\n\r\n" + CLIP))

    assert isinstance(outcome, WholeClip)


def test_a_download_that_broke_off_goes_on_where_it_was(media: MediaClient, tmp_path: Path) -> None:
    first, _ = bring(media, tmp_path, cut(10_000))
    second, host = bring(media, tmp_path, rest(10_000), path="/a.mp4?signature=2")

    assert code_of(first) == "interrupted"
    assert isinstance(second, WholeClip)
    assert second.sha256 == SHA256
    assert host.requests[0].headers["range"] == "bytes=10000-"
    assert host.requests[0].headers["if-range"] == TAG
    assert names(tmp_path) == ["clip.mp4"]


def test_all_bytes_that_came_before_need_no_host(media: MediaClient, tmp_path: Path) -> None:
    """A run that was killed between the last byte and the final name."""
    bring(media, tmp_path, cut(len(CLIP) - 1))
    part = tmp_path / "videos" / "opening" / ".clip.mp4.part"
    part.write_bytes(CLIP)

    outcome, host = bring(media, tmp_path)

    assert isinstance(outcome, WholeClip)
    assert host.connections == 0


def test_a_large_clip_goes_on_where_it_was_when_the_process_was_killed(
    media: MediaClient, tmp_path: Path
) -> None:
    large = CLIP + (3 << 20).to_bytes(4) + b"free" + bytes((3 << 20) - 8)
    first, second = tmp_path / "first", tmp_path / "second"

    def killed() -> bool:
        """What would be on the disk now, were the process killed."""
        came = (first / ".clip.mp4.part").stat().st_size
        if came >= 2 << 20 and not second.exists():
            shutil.copytree(first, second)
        return False

    with Host(whole(large)) as host:
        download(media, host.url, first / "clip.mp4", root=first, stopped=killed)
    came = (second / ".clip.mp4.part").stat().st_size
    with Host(rest(came, large)) as host:
        outcome = download(media, host.url, second / "clip.mp4", root=second)

    assert isinstance(outcome, WholeClip)
    assert outcome.sha256 == hashlib.sha256(large).hexdigest()
    assert host.requests[0].headers["range"] == f"bytes={came}-"
    assert [path.name for path in second.iterdir()] == ["clip.mp4"]


def test_a_slow_clip_goes_on_where_it_was_when_the_process_was_killed(
    media: MediaClient, tmp_path: Path
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CLIP)}\r\nETag: {TAG}\r\n\r\n".encode()
    begun, looks = time.monotonic(), list[tuple[float, bool]]()

    def look() -> bool:
        noted = (tmp_path / ".clip.mp4.part.json").exists()
        looks.append((time.monotonic() - begun, noted))
        return noted or looks[-1][0] > 10

    with Host(dribble(head + CLIP[:50_000], every=0.05)) as host:
        download(media, host.url, tmp_path / "clip.mp4", root=tmp_path, stopped=look)

    assert looks[0][1] is False
    assert looks[-1][1] is True


def test_a_small_clip_is_one_file_from_its_first_byte_to_its_last(
    media: MediaClient, tmp_path: Path
) -> None:
    seen: set[str] = set()

    def look() -> bool:
        seen.update(path.name for path in tmp_path.iterdir())
        return False

    with Host(whole()) as host:
        download(media, host.url, tmp_path / "clip.mp4", root=tmp_path, stopped=look)

    assert seen == {".clip.mp4.part"}


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(whole(etag='"b2"'), id="the host says it is another"),
        pytest.param(whole(), id="the host has no ranges"),
    ],
)
def test_a_file_that_comes_from_its_start_is_taken_from_its_start(
    again: Step, media: MediaClient, tmp_path: Path
) -> None:
    bring(media, tmp_path, cut(10_000, data=CLIP[:9_000] + bytes(len(CLIP))))

    outcome, _ = bring(media, tmp_path, again)

    assert isinstance(outcome, WholeClip)
    assert outcome.sha256 == SHA256


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(rest(10_000, etag='"b2"'), id="another tag"),
        pytest.param(rest(10_000, data=CLIP + b"x"), id="another length"),
        pytest.param(rest(9_999), id="another place"),
        pytest.param(answer(416), id="no such range"),
    ],
)
def test_the_part_of_another_file_is_never_gone_on_with(
    again: Step, media: MediaClient, tmp_path: Path
) -> None:
    """What came is dropped, and the whole is asked for, once."""
    bring(media, tmp_path, cut(10_000))

    outcome, host = bring(media, tmp_path, again, whole())

    assert isinstance(outcome, WholeClip)
    assert outcome.sha256 == SHA256
    assert ["range" in request.headers for request in host.requests] == [True, False]
    assert names(tmp_path) == ["clip.mp4"]


def test_a_part_that_comes_to_no_clip_is_asked_for_again_as_a_whole(
    media: MediaClient, tmp_path: Path
) -> None:
    bring(media, tmp_path, cut(10_000))

    outcome, _ = bring(
        media, tmp_path, rest(10_000, data=CLIP[:12_000] + bytes(len(CLIP) - 12_000)), whole()
    )

    assert isinstance(outcome, WholeClip)
    assert outcome.sha256 == SHA256


@pytest.mark.parametrize("label", ["", "aws-chunked", "UTF-8", "none", "gzip", "br", "identity"])
def test_an_untrue_label_is_no_reason_to_refuse_a_clip(
    label: str, media: MediaClient, tmp_path: Path
) -> None:
    outcome, _ = bring(media, tmp_path, answer(200, CLIP, content_encoding=label))

    assert isinstance(outcome, WholeClip)
    assert outcome.sha256 == SHA256


@pytest.mark.parametrize(
    ("label", "packed"),
    [
        pytest.param("gzip", gzip.compress(CLIP), id="gzip"),
        pytest.param("x-gzip", gzip.compress(CLIP), id="x-gzip"),
        pytest.param("deflate", zlib.compress(CLIP), id="deflate"),
        pytest.param("deflate", zlib.compress(CLIP)[2:-4], id="deflate, as many do it"),
        pytest.param("GZIP, identity", gzip.compress(CLIP), id="two labels"),
        pytest.param("br", gzip.compress(CLIP), id="another label"),
        pytest.param("identity", gzip.compress(CLIP), id="a label that says nothing"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(CLIP)), id="twice"),
    ],
)
def test_a_packed_clip_is_unpacked(
    label: str, packed: bytes, media: MediaClient, tmp_path: Path
) -> None:
    outcome, _ = bring(media, tmp_path, answer(200, packed, content_encoding=label))

    assert isinstance(outcome, WholeClip)
    assert outcome.sha256 == SHA256


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(answer(200, CLIP, content_type="text/html; charset=utf-8"), id="a page"),
        pytest.param(answer(200, CLIP, content_type="application/json"), id="an error"),
        pytest.param(answer(206, CLIP), id="a part that is not named"),
    ],
)
def test_a_whole_clip_is_one_whatever_it_is_called(
    step: Step, media: MediaClient, tmp_path: Path
) -> None:
    outcome, _ = bring(media, tmp_path, step)

    assert isinstance(outcome, WholeClip)
    assert outcome.sha256 == SHA256


def test_a_host_that_gives_a_part_at_a_time_is_asked_for_the_rest(
    media: MediaClient, tmp_path: Path
) -> None:
    named = f"bytes 0-9999/{len(CLIP)}"
    bring(media, tmp_path, answer(206, CLIP[:10_000], content_range=named, etag=TAG))

    outcome, host = bring(media, tmp_path, rest(10_000))

    assert isinstance(outcome, WholeClip)
    assert (outcome.sha256, host.requests[0].headers["range"]) == (SHA256, "bytes=10000-")


def test_a_packed_clip_that_breaks_off_is_tried_again(media: MediaClient, tmp_path: Path) -> None:
    outcome, _ = bring(
        media, tmp_path, answer(200, gzip.compress(CLIP)[:-500], content_encoding="gzip")
    )

    assert isinstance(outcome, DownloadFailed)
    assert outcome.retry


def test_what_is_refused_as_damaged_is_kept_once(media: MediaClient, tmp_path: Path) -> None:
    for size in (20_000, 21_000):
        outcome, _ = bring(media, tmp_path, whole(CLIP[:size]))
        assert isinstance(outcome, DownloadFailed)

    assert [path.name for path in (tmp_path / "refused").iterdir()] == ["clip.damaged.mp4"]
    assert (tmp_path / "refused/clip.damaged.mp4").read_bytes() == CLIP[:21_000]


@pytest.mark.parametrize("tail", [b"\n", bytes(512), b"-- end of the clip --"])
def test_a_clip_with_something_behind_its_last_box_is_kept_as_it_came(
    tail: bytes, media: MediaClient, tmp_path: Path
) -> None:
    outcome, _ = bring(media, tmp_path, whole(CLIP + tail))

    assert isinstance(outcome, WholeClip)
    assert outcome.info.trailing
    assert outcome.path.read_bytes() == CLIP + tail


def test_a_part_of_a_file_without_a_tag_is_gone_on_with_only_under_its_link(
    media: MediaClient, tmp_path: Path
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CLIP)}\r\n\r\n".encode()
    bring(media, tmp_path, say(head + CLIP[:10_000]))

    outcome, host = bring(media, tmp_path, whole(etag=None), path="/b.mp4")

    assert isinstance(outcome, WholeClip)
    assert "range" not in host.requests[0].headers


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda note: note.write_text("{"), id="half a note"),
        pytest.param(lambda note: note.write_text("[]"), id="no note"),
        pytest.param(lambda note: note.unlink(), id="no file"),
        pytest.param(
            lambda note: note.write_text(json.dumps({**json.loads(note.read_text()), "boot": "x"})),
            id="before a power failure",
        ),
        pytest.param(
            lambda note: note.write_text(json.dumps({**json.loads(note.read_text()), "length": 5})),
            id="longer than the file",
        ),
    ],
)
def test_a_part_of_unknown_origin_is_begun_anew(
    spoil: Callable[[Path], object], media: MediaClient, tmp_path: Path
) -> None:
    bring(media, tmp_path, cut(10_000))
    spoil(tmp_path / "videos" / "opening" / ".clip.mp4.part.json")

    outcome, host = bring(media, tmp_path, whole())

    assert isinstance(outcome, WholeClip)
    assert "range" not in host.requests[0].headers


@pytest.mark.parametrize(
    ("step", "code"),
    [
        pytest.param(answer(403), "link-expired", id="expired"),
        pytest.param(answer(404), "link-expired", id="not found"),
        pytest.param(answer(410), "link-expired", id="gone"),
        pytest.param(answer(500), "http_500", id="an error"),
        pytest.param(close(), "lost", id="lost"),
        pytest.param(
            answer(200, "<!DOCTYPE html><html>", content_type="text/html; charset=utf-8"),
            "not-a-video",
            id="html",
        ),
        pytest.param(
            answer(200, "<html/>", content_type="text/html"), "not-a-video", id="a short page"
        ),
        pytest.param(answer(200, "<!DOCTYPE html>"), "not-a-video", id="html that says no"),
        pytest.param(whole(b"x" * 20_000), "not-a-video", id="no ftyp"),
        pytest.param(whole(b""), "damaged", id="empty"),
        pytest.param(whole(CLIP[:20_000]), "damaged", id="half a clip of its length"),
        pytest.param(say(b"HTTP/1.1 200 OK\r\n\r\n" + CLIP[:20_000]), "damaged", id="half a clip"),
    ],
)
def test_what_is_no_clip_leaves_nothing_behind_but_what_is_damaged(
    request: pytest.FixtureRequest,
    step: Step,
    code: str,
    media: MediaClient,
    tmp_path: Path,
) -> None:
    outcome, _ = bring(media, tmp_path, step)

    assert isinstance(outcome, DownloadFailed)
    assert (outcome.code, outcome.retry) == (code, True)
    assert names(tmp_path) == []
    is_kept = outcome.code == "damaged" and "empty" not in request.node.callspec.id
    assert (tmp_path / "refused/clip.damaged.mp4").is_file() is is_kept


@pytest.mark.parametrize(
    "step", [whole(), say(b"HTTP/1.1 200 OK\r\n\r\n" + CLIP)], ids=["said", "found out"]
)
def test_a_clip_that_is_too_large_is_not_taken(
    step: Step, media: MediaClient, tmp_path: Path
) -> None:
    outcome, _ = bring(media, tmp_path, step, largest=len(CLIP) - 1)

    assert isinstance(outcome, DownloadFailed)
    assert (outcome.code, outcome.retry) == ("too-large", False)
    assert names(tmp_path) == []


def test_a_file_of_the_very_bytes_is_the_clip_and_stays(media: MediaClient, tmp_path: Path) -> None:
    first, _ = bring(media, tmp_path, whole())
    target = tmp_path / "videos" / "opening" / "clip.mp4"
    inode = target.stat().st_ino

    second, _ = bring(media, tmp_path, whole())

    assert second == first
    assert target.stat().st_ino == inode
    assert names(tmp_path) == ["clip.mp4"]
    assert not (tmp_path / "refused").exists()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(b"my notes", id="notes"),
        pytest.param(CLIP[:-1] + b"!", id="a whole clip of other bytes"),
        pytest.param(CLIP[:1000], id="a cut one"),
    ],
)
def test_a_file_of_other_bytes_is_set_aside_and_never_overwritten(
    other: bytes, media: MediaClient, tmp_path: Path
) -> None:
    target = tmp_path / "videos" / "opening" / "clip.mp4"
    target.parent.mkdir(parents=True)
    for _ in range(2):
        target.write_bytes(other)

        outcome, _ = bring(media, tmp_path, whole())

        assert isinstance(outcome, WholeClip)
        assert target.read_bytes() == CLIP
    aside = tmp_path / "refused"
    assert sorted(path.name for path in aside.iterdir()) == ["clip-2.mp4", "clip.mp4"]
    assert {path.read_bytes() for path in aside.iterdir()} == {other}


def test_what_is_no_file_is_left_in_the_way(media: MediaClient, tmp_path: Path) -> None:
    target = tmp_path / "videos" / "opening" / "clip.mp4"
    target.mkdir(parents=True)

    outcome, host = bring(media, tmp_path)

    assert code_of(outcome) == "in-the-way"
    assert host.connections == 0


def test_a_name_that_was_only_reserved_is_used(media: MediaClient, tmp_path: Path) -> None:
    target = tmp_path / "videos" / "opening" / "clip.mp4"
    target.parent.mkdir(parents=True)
    target.touch()

    outcome, _ = bring(media, tmp_path, whole())

    assert isinstance(outcome, WholeClip)


@pytest.mark.parametrize("circle", [False, True], ids=["outside", "in a circle"])
@pytest.mark.parametrize("place", ["videos", "videos/opening", "videos/opening/clip.mp4"])
def test_no_symbolic_link_leads_out_of_the_run_directory(
    place: str, media: MediaClient, tmp_path: Path, *, circle: bool
) -> None:
    outside, run = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    (run / place).parent.mkdir(parents=True)
    (run / place).symlink_to(run / place if circle else outside)

    outcome, host = bring(media, run)

    assert isinstance(outcome, DownloadFailed)
    assert not outcome.retry
    assert list(outside.iterdir()) == []
    assert host.connections == 0


@pytest.mark.parametrize("step", [whole(), cut(10_000)], ids=["whole", "cut"])
def test_a_link_planted_for_the_part_is_not_written_through(
    step: Step, media: MediaClient, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    folder = tmp_path / "run" / "videos" / "opening"
    folder.mkdir(parents=True)
    (folder / ".clip.mp4.part").symlink_to(precious)
    (folder / ".clip.mp4.part.json").symlink_to(precious)
    (folder / ".clip.mp4.part.new").symlink_to(precious)

    bring(media, tmp_path / "run", step)
    outcome, _ = bring(media, tmp_path / "run", whole())

    assert isinstance(outcome, WholeClip)
    assert precious.read_text() == "precious"


def test_a_directory_that_cannot_be_written_is_said(media: MediaClient, tmp_path: Path) -> None:
    (tmp_path / "videos").write_text("a file where the folder should be")

    outcome, _ = bring(media, tmp_path)

    assert isinstance(outcome, DownloadFailed)
    assert (outcome.code, outcome.retry) == ("disk", False)
    assert str(tmp_path / "videos") in outcome.message


def test_a_host_that_is_down_is_tried_again(media: MediaClient, tmp_path: Path) -> None:
    link = f"http://127.0.0.1:{closed_port()}/a.mp4"

    outcome = download(media, link, tmp_path / "videos" / "a.mp4", root=tmp_path)

    assert outcome == DownloadFailed("refused", "no connection: Connection refused")


def test_a_name_as_long_as_names_may_be_is_brought_home(media: MediaClient, tmp_path: Path) -> None:
    target = tmp_path / f"{'a' * 251}.mp4"
    with Host(whole()) as host:
        outcome = download(media, host.url, target, root=tmp_path)

    assert isinstance(outcome, WholeClip)


def test_a_run_that_stops_keeps_what_came(media: MediaClient, tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    with Host(whole()) as host:
        outcome = download(media, host.url, target, root=tmp_path, stopped=lambda: True)

    assert code_of(outcome) == "interrupted"
    assert (tmp_path / ".clip.mp4.part").stat().st_size > 0


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(whole(CLIP + bytes(400_000)), id="seen before"),
        pytest.param(say(b"HTTP/1.1 200 OK\r\n\r\n" + CLIP + bytes(400_000)), id="run into"),
    ],
)
def test_a_full_disk_is_no_failure_of_the_clip(
    step: Step, media: MediaClient, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 256) as disk:
        outcome, _ = bring(media, disk, step)

    assert isinstance(outcome, DiskFull)
    assert str(disk) in outcome.message


def test_a_clip_leaves_room_for_the_journal_and_goes_on_when_there_is_more(
    media: MediaClient, tmp_path: Path
) -> None:
    """The length is not told, so it is noticed on the way: what came is kept."""
    clip = CLIP + bytes(3 << 20)
    with small_disk(tmp_path / "disk", 8192) as disk:
        filler = fill(disk, RESERVED // 1024 + 2048)
        outcome, _ = bring(media, disk, say(b"HTTP/1.1 200 OK\r\n\r\n" + clip))
        free = shutil.disk_usage(disk).free
        filler.unlink()

    assert isinstance(outcome, DiskFull)
    assert RESERVED // 2 < free <= RESERVED


def test_a_disk_without_hard_links_takes_clips_too(
    media: MediaClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    outcome, _ = bring(media, tmp_path, whole())

    assert isinstance(outcome, WholeClip)
    assert names(tmp_path) == ["clip.mp4"]


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(CLIP) - 1), min_size=1, max_size=4))
def test_however_often_it_breaks_off_the_clip_is_the_clip(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with MediaClient(local=True, request_timeout=2) as media, Host() as host:
        for kept in sorted(cuts):
            host.steps.append(_from_where_it_was(folder, kept))
            download(media, host.url, folder / "clip.mp4", root=folder)
        host.steps.append(_from_where_it_was(folder, len(CLIP)))
        outcome = download(media, host.url, folder / "clip.mp4", root=folder)

    assert isinstance(outcome, WholeClip)
    assert outcome.sha256 == SHA256


def _from_where_it_was(folder: Path, end: int) -> Step:
    """What a host with ranges says to the next request, broken off at `end`."""
    part = folder / ".clip.mp4.part"
    start = part.stat().st_size if part.exists() else 0
    status = "206 Partial" if start else "200 OK"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(CLIP) - start}\r\nETag: {TAG}\r\n"
        f"Content-Range: bytes {start}-{len(CLIP) - 1}/{len(CLIP)}\r\n\r\n"
    )
    return say(head.encode() + CLIP[start:end])


def entry(**body: int | str) -> Request:
    return Request(
        address="opening",
        hash="ab" * 32,
        shot="opening",
        take=1,
        variables={},
        output="opening/a",
        body={"model": FAST, "prompt": "a boat", **body},
        credits=None,
    )


def test_a_video_of_a_run_is_recorded_with_what_differs(media: MediaClient, tmp_path: Path) -> None:
    downloads = ClipDownloader(media, tmp_path, lambda body: expected_clip(shipped()[FAST], body))

    with Host(whole()) as host:
        video = downloads.download(entry(duration=8, n=2), 1, 2, host.url)

    assert video == Video(
        path="videos/opening/a-ababababab-2.mp4",
        sha256=SHA256,
        bytes=len(CLIP),
        duration=4.0,
        width=1280,
        height=720,
        fps=24.0,
        audio=True,
        warnings=("duration",),
    )
    assert (tmp_path / video.path).read_bytes() == CLIP


def test_a_video_that_does_not_come_says_why(media: MediaClient, tmp_path: Path) -> None:
    downloads = ClipDownloader(media, tmp_path, lambda _: ExpectedClip())

    with Host(answer(404)) as host:
        assert downloads.download(entry(), 0, 1, host.url) == DownloadFailed(
            "link-expired", "status 404 from the host of the clip: the link has expired"
        )


def test_what_is_said_of_a_video_names_no_path_of_this_machine(
    media: MediaClient, tmp_path: Path
) -> None:
    downloads = ClipDownloader(media, tmp_path, lambda _: ExpectedClip())
    (tmp_path / entry().path(0, 1)).mkdir(parents=True)

    with Host(whole()) as host:
        said = downloads.download(entry(), 0, 1, host.url)

    assert isinstance(said, DownloadFailed)
    assert said.code == "in-the-way"
    assert str(tmp_path) not in said.message
    assert entry().path(0, 1) in said.message
