"""How long a large spec takes to read, against the bare events of libyaml and PyYAML's loader.

Times are CPU seconds of the reading alone, memory is the peak of the process less what one that
reads nothing has.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from bench.measuring import ROUNDS, Measure, Rounds, cpu, mebibytes, take_turns, versions
from bench.tables import Table

SHOT = """\
  # shot {number}
  - name: shot-{number:06d}
    prompt: >-
      A slow dolly through the market of stall {number}, lanterns swaying above the crowd,
      steam rising from bowls of noodles while rain drips from the awnings; the camera
      follows a courier in a yellow coat, handheld, shallow depth of field.
    negative_prompt: text, watermark, logo
    params:
      duration: {duration}
      quality: 1080p
      generate_audio: true
      seed: {seed}
    matrix:
      city: [Tokyo, Paris, "New York", Oslo]
      look:
        - {{id: noir, light: hard key light}}
        - {{id: pastel, light: soft window light}}
    vars: {{mood: quiet, tempo: 1.5, hero: "A courier"}}
    output: "{{{{ shot }}}}/{{{{ city }}}}"
"""
HEAD = "veogen: 1\nname: big\nparams: {aspect_ratio: 16:9, duration: 8}\nshots:\n"

NOTHING = "a process that reads nothing"
FLOOR = "libyaml's events (floor)"
OURS = "veogen's reader, with places"
PEER = "yaml.load(CSafeLoader)"
STATEMENTS: Mapping[str, str] = {
    NOTHING: "pass",
    FLOOR: "for event in yaml.parse(raw, yaml.CLoader): pass",
    OURS: "tree = read(raw, 'a.yaml'); tree['shots'][-1].place",
    PEER: "tree = yaml.load(raw, yaml.CSafeLoader)",
}
PROGRAM = """\
import resource, sys, time
import yaml
from veogen.document.reader import read
raw = open(sys.argv[1], "rb").read()
begun, start = time.perf_counter(), time.process_time()
{statement}
spent, wall = time.process_time() - start, time.perf_counter() - begun
print(spent, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def tables(*, small: bool) -> Iterator[Table]:
    size = 20_000 if small else 10_000_000
    rounds = measure(size, 1 if small else ROUNDS)
    base = rounds.median(NOTHING, mebibytes)
    memory = {name: rounds.median(name, mebibytes) - base for name in STATEMENTS}
    yield Table(
        f"Reading: a spec of {size / 1e6:g} MB",
        ("", "CPU s", "x floor", "MiB more"),
        [
            (
                name,
                f"{rounds.median(name, cpu):.3f}",
                f"{rounds.ratio(name, FLOOR, cpu):.2f}",
                f"{memory[name]:.0f}",
            )
            for name in (FLOOR, OURS, PEER)
        ],
        (
            f"{rounds.ratio(PEER, OURS, cpu):.1f} times faster than CSafeLoader.",
            f"{memory[OURS] / max(memory[PEER], 0.1):.2f} of the memory of CSafeLoader.",
            versions("PyYAML"),
        ),
    )


def manifest(size: int) -> bytes:
    """A spec of about `size` bytes."""
    text, number = [HEAD], 0
    length = len(HEAD)
    while length < size:
        shot = SHOT.format(number=number, duration=4 + 2 * (number % 3), seed=number + 1)
        text.append(shot)
        length, number = length + len(shot), number + 1
    return "".join(text[:-1]).encode()


def measure(size: int, rounds: int) -> Rounds[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "big.yaml")
        path.write_bytes(manifest(size))
        candidates = {name: partial(_run, text, path) for name, text in STATEMENTS.items()}
        return take_turns(candidates, rounds)


def _run(statement: str, path: Path) -> Measure:
    program = PROGRAM.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, check=True)
    spent, wall, kibibytes = map(float, done.stdout.split())
    return Measure(spent, wall, kibibytes / 1024)
