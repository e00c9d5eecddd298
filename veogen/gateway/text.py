"""What the network says, made fit to be shown, logged and stored."""

MASK = "***"

_SHORTEST_SECRET = 6
"""A shorter key, fit for the simulator only, would be found in every id and number."""

_INTEGER_DIGITS = 15


def clean(value: object, *, secret: str = "", limit: int = 500) -> str:
    """`value` as one short line without control characters and without the secret.

    What is no text says nothing, but for whole numbers: the gateway's codes may be either.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**_INTEGER_DIGITS else ""
    if not isinstance(value, str):
        return ""
    if len(value) <= limit and value.isprintable() and mask(value, secret) == value:
        return " ".join(value.split())  # as nearly always
    text = mask(value, secret)[: 4 * limit]
    seen = "".join(" " if c.isspace() else c for c in text if c.isspace() or c.isprintable())
    # Once more: what was between its letters is gone now.
    line = " ".join(mask(seen, secret).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def mask(text: str, secret: str) -> str:
    """`text` with the secret blotted out."""
    return text.replace(secret, MASK) if len(secret) >= _SHORTEST_SECRET else text


def mask_bytes(content: bytes, secret: str) -> bytes:
    """As `mask`, of what was not read yet."""
    if len(secret) < _SHORTEST_SECRET:
        return content
    return content.replace(secret.encode(), MASK.encode())
