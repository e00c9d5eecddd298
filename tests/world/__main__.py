"""Plays stories by their seeds: `python -m tests.world --seeds 1000`, or `--seed N` step by step."""

import argparse
import secrets
import sys
import time
from importlib import import_module
from pathlib import Path


def main() -> int:
    """Play, and exit 1 if anything was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.world")
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="play so many stories")
    parser.add_argument("--first", type=int, help="the first seed; default: a new one")
    parser.add_argument("--seed", type=int, help="play this one, step by step, and shrink it")
    parser.add_argument("--calls", action="store_true", help="with --seed: every call as well")
    parser.add_argument("--seconds", type=float, default=1e9, help="play for so long at most")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="in so many processes")
    parser.add_argument("--most", type=int, default=3, help="stop after so many that fail")
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    telling = import_module("world.telling")
    if arguments.seed is not None:
        return int(telling.replay(arguments.seed, print, calls=arguments.calls))
    first = secrets.randbelow(10**9) if arguments.first is None else arguments.first
    until = time.monotonic() + arguments.seconds
    return int(
        telling.play_seeds(
            range(first, first + arguments.seeds),
            print,
            goes_on=lambda: time.monotonic() < until,
            clock=time.monotonic,
            most=arguments.most,
            jobs=arguments.jobs,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
