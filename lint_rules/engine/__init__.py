"""Reads files, runs rules over them, and caches what they say. Knows no rule."""
