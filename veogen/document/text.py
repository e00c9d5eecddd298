"""Text as all that we write needs it."""


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: not if it holds half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
