"""`veogen run` on a real terminal: the bar, Ctrl-C, and going on where it stopped."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pyte
import pytest
from support.gateways import Served, clean_environment, simulator

pytestmark = pytest.mark.slow

SPEC = """\
veogen: 1
name: night
params: {model: veo-3.1-fast-generate-preview, duration: 4}
shots:
  - name: street
    prompt: "{{ city }} at night"
    matrix: {city: [東京, 大阪, 京都, 札幌, 福岡, 那覇]}
"""
COMMAND = ["-m", "veogen", "run", "night.yaml", "--yes"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("night")
    (root / ".git").mkdir()
    (root / "night.yaml").write_text(SPEC)
    (root / "fast.yaml").write_text("gateway: {clips: shared, spread: 0}\n")
    return root


@pytest.fixture(scope="module")
def served(project: Path) -> Iterator[Served]:
    with simulator(project / "fast.yaml", generation_time=2) as served:
        yield served


class Sitting:
    """Somebody before a terminal in which a command runs."""

    def __init__(self, child: "pexpect.spawn[bytes]", columns: int) -> None:
        self.child = child
        self._screen = pyte.Screen(columns, 60)
        self._emulator = pyte.ByteStream(self._screen)

    def read_until(self, right: Callable[[str], bool]) -> str:
        """Read what comes until the screen is right."""
        while not right(self.text):
            self._emulator.feed(self.child.read_nonblocking(65536, timeout=30))
        return self.text

    def read_to_the_end(self) -> str:
        while True:
            try:
                self._emulator.feed(self.child.read_nonblocking(65536, timeout=30))
            except pexpect.EOF:
                return self.text

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip("\n")


@contextmanager
def sitting(project: Path, served: Served, columns: int, *words: str) -> Iterator[Sitting]:
    environ = {name: value for name, value in clean_environment(served).items() if name != "CI"}
    child: pexpect.spawn[bytes] = pexpect.spawn(
        sys.executable,
        [*COMMAND, *words],
        cwd=project,
        dimensions=(60, columns),
        env={**environ, "TERM": "xterm-256color", "PYTHONUTF8": "1"},
    )
    try:
        yield Sitting(child, columns)
    finally:
        child.close(force=True)


def test_a_run_can_be_left_and_taken_up_again(project: Path, served: Served) -> None:
    with sitting(project, served, 60, "--max-in-flight", "2") as person:
        person.read_until(lambda text: "2/6 " in text)
        person.child.sendintr()
        text = person.read_to_the_end()
        person.child.close()
        assert person.child.exitstatus == 130
    bars = [line for line in text.splitlines() if "/6 " in line]
    assert len(bars) == 1
    assert bars[0].startswith("2/6 █")
    assert "^C" not in text
    assert "東" in text

    with sitting(project, served, 40) as person:
        first = person.read_until(lambda text: "/6 " in text)
        text = person.read_to_the_end()
        person.child.close()
        assert person.child.exitstatus == 0
    assert not first.splitlines()[-1].startswith(("0/6", "1/6"))
    assert [line[:5] for line in text.splitlines() if "/6 " in line] == ["6/6 █"]


def test_a_log_of_ci_holds_lines_and_nothing_that_draws(project: Path, served: Served) -> None:
    command = [sys.executable, *COMMAND, "--dir", "ci", "--max-in-flight", "6"]
    ended = subprocess.run(
        command, cwd=project, capture_output=True, check=True, env=clean_environment(served)
    )

    assert ended.stdout == b""
    assert b"\r" not in ended.stderr
    assert b"\x1b" not in ended.stderr
    assert b"6 of 6 completed" in ended.stderr
    assert len(ended.stderr.splitlines()) <= 12


@pytest.mark.parametrize("columns", [1, 2])
def test_a_terminal_of_almost_no_width_stops_nothing(
    project: Path, served: Served, columns: int
) -> None:
    with sitting(project, served, columns, "--dir", f"narrow-{columns}") as person:
        person.read_to_the_end()
        person.child.close()

        assert person.child.exitstatus == 0


def test_nor_does_one_that_is_dragged_small_while_a_run_goes_on(
    project: Path, served: Served
) -> None:
    with sitting(project, served, 60, "--dir", "dragged", "--max-in-flight", "2") as person:
        person.read_until(lambda text: "/6 " in text)
        person.child.setwinsize(60, 1)
        person.read_to_the_end()
        person.child.close()

        assert person.child.exitstatus == 0
