"""Turning templates into text: simple ones at once, all others under guard."""
