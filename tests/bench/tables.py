"""Tables that are read in a terminal and kept in a Markdown file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.measuring import Measure, Rounds, cpu, mebibytes, wall


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below their headings; the first column is text, the others are numbers."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        lines = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        ruler = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        shown = [_line(self.headings, widths), _line(ruler, widths)]
        shown += [_line(row, widths) for row in self.rows]
        notes = [line for note in self.notes for line in ("", note)]
        return "\n".join([f"## {self.title}", "", *shown, *notes, ""])


def processes(title: str, rounds: Rounds[Measure], base: str, notes: Iterable[str] = ()) -> Table:
    """Whole processes: CPU and its ratio to the base, wall time, memory and its ratio."""
    return Table(
        title,
        ("", "CPU s", "x base", "wall s", "MiB", "x base"),
        [
            (
                f"{name} (base)" if name == base else name,
                f"{rounds.median(name, cpu):.3f}",
                f"{rounds.ratio(name, base, cpu):.2f}",
                f"{rounds.median(name, wall):.3f}",
                f"{rounds.median(name, mebibytes):.0f}",
                f"{rounds.ratio(name, base, mebibytes):.2f}",
            )
            for name in rounds.found
        ],
        tuple(notes),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(padded)} |"
