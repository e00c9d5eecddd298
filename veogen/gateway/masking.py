"""The key blotted out of all that comes over the network, in every spelling that may echo it."""

import base64
import html
import json
import re
from functools import lru_cache
from urllib.parse import unquote

MASK = "***"

_SHORTEST_SECRET = 6
"""A shorter key, fit for the simulator only, would be found in every id and number."""

_ESCAPES = ("\\", "%", "&#")
_UNICODE = re.compile(r"\\+(?:u\{?0*|U0*|x)([0-9A-Fa-f]{2})\}?")


def mask(text: str, secret: str) -> str:
    """`text` with the secret blotted out, be it escaped, percent-encoded or in base64."""
    if len(secret) < _SHORTEST_SECRET:
        return text
    text = text.replace(secret, MASK)
    for spelling in _encoded(secret):
        if spelling in text:
            text = text.replace(spelling, MASK)
    if any(escape in text for escape in _ESCAPES):  # as whoever reads it would read it
        read = _UNICODE.sub(lambda escaped: chr(int(escaped[1], 16)), text)
        if secret in unquote(unquote(html.unescape(read))).replace("\\", ""):
            text = _escaped(secret).sub(MASK, text)
    return text


def mask_bytes(content: bytes, secret: str) -> bytes:
    """As `mask`, of what was not read yet: in UTF-8 afterwards if there was something to hide."""
    if len(secret) < _SHORTEST_SECRET:
        return content
    try:
        text = content.decode(json.detect_encoding(content[:64]))
    except (UnicodeDecodeError, LookupError):
        text = content.decode("latin-1")
        masked = mask(text, secret)
        return content if masked == text else masked.encode("latin-1")
    masked = mask(text, secret)
    return content if masked == text else masked.encode()


@lru_cache(maxsize=4)
def _encoded(secret: str) -> tuple[str, ...]:
    """The secret inside base64, which depends on where it begins there, and in hexadecimal."""
    raw = secret.encode()
    spellings = {raw.hex(), raw.hex().upper()}
    for before in range(3):
        coded = base64.b64encode(bytes(before) + raw).decode()
        first = (before * 8 + 5) // 6  # the first letter that only the secret decides
        last = (before + len(raw)) * 8 // 6
        spellings.update({coded[first:last], coded[first:last].translate(_URL_SAFE)})
    return tuple(spellings)


_URL_SAFE = str.maketrans("+/", "-_")


@lru_cache(maxsize=4)
def _escaped(secret: str) -> re.Pattern[str]:
    """Finds the secret with any of its letters written in any way that stands for it.

    As it is, or as JSON, a URL (once more: `%25`), HTML or a program escapes it.
    """
    letters = []
    for letter in secret:
        code = ord(letter)
        ways = (
            rf"\\*{re.escape(letter)}",
            rf"\\+(?i:(?:u\{{?0*|U0*|x){code:02x})\}}?",
            rf"%(?:25)*(?i:{code:02x})",
            rf"&(?:amp;)?#(?:0*{code}|(?i:x0*{code:x}));?",
        )
        letters.append(f"(?:{'|'.join(ways)})")
    return re.compile("".join(letters))
