"""Rules as things people work on: written, previewed, tested, switched, judged."""
