"""Carrying a plan out: submit, poll, download, verify, and keep a journal of it all."""
