"""How a run stands, in one line that fits."""

from dataclasses import dataclass

from veogen.executor.desk import View
from veogen.progress.tally import Tally
from veogen.results.advice import span
from veogen.terminal import columns, plain, shortened

_BETWEEN = ", "
_LONGEST_REASON = 48


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the line; the one with the greatest `rank` is left out first."""

    rank: int
    text: str


def pieces(tally: Tally, view: View, now: float, *, ended: bool = False) -> tuple[Piece, ...]:
    """What there is to say beside the count of what is done, in the order of reading."""
    found = (
        Piece(5, "" if ended else _counted(view.in_flight, "in flight")),
        Piece(1, _counted(tally.count("failed"), "failed")),
        Piece(0, _counted(tally.count("held"), "held")),
        Piece(2, _counted(tally.count("lost"), "undelivered")),
        Piece(6, f"{view.ledger.reserved:.3f} credits"),
        Piece(4, "" if ended else _left(tally.seconds_left(now, view.in_flight))),
        Piece(3, "" if ended else shortened(plain(view.waiting or ""), _LONGEST_REASON)),
    )
    return tuple(piece for piece in found if piece.text)


def fitted(found: tuple[Piece, ...], width: int) -> str:
    """As many pieces as fit into `width` columns, the most important ones."""
    text = joined(found)
    if not found or columns(text) <= width:
        return text
    least = max(found, key=lambda piece: piece.rank)
    return fitted(tuple(piece for piece in found if piece is not least), width)


def joined(found: tuple[Piece, ...]) -> str:
    return _BETWEEN.join(piece.text for piece in found)


def _counted(number: int, words: str) -> str:
    return f"{number} {words}" if number else ""


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f"about {span(seconds)} left"
