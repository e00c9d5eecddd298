"""What a notebook shows of a value in place of its text; loaded where there is one."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

_MOST = 100
"""Rows that are shown: a notebook keeps all that it is given."""


def html_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The first rows of a table, every cell as text; None is an empty one."""
    first = list(islice(rows, _MOST + 1))
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    texts = (("" if cell is None else escape(str(cell)) for cell in row) for row in first[:_MOST])
    body = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in texts)
    more = "<p>and more</p>" if len(first) > _MOST else ""
    return (
        f"<p><b>{escape(title)}</b></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
    )
