"""Correlation rules over sliding windows: Sigma's counts, values and temporal proximity."""
