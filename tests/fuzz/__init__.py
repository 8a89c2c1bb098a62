"""Fuzzing of what reads other people's bytes: see `python -m tests.fuzz --help`."""
