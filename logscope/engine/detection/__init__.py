"""Rules run over records and transactions: one engine for files and live sources."""
