"""Syslog frames and headers (RFC 5424, 3164, 6587), both ways; no Polars here."""
