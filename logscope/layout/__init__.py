"""Waterfall and histogram as data, drawn by the screens and by reports."""
