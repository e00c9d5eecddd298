"""Timelines and their kin, read back by those who did not write them."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import opentimelineio as otio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.galleries import clip

from veogen.handover.edit import edl_text, reels, timeline_rate, xml_text
from veogen.handover.formats import m3u_text, otio_text, sidecar_name, xmp_text
from veogen.handover.media import Media, TimelineClip, timeline_clips
from veogen.results.picks import Opinion

PROMPT = 'The <lamp> & its "light",\nat dusk in 東京.'


def media(name: str, address: str = "", **more: Any) -> Media:
    address = address or name.removesuffix(".mp4")
    fields: dict[str, Any] = {
        "combination": address.partition("#")[0],
        "clip": "0123456789",
        "hash": "0123456789" + "0" * 54,
        "shot": address.partition("[")[0],
        "take": 1,
        "variables": {},
        "model": "veo-3.1-fast-generate-preview",
        "prompt": PROMPT,
        "credits": "38.016",
        "state": "unreviewed",
        "opinions": (),
        "duration": 4.0,
        "fps": 24.0,
        "width": 320,
        "height": 180,
        "audio": True,
    }
    return Media(name=name, address=address, **(fields | more))


PICKED: dict[str, Any] = {
    "state": "picked",
    "opinions": (Opinion("anna", "pick", "the one with rain"),),
}
REJECTED: dict[str, Any] = {"state": "rejected", "opinions": (Opinion("ben", "reject", ""),)}

EXPORTED = [
    media("opening/Tokyo.mp4", "opening[city=Tokyo]", clip="aaaaaaaaaa", **REJECTED),
    media("opening/Tokyo-take2.mp4", "opening[city=Tokyo]#2", take=2, clip="bbbbbbbbbb", **PICKED),
    media("opening/Paris-1.mp4", "opening[city=Paris]", clip="cccccccccc-1"),
    media("opening/Paris-2.mp4", "opening[city=Paris]", clip="cccccccccc-2", duration=6.5),
    media("closing.mp4", fps=25.0, clip="dddddddddd", **PICKED),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported clips, all of one content."""
    folder = tmp_path_factory.mktemp("cut")
    for one in EXPORTED:
        place = folder / one.name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(clip((320, 180)))
    return folder


def seconds(frames: Any) -> tuple[float, float]:
    return frames.duration.rate, frames.duration.to_seconds()


def test_otio_reads_every_take_and_which_is_active(folder: Path) -> None:
    (folder / "lamp.otio").write_text(otio_text("lamp", timeline_clips(EXPORTED)))

    timeline = otio.adapters.read_from_file(str(folder / "lamp.otio"))

    clips = list(timeline.find_clips())
    assert timeline.name == "lamp"
    assert [
        (
            one.name,
            {key: ref.target_url for key, ref in one.media_references().items()},
            one.active_media_reference_key,
            seconds(one.trimmed_range()),
        )
        for one in clips
    ] == [
        (
            "opening[city=Tokyo]",
            {"take 1": "opening/Tokyo.mp4", "take 2": "opening/Tokyo-take2.mp4"},
            "take 2",
            (24.0, 4.0),
        ),
        (
            "opening[city=Paris]",
            {"take 1 video 1": "opening/Paris-1.mp4", "take 1 video 2": "opening/Paris-2.mp4"},
            "take 1 video 1",
            (24.0, 4.0),
        ),
        ("closing", {"take 1": "closing.mp4"}, "take 1", (25.0, 4.0)),
    ]
    reference = clips[0].media_reference
    assert seconds(reference.available_range) == (24.0, 4.0)
    assert json.loads(otio.core.serialize_json_to_string(reference.metadata["veogen"])) == {
        "address": "opening[city=Tokyo]#2",
        "clip": "bbbbbbbbbb",
        "hash": EXPORTED[1].hash,
        "shot": "opening",
        "take": 2,
        "variables": {},
        "model": "veo-3.1-fast-generate-preview",
        "prompt": PROMPT,
        "credits": "38.016",
        "state": "picked",
        "verdicts": [{"by": "anna", "verdict": "pick", "note": "the one with rain"}],
        "width": 320,
        "height": 180,
        "audio": True,
    }


def test_otio_finds_the_files_beside_it(folder: Path) -> None:
    text = otio_text("lamp", timeline_clips(EXPORTED))

    timeline = otio.adapters.read_from_string(text, "otio_json")

    urls = [r.target_url for c in timeline.find_clips() for r in c.media_references().values()]
    assert [urlparse(url).scheme for url in urls] == [""] * 5
    assert all((folder / otio.url_utils.filepath_from_url(url)).is_file() for url in urls)


def test_what_otio_reads_it_writes_alike() -> None:
    text = otio_text("lamp", timeline_clips(EXPORTED))

    timeline = otio.adapters.read_from_string(text, "otio_json")

    again = json.loads(otio.adapters.write_to_string(timeline, "otio_json"))
    assert again == json.loads(text)


ACTIVE = [
    ("opening[city=Tokyo]", "opening/Tokyo-take2.mp4", (24.0, 4.0)),
    ("opening[city=Paris]", "opening/Paris-1.mp4", (24.0, 4.0)),
    ("closing", "closing.mp4", (24.0, 4.0)),
]


def test_an_edl_is_read_back_with_the_active_takes_on_reels_of_their_own() -> None:
    text = edl_text("lamp", timeline_clips(EXPORTED))

    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=24)

    clips = list(timeline.find_clips())
    assert timeline.name == "lamp"
    assert [
        (one.name, one.media_reference.target_url, seconds(one.trimmed_range())) for one in clips
    ] == ACTIVE
    assert [one.metadata["cmx_3600"]["reel"] for one in clips] == [
        "TOKYOTAK",
        "PARIS100",
        "CLOSING0",
    ]
    ends = [str(one.range_in_parent().end_time_exclusive().to_timecode()) for one in clips]
    assert ends == ["00:00:04:00", "00:00:08:00", "00:00:12:00"]


def test_final_cut_xml_is_read_back_with_its_format() -> None:
    text = xml_text("lamp", timeline_clips(EXPORTED))

    timeline = otio.adapters.read_from_string(text, "fcp_xml")

    clips = list(timeline.find_clips())
    assert timeline.name == "lamp"
    assert [
        (one.name, one.media_reference.target_url, seconds(one.trimmed_range())) for one in clips
    ] == ACTIVE
    sequence = timeline.metadata["fcp_xml"]["media"]["video"]["format"]["samplecharacteristics"]
    assert dict(sequence) == {
        "anamorphic": "FALSE",
        "fielddominance": "none",
        "height": "180",
        "pixelaspectratio": "square",
        "rate": {"ntsc": "FALSE", "timebase": "24"},
        "width": "320",
    }
    assert dict(clips[0].metadata["fcp_xml"]["logginginfo"]) == {
        "description": PROMPT,
        "lognote": "anna: the one with rain",
        "scene": "opening",
        "shottake": "2",
    }


@pytest.mark.parametrize(
    ("rates", "rate"),
    [
        pytest.param([24.0, 25.0, 25.0], 25.0, id="that of most"),
        pytest.param([23.976], 24000 / 1001, id="as exact as a timecode is"),
        pytest.param([8.0], 24.0, id="one that a timecode can count"),
        pytest.param([], 24.0, id="of nothing"),
    ],
)
def test_a_timeline_has_one_rate(rates: list[float], rate: float) -> None:
    clips = timeline_clips(media(f"{n}.mp4", fps=fps) for n, fps in enumerate(rates))

    assert timeline_rate(clips) == rate


def test_reels_are_eight_characters_and_never_two_alike() -> None:
    names = ["opening/Tokyo-noir-1.mp4", "closing/Tokyo-noir-2.mp4", "x/東京.mp4", "y/大阪.mp4"]
    clips = [TimelineClip(name, (media(name),)) for name in names * 6]

    found = list(reels(clips))

    assert found[:5] == ["TOKYONOI", "TOKYONO2", "CLIP0000", "CLIP0002", "TOKYONO3"]
    assert len(set(found)) == 24
    assert {len(reel) for reel in found} == {8}


@pytest.mark.parametrize(
    ("exported", "rating", "label"),
    [
        pytest.param(EXPORTED[1], 5, "picked", id="picked"),
        pytest.param(EXPORTED[0], -1, "rejected", id="rejected"),
        pytest.param(EXPORTED[2], None, "unreviewed", id="unreviewed"),
        pytest.param(media("a.mp4", state="contested"), None, "contested", id="contested"),
        pytest.param(media("a.mp4", state="stale"), 5, "stale", id="picked, of an earlier plan"),
    ],
)
def test_exiftool_reads_rating_label_shot_take_and_description(
    exported: Media, rating: int | None, label: str, tmp_path: Path
) -> None:
    path = tmp_path / sidecar_name(Path(exported.name).name)
    path.write_text(xmp_text(exported))

    done = subprocess.run(
        ["exiftool", "-json", "-XMP:all", path], capture_output=True, check=True, text=True
    )

    found = json.loads(done.stdout)[0]
    assert found.pop("SourceFile") == str(path)
    expected = {
        "Rating": rating,
        "Label": label,
        "Identifier": exported.clip,
        "ShotName": exported.shot,
        "TakeNumber": exported.take,
        "LogComment": "; ".join(exported.notes) or None,
        "Title": exported.address,
        "Description": PROMPT,
    }
    assert found == {name: value for name, value in expected.items() if value is not None}


def test_a_player_plays_the_whole_list(folder: Path) -> None:
    (folder / "lamp.m3u").write_text(m3u_text(EXPORTED))

    done = subprocess.run(
        ["mpv", "--no-config", "--vo=null", "--ao=null", "--length=0.1", "--untimed", "lamp.m3u"],
        cwd=folder,
        capture_output=True,
        check=True,
        text=True,
    )

    playing = [line for line in done.stdout.splitlines() if line.startswith("Playing: ")]
    assert playing == [f"Playing: {one.name}" for one in EXPORTED]
    assert m3u_text(EXPORTED).splitlines()[1] == "#EXTINF:4,opening[city=Tokyo]"


def test_nothing_is_a_timeline_too() -> None:
    for text, adapter in [
        (otio_text("lamp", ()), "otio_json"),
        (xml_text("lamp", ()), "fcp_xml"),
        (edl_text("lamp", ()), "cmx_3600"),
    ]:
        timeline = otio.adapters.read_from_string(text, adapter)
        assert (timeline.name, list(timeline.find_clips())) == ("lamp", [])


@given(
    st.lists(
        st.builds(
            media,
            st.from_regex(r"[a-zé東]{1,20}/[a-z0-9._-]{1,20}\.mp4", fullmatch=True),
            st.from_regex(r"[a-z]{1,9}(\[x=[^\]\x00-\x1f]{1,9}\])?(#2)?", fullmatch=True),
            fps=st.sampled_from([0.0, 8.0, 12.5, 23.976, 24.0, 25.0, 29.97, 30.0, 59.94, 120.0]),
            duration=st.floats(0, 3600),
            prompt=st.text(max_size=40),
            state=st.sampled_from(["picked", "rejected", "unreviewed"]),
            clip=st.from_regex(r"[0-9a-f]{10}(-[1-9])?", fullmatch=True),
        ),
        max_size=6,
        unique_by=lambda one: one.clip,
    )
)
@example([media("a/b.mp4", "a[x=\ufffe]", clip="0123456789")])  # no character of XML
@example([media("a/b.mp4", "a[x=0\u20280]", clip="0123456789")])  # a line of its own in an EDL
def test_whatever_is_exported_is_read_back_clip_by_clip(exported: list[Media]) -> None:
    clips = timeline_clips(exported)

    for text, adapter in [
        (otio_text("lamp", clips), "otio_json"),
        (xml_text("lamp", clips), "fcp_xml"),
        (edl_text("lamp", clips), "cmx_3600"),
    ]:
        options = {"rate": timeline_rate(clips)} if adapter == "cmx_3600" else {}
        timeline = otio.adapters.read_from_string(text, adapter, **options)
        urls = [clip.media_reference.target_url for clip in timeline.find_clips()]
        assert urls == [clip.active.name for clip in clips]
