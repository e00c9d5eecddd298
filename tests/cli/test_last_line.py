"""What a command says of money at its end."""

from pathlib import Path

import pytest
from support.project import Ended, Shell

from veogen.errors import ExitCode
from veogen.simulator.scenario import Options, parse
from veogen.simulator.server import running

SPEC = """
veogen: 1
name: trip
params: {duration: 4}
shots: [{name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}]
"""


def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], faults: str) -> Ended:
    (tmp_path / "trip.yaml").write_text(SPEC)
    scenario = parse(f"gateway: {{clips: shared}}\n{faults}".encode(), "faults.yaml")
    options = Options(generation_time=0.1, gateway=scenario.gateway, faults=scenario.faults)
    with running(options) as simulator:
        environ = {
            "EVOLINK_API_KEY": "sk-evo-0123456789",
            "EVOLINK_BASE_URL": simulator.base_url,
            "EVOLINK_FILES_URL": simulator.files_url,
        }
        words = ("--yes", "--poll-interval", "0.1", "--task-retries", "1", "--progress", "lines")
        return Shell(tmp_path, capfd, environ).veogen("run", "trip.yaml", *words)


SAYS = "76.032 credits reserved or charged so far"


@pytest.mark.parametrize(
    ("faults", "code", "says"),
    [
        pytest.param("faults: []", ExitCode.DONE, f"2 videos. {SAYS}. runs/", id="bought"),
        pytest.param(
            "faults: [{at: task, do: fail, code: content_filter, prompt: dusk}]",
            ExitCode.INCOMPLETE,
            f"1 video. {SAYS} (38.016 of failed tasks, which the gateway returns). runs/",
            id="failed",
        ),
        pytest.param(
            "faults: [{at: task, do: fail, code: service_error, prompt: dusk, total: 1}]",
            ExitCode.DONE,
            "2 videos. 114.048 credits reserved or charged so far"
            " (38.016 of failed tasks, which the gateway returns). runs/",
            id="bought again",
        ),
        pytest.param(
            "faults: [{at: submit, do: drop, taken: true, prompt: dusk}]",
            ExitCode.INDETERMINATE,
            "1 video. 38.016 credits reserved or charged so far;"
            " indeterminate requests may have cost 38.016 more. runs/",
            id="held, and billed",
        ),
        pytest.param(
            "faults: [{at: submit, do: drop, prompt: dusk}]",
            ExitCode.INDETERMINATE,
            "1 video. 38.016 credits reserved or charged so far;"
            " indeterminate requests may have cost 38.016 more. runs/",
            id="held, and not billed",
        ),
    ],
)
def test_the_last_line_tells_the_credits(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], faults: str, code: ExitCode, says: str
) -> None:
    ended = run(tmp_path, capfd, faults)

    assert (ended.code, says in ended.err) == (code, True), ended.err
    certain = says.partition(". ")[2].partition(" credits")[0]
    assert f"completed, {certain} credits" in ended.err.replace("1 failed, ", "").replace(
        "1 indeterminate, ", ""
    ), "what progress said last"


def test_what_is_paid_once_more_is_told_without_what_turns_a_terminal_around(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trip.yaml").write_text(SPEC.replace("[dawn, dusk]", '["dusk\\u202e"]'))
    scenario = parse(b"faults: [{at: task, do: fail, code: content_filter}]", "faults.yaml")
    with running(Options(generation_time=0.1, faults=scenario.faults)) as simulator:
        environ = {"EVOLINK_API_KEY": "sk-evo-0123456789", "EVOLINK_BASE_URL": simulator.base_url}
        shell = Shell(tmp_path, capfd, environ)
        shell.veogen("run", "trip.yaml", "--yes", "--poll-interval", "0.1")

        ended = shell.veogen("resolve", "runs/trip", "--rebuy", "*")

    assert "38.016 credits paid so far; buying it anew for 38.016 credits" in ended.err
    assert "\u202e" not in ended.err
