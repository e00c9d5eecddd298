"""What is measured in a clip, and what makes a clip that is none."""

import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.galleries import FAST, clip

from veogen.executor.mp4 import ClipInfo, mismatches, probe
from veogen.models.model import expected_clip, shipped
from veogen.models.parameters import Json

FACTS = ClipInfo(
    brand="isom", codec="h264", duration=4.0, width=1280, height=720, fps=24.0, audio=True
)


def written(folder: Path, data: bytes) -> Path:
    path = folder / "clip.mp4"
    path.write_bytes(data)
    return path


def test_a_whole_clip_is_measured(tmp_path: Path) -> None:
    assert probe(written(tmp_path, clip())) == FACTS


def test_a_silent_clip_on_end_is_measured(tmp_path: Path) -> None:
    info = probe(written(tmp_path, clip((720, 1280), audio=False)))

    assert info == ClipInfo(
        brand="isom", codec="h264", duration=4.0, width=720, height=1280, fps=24.0, audio=False
    )


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def holed(data: bytes) -> bytes:
    """The clip with zeros where a page of it was never written."""
    middle = len(data) // 2
    return data[:middle] + bytes(8192) + data[middle + 8192 :]


def spliced(data: bytes) -> bytes:
    """The clip with a part of itself where another part belongs."""
    third = len(data) // 3
    return data[:third] + data[third + 100 : 2 * third + 100] + data[2 * third :]


def patched(data: bytes, kind: bytes, offset: int, what: bytes) -> bytes:
    """The clip with other bytes in its first box of a kind."""
    at = data.index(kind, data.index(b"moov")) + offset
    return data[:at] + what + data[at + len(what) :]


def astray(data: bytes) -> bytes:
    """The clip with its last samples listed where the file ends."""
    table = data.rindex(b"stco") + 8
    (count,) = struct.unpack_from(">I", data, table)
    last = table + 4 * count
    return data[:last] + struct.pack(">I", len(data) - 1) + data[last + 4 :]


@pytest.fixture(scope="module")
def fragmented(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The clip as a stream has it: its samples come in fragments, each with a list of its own."""
    folder = tmp_path_factory.mktemp("fragmented")
    options = {"movflags": "frag_every_frame+empty_moov+default_base_moof", "brand": "isom"}
    whole = written(folder, clip())
    with av.open(whole) as source, av.open(folder / "f.mp4", "w", options=options) as target:
        streams = [target.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return (folder / "f.mp4").read_bytes()


def test_a_clip_in_fragments_is_measured(fragmented: bytes, tmp_path: Path) -> None:
    assert b"moof" in fragmented
    assert probe(written(tmp_path, fragmented)) == replace(FACTS, duration=4.021, fps=23.872)


def test_a_garbled_frame_in_a_fragment_is_found(fragmented: bytes, tmp_path: Path) -> None:
    at = fragmented.rindex(b"mdat", 0, len(fragmented) // 2) + 4

    damaged = fragmented[:at] + bytes(40) + fragmented[at + 40 :]

    assert probe(written(tmp_path, damaged)) == "a frame is garbled"


def test_a_sector_that_was_never_written_is_missed_wherever_it_is(tmp_path: Path) -> None:
    whole = clip(audio=False)
    begin = whole.index(b"mdat") + 4
    end = begin - 8 + int.from_bytes(whole[begin - 8 : begin - 4])
    sectors = range(begin // 512 + 1, end // 512 - 1)
    assert len(sectors) > 40

    for sector in list(sectors)[:: len(sectors) // 40]:
        damaged = whole[: sector * 512] + bytes(512) + whole[(sector + 1) * 512 :]

        assert probe(written(tmp_path, damaged)) == "a frame is garbled"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(lambda _: b"", "it does not begin like an MP4", id="empty"),
        pytest.param(lambda data: data[:7], "what stands at byte 0 is no box", id="7 bytes"),
        pytest.param(lambda data: data[:-1], "its box mdat is cut short", id="a byte short"),
        pytest.param(lambda data: data[: len(data) // 2], "its box mdat is cut short", id="half"),
        pytest.param(
            lambda data: data + box(b"moof", b"x" * 64)[:-1], "moof is cut short", id="a box"
        ),
        pytest.param(lambda _: b"<!DOCTYPE html>" * 99, "its box CTYP is cut short", id="a page"),
        pytest.param(lambda _: box(b"ftyp", b"isom"), "its box moov is missing", id="no moov"),
        pytest.param(
            lambda _: box(b"ftyp", b"isom") + box(b"moov"), "its box mdat is missing", id="no mdat"
        ),
        pytest.param(
            lambda _: box(b"ftyp", b"isom") + box(b"moov") + box(b"mdat"),
            "it cannot be read",
            id="nothing in it",
        ),
        pytest.param(
            lambda data: box(b"free") + data, "does not begin like an MP4", id="late ftyp"
        ),
        pytest.param(holed, "a frame is garbled", id="a hole"),
        pytest.param(spliced, "a frame is garbled", id="a splice"),
        pytest.param(astray, "a sample is cut short", id="samples beyond its end"),
        pytest.param(
            lambda data: patched(data, b"stsz", 7, b"\xb4\x31\xfe\x39"),
            "a sample is cut short",
            id="a sample of less than nothing",
        ),
        pytest.param(
            lambda data: patched(data, b"stts", 11, b"\xff"),
            "its length is beyond measure",
            id="samples of ages",
        ),
    ],
)
def test_a_clip_that_is_not_whole_says_why(
    damage: Callable[[bytes], bytes], reason: str, tmp_path: Path
) -> None:
    found = probe(written(tmp_path, damage(clip())))

    assert isinstance(found, str)
    assert reason in found


@pytest.mark.parametrize("tail", [b"x", b"\n", bytes(64), bytes(512), b"some words behind it"])
def test_what_stands_behind_the_last_box_is_no_damage(tail: bytes, tmp_path: Path) -> None:
    whole, longer = probe(written(tmp_path, clip())), probe(written(tmp_path, clip() + tail))

    assert isinstance(whole, ClipInfo)
    assert not whole.trailing
    assert longer == replace(whole, trailing=True)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(
            lambda data: patched(data, b"stsz", 12, (50_000_000).to_bytes(4)),
            "its head lists more than",
            id="millions of samples",
        ),
        pytest.param(
            lambda data: patched(data, b"stts", 12, (200_000_000).to_bytes(4)),
            "its head lists more than",
            id="millions of times",
        ),
        pytest.param(
            lambda data: data + box(b"moov", box(b"trak") * 40), "more than 32 tracks", id="tracks"
        ),
        pytest.param(
            lambda data: (
                data + box(b"moof", box(b"traf", box(b"trun", bytes(4) + (50_000_000).to_bytes(4))))
            ),
            "its head lists more than",
            id="a fragment of millions",
        ),
        pytest.param(lambda data: data + box(b"moov", box(b"cmov")), "is packed", id="packed"),
    ],
)
def test_what_a_head_says_is_bounded(
    damage: Callable[[bytes], bytes], reason: str, tmp_path: Path
) -> None:
    begun = time.process_time()

    found = probe(written(tmp_path, damage(clip())))

    assert isinstance(found, str)
    assert reason in found
    assert time.process_time() - begun < 2


def test_a_frame_of_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 9_000, 9_000, "gray"
        frame = av.VideoFrame(9_000, 9_000, "gray")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())

    found = probe(path)

    assert isinstance(found, str)
    assert "pixels" in found


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_clip_that_was_cut_short_anywhere_is_found_out(
    cut: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = clip((320, 180), seconds=1)
    path = written(tmp_path_factory.mktemp("cut"), data[: int(cut * len(data))])

    assert isinstance(probe(path), str)


@settings(max_examples=60, deadline=None)
@given(edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=8))))
def test_a_damaged_clip_never_makes_it_raise(
    edits: list[tuple[float, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(clip((320, 180), seconds=1))
    for where, what in edits:
        at = int(where * len(data))
        data[at : at + len(what)] = what

    found = probe(written(tmp_path_factory.mktemp("edits"), bytes(data)))

    assert isinstance(found, ClipInfo | str)


@pytest.mark.parametrize(
    ("body", "info", "warnings"),
    [
        pytest.param({}, {}, (), id="the defaults"),
        pytest.param({"duration": 4}, {"duration": 4.021}, (), id="a sound that begins early"),
        pytest.param({"duration": 4}, {"duration": 3.5}, (), id="half a second"),
        pytest.param({"duration": 8}, {}, ("duration",), id="another length"),
        pytest.param({"duration": 4}, {"duration": 4.6}, ("duration",), id="too long"),
        pytest.param({"quality": "1080p"}, {}, ("size",), id="smaller"),
        pytest.param({"quality": "1080p"}, {"width": 1920, "height": 1080}, (), id="1080p"),
        pytest.param({"quality": "4k"}, {"width": 2160, "height": 3840}, (), id="4k on end"),
        pytest.param({"aspect_ratio": "16:9"}, {}, (), id="wide"),
        pytest.param({"aspect_ratio": "9:16"}, {}, ("ratio",), id="the other way round"),
        pytest.param({"aspect_ratio": "9:16"}, {"width": 720, "height": 1280}, (), id="on end"),
        pytest.param({"aspect_ratio": "auto"}, {"width": 720, "height": 1280}, (), id="auto"),
        pytest.param({"generate_audio": False}, {}, ("audio",), id="sound that was not wanted"),
        pytest.param({}, {"audio": False}, ("audio",), id="no sound"),
        pytest.param(
            {"duration": 8, "quality": "4k", "aspect_ratio": "16:9"},
            {"width": 100, "height": 100, "audio": False},
            ("duration", "size", "ratio", "audio"),
            id="everything",
        ),
    ],
)
def test_what_differs_from_the_request_is_a_warning(
    body: dict[str, Json], info: dict[str, object], warnings: tuple[str, ...]
) -> None:
    values: dict[str, object] = {
        "brand": "isom",
        "codec": "h264",
        "duration": 4.0,
        "width": 1280,
        "height": 720,
        "fps": 24.0,
        "audio": True,
    }
    found = ClipInfo(**{**values, **info})  # type: ignore[arg-type]

    assert mismatches(found, expected_clip(shipped()[FAST], body)) == warnings


def test_nothing_is_expected_of_a_model_that_is_not_known() -> None:
    assert mismatches(FACTS, expected_clip(None, {"model": "veo-9", "prompt": "a boat"})) == ()
