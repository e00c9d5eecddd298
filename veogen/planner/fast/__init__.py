"""Large plans written as lines without making a request for each.

What does not vary is serialized once, what varies with one axis once for each of its values;
a line is then a few texts put together. It is the very text that the straight way gives: where
that is not certain, `quick` says None. This folder can be deleted without changing a byte.
"""
