"""`python -m veogen`, and the console script."""

import signal
import sys

from veogen.errors import ExitCode


def main() -> None:
    """Run the command line; an interrupt while it is being imported is no bug either.

    A signal ends a command from its first moment on, also where a script had one ignored.
    """
    if sys.platform == "win32":  # locks, signals and limits of memory are those of POSIX
        sys.stderr.write("error: veogen runs on Linux and macOS; on Windows install it in WSL\n")
        sys.exit(ExitCode.USAGE)
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup has it
        numbers.append(signal.SIGHUP)
    try:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)
        from veogen.cli import main as run  # noqa: PLC0415 - it takes long enough for a Ctrl-C

        run()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
