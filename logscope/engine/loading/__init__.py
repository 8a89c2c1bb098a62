"""From sources to records: reading, the index cache, tables, spools, what memory holds."""
