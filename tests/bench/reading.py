"""How long a large spec takes to read, against the bare events of libyaml and PyYAML's loader.

    python tests/bench/reading.py [MEGABYTES]

Each candidate runs in a process of its own; times are CPU seconds, medians of five rounds in which
the candidates take turns. Memory is the peak of the process less what the empty one has.
"""

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

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

CANDIDATES: Mapping[str, str] = {
    "nothing": "pass",
    "libyaml's events (floor)": "for event in yaml.parse(raw, yaml.CLoader): pass",
    "veogen's reader, with places": "tree = read(raw, 'a.yaml'); tree['shots'][-1].place",
    "yaml.load(CSafeLoader)": "tree = yaml.load(raw, yaml.CSafeLoader)",
}
PROGRAM = """\
import resource, sys, time
import yaml
from veogen.document.reader import read
raw = sys.stdin.buffer.read()
start = time.process_time()
{statement}
spent = time.process_time() - start
print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
FLOOR, OURS, PEER = list(CANDIDATES)[1:]


@dataclass(frozen=True, slots=True)
class Measure:
    """Median CPU seconds and peak memory in MiB."""

    seconds: float
    mebibytes: float


def manifest(size: int) -> bytes:
    """A spec of about `size` bytes."""
    text, number = [HEAD], 0
    length = len(HEAD)
    while length < size:
        shot = SHOT.format(number=number, duration=4 + 2 * (number % 3), seed=number + 1)
        text.append(shot)
        length, number = length + len(shot), number + 1
    return "".join(text[:-1]).encode()


def run(statement: str, raw: bytes) -> Measure:
    program = PROGRAM.format(statement=statement)
    done = subprocess.run(
        [sys.executable, "-c", program], input=raw, capture_output=True, check=True
    )
    seconds, kibibytes = done.stdout.split()
    return Measure(float(seconds), int(kibibytes) / 1024)


def measure(size: int, rounds: int) -> dict[str, Measure]:
    """Every candidate's measure; the memory of the empty process is taken off."""
    raw = manifest(size)
    found: dict[str, list[Measure]] = {name: [] for name in CANDIDATES}
    for _ in range(rounds):
        for name, statement in CANDIDATES.items():
            found[name].append(run(statement, raw))
    base = statistics.median(one.mebibytes for one in found["nothing"])
    return {
        name: Measure(
            statistics.median(one.seconds for one in measures),
            statistics.median(one.mebibytes for one in measures) - base,
        )
        for name, measures in found.items()
        if name != "nothing"
    }


def table(size: int, rounds: int = 5) -> str:
    """The measures and their ratios, for people."""
    measures = measure(size, rounds)
    floor, ours, peer = (measures[name] for name in (FLOOR, OURS, PEER))
    return "\n".join(
        [
            f"{'':30} {'CPU s':>8} {'x floor':>8} {'MiB':>7}",
            *(
                f"{name:30} {one.seconds:8.3f} {one.seconds / floor.seconds:8.2f} "
                f"{one.mebibytes:7.0f}"
                for name, one in measures.items()
            ),
            (
                f"times faster than CSafeLoader: {peer.seconds / ours.seconds:.1f}, "
                f"of its memory: {ours.mebibytes / max(peer.mebibytes, 0.1):.2f}"
            ),
            (
                f"Python {platform.python_version()}, PyYAML {yaml.__version__}, "
                f"{platform.machine()}, {os.cpu_count()} cores"
            ),
        ]
    )


if __name__ == "__main__":
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    sys.stdout.write(f"{table(int(megabytes * 1_000_000))}\n")
