"""JSON in one line without spaces, in UTF-8 as it is: for journals, lines and pages."""

import json

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""The value's text; the encoder is made once, which `json.dumps` does for every call."""
