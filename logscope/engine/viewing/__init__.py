"""Records for screens and queries: views, filters over files, reading rows, columns, tables."""
