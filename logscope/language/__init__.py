"""Filter and sequence syntax to expression trees; no Polars here."""
