"""What records and transactions have in common: templates, shapes, hand-overs, clocks."""
