"""Screens: records, transactions, one transaction, detections, and the small modal ones."""
