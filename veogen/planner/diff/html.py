"""Text that somebody wrote, as HTML that shows it and does nothing else."""

from collections.abc import Iterator
from html import escape

from veogen.planner.diff.words import word_pieces
from veogen.terminal import plain

_LONGEST_CODE = 300
_LONGEST_TEXT = 4000
_BLANK = "&#32;"  # a blank line would end the block, and Markdown begin


def code(text: str) -> str:
    """A name or address on one line."""
    return f"<code>{_escaped(_cut(text, _LONGEST_CODE))}</code>"


def preformatted(text: str) -> str:
    """A text with its lines."""
    return f"<pre>{_lines(_cut(text, _LONGEST_TEXT))}</pre>\n"


def marked(name: str, old: str, new: str) -> str:
    """Two texts as one: words that went struck out, words that came underlined."""
    return f"<pre>{_escaped(name)}: {''.join(_pieces(old, new))}</pre>\n"


def _pieces(old: str, new: str) -> Iterator[str]:
    room = _LONGEST_TEXT
    for piece in word_pieces(old, new):
        if piece.is_kept:
            yield _lines(_cut(piece.old, room))
        else:
            yield _tagged("del", _cut(piece.old, room))
            yield _tagged("ins", _cut(piece.new, room))
        room -= max(len(piece.old), len(piece.new))
        if room <= 0:
            return


def _tagged(tag: str, text: str) -> str:
    return f"<{tag}>{_lines(text)}</{tag}>" if text else ""


def _lines(text: str) -> str:
    lines = (_escaped(line) for line in text.split("\n"))
    return "\n".join(line if line.strip() else _BLANK for line in lines)


def _escaped(text: str) -> str:
    return escape(plain(text))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\u2026 (the rest is left out)"
