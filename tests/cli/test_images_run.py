"""Runs with first and last frames from local files, against the simulator over HTTP."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from support.galleries import picture
from support.project import Ended, Shell

from veogen.errors import ExitCode
from veogen.executor.journal import Journal
from veogen.executor.uploads import MARGIN
from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import Simulator, running

pytestmark = pytest.mark.slow

SPEC = """
veogen: 1
name: trip
params: {duration: 4, generation_type: FIRST&LAST, generate_audio: false}
shots:
  - name: boat
    prompt: A boat at {{ hour }}
    matrix: {hour: [dawn, noon, dusk]}
    params: {image_urls: ["images/{{ hour }}.png", images/night.png]}
"""
COLOURS = {"dawn": "pink", "noon": "white", "dusk": "pink", "night": "black"}  # three contents
KEY = "sk-evo-0123456789"


class Place:
    """A project and the gateway that it uses."""

    def __init__(self, shell: Shell, simulator: Simulator) -> None:
        self.shell = shell
        self.simulator = simulator

    def run(self, *words: str) -> Ended:
        return self.shell.veogen("run", "trip.yaml", "--yes", "--poll-interval", "0.1", *words)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        url = f"{self.simulator.files_url}/api/v1/files/{path}"
        answer = requests.request(method, url, headers=headers, timeout=10, **more).json()
        return answer["data"]

    @property
    def files(self) -> list[str]:
        """The names of the account's files, oldest first; no two uploads of ours share one."""
        found = self.ask("GET", "list?pageSize=100")["files"]
        return [file["file_name"] for file in reversed(found)]

    @property
    def sent(self) -> list[list[str]]:
        """The images of every request, as they were recorded before it was sent."""
        with Journal.read(self.shell.folder / "runs/trip/journal.db") as journal:
            records = [s.record for s in journal.ledger().planned]
        return [json.loads(r.last_submit.body)["image_urls"] for r in records if r.last_submit]

    def uploads_end(self) -> float:
        with Journal.read(self.shell.folder / "runs/trip/journal.db") as journal:
            return max(upload.expires_at or 0.0 for upload in journal.uploads().values())


Begin = Callable[[AccountSettings], Place]


@pytest.fixture
def begin(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Begin]:
    (tmp_path / "trip.yaml").write_text(SPEC)
    (tmp_path / "images").mkdir()
    for name, colour in COLOURS.items():
        (tmp_path / f"images/{name}.png").write_bytes(picture(colour=colour))
    with ExitStack() as stack:

        def begun(gateway: AccountSettings) -> Place:
            simulator = stack.enter_context(running(Options(generation_time=0.1, gateway=gateway)))
            environ = {
                "EVOLINK_API_KEY": KEY,
                "EVOLINK_BASE_URL": simulator.base_url,
                "EVOLINK_FILES_URL": simulator.files_url,
            }
            return Place(Shell(tmp_path, capfd, environ), simulator)

        yield begun


def test_each_content_is_uploaded_once_over_two_runs(begin: Begin) -> None:
    place = begin(AccountSettings())

    first = place.run("--select", "*dawn*")
    uploaded = len(place.files)
    second = place.run()

    assert (first.code, uploaded) == (ExitCode.DONE, 2)
    assert (second.code, len(place.files)) == (ExitCode.DONE, 3)
    dawn, noon, dusk = place.sent
    assert (dawn == dusk, dawn[1] == noon[1], len({*dawn, *noon})) == (True, True, 3)
    results = json.loads((place.shell.folder / "runs/trip/results.json").read_text())
    assert [line["status"] for line in results["results"]] == ["completed"] * 3
    assert place.simulator.audit()["submits"]["accepted"] == 3

    third = place.run()
    assert (third.code, len(place.files)) == (ExitCode.DONE, 3)


def test_uploads_that_are_about_to_expire_are_made_again(begin: Begin) -> None:
    place = begin(AccountSettings(files_expire=MARGIN + 4))
    place.run("--select", "*dawn*")
    assert len(place.files) == 2
    while time.time() < place.uploads_end() - MARGIN:
        time.sleep(0.05)

    again = place.run("--select", "*dusk*")

    assert (again.code, len(place.files)) == (ExitCode.DONE, 4)
    dawn, dusk = place.sent
    assert set(dawn).isdisjoint(dusk)


def test_a_full_account_is_cleared_of_our_own_uploads_only(begin: Begin) -> None:
    place = begin(AccountSettings(max_files=3))
    theirs = {"file": ("theirs.png", picture(colour="green"), "image/png")}
    place.ask("POST", "upload/stream", files=theirs)
    place.run("--select", "*dawn*")
    before = place.files

    ended = place.run("--select", "*noon*")

    assert len(before) == 3
    assert ended.code == ExitCode.DONE
    kept = place.files
    assert (kept[0], len(kept), len(set(before) & set(kept))) == ("theirs.png", 3, 2)
    dawn, noon = place.sent
    assert (dawn[1] == noon[1], dawn[0] == noon[0]) == (True, False)


def test_an_account_full_of_files_of_others_is_told_with_advice(begin: Begin) -> None:
    place = begin(AccountSettings(max_files=0))

    ended = place.run("--select", "*dawn*")

    assert ended.code == ExitCode.INCOMPLETE
    assert "an image could not be uploaded, it stays planned" in ended.err
    assert "delete some, or wait till they expire (40003)" in ended.err
    assert place.simulator.audit()["submits"]["accepted"] == 0
