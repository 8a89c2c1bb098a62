"""The sample shop's logs and the generator that makes them."""
