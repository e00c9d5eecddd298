"""Clips passed on: plain files, timelines, ratings and frames that other tools open."""
