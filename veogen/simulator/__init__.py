"""Our stand-in for the gateway: same API, real clips, faults on demand.

It sees the client's data (models, limits, prices) but none of its code, so that a bug in one
does not hide in the other.
"""

DEFAULT_GENERATION_TIME = 2.0
"""Median of the seconds that a task takes."""
