"""What belongs together: keys, linking, transactions."""
