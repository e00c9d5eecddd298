"""Every parameter reaches the wire exactly as written, and a wrong value never does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.gateways import WITNESS_KEY, Witness, witness
from support.project import Shell

from veogen.errors import ExitCode
from veogen.models.model import DEFAULT_MODEL, shipped

FRAME = "https://example.com/frame.png"

REACHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "model": ({"model": DEFAULT_MODEL}, {}),
    "image_urls": ({"image_urls": [FRAME, FRAME + "?2"]}, {}),
    "generation_type": ({"generation_type": "FIRST&LAST", "image_urls": [FRAME]}, {}),
    "reference": ({"generation_type": "REFERENCE", "image_urls": [FRAME], "duration": 8}, {}),
    "aspect_ratio": ({"aspect_ratio": "9:16"}, {}),
    "aspect_ratio auto": ({"aspect_ratio": "auto"}, {}),
    "generate_audio": ({"generate_audio": False}, {}),
    "duration": ({"duration": 6}, {}),
    "n": ({"n": 4}, {}),
    "quality": ({"quality": "4k", "duration": 8}, {}),
    "seed": ({"seed": 4294967295}, {}),
    "negative_prompt": ({}, {"negative_prompt": "text, watermark"}),
    "person_generation": ({"person_generation": "dont_allow"}, {}),
    "resize_mode": ({"resize_mode": "crop", "image_urls": [FRAME]}, {}),
    "callback_url": ({"callback_url": "https://example.com/hook?run=1"}, {}),
}

WRONG: dict[str, tuple[str, str]] = {
    "model": ("model: veo-9", "veo-9"),
    "image_urls": (f"image_urls: {FRAME}", "image_urls is a list"),
    "too many images": (f"image_urls: [{FRAME}, {FRAME}1, {FRAME}2, {FRAME}3]", "at most 3"),
    "generation_type": ("generation_type: VIDEO", "generation_type is one of"),
    "text with images": (f"{{generation_type: TEXT, image_urls: [{FRAME}]}}", "TEXT takes no"),
    "aspect_ratio": ("aspect_ratio: 4:3", "aspect_ratio is one of"),
    "generate_audio": ("generate_audio: no", "generate_audio is true or false, not 'no'"),
    "duration": ("duration: 5", "duration is one of 4, 6, 8, not 5"),
    "duration as text": ("duration: '8'", "duration is an integer, not '8'"),
    "n": ("n: 5", "n is at most 4, not 5"),
    "quality": ("quality: 480p", "quality is one of"),
    "seed": ("seed: 0", "seed is at least 1, not 0"),
    "a seed too large": ("seed: 4294967296", "seed is at most 4294967295"),
    "negative_prompt": ("negative_prompt: 5", "negative_prompt is a string, not 5"),
    "person_generation": ("person_generation: allow_all", "person_generation is one of"),
    "resize_mode": ("resize_mode: crop", "only with images"),
    "callback_url": ("callback_url: http://example.com", "callback_url is an https URL"),
    "a private callback": ("callback_url: https://10.0.0.1/", "public host"),
    "a misspelt name": ("durration: 8", "'durration' is not a request parameter"),
}


@pytest.fixture
def gateway() -> Iterator[Witness]:
    with witness() as record:
        yield record


@pytest.fixture
def shell(gateway: Witness, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capfd, gateway.environ)


def write(shell: Shell, params: str, **keys: Any) -> None:
    written = params if params.startswith("{") else f"{{{params}}}"
    shot = {"name": "boat", "prompt": "A boat at dusk", **keys}
    text = f"veogen: 1\nname: trip\nparams: {written}\nshots: [{json.dumps(shot)}]\n"
    (shell.folder / "trip.yaml").write_text(text)


def test_every_parameter_of_the_model_is_in_both_tables() -> None:
    known = set(shipped()[DEFAULT_MODEL].parameters)

    assert known - {"prompt"} <= set(REACHES)
    assert known - {"prompt"} <= set(WRONG)


@pytest.mark.parametrize("name", REACHES)
def test_a_parameter_reaches_the_wire_exactly_as_written(
    name: str, shell: Shell, gateway: Witness
) -> None:
    params, keys = REACHES[name]
    write(shell, json.dumps(params), **keys)

    ended = shell.veogen("run", "trip.yaml", "--yes", "--poll-interval", "0.05")

    body = {"model": DEFAULT_MODEL, "prompt": "A boat at dusk", **params, **keys}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert [submit.body for submit in gateway.submits] == [canonical.encode()]
    assert ended.code == ExitCode.DONE, ended.err


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_before_anything_is_sent(
    name: str, shell: Shell, gateway: Witness
) -> None:
    params, complaint = WRONG[name]
    write(shell, params)

    ended = shell.veogen("run", "trip.yaml", "--yes")

    assert ended.code == ExitCode.USAGE
    assert complaint in ended.err
    assert "trip.yaml:3:" in ended.err
    assert gateway.seen == []


SIBLINGS = sorted(name for name in shipped() if name.startswith("veo") and name != DEFAULT_MODEL)
RIGHT: dict[str, tuple[Any, dict[str, Any]]] = {
    "image_urls": ([FRAME], {}),
    "generation_type": ("FIRST&LAST", {"image_urls": [FRAME, FRAME]}),
    "aspect_ratio": ("9:16", {}),
    "generate_audio": (False, {}),
    "duration": (6, {}),
    "n": (2, {}),
    "quality": ("720p", {}),
    "seed": (1, {}),
    "negative_prompt": ("text", {}),
    "person_generation": ("dont_allow", {}),
    "resize_mode": ("pad", {"image_urls": [FRAME]}),
    "callback_url": ("https://example.com/hook", {}),
    "enhance_prompt": (False, {}),
}
NEVER = 0.5  # a value that no parameter takes


def rows(model: str) -> dict[str, dict[str, Any]]:
    """Parameters to try, by the name of the one that it is about."""
    names = shipped()[model].parameters.keys() - {"model", "prompt"}
    return {name: {name: RIGHT[name][0], **RIGHT[name][1]} for name in sorted(names)}


def write_shots(shell: Shell, model: str, shots: dict[str, dict[str, Any]]) -> None:
    lines = [
        json.dumps({"name": name.replace("_", "-"), "prompt": f"A boat, {name}", "params": params})
        for name, params in shots.items()
    ]
    head = f"veogen: 1\nname: trip\nparams: {{model: {model}}}\nshots:\n"
    (shell.folder / "trip.yaml").write_text(head + "".join(f"  - {line}\n" for line in lines))


@pytest.mark.parametrize("model", SIBLINGS)
def test_every_parameter_of_a_sibling_reaches_the_wire(
    model: str, shell: Shell, gateway: Witness
) -> None:
    tried = rows(model)
    write_shots(shell, model, tried)

    ended = shell.veogen("run", "trip.yaml", "--yes", "--poll-interval", "0.05")

    bodies = {json.loads(s.body)["prompt"]: json.loads(s.body) for s in gateway.submits}
    assert ended.code == ExitCode.DONE, ended.err
    assert bodies == {
        f"A boat, {name}": {"model": model, "prompt": f"A boat, {name}", **params}
        for name, params in tried.items()
    }


@pytest.mark.parametrize("model", SIBLINGS)
def test_every_wrong_value_of_a_sibling_is_told_at_its_line(
    model: str, shell: Shell, gateway: Witness
) -> None:
    tried = {name: {**params, name: NEVER} for name, params in rows(model).items()}
    others = [known for known in RIGHT if known not in tried]
    tried |= {name: {name: RIGHT[name][0]} for name in others}
    write_shots(shell, model, tried)

    ended = shell.veogen("validate", "trip.yaml")

    told = [line.split(":", 2) for line in ended.out.splitlines() if ": error[" in line]
    assert ended.code == shell.veogen("run", "trip.yaml", "--yes").code == ExitCode.USAGE
    assert [int(line) for _, line, _ in told] == list(range(5, 5 + len(RIGHT)))
    assert [name in text for name, (*_, text) in zip(tried, told, strict=True)] == [True] * 13
    assert gateway.seen == []


@pytest.mark.parametrize(
    ("prompt", "complaint"),
    [
        pytest.param("x" * 2001, "prompt is at most 2000 characters long, not 2001", id="too long"),
        pytest.param("{{ nothing }}", "'nothing' is not defined", id="undefined"),
        pytest.param("{% if false %}a boat{% endif %}", "empty", id="empty when rendered"),
        pytest.param(5, "prompt", id="a number"),
        pytest.param(None, "prompt", id="none"),
    ],
)
def test_a_wrong_prompt_is_refused_before_anything_is_sent(
    shell: Shell, gateway: Witness, prompt: object, complaint: str
) -> None:
    write(shell, "duration: 4", prompt=prompt)

    ended = shell.veogen("run", "trip.yaml", "--yes")

    assert ended.code == ExitCode.USAGE
    assert complaint in ended.err
    assert gateway.seen == []


def test_a_gateway_that_knows_only_what_is_documented_is_enough(
    shell: Shell, gateway: Witness
) -> None:
    write(shell, "duration: 4", matrix={"hour": ["dawn", "dusk"]}, prompt="A boat at {{ hour }}")

    ended = shell.veogen("run", "trip.yaml", "--yes", "--poll-interval", "0.05")

    manifest = json.loads((shell.folder / "runs/trip/results.json").read_text())
    assert ended.code == ExitCode.DONE
    assert manifest["gateway"] == "evolink"
    assert [line["status"] for line in manifest["results"]] == ["completed", "completed"]
    assert [line["credits"] for line in manifest["results"]] == [None, None]
    keys = [submit.headers["Idempotency-Key"] for submit in gateway.submits]
    assert len(set(keys)) == 2
    assert all(16 <= len(key) <= 96 for key in keys)
    for line in manifest["results"]:  # POSTs go out side by side
        assert sum(line["hash"] in key for key in keys) == 1
    assert {s.headers["Authorization"] for s in gateway.submits} == {f"Bearer {WITNESS_KEY}"}
    assert all("Authorization" not in download.headers for download in gateway.downloads)
    assert all(s.headers["User-Agent"].startswith("veogen/") for s in gateway.seen)
