"""What is worth seeing: rules, sequences, detections."""
