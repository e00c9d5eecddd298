"""Every fault of the gateway against a real server in a process of its own that counts the bills.

Each case is a spec of three requests of which one meets the fault; the simulator finds it by a
word of its prompt. However it ends: billed once, delivered or named, the others untouched.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.gateways import KEY, Served, simulator
from support.project import Ended, Shell

from veogen.errors import ExitCode

pytestmark = pytest.mark.slow

DONE, INCOMPLETE = ExitCode.DONE, ExitCode.INCOMPLETE
STOPPED, HELD = ExitCode.STOPPED, ExitCode.INDETERMINATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault, and how the run and its request end; `posts` of it, `then` after another run.

    `patience` is that with a task, in seconds: only where a task never ends is it waited for.
    """

    fault: str
    code: ExitCode = DONE
    status: str = "completed"
    posts: int = 1
    billed: int = 1
    error: str | None = None
    then: tuple[ExitCode, str] = (DONE, "completed")
    again: tuple[str, ...] = ()
    patience: int = 60


OWN = "{at: submit, do: answer, status: %d, times: %d}"
PAGE = "{at: submit, do: answer, status: %d, body: html, times: 1}"
REPLAY = ("--on-indeterminate", "replay")
RETRY = ("--retry-failed",)


def unknown(fault: str, *, billed: int = 0, error: str | None = None) -> Case:
    """It may have been accepted: held, and taken at the replay."""
    return Case(
        fault=fault,
        code=HELD,
        status="indeterminate",
        billed=billed,
        error=error,
        again=REPLAY,
    )


def refused(fault: str, error: str) -> Case:
    return Case(fault=fault, code=INCOMPLETE, status="failed", billed=0, error=error, again=RETRY)


CASES: Mapping[str, Case] = {
    # a submit that was not taken is sent again with the same key
    "429": Case(fault="{at: submit, do: answer, status: 429, retry_after: 1, times: 2}", posts=3),
    "429-date": Case(
        fault="{at: submit, do: answer, status: 429, retry_after_date: 1, times: 1}", posts=2
    ),
    "503-own": Case(fault=OWN % (503, 2), posts=3),
    "500-own": Case(fault=OWN % (500, 1), posts=2),
    "502-own": Case(fault=OWN % (502, 1), posts=2),
    "504-own": Case(fault=OWN % (504, 1), posts=2),
    "500-own-twice": Case(
        fault=OWN % (500, 2), code=HELD, status="indeterminate", posts=2, billed=0, again=REPLAY
    ),
    # one that may have been taken is held
    "drop-before": unknown("{at: submit, do: drop, times: 1}"),
    "drop-after": unknown("{at: submit, do: drop, taken: true, times: 1}", billed=1),
    "hang-before": unknown("{at: submit, do: hang, seconds: 20, times: 1}"),
    "hang-after": unknown("{at: submit, do: hang, seconds: 20, taken: true, times: 1}", billed=1),
    "garbage-200": unknown(
        "{at: submit, do: answer, status: 200, body: garbage, taken: true, times: 1}", billed=1
    ),
    "html-200": unknown("{at: submit, do: answer, status: 200, body: html, times: 1}"),
    "no-id": unknown("{at: submit, do: no-id, taken: true, times: 1}", billed=1),
    "redirect": unknown(
        "{at: submit, do: answer, status: 302, location: https://example.com/, times: 1}"
    ),
    "408": unknown(OWN % (408, 1)),
    "409": unknown(OWN % (409, 1)),
    "500-page": unknown(PAGE % 500),
    "502-page": unknown(PAGE % 502),
    "503-page": unknown(PAGE % 503),
    "501": unknown(OWN % (501, 1)),
    "paid-unknown": unknown(
        "{at: submit, do: answer, status: 400, code: paid_outcome_unknown, times: 1}",
        error="paid_outcome_unknown",
    ),
    # one that is refused fails, and the others go on
    "400": refused(
        "{at: submit, do: answer, status: 400, code: invalid_parameters, times: 1}",
        "invalid_parameters",
    ),
    "413": refused(OWN % (413, 1), "request_too_large_error"),
    "422": refused("{at: submit, do: answer, status: 422, code: odd, times: 1}", "odd"),
    # one that no other would survive stops the batch and stays planned
    "401": Case(fault=OWN % (401, 1), code=STOPPED, status="planned", billed=0),
    "402": Case(fault=OWN % (402, 1), code=STOPPED, status="planned", billed=0),
    "403": Case(fault=OWN % (403, 1), code=STOPPED, status="planned", billed=0),
    "404": Case(fault=OWN % (404, 1), code=STOPPED, status="planned", billed=0),
    # a task ends only by a terminal state under its own id
    "poll-drop": Case(fault="{at: poll, do: drop, times: 2}"),
    "poll-500": Case(fault="{at: poll, do: answer, status: 500, body: html, times: 2}"),
    "poll-404": Case(fault="{at: poll, do: answer, status: 404, times: 2}"),
    "poll-garbage": Case(fault="{at: poll, do: answer, status: 200, body: garbage, times: 2}"),
    "poll-429": Case(fault="{at: poll, do: answer, status: 429, retry_after: 1, times: 1}"),
    "poll-wrong-id": Case(fault="{at: poll, do: wrong-id, times: 2}"),
    "poll-odd-state": Case(fault="{at: poll, do: unknown-state, state: dreaming, times: 2}"),
    "poll-no-links": Case(fault="{at: poll, do: no-links, times: 2}"),
    "poll-hang": Case(fault="{at: poll, do: hang, seconds: 20, times: 1}"),
    "poll-401": Case(
        fault="{at: poll, do: answer, status: 401, times: 1}", code=STOPPED, status="submitted"
    ),
    "stuck": Case(
        fault="{at: task, do: stuck, total: 1}",
        code=INCOMPLETE,
        status="submitted",
        then=(INCOMPLETE, "submitted"),
        patience=4,
    ),
    "never-links": Case(
        fault="{at: poll, do: no-links, times: 5}",
        code=INCOMPLETE,
        status="undelivered",
        error="no-links",
    ),
    # a task that failed: bought again if the reason passes
    "task-failed": Case(
        fault="{at: task, do: fail, code: service_error, total: 1}", posts=2, billed=2
    ),
    "task-refused": Case(
        fault="{at: task, do: fail, code: content_policy_violation, total: 1}",
        code=INCOMPLETE,
        status="failed",
        error="content_policy_violation",
        again=RETRY,
    ),
    "task-cancelled": Case(
        fault="{at: task, do: cancel, total: 1}",
        code=INCOMPLETE,
        status="failed",
        error="request_cancelled",
        again=RETRY,
    ),
    # a download is never answered by a new purchase
    "cut-off": Case(fault="{at: download, do: drop, after: 0.5, times: 2}"),
    "truncated": Case(fault="{at: download, do: truncated, after: 0.5, times: 2}"),
    "truncated-no-length": Case(
        fault="{at: download, do: truncated, after: 0.5, length: false, times: 2}"
    ),
    "corrupt": Case(fault="{at: download, do: corrupt, times: 2}"),
    "no-length": Case(fault="{at: download, do: no-length}"),
    "changed": Case(fault="{at: download, do: changed}"),
    "page-200": Case(fault="{at: download, do: answer, status: 200, body: html, times: 2}"),
    "link-403": Case(fault="{at: download, do: answer, status: 403, times: 2}"),
    "link-500": Case(fault="{at: download, do: answer, status: 500, times: 2}"),
    "link-dead": Case(
        fault="{at: download, do: answer, status: 410, times: 5}",
        code=INCOMPLETE,
        status="undelivered",
    ),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    faults = tmp_path_factory.mktemp("faults") / "faults.yaml"
    rows = [f"  - {{prompt: case-{n}-, {c.fault[1:]}" for n, c in enumerate(CASES.values())]
    account = "gateway: {clips: shared, concurrency: 64, estimated_time: 1}"
    faults.write_text("\n".join([account, "faults:", *rows]))
    with simulator(faults, generation_time=0.1) as served:
        yield served


@pytest.fixture
def shell(served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capfd, served.environ)


SPEC = """
veogen: 1
name: trip
params: {duration: 4}
shots:
  - name: city
    prompt: "{{ word }} NAME at dusk"
    matrix: {word: [before, meets, after]}
    overrides:
      - {when: {word: meets}, prompt: "{{ word }} case-NUMBER- at dusk"}
"""
RUN = (
    "run",
    "spec.yaml",
    "--yes",
    "--progress",
    "lines",
    "-v",
    "--poll-interval",
    "0.1",
    "--request-timeout",
    "2.5",
)


@pytest.mark.parametrize("name", CASES)
def test_a_fault_costs_nothing_twice_and_loses_nothing(
    name: str, shell: Shell, served: Served
) -> None:
    case, number = CASES[name], list(CASES).index(name)
    spec = SPEC.replace("NAME", name).replace("NUMBER", str(number))
    (shell.folder / "spec.yaml").write_text(spec)
    run = (*RUN, "--task-timeout", str(case.patience))

    first = shell.veogen(*run)
    line, bills = _line(shell), _bills(served, number)

    assert (ExitCode(first.code), line["status"]) == (case.code, case.status), first.err
    assert len(bills) == case.billed
    assert _posts(served, line["hash"]) == case.posts
    if case.error is not None:
        assert line["error"]["code"] == case.error
    if case.code != STOPPED:
        assert [other["status"] for other in _others(shell)] == ["completed", "completed"]

    second = shell.veogen(*run, *case.again)

    assert (ExitCode(second.code), _line(shell)["status"]) == case.then, second.err
    assert [other["status"] for other in _others(shell)] == ["completed", "completed"]
    assert (
        len([b for b in _bills(served, number) if b["status"] in ("completed", "processing")]) == 1
    )
    _assert_key_is_nowhere(shell, first, second)


_PAID = ("completed", "processing")


def _results(shell: Shell) -> list[dict[str, Any]]:
    path = shell.folder / "runs" / "trip" / "results.json"
    results: list[dict[str, Any]] = json.loads(path.read_text())["results"]
    return results


def _line(shell: Shell) -> dict[str, Any]:
    return next(line for line in _results(shell) if line["variables"]["word"] == "meets")


def _others(shell: Shell) -> list[dict[str, Any]]:
    return [line for line in _results(shell) if line["variables"]["word"] != "meets"]


def _bills(served: Served, number: int) -> list[dict[str, Any]]:
    return [bill for bill in served.audit()["billed"] if f"case-{number}-" in bill["prompt"]]


def _posts(served: Served, hash_: str) -> int:
    by_key = served.audit()["submits"]["by_key"]
    return sum(posts for key, posts in by_key.items() if hash_ in key)


def _assert_key_is_nowhere(shell: Shell, *ended: Ended) -> None:
    """The key is in no file, and in nothing that was said."""
    assert all(KEY not in said.out + said.err for said in ended)
    for path in shell.folder.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_the_host_of_the_videos_never_saw_the_key(served: Served) -> None:
    assert served.audit()["media"]["keys"] == {}
    assert served.audit()["duplicates"]["by_key"] == {}


def test_a_lost_task_is_shown_as_a_candidate_with_the_command_that_adopts_it(
    served: Served, shell: Shell
) -> None:
    number = list(CASES).index("drop-after")
    text = SPEC.replace("NAME", "candidate").replace("NUMBER", f"{number}-candidate")
    (shell.folder / "spec.yaml").write_text(text.replace("-candidate-", "- candidate"))
    first = shell.veogen(*RUN)
    bills = [b for b in _bills(served, number) if "candidate" in b["prompt"]]
    command = f"veogen resolve runs/trip --adopt 'city[word=meets]={bills[0]['task_id']}'"

    assert command in first.err

    adopted = shell.veogen(*shlex.split(command)[1:])
    collected = shell.veogen("collect", "--poll-interval", "0.1")

    assert (adopted.code, collected.code) == (ExitCode.DONE, ExitCode.DONE), collected.err
    assert _line(shell)["task_id"] == bills[0]["task_id"]
