"""What a record is: columns, levels, segments, the store."""
