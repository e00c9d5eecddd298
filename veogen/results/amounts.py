"""Amounts of credits as run directories keep them."""

from decimal import Decimal


def refuse_endless(amount: Decimal | None) -> None:
    """Raise `ValueError` unless the amount is unknown or a finite number."""
    if amount is not None and not amount.is_finite():
        raise ValueError("an amount is a finite number")
