"""The command line, called in this process as a shell would call it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from veogen.cli import main


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """Calls `veogen` in a folder with an environment of its own."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    environ: Mapping[str, str]

    def veogen(self, *words: str | Path) -> Ended:
        self.capture.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("EVOLINK_")]:
                patch.delenv(name)
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.setattr("sys.argv", ["veogen", *map(str, words)])
            with pytest.raises(SystemExit) as ended:
                main()
        written = self.capture.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 1, written.out, written.err)
