"""What is done with detections: the outbox, the dispatcher, and one module per type of action."""
