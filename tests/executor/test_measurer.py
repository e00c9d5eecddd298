"""Clips are measured in a process of its own: bounded, whatever a file does to the decoder."""

import os
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import av
import pytest
from support.galleries import clip
from support.scripted_host import Host, answer

from veogen.executor import measurer as module
from veogen.executor.measurer import MEMORY, Measurer
from veogen.executor.mp4 import ClipInfo, mismatches, probe
from veogen.executor.mp4_boxes import Mp4Structure
from veogen.executor.transfer import WholeClip, download
from veogen.gateway.media_host import MediaClient
from veogen.models.model import ExpectedClip

UNMEASURED = ClipInfo.unmeasured(Mp4Structure("isom", listed=True, trailing=False))


@pytest.fixture
def measurer() -> Iterator[Measurer]:
    measurer = Measurer()
    yield measurer
    measurer.close()


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip())
    return path


def process_of(measurer: Measurer) -> int:
    assert measurer.process is not None
    return measurer.process.pid


def test_one_process_measures_one_clip_after_the_other(measurer: Measurer, whole: Path) -> None:
    first = measurer.measure(whole)
    process = process_of(measurer)
    damaged = whole.with_name("damaged.mp4")
    damaged.write_bytes(clip()[:-1])

    assert first == probe(whole)
    assert measurer.measure(damaged) == probe(damaged) == "its box mdat is cut short"
    assert measurer.measure(whole) == first
    assert process_of(measurer) == process


def _takes_too_long(measurer: Measurer) -> None:
    measurer.seconds = 1e-6


def _takes_too_much(measurer: Measurer) -> None:
    measurer.memory = 64 << 20


def _hangs_for_ever(measurer: Measurer) -> None:
    measurer.seconds = 0.1
    os.kill(process_of(measurer), signal.SIGSTOP)


@pytest.mark.parametrize("fault", [_takes_too_long, _takes_too_much, _hangs_for_ever])
def test_a_clip_that_cannot_be_measured_is_whole_and_the_next_is_measured(
    fault: Callable[[Measurer], None],
    measurer: Measurer,
    whole: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BYTES_A_SECOND", 1 << 60)
    monkeypatch.setattr(module, "_GRACE", 0.2)
    if fault is _takes_too_much:
        measurer.close()
    else:
        measurer.measure(whole)
    fault(measurer)

    assert measurer.measure(whole) == UNMEASURED
    cut = whole.with_name("cut.mp4")
    cut.write_bytes(clip()[:-1])
    if fault is not _hangs_for_ever:
        assert measurer.measure(cut) == "its box mdat is cut short"

    measurer.close()
    measurer.seconds, measurer.memory = 20.0, MEMORY
    assert measurer.measure(whole) == probe(whole)


def test_a_process_that_was_killed_while_it_had_nothing_to_do_is_started_again(
    measurer: Measurer, whole: Path
) -> None:
    first = measurer.measure(whole)
    process = measurer.process
    assert process is not None
    process.kill()
    process.wait()

    assert measurer.measure(whole) == first


def test_where_no_process_can_be_started_a_clip_is_whole_all_the_same(
    measurer: Measurer, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert measurer.measure(whole) == UNMEASURED


def test_what_is_not_measured_is_one_warning() -> None:
    expected = ExpectedClip(
        seconds=(8.0, 8.0), sizes=frozenset({(1280, 720)}), ratio=(16, 9), audio=True
    )

    assert mismatches(UNMEASURED, expected) == ("unmeasured",)


def test_a_clip_that_cannot_be_measured_is_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module._measurer, "memory", 64 << 20)  # noqa: SLF001
    module._measurer.close()  # noqa: SLF001
    target = tmp_path / "videos" / "clip.mp4"
    with (
        MediaClient(local=True, request_timeout=2) as media,
        Host(answer(200, clip(), content_type="video/mp4")) as host,
    ):
        outcome = download(media, f"{host.url}/a.mp4", target, root=tmp_path)
    module._measurer.close()  # noqa: SLF001

    assert isinstance(outcome, WholeClip)
    assert outcome.info == UNMEASURED
    assert target.read_bytes() == clip()


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def nested(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = box(b"trak", box(b"mdia", content))
    return content


def head(content: bytes) -> bytes:
    """A clip whose head has more in it; its samples are where it says, if they stand behind it."""
    data = bytearray(clip())
    at = data.index(b"moov") - 4
    end = at + int.from_bytes(data[at : at + 4])
    data[at : at + 4] = (end - at + len(content)).to_bytes(4)
    table = data.find(b"stco", at, end) if data.index(b"mdat") > at else -1
    while table > 0:
        entries = table + 12
        for place in range(entries, entries + 4 * int.from_bytes(data[table + 8 : entries]), 4):
            moved = int.from_bytes(data[place : place + 4]) + len(content)
            data[place : place + 4] = moved.to_bytes(4)
        table = data.find(b"stco", entries, end)
    return bytes(data[:end] + content + data[end:])


def sized(width: int, height: int) -> bytes:
    """A clip whose entry of its decoder says another size."""
    data = clip()
    at = data.index(b"avc1", data.index(b"stsd")) + 4 + 24
    return data[:at] + struct.pack(">HH", width, height) + data[at + 4 :]


def counted(kind: bytes, many: int, entry: int = 0) -> bytes:
    """A clip with a second picture whose table of a kind says that it is of so many entries."""
    before = bytes(8 if kind == b"stsz" else 4)
    table = box(kind, before + many.to_bytes(4) + bytes(entry))
    media = box(b"minf", box(b"stbl", table))
    track = box(b"trak", box(b"tkhd", bytes(84)) + box(b"mdia", box(b"mdhd", bytes(24)) + media))
    return head(track)


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    **{
        f"{kind.decode()} of {many}": partial(counted, kind, many, 4096)
        for kind in b"stss stsc stco co64 stts ctts stsz sbgp sdtp".split()
        for many in (999_999, 50_000_000, 0x7FFF_FFFF, 0xFFFF_FFFF)
    },
    "an edit list of millions": lambda: head(
        box(b"trak", box(b"edts", box(b"elst", bytes(4) + b"\x7f" * 4 + bytes(4096))))
    ),
    "many tracks": lambda: head(box(b"trak") * 29),
    "more tracks than are taken": lambda: head(box(b"trak") * 1000),
    "tracks in tracks": lambda: head(nested(15)),
    "boxes a hundred deep": lambda: head(nested(100)),
    "ten thousand boxes": lambda: head(box(b"free") * 10_000),
    "a frame as wide as can be": lambda: sized(0xFFFF, 0xFFFF),
    "a frame without a size": lambda: sized(0, 0),
    "words of sixteen megabytes": lambda: head(
        box(b"udta", box(b"meta", bytes(4) + box(b"ilst", b"\xff" * (16 << 20))))
    ),
    "a picture as a cover": lambda: head(
        box(
            b"udta",
            box(b"meta", bytes(4) + box(b"ilst", box(b"covr", box(b"data", bytes(9 << 20))))),
        )
    ),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Measurer]:
    measurer = Measurer()
    yield measurer
    measurer.close()


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_head_costs_little_and_never_more_than_its_clip(
    content: Callable[[], bytes], shared: Measurer, tmp_path: Path, whole: Path
) -> None:
    shared.measure(whole)
    hostile = tmp_path / "hostile.mp4"
    hostile.write_bytes(content())
    begun = time.monotonic()

    outcome = shared.measure(hostile)

    assert time.monotonic() - begun < 10
    assert isinstance(outcome, ClipInfo | str)
    if shared.process is not None:
        status = Path(f"/proc/{process_of(shared)}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0])
        assert peak < 512 << 10, "KiB"
    assert shared.measure(whole) == probe(whole)


@pytest.mark.slow
def test_a_real_frame_of_sixteen_thousand_pixels_is_not_decoded(
    shared: Measurer, tmp_path: Path
) -> None:
    path = tmp_path / "large.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 16_000, 16_000, "gray"
        container.mux(stream.encode(av.VideoFrame(16_000, 16_000, "gray")))
        container.mux(stream.encode())

    outcome = shared.measure(path)

    assert isinstance(outcome, str)
    assert "pixels" in outcome
