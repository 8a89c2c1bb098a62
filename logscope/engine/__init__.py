"""The only package that knows the stages."""
