"""What rules are and what they find: frozen data without behaviour of its own."""
