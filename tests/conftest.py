"""What holds for all tests."""

from hypothesis import settings

# A busy machine is no failure: a test that has to be fast says so by itself.
settings.register_profile("busy", parent=settings(), deadline=None)
settings.load_profile("busy")
