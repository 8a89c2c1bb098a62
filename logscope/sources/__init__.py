"""Where bytes come from; no Polars here."""
