"""The simulator is what EvoLink's own client takes for the gateway."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from customer import MODEL, Customer, eventually
from published_client import NotInstalledError, PublishedClient, asking, install
from test_uploads import PNG

from veogen.simulator.scenario import AccountSettings, Options, parse
from veogen.simulator.server import Simulator, running

pytestmark = pytest.mark.slow

FAULTS = parse(
    b"""
faults:
- {at: submit, do: answer, status: 402, prompt: broke}
- {at: submit, do: answer, status: 403, prompt: forbidden}
- {at: submit, do: answer, status: 503, prompt: busy, times: 1}
- {at: task, do: fail, code: content_policy_violation, prompt: celebrity}
- {at: task, do: fail, code: generation_timeout, prompt: crowd}
""",
    "faults",
).faults


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return install(tmp_path_factory.mktemp("npm"))
    except NotInstalledError as error:
        pytest.fail(f"this test needs node, npm and its registry: {error}", pytrace=False)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(Options(generation_time=0.2, faults=FAULTS)) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def client(entry: Path, simulator: Simulator) -> Iterator[PublishedClient]:
    with asking(entry, simulator) as client:
        yield client


def submitted(client: PublishedClient, prompt: str, **asked: object) -> str:
    """The id of a task that the client made."""
    said = client.call("generate_video", model=MODEL, prompt=prompt, **asked)
    found = re.search(r"^Task ID: (task-unified-\S+)$", said, re.MULTILINE)
    assert found, said
    return found[1]


def ended(client: PublishedClient, task_id: str) -> str:
    """What the client says of a task once it has ended."""
    return eventually(
        lambda: client.call("check_task", task_id=task_id),
        lambda said: "Task is still in progress" not in said,
    )


def test_it_submits_and_polls_to_completion(client: PublishedClient, simulator: Simulator) -> None:
    said = client.call("generate_video", model=MODEL, prompt="a boat", duration=8)
    task_id = said.splitlines()[1].removeprefix("Task ID: ")
    said_later = ended(client, task_id)

    link = simulator.media_url + f"/videos/{task_id}/1.mp4?"
    lines = said_later.splitlines()
    assert said.splitlines()[:5] == [
        "Video generation task submitted.",
        f"Task ID: {task_id}",
        "Status: pending",
        "Estimated time: ~1s",
        "Estimated cost: 76.032 credits (per_second)",
    ]
    assert lines[:6] == [
        f"Task ID: {task_id}",
        f"Model: {MODEL}",
        "Status: completed",
        "Progress: 100%",
        "Estimated cost: 76.032 credits (per_second)",
        "",
    ]
    assert lines[7].startswith(f"  [1] {link}")
    assert Customer(simulator).fetch(lines[7].split()[-1]).headers["Content-Type"] == "video/mp4"


def test_it_uploads_lists_and_deletes_files(entry: Path, tmp_path: Path) -> None:
    (tmp_path / "tower.png").write_bytes(PNG)
    data = base64.b64encode(PNG).decode()
    told = Options(gateway=AccountSettings(max_files=2))
    with running(told) as simulator, asking(entry, simulator) as client:
        streamed = client.call(
            "upload_file", file_path=str(tmp_path / "tower.png"), upload_path="a"
        )
        encoded = client.call("upload_file", base64_data=data, file_name="b.png")
        full = client.call("upload_file", base64_data=data)
        listed = client.call("list_files")
        file_id = re.findall(r"\[(file_\w+)\]", listed)[0]
        deleted = client.call("delete_file", file_id=file_id)
        left = client.call("list_files")

    assert f"File URL: {simulator.media_url}/files/a/tower.png" in streamed
    assert "Type: image/png" in encoded
    assert full == "File API error (40003): the quota of 2 files is used up"
    assert "Quota: 2/2 files used, 0 remaining [default]" in listed
    assert re.search(r"- b\.png \(0\.\d KB\) \[file_\w+\] uploaded \d{4}-", listed)
    assert deleted == f"File {file_id} deleted successfully. Quota slot freed."
    assert "Quota: 1/2 files used" in left


def test_an_uploaded_file_is_an_image_to_start_from(client: PublishedClient) -> None:
    said = client.call("upload_file", base64_data=base64.b64encode(PNG).decode())
    [image] = re.findall(r"^File URL: (.*)$", said, re.MULTILINE)

    assert "Status: completed" in ended(client, submitted(client, "a tower", image_urls=[image]))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(
            {"prompt": "x", "duration": 5},
            "[400] duration must be one of [4, 6, 8]",
            id="400",
        ),
        pytest.param({"prompt": "broke"}, "[402] no balance, or a limit on the key", id="402"),
        pytest.param({"prompt": "forbidden"}, "[403] the key may not use the model", id="403"),
        pytest.param(
            {"prompt": "x", "model": "kling-o3-text-to-video"},
            "[404] the model kling-o3-text-to-video does not exist",
            id="404",
        ),
    ],
)
def test_it_understands_refusals(
    client: PublishedClient, asked: dict[str, object], said: str
) -> None:
    assert client.call("generate_video", **{"model": MODEL, **asked}) == said


def test_it_comes_again_when_the_gateway_is_busy(client: PublishedClient) -> None:
    assert "Status: completed" in ended(client, submitted(client, "busy"))


@pytest.mark.parametrize(
    ("prompt", "code", "retryable"),
    [("a celebrity", "content_policy_violation", "No"), ("a crowd", "generation_timeout", "Yes")],
)
def test_it_understands_failed_tasks(
    client: PublishedClient, prompt: str, code: str, retryable: str
) -> None:
    said = ended(client, submitted(client, prompt))

    assert "Status: failed" in said
    assert f"Error code: {code}" in said
    assert f"Retryable: {retryable}" in said


def test_it_understands_that_a_task_is_not_there(client: PublishedClient) -> None:
    assert client.call("check_task", task_id="x") == "[400] this is not a task id"
    assert client.call("check_task", task_id="task-unified-1-a") == "[404] no such task"
