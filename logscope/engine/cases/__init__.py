"""Cases: what an analyst has pinned, kept in a file, found again, and told in a report."""
