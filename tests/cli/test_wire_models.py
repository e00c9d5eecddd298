"""Every parameter of the models beside Veo on the wire as written; wrong values never leave.

The server is written from the gateway's documents alone and shares no code with the simulator.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.gateways import Witness, witness
from support.project import Shell

from veogen.errors import ExitCode
from veogen.models.model import shipped

pytestmark = pytest.mark.slow

FRAME, SOUND = "https://example.com/frame.png", "https://example.com/sound.mp3"
HOOK = "https://example.com/hook?run=1"
SHOTS = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [
        {"index": 1, "prompt": "A boat leaves", "duration": "2"},
        {"index": 2, "prompt": "A boat returns", "duration": "3"},
    ],
    "watermark_info": {"enabled": False},
}
MODELS = sorted(name for name in shipped() if not name.startswith("veo"))

NEEDED: dict[str, dict[str, Any]] = {
    "kling-v3-image-to-video": {"image_start": FRAME},
    "gemini-omni-1.1-flash-image-to-video": {"image_urls": [FRAME]},
    "seedance-2.5-image-to-video": {"image_urls": [FRAME]},
    "wan2.6-image-to-video": {"image_urls": [FRAME]},
    "wan2.6-image-to-video-flash": {"image_urls": [FRAME]},
}
"""What every request of a model has."""

RIGHT: dict[str, Any] = {
    "image_end": FRAME,
    "image_start": FRAME,
    "negative_prompt": "text, watermark",
    "sound": "on",
    "aspect_ratio": "9:16",
    "generate_audio": False,
    "content_filter": False,
    "output_format": "mov",
    "prompt_extend": False,
    "audio_url": SOUND,
    "draft": True,
    "callback_url": HOOK,
    "image_urls": [FRAME],
    "quality": "1080p",
    "duration": 5,
}
ITS_OWN: dict[tuple[str, str], Any] = {
    ("seedance-2.5-text-to-video", "duration"): -1,
    ("gemini-omni-flash-text-to-video", "duration"): "auto",
    ("seedance-2.5-text-to-video", "aspect_ratio"): "21:9",
    ("seedance-2.5-image-to-video", "aspect_ratio"): "adaptive",
    ("seedance-2.5-image-to-video", "image_urls"): [FRAME, FRAME + "?2"],
    ("seedance-2.5-text-to-video", "model_params"): {"web_search": True},
    ("kling-v3-text-to-video", "model_params"): SHOTS,
    ("kling-v3-image-to-video", "model_params"): {"element_list": [{"element_id": 7}]},
    ("wan2.6-text-to-video", "model_params"): {"shot_type": "multi"},
    ("wan2.6-image-to-video", "model_params"): {"shot_type": "multi"},
    ("wan2.6-image-to-video-flash", "model_params"): {"shot_type": "multi"},
}
WRONG: dict[str, Any] = {
    "model_params": {"unheard_of": 1},
    "negative_prompt": 5,
    "image_urls": FRAME,
    "image_start": [FRAME],
    "image_end": 5,
    "audio_url": True,
    "callback_url": "http://example.com/hook",
}


@pytest.fixture
def gateway() -> Iterator[Witness]:
    with witness() as record:
        yield record


@pytest.fixture
def shell(gateway: Witness, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capfd, gateway.environ)


def right(model: str) -> dict[str, dict[str, Any]]:
    """Parameters to try, by the name of the one that it is about."""
    names = shipped()[model].parameters.keys() - {"model", "prompt"}
    tried = {name: ITS_OWN.get((model, name), RIGHT.get(name)) for name in sorted(names)}
    return {name: {**NEEDED.get(model, {}), name: value} for name, value in tried.items()}


def write_shots(shell: Shell, model: str, shots: dict[str, dict[str, Any]]) -> None:
    lines = [
        json.dumps({"name": name.replace("_", "-"), "prompt": f"A boat, {name}", "params": params})
        for name, params in shots.items()
    ]
    head = f"veogen: 1\nname: trip\nparams: {{model: {model}}}\nshots:\n"
    (shell.folder / "trip.yaml").write_text(head + "".join(f"  - {line}\n" for line in lines))


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_reaches_the_wire_as_written(
    model: str, shell: Shell, gateway: Witness
) -> None:
    tried = right(model)
    write_shots(shell, model, tried)

    ended = shell.veogen("run", "trip.yaml", "--yes", "--poll-interval", "0.05")

    assert ended.code == ExitCode.DONE, ended.err
    sent = {json.loads(submit.body)["prompt"]: submit.body for submit in gateway.submits}
    assert sent == {
        f"A boat, {name}": json.dumps(
            {"model": model, "prompt": f"A boat, {name}", **params},
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode()
        for name, params in tried.items()
    }


@pytest.mark.parametrize("model", MODELS)
def test_every_wrong_value_is_told_at_its_line_before_anything_is_sent(
    model: str, shell: Shell, gateway: Witness
) -> None:
    wrong = {name: {**params, name: WRONG.get(name, 0.5)} for name, params in right(model).items()}
    write_shots(shell, model, wrong)

    ended = shell.veogen("validate", "trip.yaml")

    told = [line.split(":", 2) for line in ended.out.splitlines() if ": error[" in line]
    assert ended.code == shell.veogen("run", "trip.yaml", "--yes").code == ExitCode.USAGE
    assert sorted({int(line) for _, line, _ in told}) == list(range(5, 5 + len(wrong)))
    for name, line in zip(wrong, range(5, 5 + len(wrong)), strict=True):
        assert any(int(at) == line and name in text for _, at, text in told), (name, told)
    assert gateway.seen == []


@pytest.mark.parametrize("model", MODELS)
def test_a_prompt_that_is_too_long_is_refused(model: str, shell: Shell, gateway: Witness) -> None:
    limit = shipped()[model].parameters["prompt"].max_length
    longest = limit or 12_000
    params = {**NEEDED.get(model, {}), "duration": 5}
    shot = {"name": "boat", "prompt": "\U0001f6a2" * (longest // 2), "params": params}
    text = f"veogen: 1\nname: trip\nparams: {{model: {model}}}\nshots: [{json.dumps(shot, ensure_ascii=False)}]\n"
    (shell.folder / "trip.yaml").write_text(text)
    fits = shell.veogen("validate", "trip.yaml")
    (shell.folder / "trip.yaml").write_text(text.replace('"prompt": "', '"prompt": "xx'))

    longer = shell.veogen("validate", "trip.yaml")

    assert fits.code == ExitCode.DONE, fits.out
    assert longer.code == (ExitCode.DONE if limit is None else ExitCode.USAGE)
    if limit is not None:
        assert f"prompt is at most {limit} characters long, not {limit + 2}" in longer.out
    assert gateway.seen == []


def test_a_frame_that_is_no_image_is_refused_before_anything_is_sent(
    shell: Shell, gateway: Witness
) -> None:
    (shell.folder / "frame.png").write_bytes(b"no image")
    text = "veogen: 1\nparams: {model: kling-v3-image-to-video, image_start: frame.png}\n"
    (shell.folder / "trip.yaml").write_text(f"{text}shots: [{{name: boat}}]\n")

    ended = shell.veogen("run", "trip.yaml", "--yes")

    assert ended.code == ExitCode.USAGE
    assert "'frame.png' is not a JPEG, PNG or WebP file by its bytes" in ended.err
    assert gateway.seen == []
