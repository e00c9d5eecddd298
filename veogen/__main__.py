"""`python -m veogen`, and the console script."""

import sys

from veogen.errors import ExitCode


def main() -> None:
    """Run the command line; an interrupt while it is being imported is no bug either."""
    try:
        from veogen.cli import main as run  # noqa: PLC0415 - it takes long enough for a Ctrl-C
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
