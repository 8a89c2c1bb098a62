"""Filters, SQL and histograms over record and transaction frames."""
