"""Suites that others wrote, run against logscope: `python -m tests.conformance SUITE`."""
