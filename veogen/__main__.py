"""`python -m veogen`, and the console script."""

import sys

from veogen.errors import ExitCode


def main() -> None:
    """Run the command line; an interrupt while it is being imported is no bug either."""
    if sys.platform == "win32":  # locks, signals and limits of memory are those of POSIX
        sys.stderr.write("error: veogen runs on Linux and macOS; on Windows install it in WSL\n")
        sys.exit(ExitCode.USAGE)
    try:
        from veogen.cli import main as run  # noqa: PLC0415 - it takes long enough for a Ctrl-C
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
