"""What another machine sent, sent again: its own bytes, if they are what this plan makes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.images import FileGateway, Project, shot
from support.stores import MemoryObjects, StoreTimeOfTests
from support.virtual import plan, statuses

from veogen.errors import ExitCode
from veogen.executor.decisions import Resolution
from veogen.executor.joining import StoreChoice
from veogen.executor.replays import is_body_of
from veogen.executor.run import Dependencies
from veogen.gateway.api import Submission
from veogen.models.parameters import Json
from veogen.planner.identity import canonical
from veogen.planner.plan import Request
from veogen.store.location import StoreLocation
from veogen.store.opening import Store
from veogen.store.signs import Patience

FILES = "https://files-api.example"
TOKYO = shot("Tokyo", "red", "blue")
URLS = ["https://files.example/file-1", "https://files.example/file-2"]


class KilledError(BaseException):
    """The machine is gone."""


class Machine(Project):
    """A machine with the project, whose gateway serves files from a host of their own."""

    files_url = FILES

    def dependencies(self) -> Dependencies:
        return replace(super().dependencies(), files_url=self.files_url)


class Deadly(FileGateway):
    """Whoever posts first is gone, and nobody knows what became of it."""

    def submit(self, body: bytes, key: str) -> Submission:
        if not self.submits:
            self.submits.append((key, body.decode()))
            raise KilledError
        return super().submit(body, key)


@pytest.fixture
def bob(tmp_path: Path) -> Machine:
    """A machine that comes when the one that sent the request is silent, and holds it."""
    time = StoreTimeOfTests()
    store = Store(MemoryObjects(time), StoreLocation("s3", "clips", ""), time, Patience())
    machines = []
    for name in ("ada", "bob"):
        (tmp_path / name).mkdir()
        machine = Machine(tmp_path / name / "run", time, store=StoreChoice(store=store, run="trip"))
        machines.append(machine)
    ada, bob = machines
    ada.gateway = bob.gateway = Deadly(time)
    with pytest.raises(KilledError):
        ada.run(plan(TOKYO))
    time.sleep(360.0)
    assert statuses(bob.run(plan(TOKYO))) == {TOKYO.address: "indeterminate"}
    return bob


def test_the_very_bytes_of_the_claim_are_sent_again(bob: Machine) -> None:
    outcome = bob.decide(Resolution("replay", TOKYO.address))

    [first, again] = bob.sent
    assert again == first
    assert len(bob.gateway.uploaded) == 2
    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, {TOKYO.address: "submitted"})


def test_images_at_another_host_are_uploaded_anew_and_sent_with_the_same_key(bob: Machine) -> None:
    bob.files_url = "https://files.elsewhere"

    outcome = bob.decide(Resolution("replay", TOKYO.address))

    [first, again] = bob.sent
    assert again[0] == first[0]
    images = json.loads(again[1])["image_urls"]
    assert images == [f"https://files.example/file-{number}" for number in (3, 4)]
    assert statuses(outcome) == {TOKYO.address: "submitted"}


def test_without_its_images_nothing_is_sent(bob: Machine) -> None:
    bob.files_url = "https://files.elsewhere"
    (bob.root / "red.png").unlink()
    said: list[str] = []

    outcome = bob.decide(Resolution("replay", TOKYO.address), say=said.append)

    assert len(bob.sent) == 1
    assert outcome.code == ExitCode.INDETERMINATE
    assert any("an image could not be uploaded" in line for line in said)


def sent(body: Request = TOKYO, urls: list[str] | None = None, **more: Json) -> str:
    changed: dict[str, Json] = {**body.body, "image_urls": list(urls or URLS), **more}
    return canonical(changed).decode()


@pytest.mark.parametrize(
    ("body", "files_url", "is_ours"),
    [
        pytest.param(sent(), FILES, True, id="files served by a host of their own"),
        pytest.param(sent(), "https://files.example", True, id="files served by the same host"),
        pytest.param(sent(callback_url="https://x/1"), FILES, True, id="a callback is no part"),
        pytest.param(sent(), "https://files.example:8443", False, id="another port"),
        pytest.param(sent(), "http://files.example", False, id="another scheme"),
        pytest.param(sent(urls=["https://evil.example/1", URLS[1]]), FILES, False, id="elsewhere"),
        pytest.param(sent(urls=["https://[/1", URLS[1]]), FILES, False, id="no address"),
        pytest.param(sent(urls=URLS[:1]), FILES, False, id="an image is missing"),
        pytest.param(sent(urls=[*URLS, URLS[0]]), FILES, False, id="an image too many"),
        pytest.param(sent(prompt="another"), FILES, False, id="another prompt"),
        pytest.param(sent(quality="4k"), FILES, False, id="another parameter"),
        pytest.param(sent(shot("Oslo", "red", "blue")), FILES, False, id="another request"),
        pytest.param("[]", FILES, False, id="no object"),
        pytest.param("{", FILES, False, id="no JSON"),
        pytest.param("[" * 100_000, FILES, False, id="too deep"),
    ],
)
def test_a_body_of_a_claim_is_sent_only_if_the_plan_makes_it(
    body: str, files_url: str, *, is_ours: bool
) -> None:
    assert is_body_of(body, TOKYO, files_url) is is_ours
