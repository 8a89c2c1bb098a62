"""How lines become records and fields."""
