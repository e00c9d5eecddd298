"""`veogen plan`: what it prints, in which form, and when it refuses."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.project import Ended, Shell

from veogen.cli.plan import PlanView, table
from veogen.document.reader import read
from veogen.planner.planner import plan
from veogen.spec.load import load_spec

SPEC = """\
veogen: 1
profiles: {draft: {params: {generate_audio: false}}}
shots:
  - name: opening
    prompt: |
      {{ city }} at {{ hour }},
      from above
    vars: {hour: dusk}
    matrix: {city: [Tokyo, New York]}
  - name: closing
    prompt: The end
    takes: 2
    params: {n: 2, duration: 8}
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/a.yaml").write_text(SPEC)
    return shell


def test_the_table_has_a_line_for_each_request_then_what_it_comes_to(shell: Shell) -> None:
    ended = shell.veogen("plan", "specs/a.yaml")

    assert ended == Ended(
        0,
        f"""\
a: specs/a.yaml (project root: {shell.folder})

address                   seconds  videos  credits  prompt
opening[city=Tokyo]             4       1   38.016  Tokyo at dusk, from above
opening[city="New York"]        4       1   38.016  New York at dusk, from above
closing                        16       2  152.064  The end
closing#2                      16       2  152.064  The end

All with model veo-3.1-fast-generate-preview, generate_audio true, quality 720p.

4 requests, 6 videos, 40 seconds: 380.160 credits, about $5.59
Estimated with prices of 2026-10-10, 68 credits to the dollar.
""",
        "specs/a.yaml:13:17: warning[takes-with-n]: 2 takes of 2 videos each: 4 videos\n",
    )


def test_the_table_says_what_images_are_for_and_the_body_only_what_was_written(
    shell: Shell,
) -> None:
    (shell.folder / "specs/a.yaml").write_text("""\
veogen: 1
shots:
  - {name: text, prompt: a boat}
  - {name: frames, prompt: a boat, params: {generation_type: FIRST&LAST, image_urls: ["https://a.example/1"]}}
  - {name: likeness, prompt: a boat, params: {image_urls: ["https://a.example/1", "https://a.example/2", "https://a.example/3"]}}
""")

    table = shell.veogen("plan", "specs/a.yaml")
    bodies = [request["request"] for request in as_json(shell)["requests"]]

    assert table.out.splitlines()[2:6] == [
        "address   seconds  credits  images        prompt",
        "text            4   38.016                a boat",
        "frames          4   38.016  1 FIRST&LAST  a boat",
        "likeness        4   38.016  3 REFERENCE?  a boat",
    ]
    assert table.err == (
        "specs/a.yaml:5:59: warning[reference-fixes]: without generation_type 3 images may be taken "
        "as REFERENCE: duration is 8 there, not 4 (likeness)\n"
    )
    assert ["generation_type" in body for body in bodies] == [False, True, False]


def results(shell: Shell, *lines: tuple[dict[str, Any], str, str | None]) -> None:
    """A manifest in the default run directory: requests, their status and error code."""
    written = [
        {
            **{name: request[name] for name in ("address", "hash", "shot", "take", "variables")},
            "status": status,
            "task_id": f"task-unified-{index}",
            "attempts": 1,
            "credits": "38.016",
            "error": None if code is None else {"code": code, "message": "no"},
            "videos": [
                {
                    "path": f"videos/{request['hash'][:10]}.mp4",
                    "sha256": "0" * 64,
                    "bytes": 1,
                    "duration": 4.0,
                    "width": 1280,
                    "height": 720,
                    "fps": 24.0,
                    "audio": True,
                    "warnings": [],
                }
            ]
            if status == "completed"
            else [],
        }
        for index, (request, status, code) in enumerate(lines)
    ]
    manifest = {"format": "veogen.results/1", "name": "a", "gateway": "evolink"}
    path = shell.folder / "runs/a/results.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**manifest, "results": written, "former": []}))


def as_json(shell: Shell, *words: str) -> Any:
    ended = shell.veogen("plan", "specs/a.yaml", "--format", "json", *words)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_what_is_held_already_is_told_and_not_bought_again(shell: Shell) -> None:
    first, second, third, _ = as_json(shell)["requests"]
    results(
        shell,
        (first, "completed", None),
        ({**second, "hash": "0" * 64}, "completed", None),
        (third, "failed", "content_policy_violation"),
    )

    data = as_json(shell)
    ended = shell.veogen("plan", "specs/a.yaml")

    assert [r["state"] for r in data["requests"]] == ["bought", "changed", "failed", "new"]
    assert data["totals"]["to_buy"] == "190.080"
    assert ended.out.splitlines()[2:6] == [
        "address                   seconds  videos  credits  state    prompt",
        "opening[city=Tokyo]             4       1   38.016  bought   Tokyo at dusk, from above",
        'opening[city="New York"]        4       1   38.016  changed  New York at dusk, from above',
        "closing                        16       2  152.064  failed   The end",
    ]
    assert ended.out.splitlines()[-1] == "A run would buy 2 requests for 190.080 credits."
    lines = shell.veogen("plan", "specs/a.yaml", "--format", "jsonl").out.splitlines()
    assert list(map(json.loads, lines)) == data["requests"]


def test_json_is_the_plan_of_the_contract(shell: Shell) -> None:
    data = as_json(shell, "--profile", "draft", "--select", "*York*")

    assert data == {
        "format": "veogen.plan/1",
        "name": "a",
        "spec": "specs/a.yaml",
        "profile": "draft",
        "totals": {
            "requests": 1,
            "videos": 1,
            "seconds": 4,
            "credits": "25.344",
            "usd": "0.37",
            "to_buy": "25.344",
        },
        "requests": [
            {
                "address": 'opening[city="New York"]',
                "hash": hashlib.sha256(
                    b'{"request":{"generate_audio":false,"model":"veo-3.1-fast-generate-preview",'
                    b'"prompt":"New York at dusk,\\nfrom above"},"take":1}'
                ).hexdigest(),
                "shot": "opening",
                "take": 1,
                "variables": {"city": "New York"},
                "output": "opening/New-York",
                "credits": "25.344",
                "state": "new",
                "request": {
                    "generate_audio": False,
                    "model": "veo-3.1-fast-generate-preview",
                    "prompt": "New York at dusk,\nfrom above",
                },
                "images": [],
            }
        ],
    }


def test_all_forms_say_the_same(shell: Shell) -> None:
    data = as_json(shell)

    lines = shell.veogen("plan", "specs/a.yaml", "--format", "jsonl").out.splitlines()
    yaml = shell.veogen("plan", "specs/a.yaml", "--format", "yaml").out

    assert list(map(json.loads, lines)) == data["requests"]
    assert read(yaml.encode(), "plan.yaml") == data


def test_several_specs_are_an_array(shell: Shell) -> None:
    (shell.folder / "specs/b.yaml").write_text("veogen: 1\nshots: [{name: s, prompt: x}]\n")
    (shell.folder / "specs/_base.yaml").write_text("veogen: 1\n")

    plans = json.loads(shell.veogen("plan", "specs", "--format", "json").out)
    lines = shell.veogen("plan", "specs", "--format", "jsonl").out.splitlines()

    assert [one["name"] for one in plans] == ["a", "b"]
    assert list(map(json.loads, lines)) == [*plans[0]["requests"], *plans[1]["requests"]]


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "yaml"])
def test_out_writes_what_would_be_printed(shell: Shell, format_: str) -> None:
    printed = shell.veogen("plan", "specs/a.yaml", "--format", format_).out

    ended = shell.veogen("plan", "specs/a.yaml", "--format", format_, "--out", "plan.txt")

    assert (ended.code, ended.out) == (0, "")
    assert (shell.folder / "plan.txt").read_text() == printed


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        pytest.param("plan.json", "json", id="json"),
        pytest.param("PLAN.JSON", "json", id="upper case"),
        pytest.param("plan.jsonl", "jsonl", id="jsonl"),
        pytest.param("plan.yaml", "yaml", id="yaml"),
        pytest.param("plan.yml", "yaml", id="yml"),
        pytest.param("plan.txt", "table", id="another"),
        pytest.param("json", "table", id="none"),
    ],
)
def test_the_name_of_the_output_says_its_format(shell: Shell, name: str, format_: str) -> None:
    printed = shell.veogen("plan", "specs/a.yaml", "--format", format_).out

    ended = shell.veogen("plan", "specs/a.yaml", "--out", name)

    assert (ended.code, ended.out) == (0, "")
    assert (shell.folder / name).read_text() == printed


def test_a_format_that_is_asked_for_counts_before_a_name(shell: Shell) -> None:
    printed = shell.veogen("plan", "specs/a.yaml").out

    shell.veogen("plan", "specs/a.yaml", "--format", "table", "--out", "plan.json")

    assert (shell.folder / "plan.json").read_text() == printed


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "yaml"])
def test_where_there_is_a_mistake_nothing_is_printed(shell: Shell, format_: str) -> None:
    (shell.folder / "specs/b.yaml").write_text('veogen: 1\nshots: [{name: s, prompt: "{{ y }}"}]\n')

    ended = shell.veogen("plan", "specs", "--format", format_, "--out", "plan.txt")
    printed = shell.veogen("plan", "specs", "--format", format_)

    line = (
        "specs/b.yaml:2:27: error[undefined]: 'y' is not defined (s); known here: shot, take, vars"
    )
    assert (ended.code, ended.out) == (2, "")
    assert line in ended.err.splitlines()
    assert not list(shell.folder.glob("*plan.txt*"))
    assert (printed.code, printed.out) == (2, "")


@pytest.mark.parametrize("format_", ["table", "jsonl"])
def test_an_estimate_over_the_teams_limits_is_refused(shell: Shell, format_: str) -> None:
    (shell.folder / "veogen.yaml").write_text("limits: {max_credits: 400}\n")
    (shell.folder / "specs/b.yaml").write_text("veogen: 1\nshots: [{name: s, prompt: x}]\n")

    ended = shell.veogen("plan", "specs", "--format", format_)

    assert (ended.code, ended.out) == (2, "")
    assert "418.176 credits are more than the limits allow: 400" in ended.err
    assert shell.veogen("plan", "specs/a.yaml", "--format", format_).code == 0


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "yaml"])
@pytest.mark.parametrize(
    ("out", "why"),
    [("none/plan", "No such file or directory"), ("specs/a.yaml/plan", "Not a directory")],
)
def test_an_output_that_cannot_be_written_is_a_mistake(
    shell: Shell, format_: str, out: str, why: str
) -> None:
    ended = shell.veogen("plan", "specs/a.yaml", "--format", format_, "--out", out)

    assert ended == Ended(2, "", f"error: {out}: it cannot be written: {why}\n")


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_an_output_may_be_a_link_or_a_pipe(shell: Shell, format_: str) -> None:
    plan_ = shell.veogen("plan", "specs/a.yaml", "--format", format_).out
    link, pipe = shell.folder / "link", shell.folder / "pipe"
    link.symlink_to("target")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    for out in ("link", "pipe"):
        assert shell.veogen("plan", "specs/a.yaml", "--format", format_, "--out", out).code == 0

    assert (link.is_symlink(), (shell.folder / "target").read_text()) == (True, plan_)
    assert (pipe.is_fifo(), os.read(reader, 1 << 16).decode()) == (True, plan_)
    os.close(reader)


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "yaml"])
def test_a_dash_is_stdout_and_a_file_of_that_name_can_be_written_too(
    shell: Shell, format_: str
) -> None:
    words = ("plan", "specs/a.yaml", "--format", format_)
    plan_ = shell.veogen(*words)

    assert shell.veogen(*words, "--out", "-") == plan_
    assert not (shell.folder / "-").exists()
    assert shell.veogen(*words, "--out", "./-") == Ended(0, "", plan_.err)
    assert (shell.folder / "-").read_text() == plan_.out


@pytest.mark.parametrize("format_", ["table", "jsonl"])
def test_a_full_disk_is_said_and_is_no_bug(shell: Shell, format_: str) -> None:
    words = [sys.executable, "-m", "veogen", "plan", "specs/a.yaml", "--format", format_]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            words, cwd=shell.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    told = "error: what was to be written found no room: No space left on device\n"
    assert (done.returncode, done.stderr) == (3, told)


def test_a_selection_that_is_none_is_refused(shell: Shell) -> None:
    ended = shell.veogen("plan", "specs/a.yaml", "--select", "openin*", "--deselect", "nothing")

    assert (ended.code, ended.out) == (2, "")
    assert "--deselect 'nothing' matches no address; the nearest are" in ended.err


def test_nothing_to_buy_is_said_and_is_an_amount_like_any_other(shell: Shell) -> None:
    held = [(request, "completed", None) for request in as_json(shell)["requests"]]
    results(shell, *held)

    assert as_json(shell)["totals"]["to_buy"] == "0.000"
    assert shell.veogen("plan", "specs/a.yaml").out.splitlines()[-1] == "A run would buy nothing."


@pytest.mark.parametrize("format_", ["table", "jsonl"])
def test_results_that_cannot_be_read_are_a_mistake_and_not_none(shell: Shell, format_: str) -> None:
    (shell.folder / "runs").mkdir()
    (shell.folder / "runs/a").symlink_to("/etc/passwd")

    assert shell.veogen("plan", "specs/a.yaml", "--format", format_) == Ended(
        2, "", "error: runs/a/results.json: it cannot be read: Not a directory\n"
    )


def test_results_that_are_a_pipe_are_not_waited_for(shell: Shell) -> None:
    (shell.folder / "runs/a").mkdir(parents=True)
    os.mkfifo(shell.folder / "runs/a/results.json")

    assert shell.veogen("plan", "specs/a.yaml") == Ended(
        2, "", "error: runs/a/results.json: it cannot be read: this is not a file\n"
    )


def test_addresses_are_read_from_a_file(shell: Shell) -> None:
    (shell.folder / "which.txt").write_text('opening[city="New York"]\n\nclosing#2\n')

    data = as_json(shell, "--select", "@which.txt")

    assert [r["address"] for r in data["requests"]] == ['opening[city="New York"]', "closing#2"]


LARGE = """\
veogen: 1
shots:
  - name: s
    prompt: "{{ a }} {{ b }} {{ c }}"
    matrix: {a: %s, b: %s, c: [x, y, z]}
"""


def test_a_large_plan_is_the_same_whichever_way_it_is_made(shell: Shell) -> None:
    numbers = list(range(60))
    (shell.folder / "specs/large.yaml").write_text(LARGE % (numbers, numbers))
    words = ("plan", "specs/large.yaml", "--format", "jsonl", "--max-requests", "20000")

    streamed = shell.veogen(*words)
    selected = shell.veogen(*words, "--select", "*")

    assert streamed.code == 0
    assert len(streamed.out.splitlines()) == 10_800
    assert streamed == selected


def test_duplicates_of_a_large_plan_are_reported(shell: Shell) -> None:
    numbers = list(range(60))
    text = LARGE.replace("{{ c }}", "{{ c | lower }}").replace("z]", "Y]")
    (shell.folder / "specs/large.yaml").write_text(text % (numbers, numbers))

    ended = shell.veogen("plan", "specs/large.yaml", "--format", "jsonl", "--max-requests", "20000")

    assert (ended.code, ended.out) == (2, "")
    assert "s[a=0,b=0,c=Y] is the same request as s[a=0,b=0,c=y]" in ended.err


@pytest.mark.parametrize("width", [60, 80, 132])
def test_the_table_fits_the_terminal(shell: Shell, width: int) -> None:
    spec = load_spec(shell.folder / "specs/a.yaml")
    shown = PlanView.of(plan(spec), None, shell.folder, spec.policy.models)

    rows = list(table(shown, spec.policy.models, width))[2:7]

    assert max(map(len, rows)) <= width
    assert 'York"]' in rows[2]  # both ends of an address are seen


def test_wide_letters_keep_the_table_within_the_terminal(shell: Shell) -> None:
    words = "夕暮れの街を、雨の中、赤い傘をさした女性がゆっくりと歩いていく。"
    (shell.folder / "specs/a.yaml").write_text(
        f"veogen: 1\nshots: [{{name: s, prompt: '{{{{ city }}}}{words}', matrix: {{city: [東京, Oslo]}}}}]\n"
    )
    spec = load_spec(shell.folder / "specs/a.yaml")
    shown = PlanView.of(plan(spec), None, None, spec.policy.models)

    assert list(table(shown, spec.policy.models, 60))[2:5] == [
        "address       seconds  credits  prompt",
        "s[city=東京]        4   38.016  東京夕暮れの街を、雨の中、…",
        "s[city=Oslo]        4   38.016  Oslo夕暮れの街を、雨の中、…",
    ]


def test_a_table_shows_what_cannot_be_seen(shell: Shell) -> None:
    (shell.folder / "specs/a.yaml").write_text(
        'veogen: 1\nshots: [{name: s, prompt: "safe\\u202egpj x\\u200by"}]\n'
    )

    [line] = [one for one in shell.veogen("plan", "specs/a.yaml").out.splitlines() if "safe" in one]

    assert line.endswith(r"safe\u202egpj x\u200by")


def test_nothing_is_asked_of_any_network(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)

    assert shell.veogen("plan", "specs/a.yaml").code == 0


def test_the_state_is_that_of_the_run_directory_that_is_meant(shell: Shell) -> None:
    first, second, *_ = as_json(shell)["requests"]
    results(shell, (first, "completed", None))
    for name in ("a.simulated", "elsewhere"):
        (shell.folder / "runs/a").rename(shell.folder / f"runs/{name}")
        results(shell, (first, "completed", None), (second, "completed", None))

    def states(*words: str) -> list[str]:
        return [request["state"] for request in as_json(shell, *words)["requests"]]

    lines = shell.veogen("plan", "specs/a.yaml", "--simulate", "--format", "jsonl").out
    assert states() == ["bought", "bought", "new", "new"]
    assert states("--simulate") == ["bought", "new", "new", "new"]
    assert [json.loads(line)["state"] for line in lines.splitlines()] == states("--simulate")
    assert states("--dir", "runs/elsewhere") == ["bought", "bought", "new", "new"]
    assert states("--dir", "runs/none") == ["new"] * 4


def test_a_directory_is_of_one_spec(shell: Shell) -> None:
    (shell.folder / "specs/b.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: x}]\n")

    assert shell.veogen("plan", "specs", "--dir", "runs/a") == Ended(
        2, "", "error: --dir takes one spec: several have a directory each\n"
    )


def test_the_table_shows_what_makes_prices_differ(shell: Shell) -> None:
    (shell.folder / "specs/a.yaml").write_text(
        "veogen: 1\n"
        "params: {duration: 8}\n"
        "shots:\n"
        '  - {name: s, prompt: "{{ shot }}", matrix: {quality: [720p, 4k]}}\n'
    )

    lines = shell.veogen("plan", "specs/a.yaml").out.splitlines()

    assert lines[2:7] == [
        "address          seconds  credits  quality  prompt",
        "s[quality=720p]        8   76.032  720p     s",
        "s[quality=4k]          8  177.915  4k       s",
        "",
        "All with model veo-3.1-fast-generate-preview, generate_audio true.",
    ]


def test_several_specs_end_with_what_they_come_to_together(shell: Shell) -> None:
    (shell.folder / "specs/b.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: x}]\n")

    assert shell.veogen("plan", "specs").out.endswith(
        "\nAll 2 specs: 5 requests, 7 videos, 44 seconds: 418.176 credits, about $6.15\n"
    )
