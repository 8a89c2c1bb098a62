"""Face 2: the investigator."""
