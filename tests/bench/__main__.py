"""Runs the benches and prints their tables."""

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

BENCHES = (
    "reading",
    "planning",
    "peers",
    "starting",
    "holding",
    "makespan",
    "downloads",
    "journal",
    "cluster",
    "instructions",
)


def main() -> None:
    """Run all benches, or those named."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHES)}; default: all of them")
    parser.add_argument("--small", action="store_true", help="one round of next to nothing")
    arguments = parser.parse_args()
    unknown = set(arguments.name) - {*BENCHES}
    if unknown:
        parser.error(f"no bench is called {', '.join(sorted(unknown))}")
    sys.path.insert(0, str(Path(__file__).parents[1]))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # whoever installs veogen compiles it once
    measuring = import_module("bench.measuring")
    show(measuring.versions("veogen"), measuring.machine(), "")
    for name in arguments.name or BENCHES:
        for table in import_module(f"bench.{name}").tables(small=arguments.small):
            show(table)


def show(*lines: object) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
