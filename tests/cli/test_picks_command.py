"""`veogen picks`: what was decided, what is open, and how files of galleries come home."""

import json
from pathlib import Path

import pytest
from support.galleries import Shown, make_run
from support.project import Ended, Shell

from veogen.results.picks import Decision, clip_id, picks_text

TOKYO = Shown(values={"city": "Tokyo"}, prompt="The lamp in Tokyo.")
PARIS = Shown(values={"city": "Paris"}, prompt="The lamp in Paris.")
PAIR = Shown(shot="pair", values={}, prompt="Two at once.", videos=2)
FAILED = Shown(shot="closing", values={}, prompt="No clip.", end="failed")
OLD = Shown(values={"city": "Tokyo"}, prompt="The lamp in Tokyo at noon.")

RUN = "runs/trip.simulated"
FILE = "specs/journey.simulated.picks.anna.yaml"


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A practice run of a spec whose file has another name than the spec."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/journey.yaml").write_text(
        "veogen: 1\nname: trip\nshots: [{name: a, prompt: A.}]\n"
    )
    make_run(tmp_path / RUN, [TOKYO, PARIS, PAIR, FAILED], former=[OLD])
    return Shell(tmp_path, capsys, {})


def line(shown: Shown, verdict: str, note: str = "", index: int = 0) -> Decision:
    clip = clip_id(shown.entry.hash, index, shown.videos)
    return Decision(shown.entry.address, clip, "pick" if verdict == "pick" else "reject", note)


def write(shell: Shell, name: str, *lines: Decision) -> Path:
    place = shell.folder / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(picks_text(lines))
    return place


def test_all_clips_are_listed_with_what_everybody_says(shell: Shell) -> None:
    write(shell, FILE, line(TOKYO, "pick", "with rain"), line(OLD, "pick"))
    write(shell, FILE.replace("anna", "ben"), line(TOKYO, "reject"), line(PAIR, "pick", index=1))

    ended = shell.veogen("picks", RUN)

    clips = [clip_id(one.entry.hash) for one in (TOKYO, PARIS, PAIR, OLD)]
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"opening[city=Tokyo]  {clips[0]}    contested   anna picks: with rain; ben rejects",
        f"opening[city=Paris]  {clips[1]}    unreviewed",
        f"pair                 {clips[2]}-1  unreviewed",
        f"pair                 {clips[2]}-2  picked      ben picks",
        f"opening[city=Tokyo]  {clips[3]}    stale       anna picks (the clip left the plan)",
        "",
        "5 clips: 1 picked, 1 contested, 1 stale, 2 unreviewed, 2 shots without a pick",
        "opening: no clip is picked yet",
        "closing: no clip is picked yet",
    ]


def test_the_same_as_json(shell: Shell) -> None:
    write(shell, FILE, line(PAIR, "pick", "both\nlines", index=1))

    told = json.loads(shell.veogen("picks", RUN, "--format", "json").out)

    pair = PAIR.entry
    assert told[2:] == [
        {
            "address": "pair",
            "clip": f"{pair.hash[:10]}-1",
            "path": pair.paths[0],
            "state": "unreviewed",
            "verdicts": [],
        },
        {
            "address": "pair",
            "clip": f"{pair.hash[:10]}-2",
            "path": pair.paths[1],
            "state": "picked",
            "verdicts": [{"by": "anna", "verdict": "pick", "note": "both\nlines"}],
        },
    ]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        pytest.param([], 5, id="nothing picked"),
        pytest.param([line(TOKYO, "pick")], 5, id="a shot without a pick"),
        pytest.param([line(TOKYO, "pick"), line(PAIR, "pick")], 0, id="each shot has one"),
        pytest.param(
            [line(TOKYO, "pick"), line(PAIR, "pick"), line(OLD, "pick")], 5, id="a stale one"
        ),
        pytest.param(
            [line(TOKYO, "pick"), line(PAIR, "pick"), line(OLD, "reject")], 0, id="an old reject"
        ),
    ],
)
def test_check_exits_with_5_while_something_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[Decision], code: int
) -> None:
    (tmp_path / "veogen.yaml").touch()
    make_run(tmp_path / "runs/trip", [TOKYO, PARIS, PAIR], former=[OLD])
    shell = Shell(tmp_path, capsys, {})
    write(shell, "trip.simulated.picks.anna.yaml", *lines)

    assert shell.veogen("picks", "runs/trip", "--check").code == code


def test_an_imported_file_is_put_beside_the_spec_line_by_line(shell: Shell) -> None:
    write(shell, FILE, line(TOKYO, "pick", "old"), line(PARIS, "reject"))
    saved = write(
        shell,
        "Downloads/journey.simulated.picks.anna (2).yaml",
        line(PAIR, "pick"),
        line(TOKYO, "reject", "new"),
    )
    other = write(shell, "Downloads/journey.simulated.picks.ben.yaml", line(PARIS, "pick"))

    ended = shell.veogen("picks", RUN, "--import", saved, "--import", other)

    assert ended.err.splitlines() == [
        f"{FILE}: written, 3 clips",
        f"{FILE.replace('anna', 'ben')}: written, 1 clip",
    ]
    assert (shell.folder / FILE).read_text() == picks_text(
        [line(TOKYO, "reject", "new"), line(PARIS, "reject"), line(PAIR, "pick")]
    )
    again = shell.veogen("picks", RUN, "--import", other)
    assert again.err == f"{FILE.replace('anna', 'ben')}: nothing new, 1 clip\n"


def test_the_names_of_saved_files_tell_which_run_they_are_about(shell: Shell) -> None:
    make_run(shell.folder / "runs/trip.final.simulated", [TOKYO])
    make_run(shell.folder / "runs/other.simulated", [TOKYO], name="other")
    saved = write(shell, "Downloads/journey.final.simulated.picks.ben.yaml", line(TOKYO, "pick"))

    ended = shell.veogen("picks", "--import", saved)

    assert ended.err == "specs/journey.final.simulated.picks.ben.yaml: written, 1 clip\n"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        pytest.param(
            "trip.picks.anna.yaml",
            picks_text([]),
            "the name of a picks file of this run is journey.simulated.picks.NAME.yaml",
            id="of another run",
        ),
        pytest.param(
            "journey.simulated.picks.anna.yaml",
            "format: veogen.picks/1\n",
            "error[missing-key]: a picks file needs 'picks'",
            id="half a file",
        ),
    ],
)
def test_nothing_is_imported_where_one_file_is_wrong(
    shell: Shell, name: str, text: str, why: str
) -> None:
    good = write(shell, "Downloads/journey.simulated.picks.ben.yaml", line(PARIS, "pick"))
    wrong = shell.folder / "Downloads" / name
    wrong.write_text(text)

    ended = shell.veogen("picks", RUN, "--import", good, "--import", wrong)

    assert ended.code == 2
    assert why in ended.err
    assert [path.name for path in (shell.folder / "specs").iterdir()] == ["journey.yaml"]


def test_where_nobody_has_decided_it_is_said_what_to_do(shell: Shell) -> None:
    ended = shell.veogen("picks", RUN)

    assert ended.out.splitlines()[-1] == (
        f"Nobody has decided anything: look at veogen gallery {RUN}, save your picks, and type: "
        f"veogen picks {RUN} --import journey.simulated.picks.NAME.yaml"
    )


def test_status_tells_where_the_choosing_stands(shell: Shell) -> None:
    assert "picks:" not in shell.veogen("status", RUN).out
    write(shell, FILE, line(TOKYO, "pick"))

    assert (
        "picks: 4 clips: 1 picked, 3 unreviewed, 2 shots without a pick\n"
        in shell.veogen("status", RUN).out
    )

    (shell.folder / FILE).write_text("picks: 1\n")
    assert f"picks: {FILE}:1:1: error[missing-key]" in shell.veogen("status", RUN).out


def test_a_picks_file_is_no_spec(shell: Shell) -> None:
    write(shell, FILE, line(TOKYO, "pick"))

    assert shell.veogen("validate", "specs") == Ended(0, "", "1 spec: no mistakes\n")
